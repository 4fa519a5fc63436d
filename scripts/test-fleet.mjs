// The simulated fleet of tests/fleet with many seeds, and what went wrong in it on the way.
//
// node scripts/test-fleet.mjs [seeds [first seed]]
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const SEEDS_AT_ONCE = 1_000;
const [seeds = 10_000, first = 1] = process.argv.slice(2).map(Number);

if (spawnSync("node", ["scripts/setup.mjs"], { cwd: root, stdio: "inherit" }).status !== 0) process.exit(1);
const total = { faults: {} };
let hasFailed = false;
for (let done = 0; done < seeds; done += SEEDS_AT_ONCE) {
  const env = { ...process.env, FLEET_FROM: String(first + done), FLEET_SEEDS: String(Math.min(SEEDS_AT_ONCE, seeds - done)) };
  const { status, stdout } = spawnSync("npx", ["vitest", "run", "--project", "long", "tests/fleet"], {
    cwd: root,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const figures = /^fleet (\{.*\})$/m.exec(stdout)?.[1];
  if (status !== 0 || figures === undefined) {
    hasFailed = true;
    process.stdout.write(stdout);
  }
  if (figures !== undefined) add(total, JSON.parse(figures));
  console.log(`${done + Number(env.FLEET_SEEDS)} of ${seeds} seeds`);
}
console.log(JSON.stringify(total, null, 2));
process.exit(hasFailed ? 1 : 0);

function add(sums, figures) {
  for (const [name, figure] of Object.entries(figures)) {
    if (typeof figure === "number") sums[name] = (sums[name] ?? 0) + figure;
    else add(sums[name], figure);
  }
}
