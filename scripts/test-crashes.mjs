// The tests of tests/crashes in full: processes that are killed, disks that fill up and go away, pages that crash.
//
// node scripts/test-crashes.mjs [kills]
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [kills = "500"] = process.argv.slice(2);
const env = { ...process.env, CRASH_KILLS: kills };

for (const [program, ...args] of [
  ["node", "scripts/setup.mjs", "build", "browsers"],
  ["npx", "vitest", "run", "--project", "long", "tests/crashes"],
]) {
  const { status } = spawnSync(program, args, { cwd: root, env, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
