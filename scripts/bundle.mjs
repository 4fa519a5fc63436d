// The compiler emits one file per module. This script bundles them if the user benefits.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const options = { bundle: true, format: "esm", allowOverwrite: true, sourcemap: true, logLevel: "warning" };

// Each parsing worker becomes a single file without imports, so that it works wherever a bundler copies it.
await build({
  ...options,
  entryPoints: [`${dist}/worker/parse-worker.js`, `${dist}/worker/parse-worker-node.js`],
  outdir: `${dist}/worker`,
  external: ["node:*"],
});

// The command starts in half the time if it need not load a hundred files.
await build({
  ...options,
  // what `main.js` loads is named too
  entryPoints: ["main", "start", "print-version"].map((name) => `${dist}/cli/${name}.js`),
  // it finds package.json by its own place
  external: [`${dist}/cli/version.js`],
  outdir: `${dist}/cli`,
  platform: "node",
  splitting: true,
  packages: "external",
  chunkNames: "parts/[name]-[hash]",
});
