import type { ReplicatedTree, Vertex } from "../tree/index.ts";

/** An item of an outline, independent of a tree. */
export interface OutlineItem {
  /** One line, with inline Markdown as it was written. */
  readonly text: string;
  /** Lines below the text, with inline Markdown as they were written. */
  readonly note?: string;
  /** `undefined`: the item has no check box. */
  readonly isDone?: boolean;
  readonly children: readonly OutlineItem[];
}

/** `appId` of the trees that are outlines. */
const OUTLINE_APP_ID = "outline";
/** Deeper items are indented to this depth: otherwise the indentation would outgrow the text. */
const MAX_DEPTH = 100;

/** A beginning of a text that Markdown would read as a bullet, a heading, a check box, a quote, a fence or a break. */
const BLOCK_START = String.raw`(?:[-+•=|>]|\*(?=[ \t]|$)|#{1,6}(?=[ \t]|$)|\[[ xX]\](?=[ \t]|$)|${"`"}{3,}|~{3,}|([*_])[ \t]*(?:\1[ \t]*){2,}$)`;
const TO_ESCAPE = new RegExp(String.raw`^(?=\\*${BLOCK_START})`);
const ESCAPED = new RegExp(String.raw`^\\(?=\\*${BLOCK_START})`);
const NUMBER = /^(\d{1,9})(?=\\*[.)](?:[ \t]|$))/;
const ESCAPED_NUMBER = /^(\d{1,9})\\(?=\\*[.)](?:[ \t]|$))/;
/** Spaces at the ends of a text are written as references; references that the text itself contains are written as `&#38;…`. */
const REFERENCE_START = /^&(?=(?:#38;)*#(?:32|9);)/;
const REFERENCE_END = /&(?=(?:#38;)*#(?:32|9);$)/;
const ESCAPED_START = /^&#38;(?=(?:#38;)*#(?:32|9);)/;
const ESCAPED_END = /&#38;(?=(?:#38;)*#(?:32|9);$)/;
const SPACES_START = /^(?:&#(?:32|9);)+/;
const SPACES_END = /(?:&#(?:32|9);)+$/;

/**
 * A text as a line of Markdown. Inline notation stays unchanged; only a beginning of a block is escaped, and spaces at the ends
 * are written as references. {@link fromMarkdownLine} restores the text.
 */
export function toMarkdownLine(text: string): string {
  const line = text.replaceAll(/[\r\n]/g, " ");
  const start = /^[ \t]*/.exec(line)![0];
  let end = line.length;
  while (end > start.length && /[ \t]/.test(line.charAt(end - 1))) end--;
  const inner = line
    .slice(start.length, end)
    .replace(TO_ESCAPE, "\\")
    .replace(NUMBER, "$1\\")
    .replace(REFERENCE_START, "&#38;")
    .replace(REFERENCE_END, "&#38;");
  return toReferences(start) + inner + toReferences(line.slice(end));
}

/** The text of a line of Markdown, without its bullet, check box or heading sign. */
export function fromMarkdownLine(line: string): string {
  const start = SPACES_START.exec(line)?.[0] ?? "";
  const rest = line.slice(start.length);
  const end = SPACES_END.exec(rest)?.[0] ?? "";
  const inner = rest
    .slice(0, rest.length - end.length)
    .replace(ESCAPED_END, "&")
    .replace(ESCAPED_START, "&")
    .replace(ESCAPED_NUMBER, "$1")
    .replace(ESCAPED, "");
  return fromReferences(start) + inner + fromReferences(end);
}

/** A title as a heading. */
export function toMarkdownHeading(title: string, level: number): string {
  const text = toMarkdownLine(title).replace(/(^|[ \t])(?=\\*#+$)/, "$1\\");
  return `${"#".repeat(level)} ${text}`.replace(/ $/, "");
}

/** The title in a heading, without the opening and closing signs. */
export function fromMarkdownHeading(text: string): string {
  return fromMarkdownLine(text.replace(/(^|[ \t])\\(?=\\*#+$)/, "$1"));
}

/** A note without the empty lines around it; its line breaks are line feeds. Empty: no note. */
export function toNote(text: string): string {
  return text.replaceAll(/\r\n?/g, "\n").replaceAll(/^\n+|\n+$/g, "");
}

/**
 * Items as a Markdown list, two spaces to a level, with check boxes where an item has `isDone`. The lines of a note stand
 * below the text, as far in as it.
 */
export function outlineMarkdown(items: readonly OutlineItem[]): Generator<string> {
  return listLines(items, (item) => item);
}

/** The items of an outline as a Markdown list. Each item is read only when its lines are needed. */
export function treeOutlineMarkdown(tree: ReplicatedTree): Generator<string> {
  return listLines(tree.root?.children ?? [], (vertex) => ({
    ...readItem(vertex),
    children: vertex.children,
  }));
}

type Read<T> = Omit<OutlineItem, "children"> & { readonly children: readonly T[] };

function* listLines<T>(top: readonly T[], read: (each: T) => Read<T>): Generator<string> {
  const open = [{ siblings: top, next: 0 }];
  for (let list = open.at(-1); list; list = open.at(-1)) {
    if (list.next === list.siblings.length) {
      open.pop();
      continue;
    }
    const item = read(list.siblings[list.next++]!);
    const box = item.isDone === undefined ? "" : item.isDone ? "[x] " : "[ ] ";
    const indent = "  ".repeat(Math.min(open.length - 1, MAX_DEPTH));
    // an empty text leaves no trailing space
    yield indent + `- ${box}${toMarkdownLine(item.text)}`.replace(/ $/, "");
    const note = toNote(item.note ?? "");
    if (note !== "") for (const line of note.split("\n")) yield line === "" ? "" : `${indent}  ${toMarkdownLine(line)}`;
    open.push({ siblings: item.children, next: 0 });
  }
}

/** Whether a tree is an outline of the app. */
export function isOutline(tree: ReplicatedTree): boolean {
  return tree.root?.getProperty("appId") === OUTLINE_APP_ID;
}

/** The items of an outline in order, with everything below them. */
export function readOutline(tree: ReplicatedTree): OutlineItem[] {
  return tree.root ? readItems(tree.root.children) : [];
}

/** Some items of an outline, with everything below them. */
export function readItems(vertices: readonly Vertex[]): OutlineItem[] {
  interface Draft extends OutlineItem {
    readonly children: Draft[];
  }
  const top: Draft[] = [];
  // grows while it is walked; without recursion, as a tree may be deeper than the stack
  const open = [{ siblings: vertices, into: top }];
  for (const { siblings, into } of open) {
    for (const child of siblings) {
      const item: Draft = { ...readItem(child), children: [] };
      into.push(item);
      open.push({ siblings: child.children, into: item.children });
    }
  }
  return top;
}

/** An item without those below it. */
function readItem(vertex: Vertex): Omit<OutlineItem, "children"> {
  const note = itemNote(vertex);
  return { text: itemText(vertex), ...(note === "" ? {} : { note }), ...(isItemDone(vertex) ? { isDone: true } : {}) };
}

/** The text of an item, as one line; its name, if another program has made it. */
export function itemText(vertex: Vertex): string {
  const text = vertex.getProperty("text");
  return (typeof text === "string" ? text : (vertex.name ?? "")).replaceAll(/[\r\n]/g, " ");
}

/** The note below the text of an item. Empty: none. */
export function itemNote(vertex: Vertex): string {
  const note = vertex.getProperty("note");
  return typeof note === "string" ? toNote(note) : "";
}

export function isItemDone(vertex: Vertex): boolean {
  return vertex.getProperty("done") === true;
}

function toReferences(spaces: string): string {
  return spaces.replaceAll(" ", "&#32;").replaceAll("\t", "&#9;");
}

function fromReferences(references: string): string {
  return references.replaceAll("&#32;", " ").replaceAll("&#9;", "\t");
}
