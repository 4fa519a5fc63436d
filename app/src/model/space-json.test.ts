import { exportJson, MemoryPersistenceLayer, MemoryStore, newId, SpaceManager } from "foldspace";
import { expect, test } from "vitest";
import { createItem } from "./create-item.ts";
import { createPage, movePage } from "./pages.ts";
import { fromSpaceJson } from "./space-json.ts";

test("the pages of a space are read from its JSON export in their current state", async () => {
  const layer = new MemoryPersistenceLayer(newId(), { store: new MemoryStore(), flushIntervalMs: 5 });
  const space = await new SpaceManager().createSpace({ persistenceLayers: [layer] });
  const [first, second] = [await createPage(space, "First"), await createPage(space, "Second")];
  movePage(space, second.treeId, first.treeId);
  space.newAppTree("chat", "of another app");
  const { tree, root } = await space.loadAppTree(first.treeId);
  const below = { text: "below", isDone: true, children: [] };
  createItem(tree, root.id, "a1", { text: "behind", children: [] });
  createItem(tree, root.id, "a0", { text: "before", isCollapsed: true, children: [below] });
  tree.newVertex(root.id, { text: "of another\nprogram" });
  tree.newVertex(root.id, { text: "deleted" }).delete();
  const trees = await Promise.all(
    space.appTrees.map(async ({ treeId }) => [treeId!, (await space.loadAppTree(treeId!)).tree] as const),
  );
  expect(fromSpaceJson(exportJson(space.id, [[space.id, space.tree], ...trees]))).toEqual([
    { title: "Second", nodes: [] },
    {
      title: "First",
      nodes: [
        { text: "before", isCollapsed: true, children: [below] },
        { text: "behind", children: [] },
        { text: "of another program", children: [] },
      ],
    },
  ]);
  await space.close();
});

test.each([
  ["", "not valid JSON"],
  ["[1]", "not an export of this app"],
  ['{"spaceId":"a"}', "not an export of this app"],
])("%j is refused", (text, reason) => {
  expect(() => fromSpaceJson(text)).toThrow(reason);
});

test("damaged parts are skipped", () => {
  const loop = { id: "x", parentId: "y", properties: {} };
  const page = {
    vertices: [
      { id: "r", parentId: null, properties: {} },
      { id: "r", parentId: "r", properties: {} },
      { id: 7 },
      null,
      loop,
      { ...loop, id: "y", parentId: "x" },
    ],
  };
  const space = {
    vertices: [
      { id: "e", parentId: "f", properties: { tid: "t" } },
      { id: "g", parentId: "f", properties: { tid: "absent" } },
    ],
  };
  expect(fromSpaceJson(JSON.stringify({ spaceId: "s", trees: { s: space, t: page } }))).toEqual([
    { title: "", nodes: [{ text: "", children: [] }] },
  ]);
});
