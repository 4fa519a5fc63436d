import * as fc from "fast-check";
import { expect, test } from "vitest";
import { listReferences } from "../space/app-forest.ts";
import { newLogNumbers, OperationColumns } from "../tree/operation-columns.ts";
import { ReplicatedTree, type VertexOperation } from "../tree/index.ts";
import { DirectoryRows } from "./directory-rows.ts";

const ROOT = "root";
const IDS = [ROOT, "a", "b", "c", "d", "e", "f"];
const PEERS = ["one", "two", "three"];

/** The directory that the columns of one file per peer give. */
function directoryOf(ops: readonly VertexOperation[]): ReplicatedTree {
  const numbers = newLogNumbers();
  const directory = new DirectoryRows(ROOT, numbers);
  for (const peerId of PEERS) {
    directory.addFile(peerId);
    const columns = new OperationColumns(peerId, numbers);
    for (const op of ops) if (op.id.peerId === peerId) columns.add(op);
    directory.add(columns);
  }
  return directory.toTree();
}

/** Only trees: a directory leaves out entries that name none. */
function referencesIn(tree: ReplicatedTree): unknown {
  return listReferences(tree).filter(({ treeId }) => treeId !== undefined);
}

test("a directory has the references of the whole tree, wherever moves that exclude each other leave them", () => {
  const place = fc.record({ targetId: fc.constantFrom(...IDS.slice(1)), parentId: fc.constantFrom(null, ...IDS) });
  const property = fc.record({
    targetId: fc.constantFrom(...IDS),
    key: fc.constantFrom("_n", "name", "tid", "text"),
    value: fc.constantFrom("app-forest", "app-forest", "tree-1", "tree-2", 7),
  });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(2), fc.oneof(place, place, property)), { maxLength: 60 }), (edits) => {
      const ops = [{ targetId: ROOT, parentId: null }, ...edits.map(([, edit]) => edit)].map((edit, index): VertexOperation => {
        const id = { counter: index + 1, peerId: PEERS[edits[index - 1]?.[0] ?? 0]! };
        return "parentId" in edit ? { id, ...edit } : { id, ...edit, transient: false };
      });
      const whole = new ReplicatedTree("reader", ops, { rootId: ROOT });
      const directory = directoryOf(ops);
      expect(referencesIn(directory)).toEqual(referencesIn(whole));
      expect(directory.root?.name).toBe(whole.root?.name);
    }),
    { numRuns: 2_000 },
  );
});

test("a directory has nothing of what references no tree", () => {
  const tree = new ReplicatedTree("one", [], { rootId: ROOT });
  tree.createRoot();
  const forest = tree.root!.newNamedChild("app-forest");
  forest.newNamedChild("Notes", { tid: "tree-1" });
  for (let index = 0; index < 10; index++) tree.root!.newNamedChild(`item ${index}`);
  const targets = directoryOf(tree.getAllOps())
    .getAllOps()
    .map(({ targetId }) => targetId);
  expect(new Set(targets).size).toBe(3);
});
