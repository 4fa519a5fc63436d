import { ReplicatedTree, type VertexOperation } from "foldspace/tree";
import { expect, test } from "vitest";
import { createItem } from "../../model/create-item.ts";
import { describeOperations } from "./operations.ts";

function page(): ReplicatedTree {
  const tree = new ReplicatedTree("peer-1");
  tree.createRoot();
  return tree;
}

/** The words for the operations of an edit. */
function said(tree: ReplicatedTree, work: () => void): string[] {
  const ops: VertexOperation[] = [];
  const end = tree.observeOpApplied((op) => void ops.push(op));
  work();
  end();
  return describeOperations(tree, ops).map(({ text }) => text);
}

test("describes the most important change of each item", () => {
  const tree = page();
  const rootId = tree.root!.id;
  let milk = "";
  expect(said(tree, () => (milk = createItem(tree, rootId, "a0", { text: "Milk", children: [] })))).toEqual(["added “Milk”"]);
  expect(said(tree, () => tree.setVertexProperty(milk, "text", "Oat milk"))).toEqual(["wrote “Oat milk”"]);
  expect(said(tree, () => tree.setVertexProperty(milk, "done", true))).toEqual(["ticked off “Oat milk”"]);
  expect(said(tree, () => tree.setVertexProperty(milk, "done", undefined))).toEqual(["unticked “Oat milk”"]);
  expect(said(tree, () => tree.setVertexProperty(milk, "order", "a1"))).toEqual(["moved “Oat milk”"]);
  const shop = createItem(tree, rootId, "a2", { text: "Shop", children: [] });
  expect(said(tree, () => tree.moveVertex(milk, shop))).toEqual(["put “Oat milk” under “Shop”"]);
  expect(said(tree, () => tree.deleteVertex(milk))).toEqual(["deleted “Oat milk”"]);
});

test("does not mention the bin and the creation of the root", () => {
  const tree = new ReplicatedTree("peer-1");
  expect(said(tree, () => void tree.createRoot())).toEqual([]);
});

test("shortens long texts", () => {
  const tree = page();
  const [text] = said(tree, () => void createItem(tree, tree.root!.id, "a0", { text: "x".repeat(200), children: [] }));
  expect(text).toBe(`added “${"x".repeat(59)}…”`);
});
