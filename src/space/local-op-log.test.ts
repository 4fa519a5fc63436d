import { beforeEach, expect, test } from "vitest";
import { Random } from "../testing/random.ts";
import { isMoveVertexOp, ReplicatedTree, type MoveVertex, type VertexOperation } from "../tree/index.ts";
import { LocalOpLog, placesToReapply, toReapply } from "./local-op-log.ts";

let tree: ReplicatedTree;
let made: LocalOpLog;

beforeEach(() => {
  tree = new ReplicatedTree("peer");
  made = new LocalOpLog();
  tree.observeOpApplied((op, isLocal) => {
    if (isLocal) made.note(op);
  });
  tree.createRoot("root");
});

/** Operations come from a layer. @returns how many are made because of them */
function arrive(...ops: VertexOperation[]): number {
  const before = tree.opCount;
  tree.merge(ops);
  const merged = tree.opCount - before;
  const foreignOps = made.findForeignOps(ops, undefined, tree.findDifferingContents(ops));
  for (const op of toReapply(foreignOps, tree.getAllOps())) tree.reapply(op);
  for (const op of placesToReapply(tree, foreignOps)) tree.reapply(op);
  return tree.opCount - before - merged;
}

function movesMade(): MoveVertex[] {
  return tree.getAllOps().filter(isMoveVertexOp);
}

test("a foreign line under an id that was used here makes a handful of operations, however much was moved since", () => {
  const random = new Random(3);
  const ids = ["root"];
  for (let count = 0; count < 300; count++) ids.push(tree.newVertex(random.pick(ids)).id);
  for (let count = 0; count < 300; count++) {
    const [id, parentId] = [random.pick(ids), random.pick(ids)];
    if (id !== "root" && id !== parentId && !tree.isAncestor(parentId, id)) tree.moveVertex(id, parentId);
  }
  const moves = movesMade();
  const counts: number[] = [];
  for (let attack = 0; attack < 300; attack++) {
    const { id } = random.pick(moves);
    counts.push(arrive({ id, targetId: random.pick(ids), parentId: random.pick(["0", ...ids]) }));
  }
  // contested moves are checked again with later lines, so that a single line may cause more
  expect(counts.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(counts.length);
  expect(Math.max(...counts)).toBeLessThanOrEqual(50);
  expect(tree.root?.id).toBe("root");
  expect(tree.root?.parentId).toBeNull();
});

test("nor does one for which a history was prepared, in which every move depends on it", () => {
  const [top, under] = [tree.root!.newChild(), tree.root!.newChild()];
  // a chain, whose members are moved from its top on to below what the line will put at its end
  const chain = [top];
  for (let count = 0; count < 200; count++) chain.push(chain.at(-1)!.newChild());
  tree.moveVertex(under.id, "root");
  const contested = movesMade().at(-1)!;
  for (const vertex of chain.slice(0, -1)) vertex.moveTo(under);
  const line = { id: contested.id, targetId: under.id, parentId: chain.at(-1)!.id };
  expect(arrive(line)).toBeLessThanOrEqual(10);
});

test("a line that arrives again makes no more operations", () => {
  const [a, b] = [tree.root!.newChild(), tree.root!.newChild()];
  const { id } = movesMade().find(({ targetId }) => targetId === b.id)!;
  const line = { id, targetId: b.id, parentId: a.id };
  expect(arrive(line)).toBe(2);
  for (let again = 0; again < 20; again++) expect(arrive(line)).toBe(0);
});

test("a root stays one, whatever a foreign line does to it", () => {
  const a = tree.root!.newChild();
  const b = a.newChild();
  const { id } = movesMade().find(({ targetId }) => targetId === a.id)!;
  // when this id was used there was no b, so that the root could be put under it
  arrive({ id, targetId: "root", parentId: b.id });
  expect([tree.root?.id, tree.root?.parentId, a.parentId, b.parentId]).toEqual(["root", null, "root", a.id]);
});

test("a move contested earlier is checked again with the next arriving moves, and not for ever", () => {
  const [a, b] = [tree.root!.newChild(), tree.root!.newChild()];
  const { id } = movesMade().find(({ targetId }) => targetId === b.id)!;
  const line = { id, targetId: b.id, parentId: a.id };
  expect(made.findForeignOps([line], undefined, tree.findDifferingContents([line]))).toHaveLength(1);
  let looks = 0;
  for (let counter = 100; counter < 200; counter++)
    looks += made.findForeignOps([{ id: { counter, peerId: "other" }, targetId: "x", parentId: "root" }], undefined, []).length;
  expect(looks).toBe(16);
});

test("a line of ours that comes back with the members of its value in another order is still ours", () => {
  tree.root!.setProperty("place", { x: 1, y: 2 });
  const { id } = tree.getAllOps().at(-1)!;
  const line = { id, targetId: "root", key: "place", value: { y: 2, x: 1 }, transient: false };
  expect(made.findForeignOps([line], undefined, tree.findDifferingContents([line]))).toEqual([]);
});

test("what was made here is kept while the tree is not in memory, and only then", () => {
  tree.newVertex("root", { text: "made here" });
  const own = tree.getAllOps();
  tree.merge([{ id: { counter: 90, peerId: "other" }, targetId: "root", key: "text", value: "theirs", transient: false }]);
  expect(made.takeKept()).toEqual([]);
  made.keep(tree);
  expect(made.takeKept()).toEqual(own);
  expect(made.takeKept()).toEqual([]);
});
