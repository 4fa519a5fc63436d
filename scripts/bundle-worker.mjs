// Makes the parsing workers single files without imports, so that they work wherever a bundler copies them to.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
await build({
  entryPoints: [`${dist}/worker/parse-worker.js`, `${dist}/worker/parse-worker-node.js`],
  outdir: `${dist}/worker`,
  allowOverwrite: true,
  bundle: true,
  format: "esm",
  external: ["node:*"],
  sourcemap: true,
  logLevel: "warning",
});
