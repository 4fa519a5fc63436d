import { expect, test } from "vitest";
import { ReplicatedTree, type VertexOperation } from "../tree/index.ts";
import { MAX_PRE_LOAD_EDIT_AGE_MS, PreLoadEdits, type PreLoadEdit } from "./pre-load-edits.ts";

const NOW = Date.UTC(2026, 5, 1);

function property(counter: number, value: string, peerId = "other"): VertexOperation {
  return { id: { counter, peerId }, targetId: "root", key: "text", value, transient: false };
}

function newTree(): ReplicatedTree {
  const tree = new ReplicatedTree("peer", [
    { id: { counter: 1, peerId: "other" }, targetId: "root", parentId: null },
    { id: { counter: 2, peerId: "other" }, targetId: "a", parentId: "root" },
    { id: { counter: 3, peerId: "other" }, targetId: "b", parentId: "root" },
  ]);
  tree.popLocalOps();
  return tree;
}

/** An edit that a user has just made. @param ageMs its age */
function editsOf(tree: ReplicatedTree, ageMs = 1_000): PreLoadEdit[] {
  return tree.popLocalOps().map((op) => ({ op, madeAtMs: NOW - ageMs }));
}

/** A layer answers with what it held. */
function answer(tree: ReplicatedTree, edits: readonly PreLoadEdit[], held: readonly VertexOperation[]): readonly PreLoadEdit[] {
  const stale = new PreLoadEdits();
  for (const edit of edits) stale.note(edit);
  return stale.reapply(tree, tree.merge(held), NOW);
}

test("an edit that loses to what a slower layer held all along is made again, above it", () => {
  const tree = newTree();
  tree.setVertexProperty("root", "text", "typed first");
  tree.setVertexProperty("root", "text", "typed last");
  const again = answer(tree, editsOf(tree), [property(50, "held")]);
  expect(tree.getVertexProperty("root", "text")).toBe("typed last");
  expect(again).toEqual([{ op: expect.objectContaining({ value: "typed last" }), madeAtMs: NOW - 1_000 }]);
  expect(again[0]!.op.id.counter).toBeGreaterThan(50);
});

test("an edit older than the maximum age is not made again", () => {
  for (const [ageMs, shown] of [
    [MAX_PRE_LOAD_EDIT_AGE_MS, "typed"],
    [MAX_PRE_LOAD_EDIT_AGE_MS + 1, "held"],
  ] as const) {
    const tree = newTree();
    tree.setVertexProperty("root", "text", "typed");
    answer(tree, editsOf(tree, ageMs), [property(50, "held")]);
    expect(tree.getVertexProperty("root", "text")).toBe(shown);
  }
});

test("of a property only the last edit counts, by its own age", () => {
  const tree = newTree();
  tree.setVertexProperty("root", "text", "typed long ago");
  const old = editsOf(tree, MAX_PRE_LOAD_EDIT_AGE_MS + 1);
  tree.setVertexProperty("root", "text", "typed now");
  answer(tree, [...old, ...editsOf(tree)], [property(50, "held")]);
  expect(tree.getVertexProperty("root", "text")).toBe("typed now");
});

test("an edit that another peer's edit had visibly replaced is not made again", () => {
  const tree = newTree();
  tree.setVertexProperty("root", "text", "typed");
  const edits = editsOf(tree);
  // by another layer, and shown
  tree.merge([property(20, "by another")]);
  expect(answer(tree, edits, [property(50, "held")])).toEqual([]);
  expect(tree.getVertexProperty("root", "text")).toBe("held");
});

test("a winning edit is not made again, nor is an edit of a subject that the layer has no operations of", () => {
  const tree = newTree();
  tree.setVertexProperty("root", "text", "typed");
  expect(answer(tree, editsOf(tree), [property(2, "older"), { ...property(50, "x"), targetId: "a" }])).toEqual([]);
  expect(tree.popLocalOps()).toEqual([]);
});

test("a move is made again unless it would put a vertex below itself by now", () => {
  for (const [held, parentId] of [
    [[{ id: { counter: 50, peerId: "other" }, targetId: "a", parentId: "root" }], "b"],
    [
      [
        { id: { counter: 50, peerId: "other" }, targetId: "a", parentId: "root" },
        { id: { counter: 51, peerId: "other" }, targetId: "b", parentId: "a" },
      ],
      "root",
    ],
  ] as const) {
    const tree = newTree();
    tree.moveVertex("a", "b");
    answer(tree, editsOf(tree), held);
    expect(tree.getParentId("a")).toBe(parentId);
  }
});

test("an edit repeated for one layer counts as the edit for the next", () => {
  const tree = newTree();
  tree.setVertexProperty("root", "text", "typed");
  const first = editsOf(tree);
  const second = answer(tree, first, [property(50, "held by one")]);
  answer(tree, [...first, ...second], [property(90, "held by another")]);
  expect(tree.getVertexProperty("root", "text")).toBe("typed");
});
