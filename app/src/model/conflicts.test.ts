import * as fc from "fast-check";
import { MAX_VALUE_LENGTH, ReplicatedTree } from "foldspace/tree";
import { expect, test } from "vitest";
import { textOf } from "./item.ts";
import { ConflictWatcher } from "./conflicts.ts";
import { alsoOn, newPage, sync, notified } from "./test-pages.ts";
import { drawn, expectConflicts, findConflicts, conflictsOn } from "./test-conflicts.ts";
import { TextVersions } from "./text-versions.ts";

// ---- edits of the app ----

test("a page edited on one device has no conflicts, nor has one edited by turns", () => {
  const a = newPage(["x"]);
  const b = alsoOn(a, "b");
  const id = a.id("x");
  a.type(id, "x1", "x12");
  for (const [device, text] of [
    [b, "by b"],
    [a, "by a"],
    [b, "by b again"],
    [b, "and again"],
    [a, "last"],
  ] as const) {
    sync(a, b);
    device.type(id, `${text}…`, text);
  }
  sync(a, b);
  expectConflicts([a, b], []);
});

test("texts of two devices that were offline are conflicts, once, however much was typed", () => {
  const a = newPage(["x"]);
  const b = alsoOn(a, "b");
  const id = a.id("x");
  a.type(id, "m", "mi", "mil", "milk,", "milk");
  b.type(id, "b", "br", "bread");
  sync(a, b);
  expect(findConflicts(a.tree)).toEqual([
    {
      itemId: id,
      winner: { value: "milk", peerId: "a", counter: expect.any(Number) },
      loser: { value: "bread", peerId: "b", counter: expect.any(Number) },
    },
  ]);
  expectConflicts([a, b], ["milk/bread"]);
});

test("a text that arrived while another replaced the same older one is a conflict, whichever device wrote the older one", () => {
  for (const author of ["a", "b"]) {
    const a = newPage(["x"]);
    const b = alsoOn(a, "b");
    const id = a.id("x");
    (author === "a" ? a : b).type(id, "meet at 5");
    sync(a, b);
    const { text: from, opId } = TextVersions.of(a.tree).stored(id);
    b.type(id, "meet at ", "meet at 9");
    sync(a, b);
    a.editor.setText(id, "meet at 6", { from, parents: [opId!] });
    a.type(id, "meet at 6 sharp");
    sync(a, b);
    expectConflicts([a, b], ["meet at 6 sharp/meet at 9"]);
    b.type(id, "meet at 6 sharp, Bob");
    sync(a, b);
    expectConflicts([a, b], ["meet at 6 sharp, Bob/meet at 9"]);
  }
});

test("a device far ahead that overwrites what it has just read makes no conflict", () => {
  const a = newPage(["x", "y"]);
  const b = alsoOn(a, "b");
  // b writes with a low counter, while a is busy elsewhere
  a.type(a.id("y"), ...Array.from({ length: 50 }, (_, count) => `y${count}`));
  b.type(b.id("x"), "by b");
  sync(a, b);
  a.type(a.id("by b"), "by b and a");
  sync(a, b);
  expectConflicts([a, b], []);
});

test("a device far ahead that overwrites a text it has not received makes one, with the same counters", () => {
  const a = newPage(["x", "y"]);
  const b = alsoOn(a, "b");
  a.type(a.id("y"), ...Array.from({ length: 50 }, (_, count) => `y${count}`));
  b.type(b.id("x"), "by b");
  a.type(a.id("x"), "by a");
  sync(a, b);
  expectConflicts([a, b], ["by a/by b"]);
});

test("conflicts of a device that was started several times while it was offline are found", () => {
  const a = newPage(["x", "y"]);
  const b = alsoOn(a, "b");
  b.type(b.id("x"), "by b");
  a.type(a.id("y"), "1", "2", "3", "4", "5");
  const restarted = alsoOn(a, "a2");
  restarted.type(restarted.id("x"), "by a, started again");
  sync(restarted, b);
  expectConflicts([restarted, b], ["by a, started again/by b"]);
});

test("a conflict remains while the winner is edited, even on a device that has received the other text", () => {
  const a = newPage(["x"]);
  const b = alsoOn(a, "b");
  const id = a.id("x");
  b.type(id, "lost");
  a.type(id, "w", "wo", "won");
  sync(a, b);
  a.type(id, "won, and on");
  sync(a, b);
  b.type(id, "won, and on, by b");
  sync(a, b);
  expectConflicts([a, b], ["won, and on, by b/lost"]);
});

