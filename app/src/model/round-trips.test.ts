import { expect, test } from "vitest";
import { siblingsUnder, textOf } from "./item.ts";
import { fromMarkdown, toMarkdown } from "./markdown.ts";
import { readNodes } from "./nodes.ts";
import { fromOpml, toOpml } from "./opml.ts";
import type { OutlineNode } from "./outline-node.ts";
import { newPage } from "./test-pages.ts";
import { readOutline, treeMarkdown } from "foldspace";
import { ReplicatedTree } from "foldspace/tree";

/** Nodes as indented lines; check boxes in front. */
function drawn(nodes: readonly OutlineNode[], depth = 0): string[] {
  return nodes.flatMap(({ text, note, isDone, children }) => [
    `${"  ".repeat(depth)}${isDone === undefined ? "" : isDone ? "[x] " : "[ ] "}${text}${note === undefined ? "" : ` (${note})`}`,
    ...drawn(children, depth + 1),
  ]);
}

const OWN = [
  "# Plans",
  "",
  "- **First** see [[Other page]] and [a site](https://example.com/a_(b))",
  "  - [x] done with `co*de*` #tag",
  "  - [ ] open ~~gone~~ \\*no emphasis\\*",
  "    - \\# no heading",
  "    - 12\\. no number",
  "      a note of *two*",
  "",
  "      \\- paragraphs",
  "-",
  "- last",
  "",
].join("\n");

/** As Obsidian writes a note: tabs, check boxes, links between notes. */
const OBSIDIAN =
  "# Trip\n\n- [ ] Pack\n\t- [x] passport\n\t- ~~camera~~\n\t  sold\n- See [[Hotels|where to stay]] and #travel\n\t- **call** _before_ noon\n";
/** As Logseq writes a page: everything is a bullet, below one another by tabs. */
const LOGSEQ = "- TODO buy **milk**\n\t- at the [[shop]]\n\t\t- #errand\n- done ==today==\n  id:: 1\n  in **two** lines\n";
/** As Workflowy copies a list as text. */
const WORKFLOWY = '- Home\n  - Kitchen\n    - [x] paint\n  - Garden\n- Work\n  "a note"\n';
/** As Dynalist exports one: no space is lost, and nothing but bullets. */
const DYNALIST =
  "- Reading\n    - A *book*\n        - [ ] chapter 1\n        - [x] chapter 2\n    - [Another](https://example.com)\n";
/** As OPML 2.0 tools write it. */
const OPML = `<?xml version="1.0" encoding="utf-8"?>
<opml version="2.0"><head><title>States</title><ownerName>A</ownerName></head>
<body><outline text="United States" created="Tue, 15 Mar 2005 16:35:45 GMT"><outline text="Far West" isComment="true"><outline text="Alaska &amp; more" _note="cold&#10;&#10;  far &quot;away&quot;" _complete="true"/></outline></outline><outline text="**bold**" type="link" url="https://example.com"/></body></opml>`;

test("a page in the app's own form comes in and goes out byte by byte as it was", () => {
  const { title, nodes } = fromMarkdown(OWN);
  expect(toMarkdown(nodes, title)).toBe(OWN);
  const page = newPage(["x"]);
  page.editor.insertNodes("page", nodes);
  page.editor.remove([page.id("x")]);
  // an empty box is no box in a page
  expect(toMarkdown(readNodes(page.outline), title)).toBe(OWN.replace("[ ] ", ""));
});

test.each([
  [
    "Obsidian",
    OBSIDIAN,
    ["[ ] Pack", "  [x] passport", "  ~~camera~~ (sold)", "See [[Hotels|where to stay]] and #travel", "  **call** _before_ noon"],
  ],
  ["Logseq", LOGSEQ, ["TODO buy **milk**", "  at the [[shop]]", "    #errand", "done ==today== (id:: 1\nin **two** lines)"]],
  ["Workflowy", WORKFLOWY, ["Home", "  Kitchen", "    [x] paint", "  Garden", 'Work ("a note")']],
  ["Dynalist", DYNALIST, ["Reading", "  A *book*", "    [ ] chapter 1", "    [x] chapter 2", "  [Another](https://example.com)"]],
])("a file of %s keeps its texts, order and ticks, and from then on every byte", (_name, file, expected) => {
  const { title, nodes } = fromMarkdown(file);
  expect(drawn(nodes)).toEqual(expected);
  const written = toMarkdown(nodes, title);
  const again = fromMarkdown(written);
  expect(again).toEqual(title === undefined ? { nodes } : { title, nodes });
  expect(toMarkdown(again.nodes, again.title)).toBe(written);
  // what differs are only the spaces in front, where a tool has its own way
  const bare = (text: string): string => text.replaceAll(/^[\t ]+/gm, "");
  expect(bare(written)).toBe(bare(file));
});

test("a file of an OPML 2.0 tool keeps its texts, order and ticks, and from then on every byte", () => {
  const { title, nodes } = fromOpml(OPML);
  expect([title, ...drawn(nodes)]).toEqual([
    "States",
    "United States",
    "  Far West",
    '    [x] Alaska & more (cold\n\n  far "away")',
    "**bold**",
  ]);
  const written = toOpml(nodes, title);
  const again = fromOpml(written);
  expect(toOpml(again.nodes, again.title)).toBe(written);
  expect(fromMarkdown(toMarkdown(nodes, title)).nodes).toEqual(nodes);
});

test("what `foldspace export` writes of a page is what the app writes", () => {
  const page = newPage(["one", "  **two**", "  - three", "four"]);
  page.tree.setVertexProperty("page", "appId", "outline");
  page.editor.toggleDone(page.id("one"));
  page.editor.moveUp(page.id("four"));
  page.editor.setText(page.id("four"), "# four ");
  page.editor.setNote(page.id("three"), "\r\n of\n\n# three\n");
  page.tree.newVertex("page", { text: "by another program" });
  page.tree.newVertex("page", { text: "with its own key", order: "not a key" });
  page.tree.newVertex("page", { text: "with the same key", order: "a1" });
  page.tree.newVertex("page", { text: "with the same key", order: "a1" });
  const written = toMarkdown(readNodes(page.outline), "Page");
  expect(`${[...treeMarkdown("Page", page.tree)].join("\n")}\n`).toBe(written);
  const known = new ReplicatedTree("b", page.tree.getAllOps());
  expect(readOutline(known).map(({ text }) => text)).toEqual(siblingsUnder(known, "page").map(({ id }) => textOf(known, id)));
});
