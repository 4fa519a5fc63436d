import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ImportError } from "./import-error.ts";
import { fromOpml, toOpml } from "./opml.ts";
import type { OutlineNode } from "./outline-node.ts";

function node(text: string, ...children: OutlineNode[]): OutlineNode {
  return { text, children };
}

function body(...lines: string[]): string {
  return `<?xml version="1.0"?>\n<opml version="2.0">\n<head><title>T &amp; U</title></head>\n<body>\n${lines.join("\n")}\n</body>\n</opml>`;
}

test("items are written as OPML 2.0", () => {
  const nodes = [
    { ...node('a "b" & <c>', node("d")), isDone: true, isCollapsed: true },
    { ...node(" e\t"), isDone: false },
  ];
  expect(toOpml(nodes, "My <page>")).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0">
  <head>
    <title>My &#60;page&#62;</title>
  </head>
  <body>
    <outline text="a &#34;b&#34; &#38; &#60;c&#62;" _complete="true" _collapsed="true">
      <outline text="d"/>
    </outline>
    <outline text="&#32;e&#9;" _complete="false"/>
  </body>
</opml>
`);
});

test("what was written is read back as it was", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("&amp;", "&#10;", "<outline>", '"', "'", " ", "]]>", "__proto__", "\t"),
  );
  const { nodes } = fc.letrec<{ nodes: OutlineNode[]; node: OutlineNode }>((tie) => ({
    nodes: fc.array(tie("node"), { maxLength: 4, depthIdentifier: "outline" }),
    node: fc.record(
      {
        text,
        isDone: fc.boolean(),
        isCollapsed: fc.constant(true),
        children: fc.oneof({ depthIdentifier: "outline" }, fc.constant([]), tie("nodes")),
      },
      { requiredKeys: ["text", "children"] },
    ),
  }));
  fc.assert(
    fc.property(nodes, (all) => {
      expect(fromOpml(toOpml(all, "Title"))).toEqual({ title: "Title", nodes: all });
    }),
    { numRuns: 500 },
  );
});

test("characters that XML cannot carry are replaced", () => {
  expect(fromOpml(toOpml([node("a\u0000b\ud800c\uffff")])).nodes).toEqual([node("a\ufffdb\ufffdc\ufffd")]);
});

test("files of other outliners are read: done in two ways, notes, titles for texts, no attributes at all", () => {
  const text = body(
    '<outline text="one" _note="first line&#10;second line"><outline text="below"/></outline>',
    '<outline text="two" _complete="true"/>',
    '<outline text="three" _status="checked"/>',
    '<outline text="four" _status="unchecked"/>',
    "<outline title='five &quot;5&quot;'/>",
    "<outline/>",
    '<outline text="12" type="rss" xmlUrl="https://example.org"/>',
    "<!-- no item --><other/>",
  );
  expect(fromOpml(text)).toEqual({
    title: "T & U",
    nodes: [
      { ...node("one", node("below")), note: "first line\nsecond line" },
      { ...node("two"), isDone: true },
      { ...node("three"), isDone: true },
      { ...node("four"), isDone: false },
      node('five "5"'),
      node(""),
      node("12"),
    ],
  });
  expect(fromOpml('\ufeff<opml version="1.0"><body><outline text="a"/></body></opml>')).toEqual({ nodes: [node("a")] });
  expect(fromOpml("<opml><head><title></title></head><body></body></opml>")).toEqual({ nodes: [] });
});

function errorOf(text: string): [string, number | undefined] {
  try {
    fromOpml(text);
  } catch (error) {
    if (error instanceof ImportError) return [error.message, error.line];
    throw error;
  }
  throw new Error("It was read");
}

test("other files than OPML are refused, with the line if it is known", () => {
  expect(errorOf(body('<outline text="a">', '<outline text="b"/>'))).toEqual([expect.stringContaining("not valid XML"), 7]);
  expect(errorOf(body('<outline text="a/>'))).toEqual([expect.stringContaining("not valid XML"), 5]);
  expect(errorOf(body('<outline text="a" text="b"/>'))).toEqual([expect.stringContaining("not valid XML"), 5]);
  expect(errorOf("plain text")).toEqual([expect.stringContaining("not valid XML"), 1]);
  expect(errorOf("")).toEqual([expect.stringContaining("not valid XML"), 1]);
  expect(errorOf("<html><body/></html>")[0]).toContain("not an OPML outline");
  expect(errorOf("<opml/>")[0]).toContain("not an OPML outline");
});

test("entities that the file defines are not expanded, and none from outside is read", () => {
  const bomb = `<!DOCTYPE opml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>`;
  expect(fromOpml(`${bomb}<opml><body><outline text="&b;"/></body></opml>`).nodes).toEqual([node("&b;")]);
  const outside = `<!DOCTYPE opml [<!ENTITY a SYSTEM "file:///etc/passwd">]>`;
  expect(errorOf(`${outside}<opml><body><outline text="&a;"/></body></opml>`)[0]).toContain("not valid XML");
});

test("depth and length are bounded", () => {
  const nested = (levels: number): string =>
    `<opml><body>${'<outline text="a">'.repeat(levels)}${"</outline>".repeat(levels)}</body></opml>`;
  expect(JSON.stringify(fromOpml(nested(200))).match(/"a"/g)?.length).toBe(200);
  expect(errorOf(nested(201))).toEqual([expect.stringContaining("200 levels"), undefined]);
  expect(errorOf(nested(20_000))).toEqual([expect.stringContaining("200 levels"), undefined]);
  expect(errorOf(" ".repeat(32 * 1024 * 1024 + 1))).toEqual([expect.stringContaining("longer"), undefined]);
});

test("of what is nested deeper than can be read, nothing is left out when it is written", () => {
  let deep = node("end");
  for (let level = 249; level > 0; level--) deep = node(String(level), deep);
  const written = toOpml([deep]);
  expect(written.match(/<outline/g)?.length).toBe(250);
  let last = fromOpml(written).nodes;
  for (let level = 1; level < 200; level++) last = [...last[0]!.children];
  expect(last.map(({ text }) => text)).toEqual([...Array.from({ length: 50 }, (_, index) => String(200 + index)), "end"]);
});

test("names that mean something to JavaScript are only names", () => {
  const text = '<opml><body><outline text="a" constructor="x" toString="y"><toString/></outline></body></opml>';
  expect(fromOpml(text).nodes).toEqual([node("a")]);
  expect(fromOpml('<opml><body><outline text="a" __proto__="x"/></body></opml>').nodes).toEqual([node("a")]);
  expect(errorOf('<opml><body><__proto__ text="x"/></body></opml>')[0]).toContain("not valid XML");
});

test("an outline with thousands of references is read", () => {
  const many = Array.from({ length: 3_000 }, (_, index) => node(`${index} & <more>`));
  expect(fromOpml(toOpml(many)).nodes).toEqual(many);
});
