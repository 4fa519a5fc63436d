import { expect, test } from "vitest";
import { NOTE_KEY, noteOf } from "./item.ts";
import { readNodes } from "./nodes.ts";
import { linesFromNodes, nodesFromLines } from "./pasted-lines.ts";
import { alsoOn, newPage, sync, notified } from "./test-pages.ts";
import { TextVersions } from "./text-versions.ts";

test("a note is a property of its item, shown in its row, and its typing is one step", async () => {
  const page = newPage(["a", "b"]);
  const id = page.id("a");
  page.editor.setNote(id, "o");
  page.now += 100;
  page.editor.setNote(id, "one\ntwo");
  expect(page.outline.row(id)?.note).toBe("one\ntwo");
  expect(page.outline.row(page.id("b"))).not.toHaveProperty("note");
  page.editor.undo();
  expect(page.outline.row(id)).not.toHaveProperty("note");
  page.editor.redo();
  expect(page.tree.getVertexProperty(id, NOTE_KEY)).toBe("one\ntwo");
  page.editor.setNote(id, "");
  expect(noteOf(page.tree, id)).toBe("");
  await notified();
  expect(readNodes(page.outline)[0]).toEqual({ text: "a", children: [] });
});

test("what two devices write into one note goes together, line breaks included", () => {
  const a = newPage(["- item", "  first", "", "  last"]);
  const b = alsoOn(a, "b");
  const id = a.id("item");
  a.editor.setNote(id, "the first\n\nlast");
  b.editor.setNote(id, "first\n\nlast\nof all");
  sync(a, b);
  for (const { tree } of [a, b]) {
    expect(TextVersions.of(tree, NOTE_KEY).current(id).text).toBe("the first\n\nlast\nof all");
    expect(TextVersions.of(tree).stateOf(id)?.conflicts).toEqual([]);
  }
});

test("lines that are pasted below a bullet are its note, and are copied as they are", () => {
  const lines = ["- [x] a", "  one", "", "  two", "  - b", "    three", "- c"].join("\n");
  const nodes = nodesFromLines(lines);
  expect(nodes).toEqual([
    { text: "a", note: "one\n\ntwo", isDone: true, children: [{ text: "b", note: "three", children: [] }] },
    { text: "c", children: [] },
  ]);
  expect(linesFromNodes(nodes)).toBe(lines);
  expect(nodesFromLines("- a\n\n- b\n\n")).toEqual([
    { text: "a", children: [] },
    { text: "b", children: [] },
  ]);
  expect(nodesFromLines("a\n  b")).toEqual([{ text: "a", children: [{ text: "b", children: [] }] }]);
});
