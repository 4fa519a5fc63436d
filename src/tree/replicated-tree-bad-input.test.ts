import { expect, test } from "vitest";
import { MAX_COUNTER, type VertexOperation } from "./operation.ts";
import { ReplicatedTree } from "./replicated-tree.ts";

// What a damaged file or a hostile peer may send.

const ROOT = move(1, "a", "root", null);

function move(counter: number, peerId: string, targetId: string, parentId: string | null): VertexOperation {
  return { id: { counter, peerId }, targetId, parentId };
}

function property(counter: number, peerId: string, targetId: string, key: string, value: string | number): VertexOperation {
  return { id: { counter, peerId }, targetId, key, value, transient: false };
}

function refusal(code: string): unknown {
  return expect.objectContaining({ name: "FoldspaceError", code });
}

test("one bad operation in a batch has a typed error, and nothing of the batch is merged", () => {
  const bad: [string, unknown][] = [
    ...[0, -1, 1.5, 2 ** 53, MAX_COUNTER + 1, NaN, Infinity, "7", null, undefined].map((counter): [string, unknown] => [
      "FOLD_BAD_COUNTER",
      { id: { counter, peerId: "b" }, targetId: "x", parentId: "root" },
    ]),
    ...["../up", "a\u0000b", "a\nb", 'a"b', "a'b", "a\\b", "", "x".repeat(257), 5, null, undefined].flatMap(
      (id): [string, unknown][] => [
        ["FOLD_BAD_ID", { id: { counter: 9, peerId: id }, targetId: "x", parentId: "root" }],
        ["FOLD_BAD_ID", { id: { counter: 9, peerId: "b" }, targetId: id, parentId: "root" }],
        ["FOLD_BAD_ID", { id: { counter: 9, peerId: "b" }, targetId: id, key: "text", value: 1, transient: false }],
        ...(id === null
          ? []
          : ([["FOLD_BAD_ID", { id: { counter: 9, peerId: "b" }, targetId: "x", parentId: id }]] as [string, unknown][])),
      ],
    ),
    ...[null, undefined, 5, "op", {}, { id: null }, { id: { counter: 9, peerId: "b" }, targetId: "x" }].map(
      (op): [string, unknown] => ["FOLD_BAD_OPERATION", op],
    ),
    ["FOLD_BAD_OPERATION", { id: { counter: 9, peerId: "b" }, targetId: "x", key: 5, value: 1 }],
  ];
  for (const [code, op] of bad) {
    const tree = new ReplicatedTree("reader", [ROOT]);
    const batch = [property(2, "a", "root", "text", "good"), op as VertexOperation];
    expect(() => tree.merge(batch), JSON.stringify(op)).toThrow(refusal(code));
    expect(tree.getAllOps()).toEqual([ROOT]);
    expect(() => tree.merge([op as VertexOperation]), JSON.stringify(op)).toThrow(refusal(code));
    expect(() => new ReplicatedTree("reader", batch)).toThrow(refusal(code));
    tree.setVertexProperty("root", "text", "next");
    expect(tree.popLocalOps()[0]!.id.counter).toBe(2);
  }
});

test("vertices and peers named like built-in members are like any other", () => {
  const tree = new ReplicatedTree("constructor", [
    ROOT,
    move(2, "__proto__", "__proto__", "root"),
    move(3, "__proto__", "constructor", "__proto__"),
  ]);
  expect(tree.getAncestors("constructor").map(({ id }) => id)).toEqual(["__proto__", "root"]);
  tree.setVertexProperty("__proto__", "text", "x");
  expect(Object.entries(tree.getStateVector()).sort()).toEqual([
    ["__proto__", [[2, 3]]],
    ["a", [[1, 1]]],
    ["constructor", [[4, 4]]],
  ]);
  expect(tree.getMissingOps(tree.getStateVector())).toEqual([]);
});

test("at the highest counter, edits are refused and merging goes on", () => {
  const tree = new ReplicatedTree("a", [ROOT, property(MAX_COUNTER, "b", "root", "text", "last")]);
  const edits = [
    () => tree.setVertexProperty("root", "text", "x"),
    () => tree.newVertex("root"),
    () => tree.setVertexProperties("root", { a: 1 }),
  ];
  for (const edit of edits) expect(edit).toThrow(refusal("FOLD_COUNTER_EXHAUSTED"));
  expect(tree.opCount).toBe(2);
  expect(tree.popLocalOps()).toEqual([]);
  expect(tree.merge([move(7, "b", "x", "root")])).toHaveLength(1);
});

test("vertices nested 100,000 deep do not overflow the stack", () => {
  const depth = 100_000;
  const ops = [ROOT];
  for (let level = 1; level <= depth; level++)
    ops.push(move(level + 1, "a", `v${level}`, level === 1 ? "root" : `v${level - 1}`));
  const tree = new ReplicatedTree("reader", ops.toReversed());
  expect(tree.getAncestors(`v${depth}`)).toHaveLength(depth);
  expect(tree.isAncestor(`v${depth}`, "root")).toBe(true);
  expect(() => tree.moveVertex("v1", `v${depth}`)).toThrow(refusal("FOLD_CYCLE"));
  const other = tree.replicate("other");
  expect(tree.compareStructure(other)).toBe(true);
  other.setVertexProperty(`v${depth}`, "text", "different");
  expect(tree.compareStructure(other)).toBe(false);
  tree.merge([move(depth + 5, "b", "v1", `v${depth}`), move(depth + 6, "b", `v${depth}`, "root")]);
  expect(tree.getParentId("v1")).toBe("root");
});
