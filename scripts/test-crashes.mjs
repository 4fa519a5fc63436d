// Runs the tests of tests/crashes in full: processes that are killed, disks that fill up and disappear, pages that crash.
// Also tests a browser's database whose quota is used up.
//
// node scripts/test-crashes.mjs [kills]
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [kills = "500"] = process.argv.slice(2);
const env = { ...process.env, CRASH_KILLS: kills };

function run(program, ...args) {
  return spawnSync(program, args, { cwd: root, env, stdio: "inherit" }).status === 0;
}

if (!run("node", "scripts/setup.mjs", "build", "browsers")) process.exit(1);
const outcomes = [
  run("npx", "vitest", "run", "--project", "long", "tests/crashes"),
  run("npx", "vitest", "run", "--project", "node", "tests/browser-contexts/indexeddb-contexts.test.ts", "-t", "quota"),
];
process.exit(outcomes.includes(false) ? 1 : 0);
