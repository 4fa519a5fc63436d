// Tests with the programs that carry folders between devices: Syncthing, Git, rclone, rsync, Unison, and with the conflicts and
// pointers of git-annex, Git LFS, Mercurial, Fossil and Subversion.
//
// node scripts/test-transports.mjs [--full] [arguments for vitest]
//
// With --full, typing and editing continue long enough to make the printed figures reliable. FOLDSPACE_SYNCTHING=PATH runs another
// Syncthing than the one in PATH.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages, isInPath } from "./debian-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Programs, each with the package of Debian that has it. */
const PROGRAMS = new Map([
  ["fossil", "fossil"],
  ["git", "git"],
  ["git-annex", "git-annex"],
  ["git-lfs", "git-lfs"],
  ["hg", "mercurial"],
  ["rclone", "rclone"],
  ["rsync", "rsync"],
  ["svn", "subversion"],
  ["syncthing", "syncthing"],
  ["unison", "unison"],
]);

if (spawnSync("node", ["scripts/setup.mjs"], { cwd: root, stdio: "inherit" }).status !== 0) process.exit(1);
const obstacle = installPackages(
  [...PROGRAMS.keys()].filter((program) => !isInPath(program)).map((program) => PROGRAMS.get(program)),
);
if (obstacle !== undefined) console.error(`${obstacle}. Tests that need them are skipped.`);

const isFull = process.argv.includes("--full");
const args = process.argv.slice(2).filter((arg) => arg !== "--full");
const scratch = mkdtempSync(join(tmpdir(), "transports-"));
const tests = spawn("npx", ["vitest", "run", "--config", "tests/transports/vitest.config.ts", "--root", ".", ...args], {
  cwd: root,
  stdio: "inherit",
  // all temporary files go there and are deleted with it, even if a test was killed
  env: { ...process.env, TMPDIR: scratch, TRANSPORTS: isFull ? "full" : "quick" },
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => tests.kill(signal));
tests.on("exit", (code) => {
  rmSync(scratch, { recursive: true, force: true });
  process.exit(code ?? 1);
});
