import { expect, test } from "vitest";
import { findViolations, fingerprint, fork, newWorld, stepsOf, type Scenario, type World } from "./replication-model.ts";

/** Every combination of what may go wrong, for trees that both tabs have in memory, and for one that only one tab has opened. */
const SCENARIOS: Scenario[] = (["none", "refused", "unreadable", "rescan"] as const).flatMap((failure) =>
  (["none", "closed", "killed"] as const).flatMap((ending) =>
    [
      { makers: [0, 0, 1], isLoaded: [true, true] },
      { makers: [0, 0, 0], isLoaded: [true, false] },
      { makers: [1, 1, 1], isLoaded: [false, true] },
    ].flatMap(({ makers, isLoaded }) =>
      (ending === "none" ? [0 as const] : [0 as const, 1 as const]).map((endingTab): Scenario => ({
        name: `${isLoaded.map((each) => (each ? "loaded" : "not loaded")).join(" and ")}, failure ${failure}, tab ${endingTab} ${ending}`,
        makers: makers as Scenario["makers"],
        isLoaded: isLoaded as [boolean, boolean],
        failure,
        ending,
        endingTab,
      })),
    ),
  ),
);
/** In a normal run, scenarios are explored up to so many states; the whole is for `EXPLORE=Infinity`. */
const MAX_STATES = Number(process.env["EXPLORE"] ?? 6_000);

interface Exploration {
  readonly states: number;
  readonly violations: readonly string[];
}

/** Goes through every order of events, each state once. */
function explore(scenario: Scenario): Exploration {
  const first = newWorld(scenario);
  const known = new Map<string, number>([[fingerprint(first), 0]]);
  const paths: { readonly before: number; readonly step: string }[] = [{ before: -1, step: "start" }];
  const sources: number[][] = [[]];
  const ends: number[] = [];
  const waiting: { readonly world: World; readonly index: number }[] = [{ world: first, index: 0 }];
  const violations: string[] = [];
  const trace = (index: number): string => {
    const steps: string[] = [];
    for (let at = index; at >= 0; at = paths[at]!.before) steps.unshift(paths[at]!.step);
    return steps.join(" → ");
  };
  for (let next = waiting.pop(); next && violations.length === 0; next = waiting.pop()) {
    const { world, index } = next;
    const steps = stepsOf(world, scenario);
    const isEnd = steps.every(({ isOptional }) => isOptional);
    if (isEnd) ends.push(index);
    for (const violation of findViolations(world, isEnd)) violations.push(`${violation}: ${trace(index)}`);
    for (const step of steps) {
      const after = fork(world);
      step.run(after);
      const key = fingerprint(after);
      let to = known.get(key);
      if (to === undefined) {
        if (known.size >= MAX_STATES) continue;
        to = known.size;
        known.set(key, to);
        paths.push({ before: index, step: step.name });
        sources.push([]);
        waiting.push({ world: after, index: to });
      }
      sources[to]!.push(index);
    }
  }
  if (violations.length === 0 && known.size < MAX_STATES) violations.push(...findStuck(ends, sources).slice(0, 3).map(trace));
  return { states: known.size, violations };
}

/** States from which no end can be reached. */
function findStuck(ends: readonly number[], sources: readonly (readonly number[])[]): number[] {
  const canEnd = new Set(ends);
  const waiting = [...ends];
  for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
    for (const source of sources[state]!) {
      if (canEnd.has(source)) continue;
      canEnd.add(source);
      waiting.push(source);
    }
  }
  return sources.flatMap((_, state) => (canEnd.has(state) ? [] : [state]));
}

let total = 0;
for (const scenario of SCENARIOS) {
  test(
    `in every order of events, every operation comes to stand in every layer: ${scenario.name}`,
    { timeout: 3_600_000 },
    () => {
      const { states, violations } = explore(scenario);
      total += states;
      expect(violations).toEqual([]);
      expect(states).toBeGreaterThan(100);
    },
  );
}

test("as many states are visited as are said to be", () => {
  if (process.env["EXPLORE"]) process.stdout.write(`${total} states visited\n`);
  expect(total).toBeGreaterThan(SCENARIOS.length * 100);
});
