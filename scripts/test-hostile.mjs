// Tests hostile folders: very many files, endless lines and names, links and pipes where logs should be.
//
// node scripts/test-hostile.mjs [--full] [arguments for vitest]
//
// --full uses the largest sizes: a million files, and lines of 5 GB that are really written. That temporarily takes some
// 10 GB of disk, and a quarter of an hour.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const isFull = process.argv.includes("--full");
const args = process.argv.slice(2).filter((arg) => arg !== "--full");
const env = { ...process.env, FOLDSPACE_HOSTILE: isFull ? "full" : "quick" };

for (const [program, ...programArgs] of [
  ["node", "scripts/setup.mjs", "build"],
  ["npx", "vitest", "run", "--project", "long", "tests/hostile", ...args],
]) {
  const { status } = spawnSync(program, programArgs, { cwd: root, env, stdio: "inherit" });
  if (status !== 0) process.exit(1);
}
