import { expect, test } from "vitest";
import type { VertexOperation } from "./operation.ts";
import { ReplicatedTree } from "./replicated-tree.ts";
import { OpIdSet } from "./op-id-set.ts";

// Random histories are in tests/oracle; here are single rules that a reader of the code wants to see.

const ROOT = move(1, "a", "root", null);

function move(counter: number, peerId: string, targetId: string, parentId: string | null): VertexOperation {
  return { id: { counter, peerId }, targetId, parentId };
}

function property(
  counter: number,
  peerId: string,
  targetId: string,
  key: string,
  value: string | number | undefined,
): VertexOperation {
  return { id: { counter, peerId }, targetId, key, value, transient: false };
}

function draft(counter: number, peerId: string, targetId: string, key: string, value: string): VertexOperation {
  return { id: { counter, peerId }, targetId, key, value, transient: true };
}

test("merging gives back what was new, once", () => {
  const tree = new ReplicatedTree("reader");
  const ops = [ROOT, property(2, "a", "root", "text", "x")];
  expect(tree.merge([...ops, ...ops])).toEqual(ops);
  expect(tree.merge(structuredClone(ops))).toEqual([]);
  expect(tree.merge([])).toEqual([]);
  expect(tree.opCount).toBe(2);
});

test("merged operations are not local ones", () => {
  const tree = new ReplicatedTree("reader", [ROOT]);
  expect(tree.popLocalOps()).toEqual([]);
  tree.newVertex("root");
  expect(tree.popLocalOps()).toHaveLength(2);
  expect(tree.popLocalOps()).toEqual([]);
});

test("where local operations are not kept from the start, they are from the first call on", () => {
  const tree = new ReplicatedTree("reader", [ROOT], { keepsLocalOps: false });
  tree.newVertex("root");
  expect(tree.popLocalOps()).toEqual([]);
  tree.newVertex("root");
  expect(tree.popLocalOps()).toHaveLength(2);
});

test("a new operation wins over every known operation", () => {
  const tree = new ReplicatedTree("reader", [ROOT, property(500, "z", "root", "text", "theirs")]);
  tree.setVertexProperty("root", "text", "ours");
  expect(tree.popLocalOps()[0]!.id).toEqual({ counter: 501, peerId: "reader" });
  expect(tree.getVertexProperty("root", "text")).toBe("ours");
});

test("of two values with one counter, that of the peer with the higher code units wins", () => {
  for (const [lower, higher] of [
    ["aa", "z"],
    ["B", "a"],
    ["10", "9"],
    ["z", "å"],
  ] as const) {
    const ops = [ROOT, property(2, lower, "root", "text", lower), property(2, higher, "root", "text", higher)];
    expect(new ReplicatedTree("reader", ops).getVertexProperty("root", "text")).toBe(higher);
    expect(new ReplicatedTree("reader", ops.toReversed()).getVertexProperty("root", "text")).toBe(higher);
  }
});

test("a removal that is younger than a value wins, in either order", () => {
  const ops = [ROOT, property(2, "a", "root", "text", "x"), property(3, "b", "root", "text", undefined)];
  for (const order of [ops, ops.toReversed()]) {
    const tree = new ReplicatedTree("reader", order);
    expect(tree.getVertexProperty("root", "text")).toBeUndefined();
    expect(tree.getVertexProperties("root")).toEqual([]);
    expect(tree.opCount).toBe(3);
  }
});

test("of two moves that together make a cycle, the younger is passed over, in either order", () => {
  const ops = [ROOT, move(2, "a", "x", "root"), move(3, "a", "y", "root"), move(4, "a", "x", "y"), move(4, "b", "y", "x")];
  for (const order of [ops, ops.toReversed(), [ops[4]!, ops[0]!, ops[3]!, ops[1]!, ops[2]!]]) {
    const tree = new ReplicatedTree("reader");
    for (const op of order) {
      tree.merge([op]);
      expect(tree.getAllVertices().length).toBeGreaterThan(0);
    }
    expect([tree.getParentId("x"), tree.getParentId("y")]).toEqual(["y", "root"]);
    expect(tree.getChildrenIds("root")).toEqual(["y"]);
    expect(tree.getChildrenIds("x")).toEqual([]);
  }
});

