import { MAX_NESTING } from "../limits.ts";
import { beforeEach, expect, test, vi } from "vitest";
import { type JsonValue } from "./json-value.ts";
import { ReplicatedTree } from "./replicated-tree.ts";
import type { Vertex } from "./vertex.ts";

// Reading and editing one replica. Replication and observing have files of their own.

let tree: ReplicatedTree;
let root: Vertex;

beforeEach(() => {
  tree = new ReplicatedTree("peer");
  root = tree.createRoot("root");
});

function refusal(code: string): unknown {
  return expect.objectContaining({ name: "FoldspaceError", code });
}

/** Runs an edit that must be refused, and checks that it left no operation behind. */
function expectRefused(code: string, run: () => unknown): void {
  const before = tree.opCount;
  expect(run).toThrow(refusal(code));
  expect(tree.opCount).toBe(before);
}

test("a new tree has no root, no vertices and no operations", () => {
  const empty = new ReplicatedTree("peer");
  expect(empty.root).toBeUndefined();
  expect(empty.getAllVertices()).toEqual([]);
  expect(empty.getAllOps()).toEqual([]);
  expect(empty.getVertexByPath("/")).toBeUndefined();
  expect(empty.getVertex("root")).toBeUndefined();
  expect(empty.getChildren("root")).toEqual([]);
  expect(empty.getVertexProperties("root")).toEqual([]);
});

test("a tree refuses a peer id that cannot be written into a file name", () => {
  for (const peerId of ["", "a/b", "a\\b", 'a"b', "a'b", "a\nb", "a\u0000b", "x".repeat(257)]) {
    expect(() => new ReplicatedTree(peerId), JSON.stringify(peerId)).toThrow(refusal("FOLD_BAD_ID"));
  }
});

test("creating the root makes the bin first", () => {
  expect(tree.getAllOps().map((op) => op.targetId)).toEqual(["0", "root", "0", "root"]);
  expect(tree.getAllOps()[0]).toEqual({ id: { counter: 1, peerId: "peer" }, targetId: "0", parentId: null });
  expect(tree.root).toBe(root);
  expect([root.parentId, root.parent, root.children, root.treeId]).toEqual([null, undefined, [], "root"]);
  expect(tree.getVertex("0")?.parentId).toBeNull();
});

test("a root gets the id known beforehand, or else a random one", () => {
  expect(new ReplicatedTree("peer").createRoot().id).toMatch(/^[0-9a-f]{32}$/);
  expect(new ReplicatedTree("peer", [], { rootId: "known" }).createRoot().id).toBe("known");
  expect(() => new ReplicatedTree("peer", [], { rootId: "known" }).createRoot("other")).toThrow(refusal("FOLD_BAD_ID"));
});

test("a second root, and one with a bad id or that of the bin, are refused", () => {
  expectRefused("FOLD_BAD_OPERATION", () => tree.createRoot());
  for (const id of ["0", "", "../up", "a\nb"])
    expect(() => new ReplicatedTree("peer").createRoot(id)).toThrow(refusal("FOLD_BAD_ID"));
});

test("a new vertex has its parent, its properties and the time of its creation", () => {
  const now = Date.now() + 60_000;
  vi.useFakeTimers({ toFake: ["Date"], now });
  const vertex = root.newChild({ text: "hello", missing: undefined });
  vi.useRealTimers();
  expect(vertex.parent).toBe(root);
  expect(vertex.getProperties()).toEqual({ _c: new Date(now).toISOString(), text: "hello" });
  expect(vertex.createdAt).toEqual(new Date(now));
  expect(root.children).toEqual([vertex]);
});

test("vertices made in the same millisecond keep the order of their making", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  const made = Array.from({ length: 100 }, () => root.newChild().id);
  vi.useRealTimers();
  expect(root.childrenIds).toEqual(made);
  expect(tree.replicate("other").getChildrenIds("root")).toEqual(made);
});

test("a burst of new vertices carries the time of creation at most a second ahead", () => {
  const now = Date.now() + 60_000;
  vi.useFakeTimers({ toFake: ["Date"], now });
  for (let count = 0; count < 1_500; count++) root.newChild();
  vi.useRealTimers();
  expect(Math.max(...root.children.map((child) => child.createdAt.getTime()))).toBe(now + 1_000);
});

test("a vertex without a creation time counts as created at the epoch", () => {
  tree.merge([{ id: { counter: 50, peerId: "other" }, targetId: "bare", parentId: "root" }]);
  expect(tree.getVertex("bare")!.createdAt).toEqual(new Date(0));
});

