import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

const at = (path: string): string => fileURLToPath(new URL(`../src/${path}`, import.meta.url));

/** Bytes of an entry as an app gets it: minified, with gzip, without the framework and what the app has of foldspace anyway. */
async function sizeOf(entry: string, names = "*"): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: `export ${names} from "./index.ts"`, resolveDir: at(entry), loader: "ts" },
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

test("an app pays for undo and drawings of trees only if it uses them", async () => {
  const tree = await sizeOf("tree", "{ ReplicatedTree }");
  expect(await sizeOf("tree", "{ ReplicatedTree, UndoManager }")).toBeGreaterThan(tree + 1_000);
  expect(await sizeOf("tree", "{ ReplicatedTree, printTree }")).toBeGreaterThan(tree + 150);
  expect(tree).toBeLessThanOrEqual(20_000);
});
