import { expect, test } from "vitest";
import { MAX_VALUE_LENGTH } from "foldspace/tree";
import type { Caret } from "./caret-after.ts";
import { readNodes } from "./nodes.ts";
import { linesFromNodes, nodesFromLines } from "./pasted-lines.ts";
import { newPage, type Device } from "./test-pages.ts";

/** The caret by text, to be compared. */
function at(page: Device, caret: Caret | undefined): [string | undefined, number] | undefined {
  return caret && [page.outline.row(caret.id)?.text, caret.offset];
}

function refusal(code: string): unknown {
  return expect.objectContaining({ name: "FoldspaceError", code });
}

// ---- Enter ----

test("Enter in a text splits it", () => {
  const page = newPage(["Hello world", "b"]);
  const id = page.id("Hello world");
  expect(at(page, page.editor.split(id, 5))).toEqual([" world", 0]);
  expect(page.drawn).toEqual(["Hello", " world", "b"]);
  expect(page.outline.rows[0]!.id).toBe(id);
});

test("Enter at the start makes an item above, at the end one below", () => {
  const page = newPage(["a", "b"]);
  expect(at(page, page.editor.split(page.id("b"), 0))).toEqual(["b", 0]);
  expect(page.drawn).toEqual(["a", "", "b"]);
  expect(at(page, page.editor.split(page.id("b"), 1))).toEqual(["", 0]);
  expect(page.drawn).toEqual(["a", "", "b", ""]);
});

test("Enter at the end of an item with visible items below makes the first of them", () => {
  const page = newPage(["a", "  b"]);
  page.editor.split(page.id("a"), 1);
  expect(page.drawn).toEqual(["a", "  ", "  b"]);
  page.editor.toggleCollapsed(page.id("a"));
  page.editor.split(page.id("a"), 1);
  expect(page.drawn).toEqual(["a +", ""]);
});

test("Enter within the text of an item with visible items below leaves them below its second half", () => {
  const page = newPage(["one two", "  b"]);
  const id = page.id("one two");
  expect(at(page, page.editor.split(id, 4))).toEqual(["two", 0]);
  expect(page.drawn).toEqual(["one ", "two", "  b"]);
  expect(page.id("two")).toBe(id);
});

test("Enter on an empty item moves it out, and at the top makes another", () => {
  const page = newPage(["a", "  b", "  c"]);
  page.editor.setText(page.id("b"), "");
  const id = page.outline.rows[1]!.id;
  expect(page.editor.split(id, 0)).toEqual({ id, offset: 0 });
  expect(page.drawn).toEqual(["a", "  c", ""]);
  page.editor.split(id, 0);
  expect(page.drawn).toEqual(["a", "  c", "", ""]);
});

test("both halves of what is done are done, and what is begun next to it is not", () => {
  const page = newPage(["- [x] one two", "  - b", "- [x] three four"]);
  page.editor.split(page.id("one two"), 4);
  page.editor.split(page.id("three four"), 6);
  page.editor.split(page.id("four"), 4);
  page.editor.split(page.id("one "), 0);
  expect(page.drawn).toEqual(["", "one  x", "two x", "  b", "three  x", "four x", ""]);
});

test("in what is zoomed into, nothing leaves it", () => {
  const page = newPage(["a", "  b", "    c"]);
  page.outline.zoom(page.id("a"));
  const b = page.id("b");
  expect(page.editor.outdent(b)).toBeUndefined();
  expect(page.editor.moveUp(b)).toBeUndefined();
  expect(page.editor.moveDown(b)).toBeUndefined();
  expect(page.editor.joinWithPrevious(b)).toBeUndefined();
  page.editor.setText(b, "");
  page.editor.split(b, 0);
  expect(page.drawn).toEqual(["", "  ", "  c"]);
  page.editor.split(page.outline.root, 0);
  expect(page.drawn).toEqual(["a", "", "  ", "  c"]);
  page.editor.insertAfter(undefined, "end");
  page.outline.zoom(undefined);
  expect(page.drawn).toEqual(["", "  a", "  ", "    ", "    c", "  end"]);
});

// ---- Backspace ----

test("Backspace at the start joins the text to that above", () => {
  const page = newPage(["a", "  b", "c"]);
  expect(at(page, page.editor.joinWithPrevious(page.id("c")))).toEqual(["bc", 1]);
  expect(page.drawn).toEqual(["a", "  bc"]);
  expect(at(page, page.editor.joinWithPrevious(page.id("bc")))).toEqual(["abc", 1]);
  expect(page.drawn).toEqual(["abc"]);
  expect(page.editor.joinWithPrevious(page.id("abc"))).toBeUndefined();
});

