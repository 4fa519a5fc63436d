import { readListLine } from "./list-line.ts";
import { Nesting } from "./nesting.ts";
import type { OutlineNode } from "./outline-node.ts";
import { preOrder } from "./pre-order.ts";

/** Lines of plain text as items: the further indented, the deeper. Empty lines are left out, texts are taken as they are. */
export function nodesFromLines(text: string): OutlineNode[] {
  const nesting = new Nesting();
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line.trim() === "") continue;
    const { column, isDone, text: content } = readListLine(line);
    nesting.add({ text: content, children: [], ...(isDone === undefined ? {} : { isDone }) }, column);
  }
  return nesting.top;
}

/** Deeper items are drawn at this depth: the spaces in front of them would outgrow the text. */
const MAX_DEPTH = 100;

/** Items as lines of plain text that {@link nodesFromLines} reads, with their texts as they are. */
export function linesFromNodes(nodes: readonly OutlineNode[]): string {
  const lines = Array.from(
    preOrder(nodes, ({ children }) => children),
    ({ node, depth }) => {
      const box = node.isDone === true ? "[x] " : "";
      return `${"  ".repeat(Math.min(depth, MAX_DEPTH))}- ${box}${node.text}`;
    },
  );
  return lines.join("\n");
}
