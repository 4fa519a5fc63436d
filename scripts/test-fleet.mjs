// Runs the simulated fleet of tests/fleet with many seeds, and counts the faults that occurred.
//
// node scripts/test-fleet.mjs [seeds [first seed]]
//
// One of every eight seeds has an additional run without faults, and one of devices that keep their peers. With FLEET_PEERS=kept,
// they keep them in all runs. The same holds for devices that keep snapshots, and FLEET_SNAPSHOTS=on. 10,000 seeds take some two hours on two cores that have other work as well.
import { spawn, spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const SEEDS_AT_ONCE = 250;
const [seeds = 1_000, first = 1] = process.argv.slice(2).map(Number);

if (spawnSync("node", ["scripts/setup.mjs"], { cwd: root, stdio: "inherit" }).status !== 0) process.exit(1);
const total = { faults: {} };
const failed = [];
let [begun, done] = [0, 0];
await Promise.all(Array.from({ length: availableParallelism() }, runPieces));
console.log(JSON.stringify(total, null, 2));
for (const seed of failed.sort((a, b) => a - b)) console.log(`Seed ${seed} failed, again with: npm run test:fleet -- 1 ${seed}`);
process.exit(failed.length > 0 ? 1 : 0);

async function runPieces() {
  while (begun < seeds) {
    const [from, count] = [first + begun, Math.min(SEEDS_AT_ONCE, seeds - begun)];
    begun += count;
    await runPiece(from, count);
    done += count;
    console.log(`${done} of ${seeds} seeds`);
  }
}

async function runPiece(from, count) {
  const env = { ...process.env, FLEET_FROM: String(from), FLEET_SEEDS: String(count) };
  const child = spawn("npx", ["vitest", "run", "--project", "long", "tests/fleet"], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (bytes) => (output += bytes));
  const status = await new Promise((resolve) => child.once("close", resolve));
  const figures = /^fleet (\{.*\})$/m.exec(output)?.[1];
  if (figures !== undefined) add(total, JSON.parse(figures));
  if (status === 0 && figures !== undefined) return;
  process.stdout.write(output);
  const failedHere = Array.from(output.matchAll(/^fleet failed with seed (\d+)$/gm), ([, seed]) => Number(seed));
  // it ended without naming a seed: repeat from the first seed of this part
  failed.push(...(failedHere.length > 0 ? failedHere : [from]));
}

function add(sums, figures) {
  for (const [name, figure] of Object.entries(figures)) {
    if (typeof figure === "number") sums[name] = (sums[name] ?? 0) + figure;
    else add((sums[name] ??= {}), figure);
  }
}
