import { build } from "esbuild";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const at = (path: string): string => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

/** Bytes of an app for the web, minified and with gzip. */
export interface AppSize {
  /** The files that a page loads at first, if the bundler splits the app. */
  readonly atFirst: number;
  /** All of the app, in one file. */
  readonly inOneFile: number;
}

/** @param exported statements, with paths below `src` */
export async function sizeOfApp(exported: string): Promise<AppSize> {
  return { atFirst: await bundle(exported, true), inOneFile: await bundle(exported, false) };
}

async function bundle(contents: string, splitting: boolean): Promise<number> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: at("."), sourcefile: "app.ts", loader: "ts" },
    bundle: true,
    minify: true,
    splitting,
    write: false,
    outdir: "out",
    format: "esm",
    // as `imports` of package.json chooses for pages
    tsconfigRaw: {},
    alias: {
      "#platform-fs": at("fs/platform/platform-none.ts"),
      "#platform-peers": at("peers/platform/platform-none.ts"),
      "#platform-nats": at("layers/nats/dial-web.ts"),
      "#platform-worker": at("worker/start-web.ts"),
    },
    // of the framework or the platform, or for tests only
    external: ["react", "vue", "@tauri-apps/*", "@nats-io/*", "vitest", "node:*"],
    metafile: true,
    logLevel: "silent",
  });
  const { outputs } = metafile;
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { path: next, kind, external } of outputs[path]!.imports) if (kind === "import-statement" && !external) load(next);
  };
  load(Object.keys(outputs).find((path) => outputs[path]!.entryPoint !== undefined && basename(path).startsWith("stdin"))!);
  const names = new Set([...loaded].map((path) => basename(path)));
  const files = outputFiles.filter(({ path }) => names.has(basename(path)));
  return files.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0);
}
