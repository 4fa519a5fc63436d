import { expect, test } from "vitest";
import { DEFAULT_FLUSH_POLICY, type FlushPolicy } from "../../src/index.ts";
import { tell } from "./figures.ts";
import { isFull } from "./mode.ts";
import { describeWith } from "./programs.ts";
import { Syncthing } from "./syncthing.ts";
import { typeSteadily, type TypingFigures } from "./typing.ts";

const TYPING_MS = isFull ? 120_000 : 25_000;
const LONGEST_TEST_MS = 600_000;
/** Syncthing waits no longer for a file to come to rest, in units of the time for which it gathers. */
const GATHERED_AT_MOST = 7;
const CARRYING_MS = 30_000;

/** So many seconds of gathering, and the flush policies that make sense with it. */
const SETTINGS: readonly (readonly [gatherS: number, flushPolicies: readonly Partial<FlushPolicy>[]])[] = isFull
  ? [
      [1, [{}, always(500), always(1_000), always(2_000), always(3_000)]],
      [10, [{}, always(500), always(2_000), always(6_000), always(10_000), always(15_000)]],
    ]
  : [
      [1, [{}, always(2_000)]],
      [10, [{}, always(6_000)]],
    ];

function always(intervalMs: number): Partial<FlushPolicy> {
  return { flushIntervalMs: intervalMs, steadyIntervalMs: intervalMs };
}

describeWith("syncthing", "somebody who types without a pause", () => {
  test.each(SETTINGS)(
    "is seen typing where Syncthing gathers for %i s",
    { timeout: LONGEST_TEST_MS },
    async (gatherS, flushPolicies) => {
      const duration = { typingMs: TYPING_MS, lastWithinMs: gatherS * GATHERED_AT_MOST * 1_000 + CARRYING_MS };
      const figures = await Promise.all(
        flushPolicies.map((flushPolicy) => typeSteadily((site) => Syncthing.start(site, gatherS), flushPolicy, duration)),
      );
      for (const [index, flushPolicy] of flushPolicies.entries()) tell(describeTyping(gatherS, flushPolicy, figures[index]!));
      for (const { count, keys } of figures) expect(count).toBe(keys);
    },
  );
});

function describeTyping(gatherS: number, flushPolicy: Partial<FlushPolicy>, figures: TypingFigures): string {
  const { flushIntervalMs, steadyIntervalMs, steadyAfterMs } = { ...DEFAULT_FLUSH_POLICY, ...flushPolicy };
  const saved =
    flushIntervalMs === steadyIntervalMs
      ? `every ${flushIntervalMs} ms`
      : `every ${flushIntervalMs} ms, after ${steadyAfterMs / 1_000} s every ${steadyIntervalMs} ms`;
  const { count, median, p95, worst, arrivals } = figures;
  return `Syncthing gathers ${gatherS} s, saved ${saved}: ${count} keys seen after ${median} (95 %: ${p95}, at worst ${worst}), in ${arrivals} arrivals`;
}
