import * as fc from "fast-check";
import { BIN_ID, ReplicatedTree, type VertexOperation } from "foldspace/tree";
import { expect, test, vi } from "vitest";
import { History, type DeletedItem } from "./history.ts";
import { siblingsUnder, textOf } from "./item.ts";
import { toMoments } from "./moments.ts";
import { alsoOn, newPage, sync, type Device } from "./test-pages.ts";

function drawnAt(history: History, index: number): string[] {
  return history.outlineAt(index).map((row) => `${"  ".repeat(row.depth)}${row.text}`);
}

/** The same, from a tree of just those operations. */
function plainDrawn(tree: ReplicatedTree, rootId = "page", depth = 0): string[] {
  return siblingsUnder(tree, rootId).flatMap(({ id }) => [
    `${"  ".repeat(depth)}${textOf(tree, id)}`,
    ...plainDrawn(tree, id, depth + 1),
  ]);
}

test("the page is as it was after each moment, unfolded", () => {
  const page = newPage(["a", "  b"]);
  page.editor.toggleCollapsed(page.id("a"));
  page.editor.remove([page.id("a")]);
  const history = new History(page.tree);
  const last = history.moments.length - 1;
  expect(drawnAt(history, last)).toEqual([]);
  expect(drawnAt(history, last - 1)).toEqual(["a", "  b"]);
  expect(history.outlineAt(last - 1)[0]!.isCollapsed).toBe(false);
  expect(drawnAt(history, -1)).toEqual([]);
  expect(drawnAt(history, last - 1)).toEqual(["a", "  b"]);
  expect([drawnAt(history, 1_000), drawnAt(history, -1_000)]).toEqual([[], []]);
  expect(history.moments.map(({ count }) => count).reduce((a, b) => a + b)).toBe(page.tree.opCount);
});

test("a history goes on as the page does", () => {
  const page = newPage(["a"]);
  const history = new History(page.tree);
  const before = history.moments.length;
  expect(drawnAt(history, before)).toEqual(["a"]);
  page.editor.remove([page.id("a")]);
  expect(history.moments.length).toBe(before + 1);
  expect(drawnAt(history, before)).toEqual([]);
});

test("moments keep what one device did together, also where two worked at the same time", () => {
  const a = newPage(["a", "b"]);
  const b = alsoOn(a, "b");
  for (let count = 0; count < 30; count++) {
    a.type(a.outline.rows[0]!.id, "a".repeat(count + 1));
    b.type(b.outline.rows[1]!.id, "b".repeat(count + 1));
  }
  sync(a, b);
  const { moments } = new History(a.tree);
  expect(moments.length).toBeLessThan(8);
  expect(moments.map(({ index }) => index)).toEqual(moments.map((_, index) => index));
  expect(new Set(moments.map(({ peerId }) => peerId))).toEqual(new Set(["a", "b"]));
});

test("each item and each text that became another is a moment", () => {
  const page = newPage(["a"]);
  page.editor.setText(page.id("a"), "first");
  page.editor.setText(page.id("first"), "first and more");
  page.editor.setText(page.id("first and more"), "second");
  page.editor.insertAfter(undefined, "b");
  page.editor.toggleDone(page.id("b"));
  const history = new History(page.tree);
  const drawn = history.moments.map(({ index }) => drawnAt(history, index));
  expect(drawn.filter((lines) => lines.length > 0)).toEqual([["a"], ["first and more"], ["second"], ["second", "b"]]);
});

test("each note that became another is a moment", () => {
  const page = newPage(["a"]);
  for (const note of ["first", "first and more", "second"]) page.editor.setNote(page.id("a"), note);
  const history = new History(page.tree);
  const notes = history.moments.map(({ index }) => history.outlineAt(index)[0]?.note);
  expect(notes.filter((note) => note !== undefined)).toEqual(["first and more", "second"]);
});

test("an item is restored with its text, note and tick in one step", () => {
  const page = newPage(["a", "b"]);
  const id = page.id("a");
  page.editor.setNote(id, "the note");
  const [then] = new History(page.tree).outlineAt(Number.MAX_SAFE_INTEGER);
  page.editor.setNote(id, "");
  page.editor.toggleDone(id);
  page.editor.setText(id, "other");
  page.editor.remove([id]);
  page.editor.restoreAsItWas(then!);
  const [now] = new History(page.tree).outlineAt(Number.MAX_SAFE_INTEGER);
  expect(now).toEqual(then);
  page.editor.undo();
  expect(drawnAt(new History(page.tree), Number.MAX_SAFE_INTEGER)).toEqual(["b"]);
});

test("of very many changes, several are one moment", () => {
  const tree = new ReplicatedTree("a");
  tree.createRoot("page");
  for (let count = 0; count < 5_000; count++) tree.newVertex("page", { text: String(count) });
  const { moments } = new History(tree);
  expect(moments.length).toBeGreaterThan(400);
  expect(moments.length).toBeLessThan(600);
});

test("moments have the times of what was created in them, and a pause divides them", () => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2026, 5, 1) });
  const tree = new ReplicatedTree("a");
  tree.createRoot("page");
  tree.newVertex("page", { text: "first" });
  vi.setSystemTime(Date.UTC(2026, 5, 2));
  const second = tree.newVertex("page", { text: "second" });
  vi.setSystemTime(Date.UTC(2026, 5, 3));
  second.delete();
  const other = tree.replicate("b");
  vi.useRealTimers();
  other.setVertexProperty(second.id, "text", "by one who made nothing");
  const moments = new History(other).moments.map(({ at, peerId, count }) => [at && new Date(at).getUTCDate(), peerId, count]);
  expect(moments).toEqual([
    [1, "a", 7],
    [2, "a", 3],
    [2, "a", 1],
    [undefined, "b", 1],
  ]);
});

