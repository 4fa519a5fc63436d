import { MAX_COUNTER } from "../limits.ts";
import { beforeEach, expect, test } from "vitest";
import { type VertexOperation } from "./operation.ts";
import { ReplicatedTree } from "./replicated-tree.ts";
import type { Vertex } from "./vertex.ts";

// An edit is made whole or not at all, and no edit is made of what changes nothing.

let tree: ReplicatedTree;
let root: Vertex;

beforeEach(() => {
  tree = new ReplicatedTree("peer");
  root = tree.createRoot("root");
  tree.popLocalOps();
});

/** A call as plain JavaScript makes it, which no type holds back. */
type Call = (vertex: Record<string, (...args: unknown[]) => unknown>) => unknown;

const TOO_LONG = "x".repeat(3_000_000);

const BAD_CALLS: readonly [string, Call][] = [
  ["a number as key", (vertex) => vertex["setProperty"]!(0, "text")],
  ["no key", (vertex) => vertex["setProperty"]!(undefined, 1)],
  ["a key that is removed and no text", (vertex) => vertex["setProperty"]!(0, undefined)],
  ["a symbol as key", (vertex) => vertex["setProperty"]!(Symbol("key"), 1)],
  ["a number as key of a draft", (vertex) => vertex["setTransientProperty"]!(0, "text")],
  ["a key that is too long", (vertex) => vertex["setProperty"]!(TOO_LONG, 1)],
  ["a value that is too long", (vertex) => vertex["setProperty"]!("text", TOO_LONG)],
  ["a date", (vertex) => vertex["setProperty"]!("d", new Date())],
  ["bytes", (vertex) => vertex["setProperty"]!("d", new Uint8Array(3))],
  ["a list with a map in it", (vertex) => vertex["setProperty"]!("d", [new Map()])],
  ["no properties", (vertex) => vertex["setProperties"]!(null)],
  ["a text as properties", (vertex) => vertex["setProperties"]!("text")],
  ["a list as properties", (vertex) => vertex["setProperties"]!([["a", 1]])],
  ["a map as properties", (vertex) => vertex["setProperties"]!(new Map([["a", 1]]))],
  ["one bad value of several", (vertex) => vertex["setProperties"]!({ good: 1, bad: () => 1 })],
  ["a child of a map", (vertex) => vertex["newChild"]!(new Map([["a", 1]]))],
  ["a child of a text", (vertex) => vertex["newChild"]!("text")],
  ["a child of a date", (vertex) => vertex["newChild"]!(new Date())],
  ["a child with a bad value", (vertex) => vertex["newChild"]!({ good: 1, bad: 1n })],
  ["a name that is too long", (vertex) => vertex["newNamedChild"]!(TOO_LONG, { text: "hello" })],
  ["a name that is no text", (vertex) => vertex["newNamedChild"]!(7, { text: "hello" })],
  ["a named child with a bad value", (vertex) => vertex["newNamedChild"]!("name", { bad: new Set() })],
];

test.each(BAD_CALLS)("%s is refused, and nothing is made", (_name, call) => {
  const vector = tree.getStateVector();
  const bad: unknown = expect.objectContaining({ name: "FoldspaceError", code: "FOLD_BAD_VALUE" });
  expect(() => call(root as unknown as Parameters<Call>[0])).toThrow(bad);
  expect(root.children).toEqual([]);
  expect(tree.popLocalOps()).toEqual([]);
  expect(tree.getStateVector()).toEqual(vector);
  // the counters that it would have had are free
  root.setProperty("text", "next");
  expect(tree.popLocalOps()[0]!.id.counter).toBe(5);
});

test("a lone surrogate, in a key or a value, comes back as it is", () => {
  root.setProperties({ text: "a\ud800b", "\udc00": 1 });
  for (const each of [tree, tree.replicate("other")]) {
    expect(each.getVertexProperty("root", "text")).toBe("a\ud800b");
    expect(each.getVertexProperty("root", "\udc00")).toBe(1);
  }
});

test("if one of several properties cannot be decided any more, none is set", () => {
  tree.merge([{ id: { counter: MAX_COUNTER, peerId: "z" }, targetId: "root", key: "b", value: "last", transient: false }]);
  const exhausted: unknown = expect.objectContaining({ code: "FOLD_COUNTER_EXHAUSTED" });
  expect(() => root.setProperties({ a: 1, b: 2 })).toThrow(exhausted);
  root.setTransientProperty("a", "draft");
  tree.popLocalOps();
  expect(root.getProperty("a", false)).toBeUndefined();
  expect(tree.popLocalOps()).toEqual([]);
});

test("a root that cannot be given its time is not created", () => {
  const other = new ReplicatedTree("peer", [
    { id: { counter: MAX_COUNTER, peerId: "z" }, targetId: "r", key: "_c", value: "2020", transient: false },
  ]);
  expect(() => other.createRoot("r")).toThrow(expect.objectContaining({ code: "FOLD_COUNTER_EXHAUSTED" }));
  expect([other.opCount, other.root, other.getVertex("0")]).toEqual([1, undefined, undefined]);
});

test("a listener that edits on the first operation of an edit meets all of it", () => {
  const seen: unknown[] = [];
  let isFirst = true;
  tree.observeOpApplied((op) => {
    if (!isFirst) return;
    isFirst = false;
    const vertex = tree.getVertex(op.targetId)!;
    seen.push(vertex.name, vertex.getProperty("text"));
    vertex.setProperty("text", "by the listener");
  });
  const child = root.newNamedChild("name", { text: "made" });
  expect(seen).toEqual(["name", "made"]);
  expect(child.getProperty("text")).toBe("by the listener");
});

// ---- what others gave us ----

