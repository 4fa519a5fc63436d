// Runs the tests of the server layer in full: more kills of the server, and an outage of 30 s; and its suite in Chromium.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const env = { ...process.env, NATS_TESTS: "full" };

function run(program, ...args) {
  return spawnSync(program, args, { cwd: root, env, stdio: "inherit" }).status === 0;
}

if (!run("node", "scripts/setup.mjs", "browsers")) process.exit(1);
const outcomes = [
  run("npx", "vitest", "run", "--project", "node", "tests/nats"),
  run("npx", "vitest", "run", "--project", "browser", "tests/browser/nats-layer.test.ts"),
];
process.exit(outcomes.includes(false) ? 1 : 0);
