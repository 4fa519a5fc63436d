import { HEADING_COLUMN, readHeading } from "./heading-line.ts";
import { readListLine } from "./list-line.ts";
import { asNote } from "./item.ts";
import { Nesting } from "./nesting.ts";
import type { NodeDraft, OutlineNode } from "./outline-node.ts";
import { preOrder } from "./pre-order.ts";

/**
 * Reads lines of plain text as items, nested by indentation, and below headings of Markdown that stand apart. Below a bullet,
 * further indented lines without a bullet are its note. Other empty lines are skipped; texts are not parsed.
 */
export function nodesFromLines(text: string): OutlineNode[] {
  const nesting = new Nesting();
  let noted: { readonly node: NodeDraft; readonly column: number } | undefined;
  const lines = text.split(/\r\n|\r|\n/);
  for (const [index, line] of lines.entries()) {
    const isEmpty = line.trim() === "";
    const { column, isBullet, isDone, text: content } = readListLine(line);
    const isNote = noted !== undefined && !isBullet && column > noted.column;
    const heading = isNote || !standsApart(lines, index) ? undefined : readHeading(line);
    if (heading) {
      endNote(noted?.node);
      noted = undefined;
      nesting.add({ text: heading.text, children: [] }, HEADING_COLUMN + heading.level);
      continue;
    }
    if (noted && (isNote || (isEmpty && !isBullet))) noted.node.note = `${noted.node.note ?? ""}\n${content}`;
    if (isEmpty || isNote) continue;
    endNote(noted?.node);
    const node: NodeDraft = { text: content, children: [], ...(isDone === undefined ? {} : { isDone }) };
    nesting.add(node, column);
    noted = isBullet ? { node, column } : undefined;
  }
  endNote(noted?.node);
  return nesting.top;
}

/** Whether a line is one of Markdown's blocks, and not one of several lines such as those of a program, whose comments look alike. */
function standsApart(lines: readonly string[], index: number): boolean {
  const [before = "", after = ""] = [lines[index - 1], lines[index + 1]];
  const isApart = (line: string): boolean => line.trim() === "" || readHeading(line) !== undefined;
  return isApart(before) && (isApart(after) || readListLine(after).isBullet);
}

function endNote(node: NodeDraft | undefined): void {
  if (node?.note === undefined) return;
  const note = asNote(node.note);
  if (note === "") delete node.note;
  else node.note = note;
}

/** Deeper items are written at this depth: their indentation would outgrow the text. */
const MAX_DEPTH = 100;

/** Writes items as lines of plain text that {@link nodesFromLines} reads. Texts and notes stay unchanged. */
export function linesFromNodes(nodes: readonly OutlineNode[]): string {
  const lines: string[] = [];
  for (const { node, depth } of preOrder(nodes, ({ children }) => children)) {
    const indent = "  ".repeat(Math.min(depth, MAX_DEPTH));
    lines.push(`${indent}- ${node.isDone === true ? "[x] " : ""}${node.text}`);
    if (node.note !== undefined) for (const line of node.note.split("\n")) lines.push(line === "" ? "" : `${indent}  ${line}`);
  }
  return lines.join("\n");
}
