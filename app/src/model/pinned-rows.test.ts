import { expect, test } from "vitest";
import { OwnTexts } from "./own-texts.ts";
import { alsoOn, newPage, sync, notified, type Device } from "./test-pages.ts";

/** Rows as indented lines; `-` marks those that another device has deleted. */
function rowsOf({ outline }: Device): string[] {
  return outline.rows.map((row) => `${"  ".repeat(row.depth)}${row.isDeleted ? "- " : ""}${row.text}`);
}

test("a pinned row stays in place when another device deletes its item, and stays editable", async () => {
  const a = newPage(["one", "two", "  below", "three"]);
  const b = alsoOn(a, "b");
  const id = a.id("two");
  a.outline.pin(id);
  b.editor.remove([id]);
  sync(a, b);
  await notified();
  expect(rowsOf(a)).toEqual(["one", "- two", "three"]);
  expect([a.outline.indexOf(id), a.outline.row(id)?.isDeleted, a.outline.pinnedDeleted.size]).toEqual([1, true, 1]);
  a.editor.setText(id, "two and more");
  a.editor.insertAfter(a.id("one"), "between");
  a.editor.indent(a.id("three"));
  expect(rowsOf(a)).toEqual(["one", "- two and more", "between", "  three"]);
});

test("it disappears when it is unpinned, and comes back when its item is restored", async () => {
  const a = newPage(["one", "two", "three"]);
  const b = alsoOn(a, "b");
  const [one, two] = [a.id("one"), a.id("two")];
  for (const id of [one, two]) a.outline.pin(id);
  b.editor.remove([one, two]);
  sync(a, b);
  await notified();
  expect(rowsOf(a)).toEqual(["- one", "- two", "three"]);
  a.outline.unpin(one);
  expect(rowsOf(a)).toEqual(["- two", "three"]);
  a.editor.restore(two, "page");
  expect(rowsOf(a)).toEqual(["two", "three"]);
  b.editor.undo();
  sync(a, b);
  await notified();
  expect(a.drawn).toEqual(["one", "two", "three"]);
  expect(a.outline.pinnedDeleted.size).toBe(0);
});

test("a row that is deleted here, or is not visible, is not pinned", async () => {
  const a = newPage(["one", "  two", "three"]);
  const b = alsoOn(a, "b");
  const [one, two] = [a.id("one"), a.id("two")];
  a.outline.pin(two);
  a.editor.remove([one]);
  expect(rowsOf(a)).toEqual(["three"]);
  a.editor.undo();
  a.editor.toggleCollapsed(one);
  expect(rowsOf(a)).toEqual(["one", "three"]);
  a.outline.pin(two);
  sync(a, b);
  b.editor.remove([one]);
  sync(a, b);
  await notified();
  expect(rowsOf(a)).toEqual(["three"]);
});

test.each(["two", "one"])(
  "a row that another device has deleted disappears when “%s”, the item itself or the one above it, is deleted here too",
  async (above) => {
    const a = newPage(["one", "  two", "three"]);
    const b = alsoOn(a, "b");
    const [top, id] = [a.id(above), a.id("two")];
    a.outline.pin(id);
    b.editor.remove([top]);
    sync(a, b);
    await notified();
    expect(rowsOf(a)).toContainEqual(expect.stringContaining("- two"));
    let isTold = false;
    a.outline.observe(() => (isTold = true));
    // not through the page's editor, as a moved subtree or another view would
    a.tree.deleteVertex(top);
    await notified();
    expect(rowsOf(a)).toEqual(above === "one" ? ["three"] : ["one", "three"]);
    expect([isTold, a.outline.pinnedDeleted.size]).toEqual([true, 0]);
  },
);

test("rows around pinned ones are those of the page, whatever changes", async () => {
  const a = newPage(["a", "  b", "    c", "  d", "e", "  f", "g"]);
  const b = alsoOn(a, "b");
  for (const text of ["c", "e", "f"]) a.outline.pin(a.id(text));
  for (const text of ["c", "e"]) b.editor.remove([b.id(text)]);
  b.editor.moveUp(b.id("g"));
  sync(a, b);
  await notified();
  const there = (): string[] => rowsOf(a).filter((line) => !line.trim().startsWith("- "));
  expect(there()).toEqual(b.drawn);
  for (const act of [
    () => a.editor.toggleCollapsed(a.id("a")),
    () => a.editor.toggleCollapsed(a.id("a")),
    () => a.editor.indent(a.id("d")),
    () => a.outline.zoom(a.id("a")),
    () => a.outline.zoom(undefined),
  ]) {
    act();
    expect(a.outline.rows.filter(({ isDeleted }) => isDeleted).length).toBe(3);
    expect(new Set(a.outline.rows.map(({ id }) => id)).size).toBe(a.outline.rows.length);
  }
});

test("texts that were written here are reported when another device deletes them or an ancestor without having seen them", () => {
  const a = newPage(["one", "two", "three"]);
  const b = alsoOn(a, "b");
  const deleted: string[] = [];
  const own = new OwnTexts(a.tree, (id) => deleted.push(id));
  const [one, two, three] = a.outline.rows.map(({ id }) => id);
  a.editor.insertNodes(two!, [{ text: "below", children: [{ text: "deeper", children: [] }] }]);
  const [below, deeper] = [a.id("below"), a.id("deeper")];
  a.type(three!, "three and more");
  b.editor.remove([two!]);
  sync(a, b);
  expect(deleted).toEqual([below, deeper]);
  b.editor.remove([three!]);
  a.editor.remove([one!]);
  sync(a, b);
  expect(deleted).toEqual([below, deeper]);
  a.editor.setText(one!, "typed on");
  expect([one, three, below, deeper].map((id) => own.isUnseen(id!))).toEqual([true, false, true, true]);
  own.close();
});