test("one vertex has one handle", () => {
  const vertex = root.newChild();
  expect(tree.getVertex(vertex.id)).toBe(vertex);
  expect(root.children[0]).toBe(vertex);
  expect(tree.getAllVertices()).toContain(vertex);
});

test("moving changes parent and children", () => {
  const [a, b] = [root.newChild(), root.newChild()];
  b.moveTo(a);
  expect(b.parent).toBe(a);
  expect(root.childrenIds).toEqual([a.id]);
  expect(a.childrenIds).toEqual([b.id]);
  expect(b.ancestors).toEqual([a, root]);
  expect(tree.isAncestor(b.id, "root")).toBe(true);
  expect(tree.isAncestor("root", b.id)).toBe(false);
});

test("moving a vertex under itself or below itself is refused", () => {
  const a = root.newChild();
  const b = a.newChild();
  const c = b.newChild();
  for (const parent of [a, b, c]) expectRefused("FOLD_CYCLE", () => a.moveTo(parent));
  expect(c.ancestors).toEqual([b, a, root]);
});

test("root and bin stay where they are", () => {
  const a = root.newChild();
  expectRefused("FOLD_BAD_OPERATION", () => root.moveTo(a));
  expectRefused("FOLD_BAD_OPERATION", () => tree.moveVertex("0", "root"));
  expectRefused("FOLD_BAD_OPERATION", () => root.delete());
  expectRefused("FOLD_BAD_OPERATION", () => tree.deleteVertex("0"));
});

test("every edit of a vertex that does not exist is refused", () => {
  const edits: (() => unknown)[] = [
    () => tree.newVertex("none"),
    () => tree.newNamedVertex("none", "name"),
    () => tree.moveVertex("none", "root"),
    () => tree.moveVertex(root.newChild().id, "none"),
    () => tree.deleteVertex("none"),
    () => tree.setVertexProperty("none", "text", 1),
    () => tree.setVertexProperties("none", { text: 1 }),
    () => tree.setTransientVertexProperty("none", "text", 1),
    () => tree.commitTransients("none"),
    () => tree.setName("none", "name"),
    () => tree.setVertexProperty("__proto__", "text", 1),
  ];
  for (const edit of edits) expect(edit).toThrow(refusal("FOLD_NO_VERTEX"));
});

test("a deleted vertex is in the bin with all below it, and can be moved out again", () => {
  const a = root.newChild();
  const b = a.newChild({ text: "kept" });
  a.delete();
  expect(root.children).toEqual([]);
  expect(tree.getChildrenIds("0")).toEqual([a.id]);
  expect(b.parent).toBe(a);
  a.moveTo(root);
  expect(root.childrenIds).toEqual([a.id]);
  expect(b.getProperty("text")).toBe("kept");
});

test("deleting in a tree without a bin creates it", () => {
  const other = new ReplicatedTree("peer", [
    { id: { counter: 1, peerId: "old" }, targetId: "root", parentId: null },
    { id: { counter: 2, peerId: "old" }, targetId: "a", parentId: "root" },
  ]);
  other.deleteVertex("a");
  expect(other.getVertex("0")?.parentId).toBeNull();
  expect(other.getVertex("a")?.parentId).toBe("0");
  expect(other.root?.id).toBe("root");
  expect(other.popLocalOps().filter((op) => "parentId" in op)).toMatchObject([
    { targetId: "0", parentId: null },
    { targetId: "a", parentId: "0" },
  ]);
});

test("a deletion that is refused creates no bin", () => {
  const other = new ReplicatedTree("peer", [{ id: { counter: 1, peerId: "old" }, targetId: "root", parentId: null }]);
  expect(() => other.deleteVertex("root")).toThrow(refusal("FOLD_BAD_OPERATION"));
  expect(other.opCount).toBe(1);
});

test("a property is set, replaced and removed", () => {
  root.setProperty("text", "one");
  root.setProperty("text", { two: [2, null] });
  expect(root.getProperty("text")).toEqual({ two: [2, null] });
  root.setProperty("text", undefined);
  expect(root.getProperty("text")).toBeUndefined();
  expect(tree.getVertexProperties("root").map(({ key }) => key)).toEqual(["_c"]);
  root.setProperty("text", null);
  expect(root.getProperties()).toHaveProperty("text", null);
});

