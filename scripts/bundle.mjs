// The compiler emits one file per module. This script, which must run right after it, bundles them if the user benefits.
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = join(root, "dist");
const command = join(dist, "cli");
const options = {
  bundle: true,
  format: "esm",
  allowOverwrite: true,
  logLevel: "warning",
  // its paths are for the compiler; `imports` of package.json chooses what belongs to a platform
  tsconfigRaw: {},
};

// Each parsing worker becomes a single file without imports, so that it works wherever a bundler copies it.
await build({
  ...options,
  entryPoints: [`${dist}/worker/parse-worker.js`, `${dist}/worker/parse-worker-node.js`],
  outdir: `${dist}/worker`,
  external: ["node:*"],
});

// The command contains its dependencies: apps that use only the library do not install them, and it starts in half the time if
// it need not load a hundred files.
rmSync(join(command, "parts"), { recursive: true, force: true });
const { metafile } = await build({
  ...options,
  // what `main.js` loads is named too
  entryPoints: ["main", "start", "print-version"].map((name) => `${command}/${name}.js`),
  // these find other files by their own places: package.json, and the worker
  external: [`${command}/version.js`, "#platform-worker"],
  outdir: command,
  platform: "node",
  // not the older format of a package: a dynamic import of it would have no named exports
  mainFields: ["module", "main"],
  splitting: true,
  chunkNames: "parts/[name]-[hash]",
  // dependencies in the older format call `require`
  banner: {
    js: 'import { createRequire as createRequireOf } from "node:module"; const require = createRequireOf(import.meta.url);',
  },
  metafile: true,
});
removeBundled(new Set([...Object.keys(metafile.outputs).map((path) => resolve(path)), join(command, "version.js")]));
writeFileSync(join(command, "LICENSES.txt"), licencesOf(Object.keys(metafile.inputs)));

/** Removes the modules of the command that are contained in its bundle. */
function removeBundled(kept) {
  for (const path of readdirSync(command, { recursive: true, encoding: "utf8" })) {
    const file = join(command, path);
    if (statSync(file).isFile() && !kept.has(file)) rmSync(file);
  }
  for (const folder of readdirSync(command)) if (!/[.]|^parts$/.test(folder)) rmSync(join(command, folder), { recursive: true });
}

/** The licences of the packages that the bundle contains, which their authors require to go with it. */
function licencesOf(inputs) {
  const folders = new Set();
  for (const input of inputs) {
    const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(relative(root, resolve(input))) ?? [];
    if (folder !== undefined) folders.add(folder);
  }
  const texts = [...folders].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const licence = readdirSync(join(root, folder)).find((file) => /^licen[cs]e/i.test(file));
    if (licence === undefined) throw new Error(`${name} has no licence in its package`);
    return `${name} ${version}\n\n${readFileSync(join(root, folder, licence), "utf8").trim()}\n`;
  });
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}
