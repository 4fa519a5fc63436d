import { ReplicatedTree } from "foldspace/tree";
import { expect, test } from "vitest";
import { keepBoth, keepWinner, ConflictWatcher, takeLoser, type Resolver } from "./conflicts.ts";
import { alsoOn, Device, newPage, sync, notified } from "./test-pages.ts";
import { drawn, expectConflicts, findConflicts } from "./test-conflicts.ts";

const resolutions: readonly [string, Resolver, readonly string[]][] = [
  ["keeping the winner", keepWinner, ["won", "z"]],
  ["taking the loser", takeLoser, ["lost", "z"]],
  ["keeping both", keepBoth, ["won", "lost", "z"]],
];

test.each(resolutions)("%s resolves a conflict on all devices, for good", async (_name, resolve, expected) => {
  for (const resolver of [0, 1]) {
    const a = newPage(["x", "z"]);
    const b = alsoOn(a, "b");
    const id = a.id("x");
    a.type(id, "w", "wo", "won");
    b.type(id, "lost");
    const devices = [a, b] as const;
    const watchers = devices.map(({ tree }) => new ConflictWatcher(tree));
    sync(...devices);
    await notified();
    for (const watcher of watchers) expect(drawn(watcher.conflicts)).toEqual(["won/lost"]);
    resolve(devices[resolver]!.editor, watchers[resolver]!.conflicts[0]!);
    await notified();
    expect(watchers[resolver]!.conflicts).toEqual([]);
    sync(...devices);
    await notified();
    for (const [index, device] of devices.entries()) {
      expect(watchers[index]!.conflicts).toEqual([]);
      expect(device.drawn).toEqual(expected);
    }
    expectConflicts(devices, []);
    a.type(id, "typed on");
    sync(...devices);
    b.type(id, "by turns");
    sync(...devices);
    expectConflicts(devices, []);
  }
});

test("what is written elsewhere while a conflict is resolved is a conflict of its own", async () => {
  const a = newPage(["x"]);
  const b = alsoOn(a, "b");
  const id = a.id("x");
  a.type(id, "w", "wo", "won");
  b.type(id, "lost");
  sync(a, b);
  const watcher = new ConflictWatcher(a.tree);
  b.type(id, "by b, meanwhile");
  takeLoser(a.editor, watcher.conflicts[0]!);
  sync(a, b);
  await notified();
  expect(watcher.conflicts.length).toBe(1);
  keepWinner(a.editor, watcher.conflicts[0]!);
  sync(a, b);
  expectConflicts([a, b], []);
});

test("a resolution is a step of its own, and undone the page is as before", () => {
  for (const resolve of [takeLoser, keepBoth]) {
    const a = newPage(["x", "z"]);
    const b = alsoOn(a, "b");
    a.type(a.id("x"), "w", "wo", "won");
    b.type(b.id("x"), "lost");
    sync(a, b);
    a.editor.setText(a.id("z"), "another item");
    resolve(a.editor, findConflicts(a.tree)[0]!);
    const resolved = a.drawn;
    a.editor.undo();
    expect(a.drawn).toEqual(["won", "another item"]);
    a.editor.redo();
    expect(a.drawn).toEqual(resolved);
    expectConflicts([a], []);
  }
});

test("keeping both puts the text right behind, also among equal keys", () => {
  const tree = new ReplicatedTree("a");
  tree.createRoot("page");
  for (const id of ["1", "2", "3"]) tree.newVertex("page", { text: id, order: "a0" });
  const page = new Device(tree);
  const [, second] = page.outline.rows;
  const version = { value: "x", peerId: "c", counter: 1 };
  keepBoth(page.editor, { itemId: second!.id, winner: version, loser: version });
  expect(page.outline.rows.map((row) => row.id).indexOf(second!.id)).toBe(1);
  expect(page.drawn[2]).toBe("x");
  expect(page.drawn.length).toBe(4);
});

test("two devices that resolve the same conflict differently agree, and have none left", async () => {
  for (const first of resolutions) {
    for (const second of resolutions) {
      const a = newPage(["x"]);
      const b = alsoOn(a, "b");
      const id = a.id("x");
      a.type(id, "w", "wo", "won");
      b.type(id, "lost");
      sync(a, b);
      const [onA, onB] = [new ConflictWatcher(a.tree), new ConflictWatcher(b.tree)];
      first[1](a.editor, onA.conflicts[0]!);
      second[1](b.editor, onB.conflicts[0]!);
      sync(a, b);
      await notified();
      expect(a.drawn).toEqual(b.drawn);
      expect([onA.conflicts, onB.conflicts]).toEqual([[], []]);
    }
  }
});
