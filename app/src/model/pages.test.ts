import { MemoryPersistenceLayer, MemoryStore, newId, SpaceManager, type Space } from "foldspace";
import { expect, test, vi } from "vitest";
import { Outline } from "./outline.ts";
import {
  createPage,
  listDeletedPages,
  listPages,
  movePage,
  newSampleSpace,
  removePage,
  renamePage,
  restorePage,
} from "./pages.ts";

async function newSpace(store = new MemoryStore()): Promise<Space> {
  const layer = new MemoryPersistenceLayer(newId(), { store, flushIntervalMs: 5 });
  return await new SpaceManager().createSpace({ persistenceLayers: [layer] });
}

function titles(space: Space): string[] {
  return listPages(space).map(({ title }) => title);
}

test("pages are listed in the order in which they were made, and can be renamed, moved and removed", async () => {
  const space = await newSpace();
  const [a, b, c] = [await createPage(space, "a"), await createPage(space, "b"), await createPage(space, "c")];
  expect(listPages(space)).toEqual([a, b, c]);
  movePage(space, c.treeId, a.treeId);
  expect(titles(space)).toEqual(["c", "a", "b"]);
  movePage(space, c.treeId, undefined);
  expect(titles(space)).toEqual(["a", "b", "c"]);
  movePage(space, a.treeId, a.treeId);
  renamePage(space, b.treeId, "B");
  removePage(space, a.treeId);
  expect(titles(space)).toEqual(["B", "c"]);
  for (const act of [removePage, (where: Space, id: string) => movePage(where, id, undefined)])
    expect(() => act(space, a.treeId)).toThrow(expect.objectContaining({ code: "FOLD_NO_TREE" }));
  expect(() => renamePage(space, "unknown", "x")).toThrow(expect.objectContaining({ code: "FOLD_NO_TREE" }));
  await space.close();
});

test("deleted pages are listed, the last one first, and come back to their places", async () => {
  const space = await newSpace();
  const [a, b] = [await createPage(space, "a"), await createPage(space, "b")];
  await createPage(space, "c");
  removePage(space, a.treeId);
  removePage(space, b.treeId);
  const deletedBy = space.peerId;
  expect(listDeletedPages(space)).toEqual([
    { treeId: b.treeId, title: "b", deletedBy },
    { treeId: a.treeId, title: "a", deletedBy },
  ]);
  restorePage(space, a.treeId);
  expect(titles(space)).toEqual(["a", "c"]);
  // a deleted page may be open, and has a title that can be edited
  renamePage(space, b.treeId, "B");
  expect(listDeletedPages(space).map(({ title }) => title)).toEqual(["B"]);
  expect(() => restorePage(space, a.treeId)).toThrow(expect.objectContaining({ code: "FOLD_NO_TREE" }));
  await space.close();
});

test("a page with several entries is deleted if all of them are, and comes back with one", async () => {
  const space = await newSpace();
  const { treeId } = await createPage(space, "a");
  const [forest] = space.tree.root!.children;
  const second = forest!.newNamedChild("again", { tid: treeId });
  second.delete();
  expect(listDeletedPages(space)).toEqual([]);
  removePage(space, treeId);
  expect(listDeletedPages(space).map(({ title }) => title)).toEqual(["a"]);
  restorePage(space, treeId);
  expect(titles(space)).toEqual(["a"]);
  await space.close();
});

test("pages of other devices are merged in, and those with one key or none keep an order", async () => {
  const space = await newSpace();
  await createPage(space, "a");
  const elsewhere = space.tree.replicate("elsewhere");
  const b = await createPage(space, "b");
  // entries for one tree count by creation
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  const forest = elsewhere.root!.children[0]!;
  forest.newNamedChild("b elsewhere", { tid: newId(), order: b.order });
  forest.newNamedChild("without a key", { tid: newId() });
  forest.newNamedChild("names no tree");
  forest.newNamedChild("b again", { tid: b.treeId });
  forest.newNamedChild("of another app", { tid: newId(), appId: "chat" });
  vi.useRealTimers();
  space.tree.merge(elsewhere.popLocalOps());
  const before = titles(space);
  expect(before.toSorted()).toEqual(["a", "b", "b elsewhere", "without a key"]);
  expect([before[0], before.at(-1)]).toEqual(["a", "without a key"]);
  const other = listPages(space).find(({ title }) => title === "b elsewhere")!;
  for (const [page, target] of [
    [other, b],
    [b, other],
  ] as const) {
    movePage(space, page.treeId, target.treeId);
    expect(titles(space).slice(1, 3)).toEqual([page.title, target.title]);
  }
  removePage(space, b.treeId);
  expect(titles(space)).toEqual(["a", "b elsewhere", "without a key"]);
  await createPage(space, "last");
  expect(titles(space).at(-1)).toBe("last");
  expect(titles(space).at(-2)).toBe("without a key");
  await space.close();
});

test("a loaded tree of another app is no page", async () => {
  const space = await newSpace();
  space.newAppTree("chat", "A chat");
  await createPage(space, "A page");
  expect(titles(space)).toEqual(["A page"]);
  await space.close();
});

test.each([true, false])(
  "a new space gets a page that can be opened, and says that it is in a folder where it is",
  async (isInFolder) => {
    const space = await newSpace();
    await newSampleSpace(space, isInFolder);
    const [page] = listPages(space);
    const { tree, root } = await space.loadAppTree(page!.treeId);
    expect([page!.title, root.getProperty("appId")]).toEqual(["Welcome", "outline"]);
    const { rows } = new Outline(tree);
    expect(rows.length).toBeGreaterThan(8);
    expect(rows.every(({ text }) => text !== "")).toBe(true);
    expect(rows.some(({ text }) => text.startsWith("Everything is kept in a folder"))).toBe(isInFolder);
    expect([rows.some(({ isDone }) => isDone), rows.some(({ isCollapsed }) => isCollapsed)]).toEqual([true, true]);
    await space.close();
  },
);