test("deleted items are listed with what is below them and by whom, the last first", () => {
  const a = newPage(["a", "  b", "    c", "d", "e"]);
  const b = alsoOn(a, "b");
  a.editor.remove([a.id("d")]);
  a.editor.insertAfter(undefined);
  a.editor.undo();
  sync(a, b);
  const ids = { a: b.id("a"), d: siblingsUnder(a.tree, BIN_ID).find(({ id }) => textOf(a.tree, id) === "d")!.id };
  b.editor.remove([ids.a]);
  sync(a, b);
  const history = new History(a.tree);
  expect(history.deletedItems()).toEqual([
    { id: ids.a, text: "a", childCount: 2, deletedBy: "b" },
    { id: ids.d, text: "d", childCount: 0, deletedBy: "a" },
  ]);
  const whenD = history.moments.findIndex(({ index }) => history.deletedAt(index).length === 1);
  expect(history.deletedAt(whenD).map(({ text }) => text)).toEqual(["d"]);
  expect(history.deletedAt(whenD - 1)).toEqual([]);
});

// ---- bringing back ----

function restorer({ tree, editor }: Device): (id: string) => void {
  const history = new History(tree);
  return (id) => editor.restore(id, history.lastParentOf(id));
}

test("a deleted item comes back to its place, with what is below it", () => {
  const page = newPage(["a", "  b", "    c", "  d"]);
  const b = page.id("b");
  page.editor.remove([b]);
  const restore = restorer(page);
  restore(b);
  expect(page.drawn).toEqual(["a", "  b", "    c", "  d"]);
  expect(new History(page.tree).deletedItems()).toEqual([]);
  const before = page.tree.opCount;
  restore(b);
  expect(page.tree.opCount).toBe(before);
  expect(() => restore("never was")).toThrow(expect.objectContaining({ code: "FOLD_NO_VERTEX" }));
});

test("bringing back is a step of its own, also behind what was done before it", () => {
  const page = newPage(["a", "b"]);
  page.editor.remove([page.id("a")]);
  const [{ id }] = new History(page.tree).deletedItems() as [DeletedItem];
  page.type(page.id("b"), "b, edited");
  restorer(page)(id);
  page.editor.undo();
  expect(page.drawn).toEqual(["b, edited"]);
  page.editor.redo();
  expect(page.drawn).toEqual(["a", "b, edited"]);
});

test("it comes to the end of the page where its place is gone, and where it was deleted with what it stood in", () => {
  const page = newPage(["a", "  b", "    c", "d"]);
  const [a, b, c] = [page.id("a"), page.id("b"), page.id("c")];
  page.editor.remove([b]);
  page.editor.remove([a]);
  const restore = restorer(page);
  restore(b);
  expect(page.drawn).toEqual(["d", "b", "  c"]);
  page.editor.remove([b]);
  restore(c);
  expect(page.drawn).toEqual(["d", "c"]);
  restore(a);
  expect(page.drawn).toContain("a");
});

test("an item that was put below one that now stands below it comes to the end of the page", () => {
  const a = newPage(["x", "y"]);
  const [x, y] = [a.id("x"), a.id("y")];
  a.editor.moveTo(x, y, undefined);
  a.editor.remove([x]);
  a.tree.moveVertex(y, x);
  restorer(a)(x);
  expect(a.drawn).toEqual(["x", "  y"]);
});

// ---- against the tree itself ----

const edit = fc.record({
  device: fc.nat({ max: 2 }),
  kind: fc.constantFrom("text", "create", "move", "delete", "order", "sync"),
  at: fc.nat(),
  to: fc.nat(),
});

function run({ tree }: Device, kind: string, at: number, to: number): void {
  const ids = tree
    .getAllVertices()
    .map(({ id }) => id)
    .filter((id) => id !== BIN_ID);
  const [id, target] = [ids[at % ids.length]!, ids[to % ids.length]!];
  if (kind === "text") tree.setVertexProperty(id, "text", `text ${to % 100}`);
  if (kind === "create") tree.newVertex(id, { text: `new ${to % 100}`, order: `a${to % 3}` });
  if (kind === "order") tree.setVertexProperty(id, "order", ["a0", "a1", undefined][to % 3]);
  if (kind === "delete" && id !== "page") tree.deleteVertex(id);
  if (kind === "move" && id !== "page" && id !== target && !tree.isAncestor(target, id)) tree.moveVertex(id, target);
}

test("at any moment, in any order of asking, the page is that of a tree with the operations up to then", () => {
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 60 }), fc.array(fc.nat(), { minLength: 1, maxLength: 12 }), (edits, asked) => {
      const first = newPage(["a", "  b", "c"]);
      const devices = [first, alsoOn(first, "b"), alsoOn(first, "c")];
      for (const { device, kind, at, to } of edits) {
        if (kind === "sync") sync(devices[device]!, devices[to % 3]!);
        else run(devices[device]!, kind, at, to);
      }
      sync(...devices);
      const history = new History(first.tree);
      const moments = toMoments(first.tree.getAllOps());
      for (const each of [...asked, moments.length - 1]) {
        const index = each % moments.length;
        const ops: VertexOperation[] = moments.slice(0, index + 1).flatMap((moment) => moment.ops);
        const tree = new ReplicatedTree("then", ops, { rootId: "page" });
        expect(drawnAt(history, index)).toEqual(plainDrawn(tree));
        const deleted = tree.getChildrenIds(BIN_ID).filter((id) => textOf(tree, id) !== "" || tree.getChildrenIds(id).length > 0);
        expect(
          history
            .deletedAt(index)
            .map(({ id }) => id)
            .sort(),
        ).toEqual(deleted.sort());
      }
    }),
    { numRuns: 150 },
  );
});
