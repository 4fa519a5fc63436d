// Prepares a fresh clone: installs the dependencies into node_modules and builds, each only when needed. With `browsers`, it also
// installs Debian's browsers and nats-server with apt-get, if it runs as root; it prints the commands first, and FOLDSPACE_APT=no refuses them.
// It has no dependencies itself, so that it runs before anything is installed.
//
// node scripts/setup.mjs [build] [browsers]
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages, isInPath } from "./debian-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
/** Variables that name programs which are not in PATH. */
const PATH_VARIABLES = { chromium: "CHROMIUM_PATH", "nats-server": "NATS_SERVER_PATH" };
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
  const built = ["dist/index.js", "dist/app/index.html"].map((path) => join(root, path));
  const sources = [
    ...["src", "tsconfig.json", "tsconfig.build.json", "package.json"],
    ...["app/src", "app/public", "app/index.html", "app/vite.config.ts", "app/package.json"],
  ].map((path) => join(root, path));
  const isBuilt = built.every((path) => existsSync(path));
  if (isBuilt && Math.min(...built.map(newest)) > Math.max(...sources.map(newest))) return;
  console.log("Building …");
  run("npm", ["run", "--silent", "build"], "The build failed; its messages are above.");
}

/** Browsers, and the server of the server layer, come from Debian. Without them, the tests that need them are left out, and a message says so. */
function installBrowsers() {
  const packages = [
    ["chromium", ["chromium"]],
    ["WebKitWebDriver", ["webkit2gtk-driver", "libwebkit2gtk-4.1-0"]],
    ["Xvfb", ["xvfb", "xauth"]],
    ["xdotool", ["xdotool"]],
    ["nats-server", ["nats-server"]],
  ]
    .filter(([program]) => !isInPath(program) && !process.env[PATH_VARIABLES[program]])
    .flatMap(([, names]) => names);
  const obstacle = installPackages(packages);
  if (obstacle !== undefined) console.error(`${obstacle}. Tests that need them are left out.`);
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
