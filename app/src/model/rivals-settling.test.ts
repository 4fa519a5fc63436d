import { ReplicatedTree } from "foldspace/tree";
import { expect, test } from "vitest";
import { keepBoth, keepWinner, RivalWatcher, takeLoser, type Settle } from "./conflicts.ts";
import { alsoOn, Device, newPage, sync, told } from "./test-pages.ts";
import { drawn, expectRivals, findRivals } from "./test-conflicts.ts";

const settlements: readonly [string, Settle, readonly string[]][] = [
  ["keeping the winner", keepWinner, ["won", "z"]],
  ["taking the loser", takeLoser, ["lost", "z"]],
  ["keeping both", keepBoth, ["won", "lost", "z"]],
];

test.each(settlements)("%s settles a rival on all devices, for good", async (_name, settle, expected) => {
  for (const settler of [0, 1]) {
    const a = newPage(["x", "z"]);
    const b = alsoOn(a, "b");
    const id = a.id("x");
    a.type(id, "w", "wo", "won");
    b.type(id, "lost");
    const devices = [a, b] as const;
    const watchers = devices.map(({ tree }) => new RivalWatcher(tree));
    sync(...devices);
    await told();
    for (const watcher of watchers) expect(drawn(watcher.rivals)).toEqual(["won/lost"]);
    settle(devices[settler]!.editor, watchers[settler]!.rivals[0]!);
    await told();
    expect(watchers[settler]!.rivals).toEqual([]);
    sync(...devices);
    await told();
    for (const [index, device] of devices.entries()) {
      expect(watchers[index]!.rivals).toEqual([]);
      expect(device.drawn).toEqual(expected);
    }
    expectRivals(devices, []);
    a.type(id, "typed on");
    sync(...devices);
    b.type(id, "by turns");
    sync(...devices);
    expectRivals(devices, []);
  }
});

test("what is written elsewhere while a rival is settled is a rival of its own", async () => {
  const a = newPage(["x"]);
  const b = alsoOn(a, "b");
  const id = a.id("x");
  a.type(id, "w", "wo", "won");
  b.type(id, "lost");
  sync(a, b);
  const watcher = new RivalWatcher(a.tree);
  b.type(id, "by b, meanwhile");
  takeLoser(a.editor, watcher.rivals[0]!);
  sync(a, b);
  await told();
  expect(watcher.rivals.length).toBe(1);
  keepWinner(a.editor, watcher.rivals[0]!);
  sync(a, b);
  expectRivals([a, b], []);
});

test("a settlement is a step of its own, and undone the page is as before", () => {
  for (const settle of [takeLoser, keepBoth]) {
    const a = newPage(["x", "z"]);
    const b = alsoOn(a, "b");
    a.type(a.id("x"), "w", "wo", "won");
    b.type(b.id("x"), "lost");
    sync(a, b);
    a.editor.setText(a.id("z"), "another item");
    settle(a.editor, findRivals(a.tree)[0]!);
    const settled = a.drawn;
    a.editor.undo();
    expect(a.drawn).toEqual(["won", "another item"]);
    a.editor.redo();
    expect(a.drawn).toEqual(settled);
    expectRivals([a], []);
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

test("two devices that settle the same rival differently agree, and have none left", async () => {
  for (const first of settlements) {
    for (const second of settlements) {
      const a = newPage(["x"]);
      const b = alsoOn(a, "b");
      const id = a.id("x");
      a.type(id, "w", "wo", "won");
      b.type(id, "lost");
      sync(a, b);
      const [onA, onB] = [new RivalWatcher(a.tree), new RivalWatcher(b.tree)];
      first[1](a.editor, onA.rivals[0]!);
      second[1](b.editor, onB.rivals[0]!);
      sync(a, b);
      await told();
      expect(a.drawn).toEqual(b.drawn);
      expect([onA.rivals, onB.rivals]).toEqual([[], []]);
    }
  }
});