test("a device's own text that lost is a conflict while its user continues the other text", () => {
  const a = newPage(["x"]);
  const b = alsoOn(a, "b");
  const id = a.id("x");
  a.type(id, "my paragraph");
  b.type(id, "t", "th", "theirs");
  sync(a, b);
  a.type(id, "theirs!");
  sync(a, b);
  expectConflicts([a, b], ["theirs!/my paragraph"]);
});

test("a text that is written again over one that a slow layer brought is a conflict of that", () => {
  const first = newPage(["x"]);
  const [a, b] = [alsoOn(first, "b"), alsoOn(first, "c")];
  const id = a.id("x");
  a.type(id, "mine");
  b.type(id, "t", "th", "theirs");
  sync(a, b);
  a.tree.setVertexProperty(id, "text", "mine");
  sync(a, b);
  expectConflicts([a, b], ["mine/theirs"]);
});

test("a text that cannot be stored leaves no mark", () => {
  const a = newPage(["x"]);
  const b = alsoOn(a, "b");
  const before = b.tree.opCount;
  expect(() => b.editor.setText(b.id("x"), "x".repeat(MAX_VALUE_LENGTH))).toThrow(
    expect.objectContaining({ code: "FOLD_BAD_VALUE" }),
  );
  expect(b.tree.opCount).toBe(before);
});

test("three devices make two conflicts", () => {
  const a = newPage(["x"]);
  const [b, c] = [alsoOn(a, "b"), alsoOn(a, "c")];
  const id = a.id("x");
  a.type(id, "a", "aa", "aaaa", "aaa");
  b.type(id, "b", "bb");
  c.type(id, "c");
  sync(a, b, c);
  expectConflicts([a, b, c], ["aaa/bb", "aaa/c"]);
});

test("equal texts, texts cleared, and items in the bin are no conflicts", () => {
  const a = newPage(["same", "cleared", "deleted"]);
  const b = alsoOn(a, "b");
  const [same, cleared, deleted] = a.outline.rows.map(({ id }) => id);
  for (const [device, value] of [
    [a, "a"],
    [b, "b"],
  ] as const) {
    device.type(same!, value, "equal");
    device.type(deleted!, value);
  }
  b.type(cleared!, "");
  a.type(cleared!, "c", "ca", "cal", "all", "call");
  sync(a, b);
  expect(conflictsOn(a).length).toBe(1);
  a.editor.remove([deleted!]);
  sync(a, b);
  expectConflicts([a, b], []);
  a.editor.undo();
  expect(conflictsOn(a).length).toBe(1);
});

// ---- the watcher ----

test("the watcher notifies when its conflicts change, and only then", async () => {
  const a = newPage(["x", "y"]);
  const b = alsoOn(a, "b");
  const watcher = new ConflictWatcher(a.tree);
  let count = 0;
  watcher.observe(() => count++);
  a.type(a.id("x"), "o", "on", "one");
  a.type(a.id("y"), "y1");
  b.type(b.id("x"), "two");
  await notified();
  expect([watcher.conflicts.length, count]).toEqual([0, 0]);
  // it loses, so that the tree shows no change
  sync(a, b);
  await notified();
  expect([drawn(watcher.conflicts), count]).toEqual([["one/two"], 1]);
  const before = watcher.conflicts;
  a.type(a.id("y1"), "y2");
  await notified();
  expect([watcher.conflicts === before, count]).toEqual([true, 1]);
  a.editor.remove([a.id("one")]);
  await notified();
  expect([watcher.conflicts, count]).toEqual([[], 2]);
  a.editor.undo();
  await notified();
  expect([watcher.conflicts.length, count]).toEqual([1, 3]);
  watcher.close();
  a.editor.remove([a.id("one")]);
  await notified();
  expect(count).toBe(3);
});

// ---- edits of other programs, which leave no marks ----

function rawPair(): { a: ReplicatedTree; b: ReplicatedTree; id: string; exchange: () => void } {
  const a = new ReplicatedTree("a");
  const { id } = a.newVertex(a.createRoot("page").id, { text: "x" });
  const b = a.replicate("b");
  const exchange = (): void => {
    a.merge(b.getAllOps());
    b.merge(a.getAllOps());
  };
  return { a, b, id, exchange };
}

test("alternating edits without marks make no conflicts if the counters of each come after the other's", () => {
  const { a, b, id, exchange } = rawPair();
  for (const [tree, text] of [
    [b, "1"],
    [a, "2"],
    [a, "3"],
    [b, "4"],
    [a, "5"],
  ] as const) {
    exchange();
    tree.setVertexProperty(id, "text", text);
  }
  exchange();
  for (const tree of [a, b, a.replicate("c")]) expect(findConflicts(tree)).toEqual([]);
});