test("merging leaves the caller's objects alone, and later changes of them do not show", () => {
  const value = { list: [1, { deep: true }] };
  const op = { id: { counter: 20, peerId: "b" }, targetId: "root", key: "v", value, transient: false };
  expect(tree.merge([op])).toEqual([op]);
  root.getProperty("v");
  for (const object of [op, op.id, value, value.list, value.list[1]]) expect(Object.isFrozen(object)).toBe(false);
  value.list.push(2);
  op.id.counter = 1;
  op.key = "other";
  expect(root.getProperty("v")).toEqual({ list: [1, { deep: true }] });
  expect(tree.getVertexProperties("root").map(({ key }) => key)).toEqual(["_c", "v"]);
  expect(tree.getAllOps().at(-1)!.id.counter).toBe(20);
});

test("one object that is filled and merged again and again is as many operations", () => {
  const reused = { id: { counter: 0, peerId: "b" }, targetId: "root", key: "k", value: 0, transient: false };
  for (let counter = 20; counter < 23; counter++) {
    reused.id.counter = counter;
    reused.value = counter;
    tree.merge([reused]);
  }
  reused.value = 999;
  expect(root.getProperty("k")).toBe(22);
  expect(tree.replicate("c").getVertexProperty("root", "k")).toBe(22);
});

test("a move that is changed after merging stays what it was", () => {
  const move = { id: { counter: 20, peerId: "b" }, targetId: "x", parentId: "root" as string | null };
  for (const make of [() => new ReplicatedTree("c", [move]), () => (tree.merge([move]), tree)]) {
    move.parentId = "root";
    const merged = make();
    move.parentId = "elsewhere";
    expect(merged.getParentId("x")).toBe("root");
    expect(merged.getAllOps()).toContainEqual({ id: { counter: 20, peerId: "b" }, targetId: "x", parentId: "root" });
  }
});

test("a value that is not a list of operations is refused", () => {
  for (const ops of [null, undefined, "ops", 5, { length: 1 }])
    expect(() => tree.merge(ops as unknown as VertexOperation[])).toThrow(
      expect.objectContaining({ code: "FOLD_BAD_OPERATION" }),
    );
});

// ---- what changes nothing ----

test("a vertex that is given what it has makes no operation", () => {
  const bound = root.bind<{ same?: unknown; nothing?: unknown; list?: unknown }>();
  const [child, other] = [root.newChild(), root.newChild()];
  const edits: (() => void)[] = [
    () => (bound.same = 1),
    () => (bound.list = [1, { a: null }]),
    () => (root.name = "n"),
    () => root.setProperties({ same: 1, other: Number.NaN }),
    () => child.moveTo(other),
    () => child.bind().$moveTo(root.id),
    () => child.delete(),
    () => child.bind().$delete(),
    () => root.setTransientProperty("draft", "d"),
  ];
  for (const edit of edits) {
    edit();
    tree.popLocalOps();
    edit();
    expect(tree.popLocalOps(), String(edit)).toEqual([]);
  }
  delete bound.nothing;
  root.setProperty("nothing", undefined);
  root.newChild({ nothing: undefined });
  expect(tree.popLocalOps().filter((op) => "key" in op && op.key === "nothing")).toEqual([]);
});

test("a tree writes the present value again on request, because it decides against others", () => {
  const child = root.newChild({ text: "x" });
  tree.popLocalOps();
  tree.setVertexProperty(child.id, "text", "x");
  tree.setVertexProperties(child.id, { text: "x" });
  tree.moveVertex(child.id, "root");
  expect(tree.popLocalOps()).toHaveLength(3);
});

// ---- drafts ----

test("setting what is stored ends a draft, here and on live peers, and no other draft brings it back", () => {
  const vertex = root.newChild({ title: "A" });
  const peer = tree.replicate("live");
  vertex.setTransientProperty("title", "B");
  peer.merge(tree.popLocalOps());
  expect(peer.getVertexProperty(vertex.id, "title")).toBe("B");
  vertex.setProperty("title", "A");
  peer.merge(tree.popLocalOps());
  for (const each of [tree, peer]) expect(each.getVertexProperty(vertex.id, "title")).toBe("A");
  vertex.setTransientProperty("color", "red");
  vertex.commitTransients();
  expect([vertex.getProperty("title", false), vertex.getProperty("color", false)]).toEqual(["A", "red"]);
});

test("a property that is a draft only can be removed, in every way", () => {
  const removals = [
    () => root.setProperties({ done: undefined }),
    () => root.setProperty("done", undefined),
    () => delete root.bind<{ done?: boolean }>().done,
    () => tree.setVertexProperty("root", "done", undefined),
  ];
  for (const remove of removals) {
    root.setTransientProperty("done", true);
    remove();
    expect(root.getProperty("done")).toBeUndefined();
    root.commitTransients();
    expect(root.getProperty("done")).toBeUndefined();
  }
});

test("a draft of a name ends when the name is set to what is stored", () => {
  root.name = "stored";
  root.setTransientProperty("name", "draft");
  expect(root.name).toBe("draft");
  root.name = "stored";
  expect(root.name).toBe("stored");
});

test("committing a draft that is what is stored makes no operation, and ends it", () => {
  root.setProperty("title", "A");
  root.setTransientProperty("title", "B");
  root.setTransientProperty("title", "A");
  tree.popLocalOps();
  root.commitTransients();
  expect(tree.popLocalOps()).toEqual([]);
  // a lower id than the draft had, but above what is stored
  tree.merge([{ id: { counter: 6, peerId: "z" }, targetId: "root", key: "title", value: "C", transient: false }]);
  expect(root.getProperty("title")).toBe("C");
});
