import { XMLParser, XMLValidator } from "fast-xml-parser";
import { toLine } from "./item.ts";
import { decodeReferences } from "./references.ts";
import type { NodeDraft, OutlineNode } from "./outline-node.ts";

/** Characters: far more than any outline that was typed. */
const MAX_LENGTH = 32 * 1024 * 1024;
const MAX_DEPTH = 200;

export type OpmlErrorCode =
  | "OPML_BAD_XML" // not well-formed
  | "OPML_NO_OUTLINE" // some other XML
  | "OPML_TOO_LARGE"
  | "OPML_TOO_DEEP";

/** Why a text could not be read as OPML: `code` is for programs, `message` for people. */
export class OpmlError extends Error {
  override readonly name = "OpmlError";
  readonly code: OpmlErrorCode;
  /** Line at which it went wrong, counted from 1, where one can be named. */
  readonly line: number | undefined;

  constructor(code: OpmlErrorCode, message: string, line?: number) {
    super(message);
    this.code = code;
    this.line = line;
  }
}

// ---- writing ----

/** Items as OPML 2.0; done as `_complete`, which other outliners read, too. Characters that XML cannot carry are replaced. */
export function toOpml(nodes: readonly OutlineNode[], title?: string): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<opml version="2.0">', "  <head>"];
  lines.push(`    <title>${escapeXml(toLine(title ?? ""))}</title>`, "  </head>", "  <body>");
  // without recursion: nodes may be nested deeper than the stack
  const open = [{ nodes, next: 0 }];
  for (let list = open.at(-1); list; list = open.at(-1)) {
    const node = list.nodes[list.next++];
    const indent = "  ".repeat(Math.min(open.length + 1, MAX_DEPTH));
    if (node) {
      const isLeaf = node.children.length === 0;
      lines.push(`${indent}<outline${attributesOf(node)}${isLeaf ? "/>" : ">"}`);
      if (!isLeaf) open.push({ nodes: node.children, next: 0 });
    } else {
      open.pop();
      if (open.length > 0) lines.push(`${indent.slice(2)}</outline>`);
    }
  }
  lines.push("  </body>", "</opml>", "");
  return lines.join("\n");
}

function attributesOf(node: OutlineNode): string {
  const done = node.isDone === undefined ? "" : ` _complete="${node.isDone}"`;
  const collapsed = node.isCollapsed === true ? ' _collapsed="true"' : "";
  return ` text="${escapeXml(toLine(node.text))}"${done}${collapsed}`;
}

function escapeXml(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex -- control characters are what it looks for
      .replaceAll(/[\0-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, "\ufffd")
      .replaceAll(/[&<>"\t]|^ | $/g, (character) => `&#${character.codePointAt(0)};`)
  );
}

// ---- reading ----

/** What the parser makes of an element: `@` in front of attributes, elements by their names. */
type XmlElement = Readonly<Record<string, unknown>>;

/**
 * Reads OPML of any version. An item is done by `_complete` (Workflowy) or `_status="checked"` (OmniOutliner); the lines of a
 * `_note` become its first children. Entities that the file defines itself are not expanded, and nothing outside it is read.
 * @throws OpmlError
 */
export function fromOpml(text: string): { title?: string; nodes: OutlineNode[] } {
  const opml = asElement(parseXml(text)["opml"]);
  if (!opml) throw new OpmlError("OPML_NO_OUTLINE", "The file is XML, but no OPML outline");
  const title = asElement(opml["head"])?.["title"];
  const nodes: NodeDraft[] = [];
  // grows while it is walked
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
  if (text.length > MAX_LENGTH)
    throw new OpmlError("OPML_TOO_LARGE", `The file is longer than ${MAX_LENGTH / 1024 / 1024} million characters`);
  const validity = XMLValidator.validate(text);
  if (validity !== true) throw new OpmlError("OPML_BAD_XML", `The file is no valid XML: ${validity.err.msg}`, validity.err.line);
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: "@",
    parseTagValue: false,
    trimValues: false,
    processEntities: false,
    // the parser recurses; some room for what stands around the items
    maxNestedTags: MAX_DEPTH + 10,
    isArray: (name) => name === "outline",
  });
  try {
    return parser.parse(text) as XmlElement;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (reason === "Maximum nested tags exceeded") throw tooDeep();
    throw new OpmlError("OPML_BAD_XML", `The file is no valid XML: ${reason}`);
  }
}

function tooDeep(): OpmlError {
  return new OpmlError("OPML_TOO_DEEP", `The file is nested more than ${MAX_DEPTH} levels deep`);
}

function toNode(outline: XmlElement): NodeDraft {
  const node: NodeDraft = { text: toLine(attribute(outline, "text") ?? attribute(outline, "title") ?? ""), children: [] };
  const complete = attribute(outline, "_complete");
  const status = attribute(outline, "_status");
  if (complete !== undefined || status !== undefined) node.isDone = complete === "true" || status === "checked";
  if (attribute(outline, "_collapsed") === "true") node.isCollapsed = true;
  for (const line of attribute(outline, "_note")?.split(/\r\n|\r|\n/) ?? [])
    if (line.trim() !== "") node.children.push({ text: line, children: [] });
  return node;
}

function attribute(element: XmlElement, name: string): string | undefined {
  const value = element[`@${name}`];
  return typeof value === "string" ? decodeReferences(value) : undefined;
}

/** An element without content is parsed to a text. */
function asElement(value: unknown): XmlElement | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as XmlElement) : undefined;
}

function asElements(value: unknown): XmlElement[] {
  // an outline without attributes and children is an item without text
  return Array.isArray(value) ? value.map((each) => asElement(each) ?? {}) : [];
}
