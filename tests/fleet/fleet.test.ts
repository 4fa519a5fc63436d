import { expect, test } from "vitest";
import { runFleet, type FleetResult } from "./fleet.ts";

/** First seed, and how many; more of them with `npm run test:fleet`. */
const FROM = Number(process.env["FLEET_FROM"] ?? 1);
const SEEDS = Number(process.env["FLEET_SEEDS"] ?? 300);
/** Runs in which nothing goes wrong come on top of those in which everything does. */
const SEEDS_PER_CALM_RUN = 8;
/** Runs of devices that keep their peers, on top of those of devices that do not. */
const SEEDS_PER_KEPT_RUN = 8;
/** Whether all devices keep their peers. */
const KEEPS_PEERS = process.env["FLEET_PEERS"] === "kept";
/** Runs of devices that keep snapshots, on top of those of devices that do not. */
const SEEDS_PER_SNAPSHOT_RUN = 8;
/** Whether devices keep snapshots in all runs. */
const KEEPS_SNAPSHOTS = process.env["FLEET_SNAPSHOTS"] === "on";

test(
  "devices whose folders a service carries end equal, with everything that was acknowledged and nothing else",
  // what hangs does so in the time of the devices, which a run tells of
  { timeout: 0 },
  async () => {
    const results: FleetResult[] = [];
    for (let seed = FROM; seed < FROM + SEEDS; seed++) {
      const kept = { keepsPeers: KEEPS_PEERS, keepsSnapshots: KEEPS_SNAPSHOTS };
      results.push(await runFleet(seed, "rough", kept));
      if (seed % SEEDS_PER_CALM_RUN === 0) results.push(await runFleet(seed, "calm", kept));
      if (seed % SEEDS_PER_KEPT_RUN === 0 && !KEEPS_PEERS)
        results.push(await runFleet(seed, "rough", { ...kept, keepsPeers: true }));
      if (seed % SEEDS_PER_SNAPSHOT_RUN === 0 && !KEEPS_SNAPSHOTS)
        results.push(await runFleet(seed, "rough", { ...kept, keepsSnapshots: true }));
    }
    process.stdout.write(`${summary(results)}\n`);
    const failed = results.filter(({ violations }) => violations.length > 0);
    for (const seed of new Set(failed.map((result) => result.seed))) process.stdout.write(`fleet failed with seed ${seed}\n`);
    for (const result of failed.slice(0, 3)) process.stderr.write(`${report(result)}\n`);
    expect(failed.map(({ seed, weather, keepsPeers, violations }) => ({ seed, weather, keepsPeers, violations }))).toEqual([]);
  },
);

function report({ seed, weather, keepsPeers, history, violations }: FleetResult): string {
  return [
    `Seed ${seed}, ${weather}${keepsPeers ? ", peers kept" : ""}:`,
    ...history.map((words) => `  ${words}`),
    ...violations.map((words) => `  VIOLATED: ${words}`),
  ].join("\n");
}

function summary(results: readonly FleetResult[]): string {
  const faults = new Map<string, number>();
  for (const result of results) for (const [kind, count] of result.faults) faults.set(kind, (faults.get(kind) ?? 0) + count);
  const sum = (of: (result: FleetResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const figures = {
    seeds: new Set(results.map(({ seed }) => seed)).size,
    "with kept peers": results.filter(({ keepsPeers }) => keepsPeers).length,
    peers: sum((result) => result.peers),
    "calm seeds": results.filter(({ weather }) => weather === "calm").length,
    operations: sum((result) => result.operations),
    acknowledged: sum((result) => result.acknowledged),
    contested: sum((result) => result.contested),
    resumptions: sum((result) => result.resumptions),
    violations: sum((result) => result.violations.length),
    faults: Object.fromEntries([...faults].sort()),
  };
  return `fleet ${JSON.stringify(figures)}`;
}
