import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { JsonValue } from "./json-value.ts";
import { OperationBatch, addIds, type OperationSlice } from "./operation-batch.ts";
import { newLogNumbers, OperationColumns } from "./operation-columns.ts";
import { opIdToString, type VertexOperation } from "./operation.ts";
import { OpIdSet } from "./op-id-set.ts";
import { ReplicatedTree } from "./replicated-tree.ts";

const PEERS = ["a", "b", "c"];

class BatchTree extends ReplicatedTree {
  override mergeSlice(slice: OperationSlice, vertices: Int32Array, onNew: (index: number) => void): void {
    super.mergeSlice(slice, vertices, onNew);
  }
}

/** One list of columns per peer, with texts as bytes where a log file has them so. */
function columnsOf(ops: readonly VertexOperation[]): OperationColumns[] {
  const numbers = newLogNumbers();
  return PEERS.map((peerId) => {
    const columns = new OperationColumns(peerId, numbers);
    for (const op of ops.filter(({ id }) => id.peerId === peerId)) {
      if (!("key" in op) || typeof op.value !== "string" || !/^[ -~]*$/.test(op.value)) columns.add(op);
      else {
        const bytes = new TextEncoder().encode(`.${op.value}.`);
        const { ids, keys } = numbers;
        const [target, key] = [ids.numberOf(op.targetId), keys.numberOf(op.key)];
        columns.addText(op.id.counter, target, key, bytes, 1, bytes.length - 1);
      }
    }
    return columns;
  });
}

/** @returns the ids of the operations that were new */
function mergeColumns(tree: BatchTree, ops: readonly VertexOperation[], sliceLength: number): string[] {
  const batch = new OperationBatch(columnsOf(ops));
  const vertices = new Int32Array(batch.idCount + 1);
  const added: string[] = [];
  for (const slice of batch.slices(sliceLength))
    tree.mergeSlice(slice, vertices, (index) => added.push(opIdToString(batch.opAt(index).id)));
  return added;
}

const id = fc.constantFrom("0", "root", ...Array.from({ length: 12 }, (_, index) => `vertex ${index}`));
const value = fc.oneof(
  fc.constantFrom<JsonValue | undefined>(undefined, null, 1, true, "", "short", "é", ["list"], { a: 1 }),
  // edits of long texts are kept as differences
  fc.nat(9).map((digit) => `${"The text of a page. ".repeat(8)}${digit}${" It goes on.".repeat(4)}`),
);
const content = fc.oneof(
  fc.record({ targetId: id, parentId: fc.oneof(fc.constant(null), id) }),
  fc.record({ targetId: id, key: fc.constantFrom("_n", "name", "_c", "text"), value, transient: fc.constant(false) }),
);
const history = fc.array(fc.tuple(fc.constantFrom(...PEERS), fc.integer({ min: 1, max: 60 }), content), { maxLength: 80 });

/** Operations of which no two have the same id. */
function operationsOf(drawn: readonly (readonly [string, number, object])[]): VertexOperation[] {
  const ops = new Map<string, VertexOperation>();
  for (const [peerId, counter, each] of drawn) {
    const op = { id: { counter, peerId }, ...each } as VertexOperation;
    ops.set(opIdToString(op.id), op);
  }
  return [...ops.values()];
}

function shown(tree: ReplicatedTree): unknown {
  const lines = tree.getAllOps().map((op) => JSON.stringify(op));
  const vertices = tree.getAllVertices().sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    ops: lines.sort(),
    vertices: vertices.map(({ id: vertex }) => [
      vertex,
      tree.getParentId(vertex),
      tree.getChildrenIds(vertex),
      tree.getName(vertex),
      [...tree.getVertexProperties(vertex)].sort((a, b) => (a.key < b.key ? -1 : 1)),
    ]),
    vector: tree.getStateVector(),
    nameKey: tree.nameKey,
  };
}

test("rows give the tree that their operations give, in slices of any size, also into a tree that has some of them", () => {
  fc.assert(
    fc.property(history, history, fc.integer({ min: 1, max: 40 }), fc.boolean(), (first, later, sliceLength, isRead) => {
      const ops = operationsOf([...first, ...later]);
      const known = ops.slice(0, first.length % (ops.length + 1));
      const tree = new BatchTree("reader", known);
      const reference = new ReplicatedTree("reader", known);
      let reported = 0;
      if (isRead) {
        shown(tree);
        tree.observeOpApplied(() => reported++);
      }
      const added = mergeColumns(tree, ops, sliceLength);
      const expected = reference.merge(ops).map((op) => opIdToString(op.id));
      expect(added.sort()).toEqual(expected.sort());
      expect(reported).toBe(isRead ? expected.length : 0);
      // what the vector has ranges of depends on the order in which peers became known
      expect(shown(tree)).toEqual(shown(reference));
      // an edit takes effect on both
      if (tree.root) {
        tree.setVertexProperty(tree.root.id, "text", "edited");
        reference.setVertexProperty(tree.root.id, "text", "edited");
      }
      expect(shown(tree)).toEqual(shown(reference));
    }),
    { numRuns: 300 },
  );
});

test("a batch is in the order of counters, except among those with about the same, and makes operations on demand", () => {
  const ops: VertexOperation[] = [];
  for (const peerId of PEERS)
    for (let counter = 1; counter <= 4_000; counter++)
      ops.push({ id: { counter, peerId }, targetId: `v${counter}`, parentId: "root" });
  const batch = new OperationBatch(columnsOf(ops));
  let highest = 0;
  let mostLate = 0;
  for (const op of batch) {
    highest = Math.max(highest, op.id.counter);
    mostLate = Math.max(mostLate, highest - op.id.counter);
  }
  expect(mostLate).toBeLessThan(1_000);
  expect(batch.length).toBe(ops.length);
  const ids = new OpIdSet();
  const added: VertexOperation[] = [];
  for (const slice of batch.slices(700)) addIds(ids, slice, (op) => added.push(op));
  expect(ids.size).toBe(ops.length);
  expect(added).toEqual([...batch]);
});

test("texts with the same start are kept and read back whole", () => {
  const long = "A text of some length. ".repeat(20);
  const ops = Array.from({ length: 700 }, (_, index): VertexOperation => ({
    id: { counter: 1 + ((index * 9) % 700), peerId: "a" },
    targetId: "root",
    key: "text",
    value: `${long}${index}${long}`,
    transient: false,
  }));
  const tree = new BatchTree("reader");
  mergeColumns(tree, ops, 500);
  const byCounter = (list: readonly VertexOperation[]): VertexOperation[] => list.toSorted((a, b) => a.id.counter - b.id.counter);
  expect(byCounter(tree.getAllOps())).toEqual(byCounter(ops));
});
