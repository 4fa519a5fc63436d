import { readListLine } from "./list-line.ts";
import type { NodeDraft, OutlineNode } from "./outline-node.ts";

/** Lines of plain text as items: the further indented, the deeper. Empty lines are left out, texts are taken as they are. */
export function nodesFromLines(text: string): OutlineNode[] {
  const top: NodeDraft[] = [];
  const above: { readonly column: number; readonly children: NodeDraft[] }[] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line.trim() === "") continue;
    const { column, isDone, text: content } = readListLine(line);
    while (above.length > 0 && above.at(-1)!.column >= column) above.pop();
    const node: NodeDraft = { text: content, children: [], ...(isDone === undefined ? {} : { isDone }) };
    (above.at(-1)?.children ?? top).push(node);
    above.push({ column, children: node.children });
  }
  return top;
}
