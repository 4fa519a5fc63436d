// Builds the desktop app, and two variants of it with a page that runs the conformance suites in the window.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
// Outside the checkout: it takes gigabytes, and every fresh clone would have to build it again.
const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "foldspace");
const target = join(cache, "cargo-target");
const app = join(root, "app/src-tauri");

export const crates = [join(root, "rust/tauri-plugin-foldspace"), app];

/**
 * @param {string} crate folder
 * @param {readonly string[]} args
 * @returns {boolean} whether cargo succeeded
 */
export function cargo(crate, args, variables = {}) {
  const settings = { CARGO_TARGET_DIR: target, CARGO_INCREMENTAL: "0", CARGO_PROFILE_DEV_DEBUG: "0", ...variables };
  return spawnSync("cargo", args, { cwd: crate, stdio: "inherit", env: { ...process.env, ...settings } }).status === 0;
}

/** Builds the page of the app if it is older than its sources. @returns {boolean} whether the page exists */
export function buildPage() {
  const built = join(root, "dist/app/index.html");
  const sources = ["app/src", "app/public", "app/index.html", "app/vite.config.ts", "dist/index.js"];
  const newest = Math.max(...sources.map((source) => newestIn(join(root, source))));
  if (existsSync(built) && statSync(built).mtimeMs > newest) return true;
  return spawnSync("npm", ["run", "--silent", "build", "--workspace", "app"], { cwd: root, stdio: "inherit" }).status === 0;
}

/** Builds the programs. Tests find them in the folder that the variable TAURI_PROGRAMS names. @returns {Promise<boolean>} whether they exist */
export async function buildPrograms() {
  const folder = join(cache, "tauri-programs");
  mkdirSync(folder, { recursive: true });
  const frontendDist = await bundleSuites(join(folder, "page"));
  const { permissions, ...capability } = JSON.parse(readFileSync(join(app, "capabilities/default.json"), "utf8"));
  const withoutCommands = { ...capability, permissions: permissions.filter((name) => !name.startsWith("foldspace:")) };
  const configs = {
    suites: { build: { frontendDist } },
    "suites-without-commands": { build: { frontendDist }, app: { security: { capabilities: [withoutCommands] } } },
    // the last one, so that cargo leaves it in its target folder
    app: {},
  };
  for (const [name, config] of Object.entries(configs)) {
    if (!cargo(app, ["build", "--quiet"], { TAURI_CONFIG: JSON.stringify(config) })) return false;
    copyFileSync(join(target, "debug/foldspace-app"), join(folder, name));
  }
  process.env.TAURI_PROGRAMS = folder;
  return true;
}

async function bundleSuites(folder) {
  await build({
    entryPoints: { page: join(root, "tests/tauri/suites-page.ts"), "parse-worker": join(root, "dist/worker/parse-worker.js") },
    outdir: folder,
    bundle: true,
    format: "esm",
    target: "es2023",
    logLevel: "warning",
    alias: {
      "#platform-fs": join(root, "src/fs/platform/platform-none.ts"),
      "#platform-peers": join(root, "src/peers/platform/platform-none.ts"),
      "#platform-worker": join(root, "src/worker/start-web.ts"),
    },
  });
  const page = `<!doctype html><meta charset="utf-8"><title>suites</title><script type="module" src="./page.js"></script>`;
  writeFileSync(join(folder, "index.html"), page);
  return folder;
}

function newestIn(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newestIn(join(path, name))));
}
