import * as fc from "fast-check";
import { ReplicatedTree } from "foldspace/tree";
import { expect, test } from "vitest";
import { Outline } from "./outline.ts";
import { alsoOn, newPage, plainRows, sync, notified, type Device } from "./test-pages.ts";

test("the rows are the items in order, without what is in collapsed ones", () => {
  const page = newPage(["a", "  b", "    c", "  d", "e"]);
  expect(page.drawn).toEqual(["a", "  b", "    c", "  d", "e"]);
  page.editor.toggleCollapsed(page.id("b"));
  page.editor.toggleDone(page.id("d"));
  expect(page.drawn).toEqual(["a", "  b +", "  d x", "e"]);
  expect(page.outline.row(page.id("d"))).toEqual({
    id: page.id("d"),
    depth: 1,
    text: "d",
    isDone: true,
    isCollapsed: false,
    hasChildren: false,
    parentId: page.id("a"),
    position: 2,
    siblingCount: 2,
  });
  expect(page.outline.indexOf(page.id("e"))).toBe(3);
  const hidden = page.outline.childrenOf(page.id("b"))[0]!;
  expect([page.outline.indexOf(hidden), page.outline.row(hidden), page.outline.indexOf("nothing")]).toEqual([-1, undefined, -1]);
});

test("a tree without a root cannot be shown", () => {
  expect(() => new Outline(new ReplicatedTree("a"))).toThrow(expect.objectContaining({ code: "FOLD_NO_ROOT" }));
});

test("items of other programs stand behind, by creation, and several lines of text are shown as one", () => {
  const page = newPage(["a", "b"]);
  page.tree.newVertex("page", { text: "first\nline" });
  page.tree.newVertex("page", { text: 7, order: "no key" });
  expect(page.drawn).toEqual(["a", "b", "first line", ""]);
});

test("observers are told once per batch, after the rows have changed, and not where nothing did", async () => {
  const page = newPage(["a", "b"]);
  const other = alsoOn(page, "b");
  const told1: string[][] = [];
  const end = page.outline.observe(() => told1.push(page.drawn));
  page.editor.setText(page.id("a"), "A");
  page.editor.indent(page.id("b"));
  expect(told1).toEqual([]);
  await notified();
  expect(told1).toEqual([["A", "  b"]]);
  other.editor.insertAfter(other.id("b"), "c");
  other.editor.insertAfter(undefined, "d");
  page.tree.merge(other.tree.popLocalOps());
  await notified();
  expect(told1.length).toBe(2);
  page.tree.setVertexProperty(page.id("A"), "unknown", 1);
  page.tree.setVertexProperty(page.id("A"), "text", "A");
  await notified();
  end();
  page.editor.setText(page.id("A"), "AA");
  await notified();
  expect(told1.length).toBe(2);
});

test("an observer that throws does not keep the others from being notified", async () => {
  const page = newPage(["a"]);
  const rejections: unknown[] = [];
  const onRejection = (error: unknown): void => void rejections.push(error);
  const before = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", onRejection);
  page.outline.observe(() => {
    throw new Error("of the application");
  });
  let count = 0;
  page.outline.observe(() => count++);
  page.editor.setText(page.id("a"), "b");
  await notified();
  process.off("unhandledRejection", onRejection);
  for (const listener of before) process.on("unhandledRejection", listener);
  expect([count, rejections]).toEqual([1, [new Error("of the application")]]);
});

test("a read right after a merge returns the merged state", () => {
  const page = newPage(["a", "b"]);
  const other = alsoOn(page, "b");
  other.editor.indent(other.id("b"));
  sync(page, other);
  expect(page.drawn).toEqual(["a", "  b"]);
  expect(page.outline.childrenOf("page").length).toBe(1);
});

test("a local move that a remote one reverts in the same turn leaves no trace", async () => {
  for (const reads of [0, 1]) {
    const page = newPage(["a", "b"]);
    const other = alsoOn(page, "b");
    const before = page.drawn;
    page.tree.moveVertex(page.id("b"), page.id("a"));
    if (reads > 0) expect(page.drawn).toEqual(["a", "  b"]);
    other.tree.moveVertex(other.id("b"), "page");
    sync(page, other);
    await notified();
    expect(page.drawn).toEqual(before);
  }
});

test("zooming shows the descendants of one item, and ends when the item is deleted", async () => {
  const page = newPage(["a", "  b", "    c", "d"]);
  let count = 0;
  page.outline.observe(() => count++);
  const [a, b] = [page.id("a"), page.id("b")];
  page.outline.zoom(a);
  expect([page.drawn, page.outline.root, count]).toEqual([["b", "  c"], a, 1]);
  page.outline.zoom(b);
  expect(page.drawn).toEqual(["c"]);
  page.outline.zoom(undefined);
  expect([page.drawn, page.outline.root]).toEqual([["a", "  b", "    c", "d"], "page"]);
  page.editor.toggleCollapsed(b);
  page.outline.zoom(b);
  expect(page.drawn).toEqual(["c"]);
  page.tree.deleteVertex(a);
  await notified();
  expect([page.drawn, page.outline.root]).toEqual([["d"], "page"]);
  page.outline.zoom("nothing");
  expect(page.outline.root).toBe("page");
});