test("a late move can make a younger one impossible, and one more makes it possible again", () => {
  const tree = new ReplicatedTree("reader", [
    ROOT,
    move(2, "a", "x", "root"),
    move(3, "a", "y", "root"),
    move(10, "a", "x", "y"),
  ]);
  expect(tree.getParentId("x")).toBe("y");
  tree.merge([move(5, "b", "y", "x")]);
  expect([tree.getParentId("x"), tree.getParentId("y")]).toEqual(["root", "x"]);
  tree.merge([move(6, "b", "y", "root")]);
  expect([tree.getParentId("x"), tree.getParentId("y")]).toEqual(["y", "root"]);
});

test("a vertex under a parent that is not known is there, without a parent, until the parent comes", () => {
  const tree = new ReplicatedTree("reader", [ROOT, move(3, "a", "child", "parent"), property(4, "a", "child", "text", "early")]);
  expect(tree.getVertex("child")?.parentId).toBe("parent");
  expect(tree.getParent("child")).toBeUndefined();
  expect(tree.getVertex("parent")).toBeUndefined();
  expect(tree.getAncestors("child")).toEqual([]);
  tree.merge([move(2, "a", "parent", "root")]);
  expect(tree.getAncestors("child").map(({ id }) => id)).toEqual(["parent", "root"]);
  expect(tree.getVertexProperty("child", "text")).toBe("early");
});

test("a property of a vertex that is not known shows when the vertex comes", () => {
  const tree = new ReplicatedTree("reader", [ROOT, property(3, "a", "child", "text", "early")]);
  expect(tree.getVertexProperty("child", "text")).toBeUndefined();
  expect(tree.getVertex("child")).toBeUndefined();
  expect(tree.getAllVertices()).toHaveLength(1);
  tree.merge([move(2, "a", "child", "root")]);
  expect(tree.getVertexProperty("child", "text")).toBe("early");
});

test("the oldest vertex created without a parent is the root, whenever it comes", () => {
  const tree = new ReplicatedTree("reader", [move(5, "b", "second", null)]);
  expect(tree.root?.id).toBe("second");
  tree.merge([move(1, "b", "0", null), move(2, "b", "first", null)]);
  expect(tree.root?.id).toBe("first");
  expect(new ReplicatedTree("reader", tree.getAllOps(), { rootId: "second" }).root?.id).toBe("second");
});

test("children are in the same order on every replica", () => {
  const ops = [ROOT];
  for (const [index, id] of ["d", "b", "c", "a"].entries())
    ops.push(move(10 + index, "a", id, "root"), property(20 + index, "a", id, "_c", `2026-01-0${1 + (index % 2)}`));
  const ids = ["c", "d", "a", "b"];
  expect(new ReplicatedTree("reader", ops).getChildrenIds("root")).toEqual(ids);
  const oneByOne = new ReplicatedTree("reader");
  for (const op of ops.toReversed()) {
    oneByOne.merge([op]);
    oneByOne.getChildrenIds("root");
  }
  expect(oneByOne.getChildrenIds("root")).toEqual(ids);
});

test("the missing operations are exactly those, sorted by id", () => {
  const tree = new ReplicatedTree("a");
  tree.createRoot("root");
  const behind = tree.replicate("b");
  const missing = [property(31, "c", "root", "x", 1), property(30, "d", "root", "x", 2), property(30, "c", "root", "x", 3)];
  tree.merge(missing);
  const sorted = [missing[2], missing[1], missing[0]];
  expect(tree.getMissingOps(behind.getStateVector())).toEqual(sorted);
  expect(tree.opsSince(behind.versionVector)).toEqual(sorted);
  expect(tree.opsSince(tree.versionVector)).toEqual([]);
  expect(tree.getMissingOps({})).toHaveLength(tree.opCount);
  expect(behind.getMissingOps(tree.getStateVector())).toEqual([]);
  // a vector with holes
  expect(tree.opsSince(OpIdSet.of(tree.getAllOps().filter(({ id }) => id.peerId !== "d")))).toEqual([missing[1]]);
});

test("the vector that a tree gives out is a copy", () => {
  const tree = new ReplicatedTree("a", [ROOT]);
  tree.versionVector.add({ counter: 7, peerId: "a" });
  expect(tree.getStateVector()).toEqual({ a: [[1, 1]] });
  expect(tree.merge([property(7, "a", "root", "x", 1)])).toHaveLength(1);
});

