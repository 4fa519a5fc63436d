import { MAX_COUNTER, MAX_OPERATION_BYTES, MAX_NESTING, MAX_VALUE_LENGTH } from "../limits.ts";
import { expect, test } from "vitest";
import { type JsonValue } from "./json-value.ts";
import { type VertexOperation } from "./operation.ts";
import { ReplicatedTree } from "./replicated-tree.ts";

// Operations that a damaged file or a hostile peer may send.

const ROOT = move(1, "a", "root", null);

function move(counter: number, peerId: string, targetId: string, parentId: string | null): VertexOperation {
  return { id: { counter, peerId }, targetId, parentId };
}

function property(counter: number, peerId: string, targetId: string, key: string, value: unknown): VertexOperation {
  return { id: { counter, peerId }, targetId, key, value: value as JsonValue, transient: false };
}

function nested(levels: number, inmost: JsonValue = 1): JsonValue {
  let value = inmost;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value };
  return value;
}

/** Values that would be read back as something else, or not at all. */
function unstorable(): unknown[] {
  const sharing: unknown[] = [[]];
  for (let level = 1; level < 100; level++) sharing.push([sharing[level - 1], sharing[level - 1]]);
  const values: unknown[] = [Infinity, NaN, 1n, () => 1, Symbol("s"), new Date(0), new Map(), [undefined], { a: undefined }];
  return [...values, "x".repeat(9 * 1024 * 1024), sharing.at(-1)];
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
    ["FOLD_TOO_DEEP", property(9, "b", "x", "text", nested(MAX_NESTING + 1))],
    ["FOLD_TOO_DEEP", property(9, "b", "x", "text", nested(100_000))],
    ...unstorable().flatMap((value): [string, unknown][] => [
      ["FOLD_BAD_VALUE", property(9, "b", "x", "text", value)],
      ["FOLD_BAD_VALUE", property(9, "b", "x", "text", [{ value }])],
    ]),
    ["FOLD_BAD_VALUE", property(9, "b", "x", "x".repeat(MAX_OPERATION_BYTES), undefined)],
    ["FOLD_BAD_VALUE", property(9, "b", "x", "x".repeat(MAX_OPERATION_BYTES), 1)],
  ];
  for (const [index, [code, op]] of bad.entries()) {
    const tree = new ReplicatedTree("reader", [ROOT]);
    const batch = [property(2, "a", "root", "text", "good"), op as VertexOperation];
    expect(() => tree.merge(batch), `${index}: ${code}`).toThrow(refusal(code));
    expect(tree.getAllOps()).toEqual([ROOT]);
    expect(() => tree.merge([op as VertexOperation])).toThrow(refusal(code));
    expect(() => new ReplicatedTree("reader", batch)).toThrow(refusal(code));
    tree.setVertexProperty("root", "text", "next");
    expect(tree.popLocalOps()[0]!.id.counter).toBe(2);
  }
});

test("an operation that fits into a line is merged, however long it is", () => {
  const room = MAX_OPERATION_BYTES - '["p",9,"x","text",]'.length;
  const text = (bytes: number): string => `é${"x".repeat(bytes - 4)}`;
  const tree = new ReplicatedTree("reader", [ROOT]);
  for (const [counter, value] of [text(room), [text(room - 4), 7], nested(MAX_NESTING), [1, {}, [], null, true, ""]].entries()) {
    expect(tree.merge([property(counter + 2, "b", "x", "text", value)])).toHaveLength(1);
  }
  for (const value of [text(room + 2), [text(room - 4), 77], Array<number>(Math.ceil(room / 22)).fill(1e20)]) {
    expect(() => tree.merge([property(9, "b", "x", "text", value)])).toThrow(refusal("FOLD_BAD_VALUE"));
  }
});

test("a value that is set here is merged everywhere, or refused here", () => {
  const tree = new ReplicatedTree("a", [ROOT]);
  const key = "k".repeat(MAX_VALUE_LENGTH);
  for (const value of [undefined, null, "x"]) {
    expect(() => tree.setVertexProperty("root", key, value)).toThrow(refusal("FOLD_BAD_VALUE"));
    expect(() => tree.setTransientVertexProperty("root", key, value)).toThrow(refusal("FOLD_BAD_VALUE"));
    expect(() => tree.setVertexProperties("root", { [key]: value })).toThrow(refusal("FOLD_BAD_VALUE"));
  }
  expect(() => tree.setVertexProperty("root", "deep", nested(MAX_NESTING + 1, []))).toThrow(refusal("FOLD_BAD_VALUE"));
  tree.setVertexProperty("root", "deep", nested(MAX_NESTING - 1, []));
  expect(tree.replicate("b").getVertexProperty("root", "deep")).toEqual(nested(MAX_NESTING - 1, []));
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