test("concurrent edits without marks are conflicts if no counter has jumped in between", () => {
  const { a, b, id, exchange } = rawPair();
  a.newVertex("page", { text: "something else" });
  a.setVertexProperty(id, "text", "by a");
  b.setVertexProperty(id, "text", "by b");
  exchange();
  for (const tree of [a, b, a.replicate("c")]) expect(drawn(findConflicts(tree))).toEqual(["by a/by b"]);
  a.setVertexProperty(id, "text", "by a, later");
  exchange();
  for (const tree of [a, b, a.replicate("c")]) expect(drawn(findConflicts(tree))).toEqual(["by a, later/by b"]);
});

test("texts of programs that leave no marks are offered even if they could be merged: their parents are a guess", () => {
  const { a, b, id, exchange } = rawPair();
  a.newVertex("page", { text: "something else" });
  a.setVertexProperty(id, "text", "x by a");
  b.setVertexProperty(id, "text", "by b x");
  exchange();
  for (const tree of [a, b]) expect(drawn(findConflicts(tree))).toEqual(["x by a/by b x"]);
});

test("malformed marks are skipped", () => {
  const { a, b, id, exchange } = rawPair();
  a.setVertexProperty(id, "seen", ["", "x@b", 7, "@b", "1"]);
  a.setVertexProperty(id, "text", "by a");
  b.setVertexProperty(id, "seen", "1@a");
  b.setVertexProperty(id, "text", "by b");
  exchange();
  expect(findConflicts(a).length).toBe(1);
});

// ---- in any order ----

test("conflicts follow from the set of operations, in whatever order they arrive", () => {
  const edit = fc.record({ device: fc.nat({ max: 2 }), sync: fc.nat({ max: 3 }), text: fc.nat({ max: 5 }) });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 15 }), fc.infiniteStream(fc.nat()), (edits, random) => {
      const first = newPage(["x"]);
      const id = first.id("x");
      const devices = [first, alsoOn(first, "b"), alsoOn(first, "c")];
      for (const { device, sync: partner, text } of edits) {
        if (partner < 3) sync(devices[device]!, devices[partner]!);
        devices[device]!.type(id, `text ${text}`);
      }
      sync(...devices);
      const ops = first.tree.getAllOps();
      const shuffled = ops.map((op) => ({ op, at: random.next().value })).sort((a, b) => a.at - b.at);
      const expected = drawn(findConflicts(new ReplicatedTree("y", ops)));
      expect(
        drawn(
          findConflicts(
            new ReplicatedTree(
              "y",
              shuffled.map(({ op }) => op),
            ),
          ),
        ),
      ).toEqual(expected);
      const late = new ReplicatedTree("z");
      const watcher = new ConflictWatcher(late);
      for (const { op } of shuffled) late.merge([op]);
      expect(drawn(findConflicts(late))).toEqual(expected);
      watcher.close();
    }),
  );
});

test("a text of the app is a conflict exactly if no later text was made from it", () => {
  const edit = fc.record({
    device: fc.nat({ max: 2 }),
    syncs: fc.array(fc.nat({ max: 2 }), { maxLength: 2 }),
    isElsewhere: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 15 }), (edits) => {
      const first = newPage(["x", "y"]);
      const [x, y] = [first.id("x"), first.id("y")];
      // the marks of every peer decide from here on
      const devices = [alsoOn(first, "b"), alsoOn(first, "c"), alsoOn(first, "d")];
      /** The expected result: whether a later text was made from each text. */
      const isWrittenOver = new Map<string, boolean>([["x", false]]);
      for (const [index, { device, syncs, isElsewhere }] of edits.entries()) {
        for (const partner of syncs) sync(devices[device]!, devices[partner]!);
        const { editor, tree } = devices[device]!;
        if (isElsewhere) {
          editor.setText(y, `elsewhere ${index}`);
          continue;
        }
        isWrittenOver.set(textOf(tree, x), true);
        isWrittenOver.set(`text ${index}`, false);
        editor.setText(x, `text ${index}`);
      }
      sync(...devices);
      const standing = textOf(devices[0]!.tree, x);
      const lost = [...isWrittenOver].filter(([text, isOver]) => !isOver && text !== standing).map(([text]) => text);
      for (const device of devices) {
        const found = findConflicts(device.tree).filter(({ itemId }) => itemId === x);
        expect(found.map(({ loser }) => loser.value).sort()).toEqual(lost.sort());
      }
    }),
    { numRuns: 300 },
  );
});