test("what is below the joined item stays in sight and in order", () => {
  const page = newPage(["a", "  b", "    c", "    d", "  e"]);
  page.editor.joinWithPrevious(page.id("b"));
  expect(page.drawn).toEqual(["ab", "  c", "  d", "  e"]);
  const collapsed = newPage(["a", "  hidden", "b", "  c"]);
  collapsed.editor.toggleCollapsed(collapsed.id("a"));
  collapsed.editor.joinWithPrevious(collapsed.id("b"));
  expect(collapsed.drawn).toEqual(["ab", "  hidden", "  c"]);
  const deeper = newPage(["a", "  x", "    y", "b", "  c"]);
  deeper.editor.joinWithPrevious(deeper.id("b"));
  expect(deeper.drawn).toEqual(["a", "  x", "    yb", "      c"]);
});

test("joining to an empty item above takes that away, so that the item stays what it is", () => {
  const page = newPage(["a", "b", "  c"]);
  page.editor.setText(page.id("a"), "");
  const id = page.id("b");
  page.editor.toggleDone(id);
  expect(page.editor.joinWithPrevious(id)).toEqual({ id, offset: 0 });
  expect(page.drawn).toEqual(["b x", "  c"]);
});

// ---- places ----

test("Tab moves an item below the one above and unfolds that, Shift+Tab behind its parent", () => {
  const page = newPage(["a", "  b", "c", "d"]);
  page.editor.toggleCollapsed(page.id("a"));
  expect(at(page, page.editor.indent(page.id("c")))).toEqual(["c", 1]);
  expect(page.drawn).toEqual(["a", "  b", "  c", "d"]);
  expect(page.editor.indent(page.id("b"))).toBeUndefined();
  expect(at(page, page.editor.outdent(page.id("b"), 0))).toEqual(["b", 0]);
  expect(page.drawn).toEqual(["a", "  c", "b", "d"]);
  expect(page.editor.outdent(page.id("a"))).toBeUndefined();
});

test("moving up and down goes past siblings, and on below those of the parent", () => {
  const page = newPage(["a", "  b", "c", "  d", "e"]);
  const up = (text: string): string[] => {
    page.editor.moveUp(page.id(text));
    return page.drawn;
  };
  const down = (text: string): string[] => {
    page.editor.moveDown(page.id(text));
    return page.drawn;
  };
  expect(up("e")).toEqual(["a", "  b", "e", "c", "  d"]);
  expect(down("e")).toEqual(["a", "  b", "c", "  d", "e"]);
  expect(up("d")).toEqual(["a", "  b", "  d", "c", "e"]);
  expect(up("d")).toEqual(["a", "  d", "  b", "c", "e"]);
  expect(up("d")).toEqual(["d", "a", "  b", "c", "e"]);
  expect(up("d")).toEqual(["d", "a", "  b", "c", "e"]);
  expect(down("b")).toEqual(["d", "a", "c", "  b", "e"]);
  page.editor.toggleCollapsed(page.id("c"));
  page.editor.toggleCollapsed(page.id("c"));
  expect(down("b")).toEqual(["d", "a", "c", "e", "  b"]);
  expect(down("b")).toEqual(["d", "a", "c", "e", "b"]);
  expect(down("b")).toEqual(["d", "a", "c", "e", "b"]);
  expect(page.editor.moveDown(page.id("b"))).toBeUndefined();
});

test("dragging moves an item before another or to the end, and not under itself", () => {
  const page = newPage(["a", "  b", "c", "d"]);
  const { editor } = page;
  editor.moveTo(page.id("d"), page.id("a"), page.id("b"));
  expect(page.drawn).toEqual(["a", "  d", "  b", "c"]);
  editor.moveTo(page.id("d"), page.id("a"), undefined);
  expect(page.drawn).toEqual(["a", "  b", "  d", "c"]);
  editor.moveTo(page.id("c"), "page", page.id("a"));
  expect(page.drawn).toEqual(["c", "a", "  b", "  d"]);
  const before = page.tree.opCount;
  expect(() => editor.moveTo(page.id("a"), page.id("b"), undefined)).toThrow(refusal("FOLD_CYCLE"));
  expect(() => editor.moveTo(page.id("a"), page.id("a"), undefined)).toThrow(refusal("FOLD_CYCLE"));
  expect(() => editor.moveTo(page.id("a"), "0", undefined)).toThrow(refusal("FOLD_NO_VERTEX"));
  editor.moveTo(page.id("a"), "page", page.id("a"));
  expect(page.tree.opCount).toBe(before);
  editor.moveTo(page.id("b"), "page", "not a child of the page");
  expect(page.drawn).toEqual(["c", "a", "  d", "b"]);
});

test("removing takes what is below along, and puts the caret above", () => {
  const page = newPage(["a", "b", "  c", "d"]);
  expect(at(page, page.editor.remove([page.id("b"), page.id("c")]))).toEqual(["a", 1]);
  expect(page.drawn).toEqual(["a", "d"]);
  expect(at(page, page.editor.remove([page.id("a")]))).toEqual(["d", 0]);
  expect(page.editor.remove([page.id("d")])).toBeUndefined();
  expect(page.editor.remove([])).toBeUndefined();
});