test("a vertex whose property is set to what it is already makes no operation", () => {
  root.setProperties({ list: [1, { a: 1, b: 2 }], text: "x" });
  tree.popLocalOps();
  root.setProperty("list", [1, { b: 2, a: 1 }]);
  root.setProperties({ list: [1, { a: 1, b: 2 }], text: "y" });
  root.setProperty("none", undefined);
  expect(tree.popLocalOps()).toMatchObject([{ key: "text", value: "y" }]);
});

test("of several properties, all are set or none", () => {
  expectRefused("FOLD_BAD_VALUE", () => tree.setVertexProperties("root", { good: 1, bad: () => 1 }));
  expectRefused("FOLD_BAD_VALUE", () => tree.newVertex("root", { good: 1, bad: new Date() }));
  expect(root.children).toEqual([]);
});

test("a value that is too deep or contains itself is refused, and later changes of the object do not show", () => {
  let deep: JsonValue = 1;
  for (let level = 0; level <= MAX_NESTING; level++) deep = [deep];
  const loop: JsonValue[] = [];
  loop.push(loop);
  for (const value of [deep, loop]) expectRefused("FOLD_BAD_VALUE", () => tree.setVertexProperty("root", "text", value));
  const list = ["before"];
  root.setProperty("list", list);
  list.push("after");
  expect(root.getProperty("list")).toEqual(["before"]);
});

test("properties named like built-in members are plain data", () => {
  for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    expect(root.getProperty(key)).toBeUndefined();
    root.setProperty(key, { nested: JSON.parse('{"__proto__":{"x":1},"constructor":2}') as JsonValue });
    expect(JSON.stringify(root.getProperty(key))).toBe('{"nested":{"__proto__":{"x":1},"constructor":2}}');
  }
  expect(Object.keys(root.getProperties())).toEqual(["_c", "__proto__", "constructor", "toString", "hasOwnProperty"]);
  expect(({} as { x?: unknown }).x).toBeUndefined();
  root.setProperties(JSON.parse('{"__proto__":"set together"}') as object);
  expect(root.getProperty("__proto__")).toBe("set together");
});

test("a name is what was set last in _n or in name, and new ones are written to name by default", () => {
  const vertex = root.newNamedChild("one");
  expect(vertex.getProperties()).toMatchObject({ name: "one" });
  vertex.name = "two";
  expect(vertex.name).toBe("two");
  vertex.setProperty("_n", "three");
  expect(vertex.name).toBe("three");
  vertex.setProperty("_n", 4);
  expect(vertex.name).toBe("two");
  expect(root.name).toBeUndefined();
});

test("a tree that uses _n for names gets new names there", () => {
  tree.merge([{ id: { counter: 50, peerId: "old" }, targetId: "root", key: "_n", value: "Old root", transient: false }]);
  expect(tree.nameKey).toBe("_n");
  expect(root.newNamedChild("new").getProperties()).toMatchObject({ _n: "new" });
  root.name = "Renamed";
  expect(root.getProperty("_n")).toBe("Renamed");
  expect(root.getProperty("name")).toBeUndefined();
});

test("the property for names can be given", () => {
  const other = new ReplicatedTree("peer", [], { nameKey: "_n" });
  expect(other.createRoot().newNamedChild("x").getProperties()).toMatchObject({ _n: "x" });
});

test("a path leads over names to a vertex", () => {
  const folder = root.newNamedChild("folder");
  const file = folder.newNamedChild("file");
  folder.newChild({ _n: "old" });
  expect(tree.getVertexByPath("folder/file")).toBe(file);
  expect(tree.getVertexByPath("/folder/file/")).toBe(file);
  expect(tree.getVertexByPath("/folder/old")?.parent).toBe(folder);
  expect([tree.getVertexByPath(""), tree.getVertexByPath("/")]).toEqual([root, root]);
  expect(tree.getVertexByPath("folder/none/file")).toBeUndefined();
});

test("children are found by a property", () => {
  const [a, b] = [root.newChild({ tag: ["x"], n: 1 }), root.newChild({ tag: ["x"], n: 2 })];
  expect(root.findAllChildrenWithProperty("tag", ["x"])).toHaveLength(2);
  expect([a, b]).toContain(root.findFirstChildVertexWithProperty("tag", ["x"]));
  expect(root.findFirstTypedChildWithProperty<{ n: number }>("n", 2)?.n).toBe(2);
  expect(root.findFirstChildVertexWithProperty("n", 3)).toBeUndefined();
});
