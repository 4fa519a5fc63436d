import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

/** Bytes of an entry as an app gets it: minified, with gzip, without the framework and what the app has of foldspace anyway. */
async function sizeOf(entry: string): Promise<number> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../src/${entry}/index.ts`, import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    external: ["react", "vue"],
    logLevel: "silent",
  });
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
}

test.each(["live", "react", "svelte", "vue"])("foldspace/%s takes at most 2 kB", async (entry) => {
  const size = await sizeOf(entry);
  expect(size).toBeLessThanOrEqual(2_000);
  // an empty bundle would be small, too
  expect(size).toBeGreaterThan(500);
});
