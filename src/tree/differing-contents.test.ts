import { expect, test } from "vitest";
import { ReplicatedTree, type VertexOperation } from "./index.ts";

function treeOf(...ops: VertexOperation[]): ReplicatedTree {
  return new ReplicatedTree("reader", ops);
}

const move = (counter: number, targetId: string, parentId: string | null): VertexOperation => ({
  id: { counter, peerId: "a" },
  targetId,
  parentId,
});
const set = (counter: number, key: string, value: string | { readonly x: number; readonly y?: number }): VertexOperation => ({
  id: { counter, peerId: "a" },
  targetId: "v",
  key,
  value,
  transient: false,
});

test("operations equal to those known under their ids are not reported", () => {
  const ops = [move(1, "v", null), move(2, "w", "v"), set(3, "text", "one"), set(4, "object", { x: 1, y: 2 })];
  expect(treeOf(...ops).findDifferingContents(structuredClone([...ops, ...ops]))).toEqual([]);
  expect(treeOf(...ops).findDifferingContents([set(4, "object", { y: 2, x: 1 })])).toEqual([]);
});

test.each([
  ["another place", move(2, "w", null)],
  ["another vertex", move(2, "v", "v")],
  ["a property for a move", set(2, "text", "one")],
  ["another value", set(3, "text", "other")],
  ["another key", set(3, "other", "one")],
  ["a move for a property", move(3, "w", "v")],
  ["another value of a property that was set anew since", set(5, "again", "other")],
])("finds %s, with what is known", (_, reported) => {
  const known = [
    move(1, "v", null),
    move(2, "w", "v"),
    set(3, "text", "one"),
    set(4, "object", { x: 1 }),
    set(5, "again", "one"),
    set(6, "again", "two"),
  ];
  const found = treeOf(...known).findDifferingContents([reported, ...known]);
  expect(found).toEqual([{ reported, known: known.find(({ id }) => id.counter === reported.id.counter) }]);
});

test("finds every operation that is given under one id", () => {
  const known = set(1, "text", "one");
  const reported = [set(1, "text", "two"), set(1, "text", "three")];
  expect(treeOf(known).findDifferingContents(reported)).toEqual(reported.map((each) => ({ reported: each, known })));
});
