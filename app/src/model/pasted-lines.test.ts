import { expect, test } from "vitest";
import { fromMarkdown, toMarkdown } from "./markdown.ts";
import { linesFromNodes, nodesFromLines } from "./pasted-lines.ts";

const drawn = (text: string): string[] => linesFromNodes(nodesFromLines(text)).split("\n");

test("what is below a heading of Markdown is pasted below it, as an import reads it", () => {
  const text = "# Trip\n\n- pack\n  - tickets\n\n## Days\n\n- [x] one\n- two\n\n# Later\n";
  expect(drawn(text)).toEqual(["- Trip", "  - pack", "    - tickets", "  - Days", "    - [x] one", "    - two", "- Later"]);
  expect(nodesFromLines(text)).toEqual(fromMarkdown(text).nodes);
  const { nodes } = fromMarkdown("- a\n  - b\n");
  expect(nodesFromLines(toMarkdown(nodes, "Title"))).toEqual([{ text: "Title", children: nodes }]);
});

test("the comments of a program stay what they are, and so do headings in a note", () => {
  const program = ["# first", "run", "", "# second", "run --again"];
  expect(drawn(program.join("\n"))).toEqual(["- # first", "- run", "- # second", "- run --again"]);
  expect(nodesFromLines("- item\n\n  # no heading\n\n  rest")).toEqual([
    { text: "item", note: "# no heading\n\nrest", children: [] },
  ]);
});
