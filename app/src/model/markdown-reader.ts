import { fromMarkdownHeading, fromMarkdownLine, toNote } from "foldspace";
import { HEADING_COLUMN, readHeading } from "./heading-line.ts";
import { readListLine } from "./list-line.ts";
import { Nesting } from "./nesting.ts";
import { nodesFromLines } from "./pasted-lines.ts";
import type { NodeDraft, OutlineNode } from "./outline-node.ts";

const BLANK = /^[ \t]*$/;
const UNDERLINE = /^ {0,3}(=+|-{2,})[ \t]*$/;
const BREAK = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/;
const FENCE = /^[ \t]*(`{3,}|~{3,})/;
/** The properties with which other programs begin a file. */
const FRONT_MATTER =
  /^---[ \t]*\n(?=[^\s:#>*+-][^\n:]*:[ \t\n])((?:(?!(?:---|\.\.\.)[ \t]*(?:\n|$)).*\n)*)(?:---|\.\.\.)[ \t]*(?:\n|$)/;
const QUOTE = /^ {0,3}>[ ]?/;

export interface ReadMarkdown {
  readonly title: string | undefined;
  readonly nodes: OutlineNode[];
}

export function readMarkdown(text: string): ReadMarkdown {
  const lines = text.replace(/^\ufeff/, "").replaceAll(/\r\n|\r/g, "\n");
  const [before = "", properties = ""] = FRONT_MATTER.exec(lines) ?? [];
  const reader = new MarkdownReader();
  for (const line of lines.slice(before.length).split("\n")) reader.line(line);
  const { title, nodes } = reader.end();
  return { title, nodes: [...nodesFromLines(properties), ...nodes] };
}

/** Reads a text line by line. */
class MarkdownReader {
  /** The headings and bullets so far, which contain later items. */
  readonly #nesting: Nesting = new Nesting();
  /** The item that the next line continues, unless that begins another. Its text stays escaped until it is complete. */
  #open: { readonly node: NodeDraft; readonly column: number; readonly isParagraph: boolean } | undefined;
  /** The last bullet, whose note is in the further indented lines after it, with these lines so far. */
  #noted: { readonly node: NodeDraft; readonly column: number; readonly lines: string[] } | undefined;
  #fence: string | undefined;
  #titleNode: NodeDraft | undefined;
  #topHeadings = 0;

  line(raw: string): void {
    if (this.#fence !== undefined) return this.#code(raw);
    const line = raw.replace(QUOTE, "");
    const fence = FENCE.exec(line)?.[1];
    if (fence !== undefined) {
      this.#close();
      this.#fence = fence;
      return;
    }
    if (BLANK.test(line)) return this.#blank();
    const underline = UNDERLINE.exec(line)?.[1];
    if (underline !== undefined && this.#open?.isParagraph === true) return this.#underlined(underline.startsWith("=") ? 1 : 2);
    if (BREAK.test(line)) return this.#close();
    const heading = readHeading(line);
    if (heading) {
      this.#close();
      return this.#heading(heading.level, { text: heading.text, children: [] });
    }
    this.#item(line);
  }

  end(): ReadMarkdown {
    this.#close();
    const { children, text } = this.#titleNode ?? { children: [], text: undefined };
    const nodes = this.#nesting.top;
    const isTitle = text !== undefined && this.#topHeadings === 1 && nodes[0] === this.#titleNode;
    return isTitle ? { title: text, nodes: [...children, ...nodes.slice(1)] } : { title: undefined, nodes };
  }

  #item(line: string): void {
    const { column, isBullet, isDone, text } = readListLine(line);
    if (!isBullet && this.#goesOn(text, column)) return;
    this.#close();
    const node: NodeDraft = { text, children: [], ...(isDone === undefined ? {} : { isDone }) };
    this.#nesting.add(node, column, isBullet);
    this.#open = { node, column, isParagraph: !isBullet };
    if (isBullet) this.#noted = { node, column, lines: [] };
  }

  /**
   * Adds a continuation line: to the note if it is indented further than its bullet, else to the line before. The rows of a
   * table stay apart.
   */
  #goesOn(text: string, column: number): boolean {
    const { lines = [], column: bullet } = this.#noted ?? {};
    if (bullet !== undefined && column > bullet) lines.push(text);
    else if (lines.at(-1)) lines.push(`${lines.pop()} ${text}`);
    else if (this.#open && !text.startsWith("|")) this.#open.node.text += ` ${text}`;
    else return false;
    return true;
  }

  /** An empty line ends a text, but not a note, which may have several paragraphs. */
  #blank(): void {
    this.#closeText();
    this.#noted?.lines.push("");
  }

  #code(line: string): void {
    if (line.trim().startsWith(this.#fence!)) this.#fence = undefined;
    else if (!BLANK.test(line)) this.#nesting.add({ text: line, children: [] }, Number.MAX_SAFE_INTEGER, false);
  }

  #heading(level: number, node: NodeDraft): void {
    if (level === 1) {
      this.#topHeadings++;
      if (this.#nesting.top.length === 0) this.#titleNode = node;
    }
    this.#nesting.add(node, HEADING_COLUMN + level);
  }

  /** The paragraph above an underline is a heading. */
  #underlined(level: number): void {
    const { node, column } = this.#open!;
    this.#open = undefined;
    node.text = fromMarkdownHeading(node.text);
    this.#nesting.listAt(column).pop();
    this.#heading(level, node);
  }

  #close(): void {
    this.#closeText();
    const { node, lines = [] } = this.#noted ?? {};
    const note = toNote(lines.map(fromMarkdownLine).join("\n"));
    if (node && note !== "") node.note = note;
    this.#noted = undefined;
  }

  #closeText(): void {
    if (this.#open) this.#open.node.text = fromMarkdownLine(this.#open.node.text);
    this.#open = undefined;
  }
}