test("a closed outline does not change", async () => {
  const page = newPage(["a"]);
  const before = page.outline.rows;
  page.outline.close();
  page.editor.setText(before[0]!.id, "b");
  await notified();
  expect(page.outline.rows).toBe(before);
});

test("a chain deeper than the stack is shown", () => {
  const tree = new ReplicatedTree("a");
  let parentId = tree.createRoot("page").id;
  for (let depth = 0; depth < 20_000; depth++) parentId = tree.newVertex(parentId, { text: `${depth}` }).id;
  const { rows } = new Outline(tree);
  expect([rows.length, rows.at(-1)?.depth]).toEqual([20_000, 19_999]);
});

// ---- what a change costs ----

/** A page of 10,000 items: 100 with 99 below each. */
function largePage(): Device {
  const lines = Array.from({ length: 10_000 }, (_, index) => (index % 100 === 0 ? `top ${index}` : `  item ${index}`));
  return newPage(lines);
}

test("on a page of 10,000 items, a change makes new rows only for the changed items", async () => {
  const page = largePage();
  const { outline, editor } = page;
  const known = new Set(outline.rows);
  const newRows = async (): Promise<number> => {
    await notified();
    const before = known.size;
    for (const row of outline.rows) known.add(row);
    return known.size - before;
  };
  expect(known.size).toBe(10_000);
  editor.setText(page.id("item 5050"), "typed");
  expect(await newRows()).toBe(1);
  editor.toggleCollapsed(page.id("top 5000"));
  expect([await newRows(), outline.rows.length]).toEqual([1, 9_901]);
  editor.toggleCollapsed(page.id("top 5000"));
  expect([await newRows(), outline.rows.length]).toEqual([1, 10_000]);
  // the 99 siblings are one fewer, the item above has a child, the item itself is elsewhere
  editor.indent(page.id("item 7050"));
  expect(await newRows()).toBe(99);
  editor.undo();
  expect(await newRows()).toBe(99);
  // among 100 at the top
  editor.moveUp(page.id("top 9000"));
  expect(await newRows()).toBe(2);
  const other = alsoOn(page, "b");
  other.editor.setText(other.id("item 1"), "from elsewhere");
  page.tree.merge(other.tree.popLocalOps());
  expect(await newRows()).toBe(1);
});

test("after any edits, local and remote, the rows match the tree, and unchanged rows are the same objects", async () => {
  const edit = fc.record({
    kind: fc.constantFrom("text", "move", "order", "collapse", "delete", "create", "zoom", "read", "told"),
    isRemote: fc.boolean(),
    at: fc.nat(),
    to: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { maxLength: 40 }), async (edits) => {
      const page = newPage(["a", "  b", "  c", "    d", "e", "f", "  g"]);
      const other = alsoOn(page, "b");
      let before = page.outline.rows;
      for (const { kind, isRemote, at, to } of edits) {
        const { tree } = isRemote ? other : page;
        const ids = tree
          .getAllVertices()
          .map(({ id }) => id)
          .filter((id) => id !== "0");
        const [id, target] = [ids[at % ids.length]!, ids[to % ids.length]!];
        if (kind === "text") tree.setVertexProperty(id, "text", `text ${to % 5}`);
        if (kind === "order") tree.setVertexProperty(id, "order", ["a0", "a1", "a0V", undefined][to % 4]);
        if (kind === "collapse") tree.setVertexProperty(id, "collapsed", to % 2 === 0 ? true : undefined);
        if (kind === "create") tree.newVertex(id, { text: "new", order: "a0V" });
        if (kind === "delete" && id !== "page") tree.deleteVertex(id);
        if (kind === "move" && id !== "page" && id !== target && !tree.isAncestor(target, id)) tree.moveVertex(id, target);
        if (kind === "zoom") page.outline.zoom(page.tree.getVertex(id) && id);
        if (isRemote) page.tree.merge(other.tree.popLocalOps());
        if (kind === "told") await notified();
        if (kind !== "read" && kind !== "told" && kind !== "zoom") continue;
        const { rows } = page.outline;
        expect(rows).toEqual(plainRows(page.tree, page.outline.root));
        for (const row of rows) {
          const same = before.find((each) => each.id === row.id && JSON.stringify(each) === JSON.stringify(row));
          if (same) expect(row).toBe(same);
        }
        before = rows;
      }
      await notified();
      expect(page.outline.rows).toEqual(plainRows(page.tree, page.outline.root));
      for (const [index, row] of page.outline.rows.entries()) expect(page.outline.indexOf(row.id)).toBe(index);
    }),
    { numRuns: 300 },
  );
});
