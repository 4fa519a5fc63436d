import { MAX_COUNTER } from "../../src/limits.ts";
import { afterEach, expect, test, vi } from "vitest";
import { ReplicatedTree, type OpId, type VertexOperation } from "../../src/tree/index.ts";

// Each test here stands for a fault that people have met in an existing app of this kind.

afterEach(() => {
  vi.restoreAllMocks();
});

// Fault: after a week offline, the first exchange freezes the app for half a minute, because every late
// operation takes back and repeats all younger ones. Counted here is how often operation ids are looked at.
test("merging late operations takes work in proportion to the operations, not to their product", () => {
  const small = workOfLateMerge(1_000, 4_000);
  const large = workOfLateMerge(4_000, 16_000);
  // 4 × the operations: n log n gives less than 5 ×, one undo and redo per late operation gives 16 ×
  expect(large / small).toBeLessThan(6);
  expect(large).toBeLessThan(100 * 20_000);
});

// Fault: a space that has been used for a year opens empty, with nothing but a message in the console.
test("one merge takes 250,000 operations", () => {
  const ops: VertexOperation[] = [move(1, "peer", "root", null)];
  for (let counter = 2; counter <= 250_000; counter++) {
    ops.push(
      counter % 2 === 0
        ? move(counter, "peer", `v${counter}`, "root")
        : property(counter, "peer", `v${counter - 1}`, "text", counter),
    );
  }
  const tree = new ReplicatedTree("reader");
  expect(tree.merge(ops)).toHaveLength(250_000);
  expect(tree.root!.childrenIds).toHaveLength(125_000);
  expect(tree.getVertexProperty("v249998", "text")).toBe(249_999);
  expect(new ReplicatedTree("other", ops).getAllOps()).toHaveLength(250_000);
  expect(tree.getMissingOps({})).toHaveLength(250_000);
});

// Fault: a list of 20,000 entries takes half a minute to make; one of 40,000 ends the process for want of memory.
test("a vertex takes 40,000 children while someone observes it, and is told of once", async () => {
  const tree = new ReplicatedTree("peer");
  const root = tree.createRoot("root");
  await Promise.resolve();
  const seen: number[] = [];
  root.observeChildren((children) => seen.push(children.length));
  for (let count = 0; count < 40_000; count++) root.newChild();
  await Promise.resolve();
  expect(seen).toEqual([0, 40_000]);
  expect(new Set(root.childrenIds).size).toBe(40_000);
});

// Fault: a Danish reader sees another text than an English one, in the same space with the same files.
test("the winner does not depend on the reader's locale", () => {
  const danish = new Intl.Collator("da-DK");
  expect(danish.compare("aa", "z")).toBeGreaterThan(0);
  const localeCompare = vi.spyOn(String.prototype, "localeCompare").mockImplementation(function (this: string, that: string) {
    return danish.compare(this, that);
  });
  const tree = new ReplicatedTree("reader", [
    move(1, "z", "root", null),
    move(2, "z", "a", "root"),
    move(3, "z", "b", "root"),
    property(4, "z", "a", "text", "of z"),
    property(4, "aa", "a", "text", "of aa"),
    // whichever of the two comes second would make a cycle
    move(5, "aa", "a", "b"),
    move(5, "z", "b", "a"),
  ]);
  expect(tree.getVertexProperty("a", "text")).toBe("of z");
  expect([tree.getParentId("a"), tree.getParentId("b")]).toEqual(["b", "root"]);
  tree.newVertex("root");
  expect(tree.root!.children).toHaveLength(2);
  expect(localeCompare).not.toHaveBeenCalled();
});

