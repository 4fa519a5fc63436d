// Gets a fresh clone ready without asking for anything: installs the dependencies and builds, each only when needed;
// for the tests, also Debian's browsers where that is allowed. It has no dependencies itself, so that it runs before
// anything is installed.
//
// node scripts/setup.mjs [build] [browsers]
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stampFile = join(root, "node_modules", ".foldspace-lock");

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node 20.19 or newer is needed; this is ${process.version}. See https://nodejs.org/`);
}
install();
if (process.argv.includes("build")) build();
if (process.argv.includes("browsers")) installBrowsers();

function install() {
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === lock) return;
  console.log("Installing the dependencies (once) …");
  // Not `npm ci`: it refuses a lock file that lacks what only other platforms need, which not every registry has.
  // No package that is used here needs its install script.
  run(
    "npm",
    ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"],
    "The dependencies could not be installed. Is the npm registry reachable?",
  );
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(stampFile, lock);
}

function build() {
  const built = join(root, "dist", "index.js");
  const sources = ["src", "tsconfig.json", "tsconfig.build.json", "package.json"];
  if (existsSync(built) && statSync(built).mtimeMs > Math.max(...sources.map((source) => newest(join(root, source))))) return;
  console.log("Building …");
  run("npm", ["run", "--silent", "build"], "The build failed; its messages are above.");
}

/** Browsers come from Debian; without them the tests leave out what needs them, and say so. */
function installBrowsers() {
  const packages = [
    ["chromium", ["chromium"]],
    ["WebKitWebDriver", ["webkit2gtk-driver", "libwebkit2gtk-4.1-0"]],
    ["Xvfb", ["xvfb", "xauth"]],
    ["xdotool", ["xdotool"]],
  ]
    .filter(([program]) => !isInPath(program) && !(program === "chromium" && process.env.CHROMIUM_PATH))
    .flatMap(([, names]) => names);
  if (packages.length === 0) return;
  if (process.getuid?.() !== 0 || !isInPath("apt-get")) {
    console.error(`NOT INSTALLED: ${packages.join(", ")} (that takes root and apt-get). Tests that need them are left out.`);
    return;
  }
  console.log(`Installing ${packages.join(", ")} (once) …`);
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", ...packages],
  ]) {
    const { status } = spawnSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"], env: environment });
    if (status === 0) continue;
    console.error(`NOT INSTALLED: ${packages.join(", ")}: apt-get ${args[0]} failed. Tests that need them are left out.`);
    return;
  }
}

function isInPath(program) {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => existsSync(join(directory, program)));
}

function newest(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function run(command, args, explanation) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: "inherit", shell: process.platform === "win32" });
  if (error) fail(`${command} could not be started: ${error.message}`);
  if (status !== 0) fail(explanation);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
