import { XMLParser, XMLValidator } from "fast-xml-parser";
import { ImportError } from "./import-error.ts";
import { asNote, toLine } from "./item.ts";
import type { NodeDraft, OutlineNode } from "./outline-node.ts";
import { preOrder } from "./pre-order.ts";
import { decodeReferences } from "./references.ts";

/** Characters: far more than any outline that was typed. */
const MAX_LENGTH = 32 * 1024 * 1024;
/** Levels that are read, and therefore written. */
const MAX_DEPTH = 200;

// ---- writing ----

/**
 * Items as OPML 2.0, with done as `_complete` and notes as `_note`, which other outliners read, too. Characters that are not
 * allowed in XML are replaced. Deeper items than {@link MAX_DEPTH} levels are written at the last of them.
 */
export function toOpml(nodes: readonly OutlineNode[], title?: string): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<opml version="2.0">', "  <head>"];
  lines.push(`    <title>${escapeXml(toLine(title ?? ""))}</title>`, "  </head>", "  <body>");
  let open = 0;
  const closeDownTo = (depth: number): void => {
    while (open > depth) lines.push(`${indentAt(--open)}</outline>`);
  };
  for (const visited of preOrder(nodes, ({ children }) => children)) {
    const { node } = visited;
    const depth = Math.min(visited.depth, MAX_DEPTH - 1);
    closeDownTo(depth);
    const isLeaf = node.children.length === 0 || depth === MAX_DEPTH - 1;
    lines.push(`${indentAt(depth)}<outline${attributesOf(node)}${isLeaf ? "/>" : ">"}`);
    if (!isLeaf) open++;
  }
  closeDownTo(0);
  lines.push("  </body>", "</opml>", "");
  return lines.join("\n");
}

function indentAt(depth: number): string {
  return "  ".repeat(depth + 2);
}

function attributesOf(node: OutlineNode): string {
  const done = node.isDone === undefined ? "" : ` _complete="${node.isDone}"`;
  const collapsed = node.isCollapsed === true ? ' _collapsed="true"' : "";
  const lines = asNote(node.note);
  const note = lines === "" ? "" : ` _note="${escapeXml(lines)}"`;
  return ` text="${escapeXml(toLine(node.text))}"${note}${done}${collapsed}`;
}

function escapeXml(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex -- the pattern matches control characters
      .replaceAll(/[\0-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, "\ufffd")
      .replaceAll(/[&<>"\t\n]|^ | $/g, (character) => `&#${character.codePointAt(0)};`)
  );
}

// ---- reading ----

/** An element as the parser returns it: attributes have a leading `@`, child elements their own names. */
type XmlElement = Readonly<Record<string, unknown>>;

/**
 * Reads OPML of any version. An item is done by `_complete` (Workflowy) or `_status="checked"` (OmniOutliner); its note is in
 * `_note`. Entities that the file defines are not expanded, and no other file is read.
 * @throws ImportError
 */
export function fromOpml(text: string): { title?: string; nodes: OutlineNode[] } {
  const opml = asElement(parseXml(text)["opml"]);
  if (!opml) throw new ImportError("The file is XML, but not an OPML outline");
  const title = asElement(opml["head"])?.["title"];
  const nodes: NodeDraft[] = [];
  // the loop appends to the array
  const open = [{ element: asElement(opml["body"]), into: nodes, depth: 0 }];
  for (const { element, into, depth } of open) {
    const outlines = asElements(element?.["outline"]);
    if (outlines.length > 0 && depth === MAX_DEPTH) throw tooDeep();
    for (const outline of outlines) {
      const node = toNode(outline);
      into.push(node);
      open.push({ element: outline, into: node.children, depth: depth + 1 });
    }
  }
  return typeof title === "string" && title.trim() !== "" ? { title: decodeReferences(title).trim(), nodes } : { nodes };
}

function parseXml(text: string): XmlElement {
  if (text.length > MAX_LENGTH) throw new ImportError(`The file is longer than ${MAX_LENGTH / 1024 / 1024} million characters`);
  const validity = XMLValidator.validate(text);
  if (validity !== true) throw new ImportError(`The file is not valid XML: ${validity.err.msg}`, validity.err.line);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "@",
    parseTagValue: false,
    trimValues: false,
    processEntities: false,
    // the parser recurses; leaves room for the elements around the items
    maxNestedTags: MAX_DEPTH + 10,
    isArray: (name) => name === "outline",
  });
  try {
    return parser.parse(text) as XmlElement;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason === "Maximum nested tags exceeded") throw tooDeep();
    throw new ImportError(`The file is not valid XML: ${reason}`);
  }
}

function tooDeep(): ImportError {
  return new ImportError(`The file is nested more than ${MAX_DEPTH} levels deep`);
}

function toNode(outline: XmlElement): NodeDraft {
  const node: NodeDraft = { text: toLine(attribute(outline, "text") ?? attribute(outline, "title") ?? ""), children: [] };
  const complete = attribute(outline, "_complete");
  const status = attribute(outline, "_status");
  if (complete !== undefined || status !== undefined) node.isDone = complete === "true" || status === "checked";
  if (attribute(outline, "_collapsed") === "true") node.isCollapsed = true;
  const note = asNote(attribute(outline, "_note"));
  if (note !== "") node.note = note;
  return node;
}

function attribute(element: XmlElement, name: string): string | undefined {
  const value = element[`@${name}`];
  return typeof value === "string" ? decodeReferences(value) : undefined;
}

/** The parser returns an element without content as a string. */
function asElement(value: unknown): XmlElement | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as XmlElement) : undefined;
}

function asElements(value: unknown): XmlElement[] {
  // an outline without attributes and children is an item without text
  return Array.isArray(value) ? value.map((each) => asElement(each) ?? {}) : [];
}
