// Compares what a page downloads for data that it keeps in IndexedDB: node bench/peers/sizes.mjs, after a build. It installs the other
// libraries in a folder of its own. FOLDSPACE_BUILD names another build to measure. Each app has what merges edits of several
// devices; foldspace also has secrets, and keeps several layers in step.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const PACKAGES = { "y-indexeddb": "9.0.12", yjs: "13.6.33", tinybase: "10.0.1" };
const foldspace = process.env.FOLDSPACE_BUILD ?? join(import.meta.dirname, "../..");
const peers = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "foldspace-bench-sizes");
const APPS = [
  [
    "foldspace",
    foldspace,
    `export { SpaceManager } from "./dist/index.js";
     export { IndexedDBPersistenceLayer } from "./dist/layers/indexeddb/index.js";`,
  ],
  ["foldspace, only a tree, nothing stored", foldspace, `export { ReplicatedTree } from "./dist/tree/index.js";`],
  ["Yjs, y-indexeddb", peers, `export { Doc } from "yjs"; export { IndexeddbPersistence } from "y-indexeddb";`],
  ["Yjs, only a document, nothing stored", peers, `export { Doc } from "yjs";`],
  [
    "TinyBase",
    peers,
    `export { createMergeableStore } from "tinybase/mergeable-store";
     export { createIndexedDbPersister } from "tinybase/persisters/persister-indexed-db";`,
  ],
];

install();
console.log(`${"minified, gzip".padEnd(42)}${"at first".padStart(10)}${"in one file".padStart(14)}`);
for (const [name, resolveDir, contents] of APPS) {
  const [atFirst, inOneFile] = [await sizeOf(resolveDir, contents, true), await sizeOf(resolveDir, contents, false)];
  console.log(`${name.padEnd(42)}${kilobytes(atFirst).padStart(10)}${kilobytes(inOneFile).padStart(14)}`);
}

/** @returns {Promise<number>} bytes of the files that the page loads at first */
async function sizeOf(resolveDir, contents, splitting) {
  const options = { bundle: true, minify: true, write: false, format: "esm", outdir: "out", metafile: true, tsconfigRaw: {} };
  const { outputFiles, metafile } = await build({ ...options, splitting, stdin: { contents, resolveDir, sourcefile: "app.js" } });
  const loaded = new Set();
  const load = (path) => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: next, kind } of metafile.outputs[path].imports) if (kind === "import-statement") load(next);
  };
  load("out/stdin.js");
  const files = outputFiles.filter(({ path }) => [...loaded].some((name) => path.endsWith(name)));
  if (files.length !== loaded.size) throw new Error(`Not all of ${[...loaded].join(", ")} were built`);
  return files.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0);
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

function install() {
  const manifest = JSON.stringify({ private: true, dependencies: PACKAGES });
  const file = join(peers, "package.json");
  if (existsSync(file) && readFileSync(file, "utf8") === manifest && existsSync(join(peers, "node_modules"))) return;
  console.log(`Installing the other libraries in ${peers} …`);
  mkdirSync(peers, { recursive: true });
  writeFileSync(file, manifest);
  const args = ["install", "--legacy-peer-deps", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"];
  const { status, stderr } = spawnSync("npm", args, { cwd: peers, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm install failed:\n${stderr}`);
}