test("the number of operations stays exact for thousands that come out of order", () => {
  const ops = Array.from({ length: 5_000 }, (_, index) => property(5_000 - index, "a", "root", "x", index));
  expect(new ReplicatedTree("reader", ops).opCount).toBe(5_000);
});

test("a draft is shown and sent, and is in no log and no state vector", () => {
  const tree = new ReplicatedTree("a");
  const root = tree.createRoot("root");
  tree.popLocalOps();
  const [count, vector] = [tree.opCount, tree.getStateVector()];
  root.setTransientProperty("text", "typing");
  expect(root.getProperty("text")).toBe("typing");
  expect(root.getProperties()).toHaveProperty("text", "typing");
  expect(root.getProperty("text", false)).toBeUndefined();
  expect(tree.getVertexProperties("root", false).map(({ key }) => key)).toEqual(["_c"]);
  expect(tree.getAllOps()).toHaveLength(count);
  expect(tree.getStateVector()).toEqual(vector);
  expect(tree.getMissingOps({})).toHaveLength(count);
  expect(tree.popLocalOps()).toMatchObject([{ key: "text", value: "typing", transient: true }]);
  expect(tree.replicate("b").getVertexProperty("root", "text")).toBeUndefined();
});

test("a younger lasting value clears a draft, an older one does not", () => {
  const tree = new ReplicatedTree("reader", [ROOT, draft(5, "a", "root", "text", "draft")]);
  tree.merge([property(4, "b", "root", "text", "older")]);
  expect(tree.getVertexProperty("root", "text")).toBe("draft");
  expect(tree.getVertexProperty("root", "text", false)).toBe("older");
  tree.merge([property(6, "b", "root", "text", "younger")]);
  expect(tree.getVertexProperty("root", "text")).toBe("younger");
  expect(tree.merge([draft(5, "a", "root", "text", "draft")])).toEqual([]);
  expect(tree.getVertexProperty("root", "text")).toBe("younger");
});

test("the younger of two drafts wins", () => {
  const drafts = [draft(5, "a", "root", "text", "older"), draft(6, "a", "root", "text", "younger")];
  for (const order of [drafts, drafts.toReversed()]) {
    expect(new ReplicatedTree("reader", [ROOT, ...order]).getVertexProperty("root", "text")).toBe("younger");
  }
});

test("committing makes drafts lasting, removals included", () => {
  const tree = new ReplicatedTree("a");
  const root = tree.createRoot("root");
  root.setProperty("old", "value");
  root.setTransientProperty("text", "draft");
  root.setTransientProperty("old", undefined);
  expect(root.getProperty("old")).toBeUndefined();
  tree.popLocalOps();
  root.commitTransients();
  expect(tree.popLocalOps()).toMatchObject([
    { key: "text", value: "draft", transient: false },
    { key: "old", value: undefined, transient: false },
  ]);
  expect([root.getProperty("text", false), root.getProperty("old", false)]).toEqual(["draft", undefined]);
  root.commitTransients();
  expect(tree.popLocalOps()).toEqual([]);
});

test("two trees have the same structure if ids, parents, order and properties agree", () => {
  const tree = new ReplicatedTree("a", [
    ROOT,
    move(2, "a", "x", "root"),
    move(3, "a", "y", "root"),
    property(4, "a", "x", "text", "1"),
  ]);
  expect(tree.compareStructure(tree.replicate("b"))).toBe(true);
  const changes = [
    move(9, "b", "x", "y"),
    property(9, "b", "x", "text", "2"),
    property(9, "b", "x", "other", "1"),
    property(9, "b", "x", "_c", "2026"),
  ];
  for (const change of [...changes, property(9, "b", "x", "text", undefined), move(9, "b", "z", "root")]) {
    const other = tree.replicate("b");
    other.merge([change]);
    expect(tree.compareStructure(other), JSON.stringify(change)).toBe(false);
    expect(other.compareStructure(tree), JSON.stringify(change)).toBe(false);
  }
  expect(tree.compareStructure(new ReplicatedTree("b"))).toBe(false);
  expect(new ReplicatedTree("a").compareStructure(new ReplicatedTree("b"))).toBe(true);
});
