import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ReplicatedTree } from "../tree/index.ts";
import { exportMarkdown, treeMarkdown } from "./export-markdown.ts";
import {
  fromMarkdownHeading,
  fromMarkdownLine,
  isOutline,
  readOutline,
  toMarkdownHeading,
  toMarkdownLine,
} from "./export-outline.ts";

function newOutline(): ReplicatedTree {
  const tree = new ReplicatedTree("peer");
  tree.createRoot();
  tree.root!.setProperty("appId", "outline");
  return tree;
}

test("an outline is a list of its items in the app's order, with ticks, and with inline notation as it was written", () => {
  const tree = newOutline();
  const root = tree.root!;
  root.newChild({ text: "last, without a key" });
  root.newChild({ text: "second", order: "a2", done: true });
  const first = root.newChild({ text: "**first** and [[Page]]", order: "a1" });
  first.newChild({ text: "- no bullet\nbut one line", order: "Zz" });
  root.newChild({ text: "no key of the app's", order: "~" });
  root.newNamedChild("made by another program");
  expect(isOutline(tree)).toBe(true);
  expect([...treeMarkdown("My #", tree)]).toEqual([
    String.raw`# My \#`,
    "",
    "- **first** and [[Page]]",
    String.raw`  - \- no bullet but one line`,
    "- [x] second",
    "- last, without a key",
    "- no key of the app's",
    "- made by another program",
  ]);
  expect([...exportMarkdown("Space", [{ title: "Page", tree }])].slice(0, 5)).toEqual([
    "# Space",
    "",
    "## Page",
    "",
    "- **first** and [[Page]]",
  ]);
});

test("an outline 100,000 levels deep is read and written", () => {
  const tree = newOutline();
  let vertex = tree.root!;
  for (let level = 0; level < 100_000; level++) vertex = vertex.newChild({ text: "x" });
  const lines = [...treeMarkdown("Deep", tree)];
  expect(lines.length).toBe(100_002);
  expect(lines.at(-1)!.length).toBeLessThan(210);
  expect(readOutline(tree).length).toBe(1);
});

test("any text becomes a line, and is read back as it was", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "- ",
      "* ",
      "**",
      "#",
      "## ",
      "[x] ",
      "[ ]",
      "> ",
      "```",
      "~~~",
      "1. ",
      "1)",
      "\\",
      "&#32;",
      "&#9;",
      "&#38;",
      " ",
      "\t",
      "=",
    ),
    fc.string({ maxLength: 3 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const text = pieces.join("").replaceAll(/[\r\n]/g, " ");
      expect(fromMarkdownLine(toMarkdownLine(text))).toBe(text);
      const heading = toMarkdownHeading(text, 1);
      expect(fromMarkdownHeading(heading.slice(2))).toBe(text);
      expect(toMarkdownLine(text)).not.toMatch(/^(?:[-+>|=]|#{1,6} |\[[ x]\] |\d+[.)] |\s)|\s$/);
    }),
    { numRuns: 5_000 },
  );
});
