import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sizeOfApp } from "./app-sizes.ts";

const all = (path: string): string => `export * from "./${path}index.ts"`;
const minimal = `export { SpaceManager } from "./index.ts"; export { IndexedDBPersistenceLayer } from "./layers/indexeddb/index.ts"`;
const folder = `export { SpaceManager, FileSystemPersistenceLayer } from "./index.ts"; export { WebFileSystem } from "./fs/web/index.ts"`;
const treeOnly = `export { ReplicatedTree } from "./tree/index.ts"`;

/** The apps of the rows of docs/sizes.md. */
const APPS: ReadonlyMap<string, string> = new Map([
  ["`SpaceManager` with `IndexedDBPersistenceLayer`", minimal],
  ["`SpaceManager` with `FileSystemPersistenceLayer` and `WebFileSystem`", folder],
  ["`ReplicatedTree` alone", treeOnly],
  ["`foldspace`", all("")],
  ["`foldspace/tree`", all("tree/")],
  ["`foldspace/log`", all("log/")],
  ["`foldspace/indexeddb`", all("layers/indexeddb/")],
  ["`foldspace/nats`", all("layers/nats/")],
  ["`foldspace/web`", all("fs/web/")],
  ["`foldspace/tauri`", all("fs/tauri/")],
  ["`foldspace/bridge`", all("fs/bridge/")],
  ["`foldspace/electron`", all("fs/electron/")],
  ["`foldspace/live`", all("live/")],
  ["`foldspace/react`", all("react/")],
  ["`foldspace/svelte`", all("svelte/")],
  ["`foldspace/vue`", all("vue/")],
  ["`foldspace/reptree`", all("reptree/")],
]);
/** Share by which a documented size may differ: a document that changes with every commit helps nobody. */
const TOLERANCE = 0.05;

const rows = readFileSync(new URL("../docs/sizes.md", import.meta.url), "utf8").matchAll(
  /^\| (.+?) +\| +([\d.]+) kB +\| +([\d.]+) kB +\|$/gm,
);
const documented = new Map(Array.from(rows, ([, name, atFirst, inOneFile]) => [name!, [Number(atFirst), Number(inOneFile)]]));

test.each([...APPS])("docs/sizes.md has the size of %s", async (name, exported) => {
  const { atFirst, inOneFile } = await sizeOfApp(exported);
  const measured = [atFirst, inOneFile].map((bytes) => Number((bytes / 1000).toFixed(1)));
  const shown = documented.get(name) ?? [0, 0];
  const isTrue = measured.every((size, index) => Math.abs(size - shown[index]!) <= Math.max(0.1, size * TOLERANCE));
  expect(isTrue ? measured : shown, "documented, and measured").toEqual(measured);
});

test("docs/sizes.md has no other sizes", () => {
  expect([...documented.keys()].sort()).toEqual([...APPS.keys()].sort());
});

test.each(["live", "react", "svelte", "vue"])("foldspace/%s takes at most 2 kB", async (entry) => {
  const { inOneFile } = await sizeOfApp(all(`${entry}/`));
  expect(inOneFile).toBeLessThanOrEqual(2_000);
  // an empty bundle would be small, too
  expect(inOneFile).toBeGreaterThan(500);
});

test("an app pays for undo and drawings of trees only if it uses them", async () => {
  const tree = (await sizeOfApp(treeOnly)).inOneFile;
  const sizeWith = async (name: string): Promise<number> =>
    (await sizeOfApp(`export { ReplicatedTree, ${name} } from "./tree/index.ts"`)).inOneFile;
  expect(await sizeWith("UndoManager")).toBeGreaterThan(tree + 1_000);
  expect(await sizeWith("printTree")).toBeGreaterThan(tree + 150);
  expect(tree).toBeLessThanOrEqual(20_000);
});

test("without code splitting, an app gets Argon2id of all hashes, and the others only if it repairs folders", async () => {
  const { atFirst, inOneFile } = await sizeOfApp(minimal);
  // all hashes of the package take 80 kB
  expect(inOneFile - atFirst).toBeLessThanOrEqual(15_000);
  // the function is there
  expect(inOneFile - atFirst).toBeGreaterThan(5_000);
});
