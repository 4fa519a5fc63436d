// Tests over the programs that carry folders between devices: Syncthing, Git, rclone, rsync, Unison.
//
// node scripts/test-transports.mjs [--full] [arguments for vitest]
//
// With --full, typing and editing go on for long enough that the figures printed on the way can be relied on.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages, isInPath } from "./debian-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Each is in a package of its name. */
const PROGRAMS = ["git", "rclone", "rsync", "syncthing", "unison"];

if (spawnSync("node", ["scripts/setup.mjs"], { cwd: root, stdio: "inherit" }).status !== 0) process.exit(1);
const obstacle = installPackages(PROGRAMS.filter((program) => !isInPath(program)));
if (obstacle !== undefined) console.error(`${obstacle}. Tests that need them are left out.`);

const isFull = process.argv.includes("--full");
const args = process.argv.slice(2).filter((arg) => arg !== "--full");
const scratch = mkdtempSync(join(tmpdir(), "transports-"));
const tests = spawn("npx", ["vitest", "run", "--config", "tests/transports/vitest.config.ts", "--root", ".", ...args], {
  cwd: root,
  stdio: "inherit",
  // everything is made in there, and goes with it even where a test was killed
  env: { ...process.env, TMPDIR: scratch, TRANSPORTS: isFull ? "full" : "quick" },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => tests.kill(signal));
tests.on("exit", (code) => {
  rmSync(scratch, { recursive: true, force: true });
  process.exit(code ?? 1);
});
