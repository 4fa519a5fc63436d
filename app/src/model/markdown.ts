import { outlineMarkdown, toMarkdownHeading } from "foldspace";
import { readMarkdown } from "./markdown-reader.ts";
import type { OutlineNode } from "./outline-node.ts";

/**
 * Items as a Markdown list, as `foldspace export` writes it. Texts are Markdown already; what would begin a block is escaped,
 * so that {@link fromMarkdown} gives the same back, down to 100 levels; only whether items are collapsed is not said.
 */
export function toMarkdown(nodes: readonly OutlineNode[], title?: string): string {
  const lines = [...(title === undefined ? [] : [toMarkdownHeading(title, 1), ""]), ...outlineMarkdown(nodes)];
  return lines.join("\n") + (lines.length > 0 ? "\n" : "");
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
