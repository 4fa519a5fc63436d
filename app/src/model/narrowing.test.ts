import { expect, test } from "vitest";
import { alsoOn, newPage, sync, notified } from "./test-pages.ts";

test("a filter shows what has its words, what is above that, and what is below it", () => {
  const page = newPage(["fruit", "  red apple", "    peel", "  pear", "meat", "- bread", "  with an Äpple"]);
  const { outline, editor } = page;
  editor.toggleCollapsed(page.id("fruit"));
  expect(outline.filter("apple")).toBe(2);
  expect(page.drawn).toEqual(["fruit", "  red apple", "    peel", "bread"]);
  expect(outline.filter("apple red")).toBe(1);
  expect(page.drawn).toEqual(["fruit", "  red apple", "    peel"]);
  // collapsing an item that the filter expanded leaves no trace
  editor.toggleCollapsed(page.id("fruit"));
  expect(page.drawn).toEqual(["fruit +"]);
  expect(editor.undo()).toBeDefined();
  expect(outline.filter(" ")).toBeUndefined();
  expect(page.drawn.slice(0, 3)).toEqual(["fruit", "  red apple", "    peel"]);
});

test("what is written while a filter is on stays, also if it does not have the words", async () => {
  const page = newPage(["one apple", "two", "three apples", "four"]);
  page.outline.filter("apple");
  const id = page.id("three apples");
  page.editor.setText(id, "three");
  const caret = page.editor.split(id, 5);
  page.editor.setText(caret.id, "new");
  expect(page.drawn).toEqual(["one apple", "three", "new"]);
  const other = alsoOn(page, "b");
  other.editor.insertAfter(other.id("two"), "from elsewhere");
  sync(page, other);
  await notified();
  expect(page.drawn).toEqual(["one apple", "from elsewhere", "three", "new"]);
  // it moves past hidden items
  page.editor.moveUp(caret.id);
  page.editor.moveUp(caret.id);
  expect(page.drawn).toEqual(["one apple", "new", "from elsewhere", "three"]);
  page.outline.zoom(id);
  page.outline.zoom(undefined);
  expect(page.drawn).toEqual(["one apple", "two", "new", "from elsewhere", "three", "four"]);
});

test("done items are hidden with everything below them, and come back", async () => {
  const page = newPage(["a", "- [x] b", "  - c", "d", "  - [x] e"]);
  const { outline, editor } = page;
  const e = page.id("e");
  outline.hideDone(true);
  expect(page.drawn).toEqual(["a", "d"]);
  expect(editor.indent(page.id("d"))).toBeDefined();
  expect(page.drawn).toEqual(["a", "  d"]);
  // behind an item whose items are all hidden, Enter makes a sibling
  expect(editor.split(page.id("d"), 1)).toBeDefined();
  expect(page.drawn).toEqual(["a", "  d", "  "]);
  editor.toggleDone(e);
  expect(page.drawn).toEqual(["a", "  d", "    e", "  "]);
  const other = alsoOn(page, "b");
  other.editor.toggleDone(other.id("a"));
  sync(page, other);
  await notified();
  expect(page.drawn).toEqual([]);
  outline.hideDone(false);
  expect(page.drawn).toEqual(["a x", "  d", "    e", "  ", "b x", "  c"]);
});

test("a row that is held stays until it is let go of, whoever has ticked off what", async () => {
  const page = newPage(["a", "  b", "c"]);
  const { outline, editor } = page;
  const [a, b] = [page.id("a"), page.id("b")];
  outline.hideDone(true);
  outline.pin(b);
  editor.toggleDone(b);
  expect(page.drawn).toEqual(["a", "  b x", "c"]);
  const other = alsoOn(page, "b");
  other.editor.toggleDone(a);
  sync(page, other);
  await notified();
  expect(page.drawn).toEqual(["a x", "  b x", "c"]);
  outline.unpin(b);
  expect(page.drawn).toEqual(["c"]);
});

test("everything is folded and unfolded in one step", () => {
  const page = newPage(["a", "  b", "    c", "d"]);
  page.editor.collapseAll(true);
  expect(page.drawn).toEqual(["a +", "d"]);
  page.editor.toggleCollapsed(page.id("a"));
  expect(page.drawn).toEqual(["a", "  b +", "d"]);
  page.editor.collapseAll(false);
  expect(page.drawn).toEqual(["a", "  b", "    c", "d"]);
  page.editor.undo();
  expect(page.drawn).toEqual(["a", "  b +", "d"]);
});