// Fault: a file that arrives twice before the one with its parent is doubled in the log, and with it
// everything sent on to other devices; now and then two devices end with different trees.
test("operations delivered twice while their parent is missing are known once", () => {
  const early = [move(5, "b", "child", "parent"), property(6, "b", "child", "text", "kept"), move(7, "b", "grandchild", "child")];
  const late = [move(1, "a", "root", null), move(2, "a", "parent", "root")];
  const tree = new ReplicatedTree("reader");
  expect(tree.merge(early)).toHaveLength(3);
  expect(tree.merge(structuredClone(early))).toEqual([]);
  expect(tree.merge([...late, ...structuredClone(early), ...late])).toEqual(late);
  expect(tree.merge(structuredClone(early))).toEqual([]);
  expect(tree.getAllOps()).toHaveLength(5);
  expect(tree.getMissingOps({})).toEqual([...late, ...early]);
  expect(tree.getAncestors("grandchild").map((vertex) => vertex.id)).toEqual(["child", "parent", "root"]);
});

// Fault: two devices exchange the same operations again at every meeting, because one that lost never counts as known.
test("the state vector counts operations that lost, that are early and that would make a cycle", () => {
  const tree = new ReplicatedTree("reader", [
    move(1, "a", "root", null),
    property(5, "a", "root", "text", "wins"),
    property(2, "b", "root", "text", "loses"),
    move(7, "b", "orphan", "not known yet"),
    property(8, "b", "not known yet", "text", "early"),
    move(9, "c", "orphan", "orphan"),
  ]);
  expect(tree.getVertexProperty("root", "text")).toBe("wins");
  expect(tree.getStateVector()).toEqual({
    a: [
      [1, 1],
      [5, 5],
    ],
    b: [
      [2, 2],
      [7, 8],
    ],
    c: [[9, 9]],
  });
  expect(tree.getMissingOps(tree.getStateVector())).toEqual([]);
});

// Fault: after one damaged line, all that a person types gets the same operation id and is lost on every other device.
test("a counter of 2^53-1 is refused and does not stop the clock", () => {
  const tree = new ReplicatedTree("peer");
  const root = tree.createRoot("root");
  expect(() => tree.merge([property(Number.MAX_SAFE_INTEGER, "bad", "root", "text", "x")])).toThrow(
    expect.objectContaining({ name: "FoldspaceError", code: "FOLD_BAD_COUNTER" }),
  );
  tree.popLocalOps();
  for (let count = 0; count < 10; count++) root.setProperty("text", count);
  const counters = tree.popLocalOps().map((op) => op.id.counter);
  expect(new Set(counters).size).toBe(10);
  expect(Math.max(...counters)).toBeLessThan(MAX_COUNTER);
});

/** How often ids are looked at while `late` moves come into a tree of `known` younger ones, moves of existing vertices among them. */
function workOfLateMerge(late: number, known: number): number {
  let work = 0;
  const counted = (op: VertexOperation): VertexOperation => {
    const { counter, peerId } = op.id;
    const id: OpId = {
      get counter() {
        work++;
        return counter;
      },
      peerId,
    };
    return { ...op, id };
  };
  const isMoveAgain = (index: number): boolean => index > 10 && index % 3 === 0;
  const opsOf = (peerId: string, count: number): VertexOperation[] =>
    Array.from({ length: count }, (_, index) =>
      counted(
        isMoveAgain(index)
          ? move(index + 2, peerId, `${peerId}${index - 2}`, `${peerId}${index - 5}`)
          : move(index + 2, peerId, `${peerId}${index}`, index < 10 ? "root" : `${peerId}${index % 10}`),
      ),
    );
  const tree = new ReplicatedTree("reader", [counted(move(1, "a", "root", null)), ...opsOf("online", known)]);
  expect(tree.root!.childrenIds.length).toBeGreaterThanOrEqual(10);
  const lateOps = opsOf("offline", late);
  work = 0;
  tree.merge(lateOps);
  expect(tree.root!.childrenIds.length).toBeGreaterThanOrEqual(20);
  return work;
}

function move(counter: number, peerId: string, targetId: string, parentId: string | null): VertexOperation {
  return { id: { counter, peerId }, targetId, parentId };
}

function property(counter: number, peerId: string, targetId: string, key: string, value: string | number): VertexOperation {
  return { id: { counter, peerId }, targetId, key, value, transient: false };
}