test("commands on what is not on the page are refused; only typing reaches a deleted item", () => {
  const page = newPage(["a", "b"]);
  const id = page.id("b");
  page.editor.remove([id]);
  const { editor } = page;
  const commands = [
    () => editor.split(id, 0),
    () => editor.insertAfter(id),
    () => editor.indent(id),
    () => editor.outdent(id),
    () => editor.moveUp(id),
    () => editor.moveDown(id),
    () => editor.moveTo(id, "page", undefined),
    () => editor.toggleDone(id),
    () => editor.toggleCollapsed(id),
    () => editor.paste(id, 0, "x"),
    () => editor.insertNodes(id, []),
    () => editor.insertAfter("never was"),
  ];
  const before = page.tree.opCount;
  for (const command of commands) expect(command).toThrow(refusal("FOLD_NO_VERTEX"));
  expect(page.tree.opCount).toBe(before);
  expect([editor.joinWithPrevious(id), editor.remove([id, "never was"])?.id]).toEqual([undefined, page.id("a")]);
  editor.setText(id, "typed on");
  expect(page.tree.getVertexProperty(id, "text")).toBe("typed on");
});

test("typed line breaks become spaces, and a text that cannot be stored changes nothing", () => {
  const page = newPage(["a"]);
  page.editor.setText(page.id("a"), "b\r\nc");
  expect(page.drawn).toEqual(["b  c"]);
  const id = page.id("b  c");
  expect(() => page.editor.setText(id, "x".repeat(MAX_VALUE_LENGTH))).toThrow(refusal("FOLD_BAD_VALUE"));
  expect(page.drawn).toEqual(["b  c"]);
  page.editor.undo();
  expect(page.drawn).toEqual(["a"]);
});

// ---- pasting ----

test("a pasted line goes into the text as it is", () => {
  const page = newPage(["Hello!"]);
  const id = page.id("Hello!");
  expect(page.editor.paste(id, 5, " - [ ] *you*")).toEqual({ id, offset: 17 });
  expect(page.drawn).toEqual(["Hello - [ ] *you*!"]);
});

test("pasted lines become items, indentation becomes depth, and what stood behind the caret goes to the end", () => {
  const page = newPage(["before|after", "z"]);
  const lines = ["one", "  two", "\t\tthree", "", "four", "  five"].join("\r\n");
  const caret = page.editor.paste(page.id("before|after"), 7, lines);
  expect(page.drawn).toEqual(["before|one", "  two", "    three", "four", "  fiveafter", "z"]);
  expect(at(page, caret)).toEqual(["fiveafter", 4]);
});

test("bullets, numbers and check boxes of pasted lines are understood", () => {
  const page = newPage(["x"]);
  page.editor.setText(page.id("x"), "");
  page.editor.paste(page.outline.rows[0]!.id, 0, "- [x] done\n* [ ] open\n  1. first\n  2) second\n-\n-5 degrees\n[x] no bullet");
  expect(page.drawn).toEqual(["done x", "open", "  first", "  second", "", "-5 degrees", "[x] no bullet"]);
});

test("lines pasted into an item with visible items below come before these", () => {
  const page = newPage(["a", "  b"]);
  page.editor.paste(page.id("a"), 1, "1\n2\n3");
  expect(page.drawn).toEqual(["a1", "  2", "  3", "  b"]);
});

test("pasting nothing but line breaks changes nothing", () => {
  const page = newPage(["a"]);
  expect(at(page, page.editor.paste(page.id("a"), 1, "\n\n  \n"))).toEqual(["a", 1]);
  expect(page.editor.canUndo).toBe(false);
});

test("10,000 lines are pasted in one step", () => {
  const page = newPage(["a"]);
  page.editor.paste(page.id("a"), 1, Array.from({ length: 10_000 }, (_, line) => `${" ".repeat(line % 7)}${line}`).join("\n"));
  expect(page.outline.rows.length).toBe(10_000);
  page.editor.undo();
  expect(page.drawn).toEqual(["a"]);
});

test("items come behind another and what is below that, just as they were copied", () => {
  const page = newPage(["a", "  - [x] * b", "    - [ ] c", "d"]);
  const nodes = readNodes(page.outline, [page.id("* b")]);
  expect(nodesFromLines(linesFromNodes(nodes))).toEqual(nodes);
  const ids = page.editor.insertNodesAfter(page.id("a"), [...nodes, { text: "e", children: [] }]);
  expect(ids.map((id) => page.outline.row(id)?.text)).toEqual(["* b", "e"]);
  expect(page.drawn).toEqual(["a", "  * b x", "    c", "* b x", "  c", "e", "d"]);
  page.editor.undo();
  expect(page.drawn).toEqual(["a", "  * b x", "    c", "d"]);
});
