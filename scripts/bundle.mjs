// What the compiler has made one file per module of is joined where that matters to the user.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const options = { bundle: true, format: "esm", allowOverwrite: true, sourcemap: true, logLevel: "warning" };

// The parsing workers become single files without imports, so that they work wherever a bundler copies them to.
await build({
  ...options,
  entryPoints: [`${dist}/worker/parse-worker.js`, `${dist}/worker/parse-worker-node.js`],
  outdir: `${dist}/worker`,
  external: ["node:*"],
});

// The command starts in half the time when it has not a hundred files to find.
await build({
  ...options,
  entryPoints: [`${dist}/cli/main.js`],
  outdir: `${dist}/cli`,
  platform: "node",
  splitting: true,
  packages: "external",
  chunkNames: "parts/[name]-[hash]",
});
