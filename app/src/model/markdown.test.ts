import * as fc from "fast-check";
import { toNote } from "foldspace";
import { expect, test } from "vitest";
import { fromMarkdown, toMarkdown } from "./markdown.ts";
import { readNodes } from "./nodes.ts";
import type { OutlineNode } from "./outline-node.ts";
import { newPage } from "./test-pages.ts";

function node(text: string, ...children: OutlineNode[]): OutlineNode {
  return { text, children };
}

/** Nodes as indented lines; check boxes in front, notes behind. */
function drawn(nodes: readonly OutlineNode[], depth = 0): string[] {
  return nodes.flatMap(({ text, note, isDone, children }) => [
    `${"  ".repeat(depth)}${isDone === undefined ? "" : isDone ? "[x] " : "[ ] "}${text}${note === undefined ? "" : ` (${note})`}`,
    ...drawn(children, depth + 1),
  ]);
}

function read(...lines: string[]): string[] {
  const { title, nodes } = fromMarkdown(lines.join("\n"));
  return [...(title === undefined ? [] : [`# ${title}`]), ...drawn(nodes)];
}

test("items are written as a list with check boxes, below the title", () => {
  const nodes = [
    { ...node("done", node("below")), isDone: true },
    { ...node(""), isDone: false },
    node("a*b _c_ snake_case [x] <b> 1. `code` \\ ~~", node("")),
    node("# no heading"),
    node("- no bullet"),
    node("12. no number"),
    node(" spaces "),
    node("&amp; AT&T"),
    { ...node("with a note", node("below")), note: "first *line*\n\n- no bullet\n***\n indented" },
  ];
  expect(toMarkdown(nodes, "My page")).toBe(
    [
      "# My page",
      "",
      "- [x] done",
      "  - below",
      "- [ ]",
      "- a*b _c_ snake_case [x] <b> 1. `code` \\ ~~",
      "  -",
      "- \\# no heading",
      "- \\- no bullet",
      "- 12\\. no number",
      "- &#32;spaces&#32;",
      "- &amp; AT&T",
      "- with a note",
      "  first *line*",
      "",
      "  \\- no bullet",
      "  \\***",
      "  &#32;indented",
      "  - below",
      "",
    ].join("\n"),
  );
  expect(toMarkdown([])).toBe("");
});

test("what was written is read back as it was", () => {
  const special = fc.constantFrom(
    "- ",
    "* ",
    "**",
    "[[a]]",
    "&#38;",
    "&#9;",
    "\\-",
    "1\\. ",
    "1. ",
    "#",
    "# ",
    "[ ] ",
    "[x] ",
    "\\",
    "`",
    "```",
    "&#32;",
    "&amp;",
    "<b>",
    "_",
    "~~~",
    "===",
    "---",
    "> ",
    "•",
    "|",
    " ",
    "\t",
    "é",
    "\u2028",
    "\u0000",
    "\ufeff",
  );
  const text = fc
    .oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.array(fc.oneof(special, fc.string({ maxLength: 3 })), { maxLength: 6 }).map((parts) => parts.join("")),
    )
    .map((each) => each.replaceAll(/[\r\n]/g, " "));
  const note = fc
    .array(text, { maxLength: 4 })
    .map((lines) => toNote(lines.join("\n")))
    .filter((each) => each !== "");
  const { nodes } = fc.letrec<{ nodes: OutlineNode[]; node: OutlineNode }>((tie) => ({
    nodes: fc.array(tie("node"), { maxLength: 4, depthIdentifier: "outline" }),
    node: fc.record(
      { text, note, isDone: fc.boolean(), children: fc.oneof({ depthIdentifier: "outline" }, fc.constant([]), tie("nodes")) },
      { requiredKeys: ["text", "children"] },
    ),
  }));
  fc.assert(
    fc.property(nodes, fc.option(text, { nil: undefined }), (all, title) => {
      expect(fromMarkdown(toMarkdown(all, title))).toEqual(title === undefined ? { nodes: all } : { title, nodes: all });
    }),
    { numRuns: 2_000 },
  );
});

test("100 levels are read back, and deeper ones are drawn at that depth", () => {
  const deep = (levels: number): OutlineNode[] => {
    let nodes: OutlineNode[] = [];
    for (let level = levels; level > 0; level--) nodes = [node(`${level}`, ...nodes)];
    return nodes;
  };
  expect(fromMarkdown(toMarkdown(deep(100))).nodes).toEqual(deep(100));
  expect(toMarkdown(deep(20_000)).length).toBeLessThan(20_000 * 220);
});

test("lists of all kinds are read, indented by spaces or tabs", () => {
  expect(read("- a", "\t- b", "\t\t- c", "    - d", "* e", "   + f", "1. g", "   2) h", "10. i")).toEqual([
    "a",
    "  b",
    "    c",
    "  d",
    "e",
    "  f",
    "g",
    "  h",
    "i",
  ]);
  expect(read("- [ ] open", "- [x] done", "- [X] Done", "- [y] other", "- [x]")).toEqual([
    "[ ] open",
    "[x] done",
    "[x] Done",
    "[y] other",
    "[x] ",
  ]);
});

