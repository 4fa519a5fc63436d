import { MAX_COUNTER, MAX_CLOCK } from "../limits.ts";
import { expect, test } from "vitest";
import { type VertexOperation } from "./operation.ts";
import { ReplicatedTree } from "./replicated-tree.ts";

// One line in a file is enough to bring any counter up to the highest into every replica.

function move(counter: number, targetId: string, parentId: string | null): VertexOperation {
  return { id: { counter, peerId: "mover" }, targetId, parentId };
}

function property(counter: number, targetId: string, key: string, value: string): VertexOperation {
  return { id: { counter, peerId: "foreign" }, targetId, key, value, transient: false };
}

const TREE = [move(1, "root", null), move(2, "0", null), move(3, "a", "root"), move(4, "b", "a"), move(5, "c", "root")];

const exhausted: unknown = expect.objectContaining({ name: "FoldspaceError", code: "FOLD_COUNTER_EXHAUSTED" });

for (const counter of [MAX_COUNTER, MAX_COUNTER - 1, MAX_CLOCK + 1, MAX_CLOCK]) {
  test(`everything that a counter of ${counter} has not decided can be edited as ever`, () => {
    const ops = [...TREE, property(counter, "a", "text", "theirs"), move(counter, "b", "root")];
    const one = new ReplicatedTree("one", ops);
    const two = new ReplicatedTree("two", ops);
    for (let round = 0; round < 20; round++) {
      const [from, to] = round % 2 === 0 ? [one, two] : [two, one];
      // each edit has to win over what the other replica made before
      from.setVertexProperty("c", "text", `${round}`);
      from.setTransientVertexProperty("c", "draft", `${round}`);
      from.moveVertex("c", round % 3 === 0 ? "b" : "root");
      const vertex = from.newNamedVertex("a", `vertex ${round}`);
      if (round % 4 === 0) vertex.delete();
      to.merge(from.popLocalOps());
      for (const tree of [one, two]) {
        expect(tree.getVertexProperty("c", "text")).toBe(`${round}`);
        expect(tree.getVertexProperty("c", "draft")).toBe(`${round}`);
        expect(tree.getParentId("c")).toBe(round % 3 === 0 ? "b" : "root");
        expect(tree.getParentId(vertex.id)).toBe(round % 4 === 0 ? "0" : "a");
      }
    }
    expect(one.getStateVector()).toEqual(two.getStateVector());
    expect(one.compareStructure(two.replicate("reader"))).toBe(true);
  });
}

for (const counter of [MAX_COUNTER - 1_000, MAX_CLOCK + 1, MAX_CLOCK]) {
  test(`an edit wins over what a counter of ${counter} has decided, again and again`, () => {
    const ops = [...TREE, property(counter, "a", "text", "theirs"), move(counter, "b", "root")];
    const one = new ReplicatedTree("one", ops);
    const two = new ReplicatedTree("two", ops);
    for (let round = 0; round < 20; round++) {
      const [from, to] = round % 2 === 0 ? [one, two] : [two, one];
      from.setTransientVertexProperty("a", "text", `draft ${round}`);
      expect(from.getVertexProperty("a", "text")).toBe(`draft ${round}`);
      from.commitTransients("a");
      from.moveVertex("b", round % 2 === 0 ? "c" : "root");
      // under what the high counter has moved, which was below it before
      from.moveVertex("a", round % 2 === 0 ? "b" : "root");
      to.merge(from.popLocalOps());
      for (const tree of [one, two]) {
        expect(tree.getVertexProperty("a", "text")).toBe(`draft ${round}`);
        expect(tree.getParentId("b")).toBe(round % 2 === 0 ? "c" : "root");
        expect(tree.getParentId("a")).toBe(round % 2 === 0 ? "b" : "root");
      }
    }
    const ids = one.getAllOps().map(({ id }) => `${id.counter}@${id.peerId}`);
    expect(new Set(ids).size).toBe(ids.length);
    expect(one.compareStructure(two.replicate("reader"))).toBe(true);
  });
}

test("a value decided by the highest counter stays, and editing it names that operation", () => {
  const ops = [...TREE, property(MAX_COUNTER, "a", "text", "theirs"), move(MAX_COUNTER, "b", "root")];
  const tree = new ReplicatedTree("one", ops);
  const edits = [
    () => tree.setVertexProperty("a", "text", "mine"),
    () => tree.setTransientVertexProperty("a", "text", "mine"),
    () => tree.moveVertex("b", "c"),
    () => tree.moveVertex("a", "b"),
  ];
  for (const edit of edits) expect(edit).toThrow(exhausted);
  expect(edits[0]).toThrow(`${MAX_COUNTER}@foreign`);
  expect(tree.popLocalOps()).toEqual([]);
  tree.deleteVertex("a");
  expect(tree.getParentId("a")).toBe("0");
});

test("to make again what the highest counter has decided has no effect", () => {
  const tree = new ReplicatedTree("one", [...TREE, property(MAX_COUNTER, "a", "text", "theirs")]);
  tree.reapply(property(4, "a", "text", "mine"));
  expect(tree.popLocalOps()).toEqual([]);
});
