import { toLine } from "./item.ts";
import { escapeInline } from "./markdown-text.ts";
import { readMarkdown } from "./markdown-reader.ts";
import type { OutlineNode } from "./outline-node.ts";
import { preOrder } from "./pre-order.ts";

/** Deeper items are drawn at this depth: the spaces in front of them would outgrow the text. */
const MAX_DEPTH = 100;

/**
 * Items as a Markdown list, two spaces to a level, with check boxes where an item has `isDone`. What Markdown would read as
 * notation is escaped, so that {@link fromMarkdown} gives the same back, down to {@link MAX_DEPTH} levels; only whether items
 * are collapsed is not said.
 */
export function toMarkdown(nodes: readonly OutlineNode[], title?: string): string {
  const lines: string[] = [];
  if (title !== undefined) lines.push(trimmed(`# ${escapeInline(toLine(title))}`), "");
  for (const { node, depth } of preOrder(nodes, ({ children }) => children)) {
    const box = node.isDone === undefined ? "" : node.isDone ? "[x] " : "[ ] ";
    lines.push("  ".repeat(Math.min(depth, MAX_DEPTH)) + trimmed(`- ${box}${escapeInline(toLine(node.text))}`));
  }
  return lines.join("\n") + (lines.length > 0 ? "\n" : "");
}

/** Without the space in front of a text that is empty: in others, spaces at the end are escaped. */
function trimmed(line: string): string {
  return line.replace(/ $/, "");
}

/**
 * Reads any text as Markdown: lists of all kinds with their check boxes; headings become items with what follows below them,
 * paragraphs and lines of code become items. A first heading that is the only one of level 1 is the title. Inline notation
 * is left as it is. Never throws.
 */
export function fromMarkdown(text: string): { title?: string; nodes: OutlineNode[] } {
  const { title, nodes } = readMarkdown(text);
  return title === undefined ? { nodes } : { title, nodes };
}