test("headings become items with what follows below them; the only one of level 1, in front, is the title", () => {
  expect(read("# Title", "", "intro", "", "## One", "text", "### Deep ###", "- a", "## Two", "- b")).toEqual([
    "# Title",
    "intro",
    "One",
    "  text",
    "  Deep",
    "    a",
    "Two",
    "  b",
  ]);
  expect(read("# One", "a", "# Two", "b")).toEqual(["One", "  a", "Two", "  b"]);
  expect(read("a", "# Late", "b")).toEqual(["a", "Late", "  b"]);
  expect(read("Title", "=====", "Part", "---", "a")).toEqual(["# Title", "Part", "  a"]);
  expect(read("#hashtag", "#", "####### seven")).toEqual(["#hashtag", "", "  ####### seven"]);
});

test("paragraphs become items, and lines that go on are joined", () => {
  expect(read("one", "goes on", "", "two", "- a", "goes on", "- b", "", "three")).toEqual([
    "one goes on",
    "two",
    "a goes on",
    "b",
    "three",
  ]);
});

test("lines that are further in than the bullet above them are its note", () => {
  expect(
    read("- a", "  first", "    second", "lazy", "", "  third", "", "- b", "", "\tof b", "  - c", "  of c", "", "  of b"),
  ).toEqual(["a (first\nsecond lazy\n\nthird)", "b (of b)", "  c of c", "  of b"]);
  expect(read("1. a", "   of a", "# Heading", "  text")).toEqual(["a (of a)", "Heading", "  text"]);
  expect(read("- a", "", "", "- b", "  ```", "  code", "  ```", "  c")).toEqual(["a", "b", "    code", "  c"]);
});

test("quotes, breaks and code are read line by line", () => {
  expect(
    read("> quoted", "> - a", "", "***", "- b", "", "```js", "const x = 1;", "", "  - not \\* a list", "```", "after"),
  ).toEqual(["quoted", "a", "b", "  const x = 1;", "    - not \\* a list", "after"]);
  expect(read("```", "never closed", "# still code")).toEqual(["never closed", "# still code"]);
});

test("inline notation stays as it is written; escapes of what would begin a block are taken back", () => {
  expect(read("- \\*a\\* **b** [c](d) &lt; [[Page]] #tag C:\\dir", "- \\# no heading", "- 12\\. no number", "- \\\\- x")).toEqual(
    ["\\*a\\* **b** [c](d) &lt; [[Page]] #tag C:\\dir", "# no heading", "12. no number", "\\- x"],
  );
});

test("any text is read, and whatever was read is written and read back", () => {
  const lines = fc.array(fc.oneof(fc.string(), fc.constantFrom("- ", "  ", "#", "```", "---", "===", ">", "\t", "\r", "1.")), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(lines, fc.constantFrom("\n", "", "\r\n"), (parts, joint) => {
      const first = fromMarkdown(parts.join(joint));
      expect(fromMarkdown(toMarkdown(first.nodes, first.title))).toEqual(first);
    }),
    { numRuns: 2_000 },
  );
});

test("a hostile text is read in time that grows with its length", () => {
  const long = 200_000;
  for (const text of [
    "[".repeat(long),
    "\\".repeat(long),
    "&#".repeat(long),
    "- ".repeat(long),
    "# ".repeat(long),
    " ".repeat(long),
    "* * ".repeat(long),
    `${"_".repeat(long)}x`,
    "=".repeat(long),
    `# ${"# ".repeat(long)}x`,
    `# ${" ".repeat(long)}x`,
    `- x${" ".repeat(long)}x`,
    `*${" ".repeat(long)}x`,
    `&${"a".repeat(long)}`,
  ])
    expect(fromMarkdown(text).nodes.length).toBeLessThanOrEqual(1);
});

test("nodes are read from a page and put into one, in one step", () => {
  const page = newPage(["a", "  b", "    c"]);
  page.editor.toggleDone(page.id("b"));
  page.editor.toggleCollapsed(page.id("b"));
  const nodes = readNodes(page.outline);
  expect(nodes).toEqual([node("a", { ...node("b", node("c")), isDone: true, isCollapsed: true })]);
  const other = newPage(["x"]);
  other.editor.insertNodes("page", nodes);
  expect(other.drawn).toEqual(["x", "a", "  b + x"]);
  expect(readNodes(other.outline)[1]).toEqual(nodes[0]);
  other.editor.undo();
  expect(other.drawn).toEqual(["x"]);
});

test("the properties at the beginning of a file become items, and do not hide its title", () => {
  const file = "---\ntags: [a, b]\naliases:\n  - Other\n---\n\n# Title\n\n- one\n";
  expect(fromMarkdown(file)).toEqual({
    title: "Title",
    nodes: [
      { text: "tags: [a, b]", children: [] },
      { text: "aliases:", children: [{ text: "Other", children: [] }] },
      { text: "one", children: [] },
    ],
  });
  expect(fromMarkdown(file.replaceAll("\n", "\r\n"))).toEqual(fromMarkdown(file));
  expect(fromMarkdown("---\n---\ntext\n").nodes.map(({ text }) => text)).toEqual(["text"]);
  // two breaks
  expect(fromMarkdown("---\n# Title\n\n- [x] one\n\n---\n").nodes).toEqual([{ text: "one", isDone: true, children: [] }]);
  expect(fromMarkdown("---\n\ntext\n").nodes.map(({ text }) => text)).toEqual(["text"]);
});

test("each row of a table is an item", () => {
  const { nodes } = fromMarkdown("Before\n\n| a | b |\n|---|---|\n| 1 | 2 |\n");
  expect(nodes.map(({ text }) => text)).toEqual(["Before", "| a | b |", "|---|---|", "| 1 | 2 |"]);
});
