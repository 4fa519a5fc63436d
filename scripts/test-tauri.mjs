// Tests the desktop app in real windows: builds it, and drives it on a virtual screen. Installs missing programs if that
// is allowed, and otherwise names them.
//
// node scripts/test-tauri.mjs [arguments for vitest]
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages, isInPath } from "./debian-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const OLDEST_RUST = 90;
/** Limit of the median time from the replacement of a file until its item appears. */
const LONGEST_UPDATE_MS = 300;

const missing = findMissing();
if (missing.length > 0) {
  console.error(`THE TESTS OF THE DESKTOP APP ARE SKIPPED. Missing:\n${missing.map((line) => `  ${line}`).join("\n")}`);
  process.exit(process.env.CI === "true" ? 1 : 0);
}
if (!run("node", ["scripts/setup.mjs", "build"])) process.exit(1);
// needs packages that the line above installs
const { buildPage, buildPrograms, cargo, crates } = await import("./tauri-programs.mjs");
const steps = {
  "the page": buildPage,
  "the programs": buildPrograms,
  "the example": checkExample,
  "tests in windows": testInWindows,
  "tests of the crates": () => crates.every((crate) => cargo(crate, ["test", "--quiet"])),
  "lint of the crates": () =>
    crates.every((crate) => cargo(crate, ["clippy", "--quiet", "--all-targets", "--", "--deny", "warnings"])),
  "format of the crates": () => crates.every((crate) => cargo(crate, ["fmt", "--check"])),
};
for (const [name, action] of Object.entries(steps)) {
  console.log(`\n— ${name}`);
  const start = Date.now();
  if (!(await action())) {
    console.log(`Failed: ${name}.`);
    process.exit(1);
  }
  console.log(`(${Math.round((Date.now() - start) / 1_000)} s)`);
}

/** @returns {string[]} what this machine lacks, and how to install it */
function findMissing() {
  if (process.platform !== "linux") return ["Linux, because only there WebKit can be driven"];
  const found = [];
  const rust = spawnSync("cargo", ["--version"], { encoding: "utf8" });
  const [, minor] = /^cargo 1\.(\d+)/.exec(rust.stdout ?? "") ?? [];
  if (minor === undefined || Number(minor) < OLDEST_RUST)
    found.push(`Rust 1.${OLDEST_RUST} or newer, with cargo in PATH: https://rustup.rs installs it`);
  const packages = [
    [isInPath("cc"), "build-essential"],
    [isInPath("pkg-config"), "pkg-config"],
    [hasLibrary("webkit2gtk-4.1"), "libwebkit2gtk-4.1-dev"],
    [isInPath("WebKitWebDriver"), "webkit2gtk-driver"],
    [isInPath("Xvfb") && isInPath("xvfb-run"), "xvfb", "xauth"],
    [isInPath("dbus-run-session"), "dbus"],
    [isInPath("xdotool"), "xdotool"],
    [isInPath("rsync"), "rsync"],
    [isInPath("syncthing"), "syncthing"],
  ].flatMap(([isThere, ...names]) => (isThere ? [] : names));
  const obstacle = installPackages(packages);
  if (obstacle !== undefined) found.push(`${obstacle}: apt-get install ${packages.join(" ")}`);
  return found;
}

function hasLibrary(name) {
  return spawnSync("pkg-config", ["--exists", name]).status === 0;
}

/** Checks the crate of the example with the versions of the app's, so that little is compiled twice. */
function checkExample() {
  const example = join(root, "examples/tauri");
  const [crate, page] = [join(example, "src-tauri"), join(example, "dist")];
  copyFileSync(join(root, "app/src-tauri/Cargo.lock"), join(crate, "Cargo.lock"));
  return run("npx", ["vite", "build", example, "--logLevel", "warn"]) && existsSync(page) && cargo(crate, ["check", "--quiet"]);
}

function testInWindows() {
  const { TAURI_SCREENSHOTS: screenshots = mkdtempSync(join(tmpdir(), "foldspace-screenshots-")) } = process.env;
  mkdirSync(screenshots, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "foldspace-desktop-"));
  const figures = join(scratch, "figures.json");
  const vitest = ["npx", "vitest", "run", "--root", ".", "--config", "tests/tauri/vitest.config.ts", ...process.argv.slice(2)];
  const isFine = run("dbus-run-session", ["--", "xvfb-run", "-a", "-s", "-screen 0 1280x1024x24", ...vitest], {
    TAURI_FIGURES: figures,
    TAURI_SCREENSHOTS: screenshots,
    // all temporary files go there and are deleted with it, even if a test was killed
    TMPDIR: scratch,
  });
  console.log(`Pictures of the windows are in ${screenshots}`);
  const isInTime = !existsSync(figures) || isFastEnough(JSON.parse(readFileSync(figures, "utf8")));
  rmSync(scratch, { recursive: true, force: true });
  return isFine && isInTime;
}

function isFastEnough({ updateMs }) {
  const inOrder = updateMs.toSorted((a, b) => a - b);
  const median = inOrder[inOrder.length >> 1];
  const isWithin = median <= LONGEST_UPDATE_MS;
  console.log(
    `A replaced file is shown after ${median} ms (median of ${updateMs.length}, worst ${inOrder.at(-1)} ms; ` +
      `at most ${LONGEST_UPDATE_MS} ms) ${isWithin ? "ok" : "OVER"}`,
  );
  return isWithin;
}

function run(command, args, variables = {}) {
  return spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...variables } }).status === 0;
}
