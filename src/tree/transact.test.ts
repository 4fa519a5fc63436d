import { beforeEach, expect, test } from "vitest";
import type { TreeEdit } from "./replica.ts";
import { ReplicatedTree } from "./replicated-tree.ts";

let tree: ReplicatedTree;
let calls: string[];

beforeEach(() => {
  tree = new ReplicatedTree("here");
  tree.createRoot("root");
  calls = [];
  tree.observeOpApplied((op, isLocal) => calls.push(`${isLocal ? "made" : "merged"} ${"key" in op ? op.key : "place"}`));
});

test("listeners are called at the end, in the order of the operations, and reads show the edits at once", () => {
  const other = new ReplicatedTree("there", tree.getAllOps());
  other.root!.setProperty("theirs", 1);
  const id = tree.transact(() => {
    const child = tree.root!.newChild();
    tree.merge(other.popLocalOps());
    tree.root!.setProperty("mine", 1);
    expect(tree.root!.children).toEqual([child]);
    expect(calls).toEqual([]);
    return child.id;
  });
  expect(tree.getVertex(id)).toBeDefined();
  expect(calls).toEqual(["made place", "made _c", "merged theirs", "made mine"]);
});

test("observers get one notice", async () => {
  const seen: number[] = [];
  tree.observeTree((events) => seen.push(events.length));
  tree.transact(() => {
    tree.root!.setProperty("a", 1);
    tree.root!.setProperty("b", 2);
  });
  await Promise.resolve();
  expect(seen).toEqual([2]);
});

test("a transaction inside of another one is a part of it", () => {
  tree.transact(() => {
    tree.transact(() => tree.root!.setProperty("inner", 1));
    expect(calls).toEqual([]);
  });
  expect(calls).toEqual(["made inner"]);
});

test("if the function throws, the edits before it remain and are reported", () => {
  const edits: (readonly TreeEdit[])[] = [];
  tree.observeEdits((each) => edits.push(each));
  const run = (): void =>
    tree.transact(() => {
      tree.root!.setProperty("before", 1);
      throw new Error("of the app");
    });
  expect(run).toThrow("of the app");
  expect(tree.root!.getProperty("before")).toBe(1);
  expect(calls).toEqual(["made before"]);
  expect(edits).toHaveLength(1);
  tree.root!.setProperty("after", 1);
  expect(calls).toEqual(["made before", "made after"]);
});

test("edits are reported with what they replaced, those of a transaction together", () => {
  const edits: (readonly TreeEdit[])[] = [];
  const stop = tree.observeEdits((each) => edits.push(each));
  const [a, b] = [tree.root!.newChild({ x: 1 }), tree.root!.newChild()];
  edits.length = 0;
  tree.transact(() => {
    a.setProperties({ x: 2, y: 3 });
    a.moveTo(b);
    a.delete();
  });
  const made = edits[0]!.map(({ op, former }) => ["key" in op ? op.key : op.parentId, former]);
  expect(made).toEqual([
    ["x", 1],
    ["y", undefined],
    [b.id, "root"],
    ["0", b.id],
  ]);
  stop();
  a.setProperty("x", 5);
  expect(edits).toHaveLength(1);
});

test("merged and reapplied operations are no edits", () => {
  const edits: (readonly TreeEdit[])[] = [];
  tree.observeEdits((each) => edits.push(each));
  const other = new ReplicatedTree("there", tree.getAllOps());
  other.root!.setProperty("theirs", 1);
  const ops = other.popLocalOps();
  tree.merge(ops);
  tree.reapply(ops[0]!);
  expect(edits).toEqual([]);
});
