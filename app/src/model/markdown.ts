import { outlineMarkdown, toMarkdownHeading } from "foldspace";
import { readMarkdown } from "./markdown-reader.ts";
import type { OutlineNode } from "./outline-node.ts";

/**
 * Items as a Markdown list, as `foldspace export` writes it. Texts are Markdown already. Text that would begin a block is
 * escaped, so that {@link fromMarkdown} restores the same items, down to 100 levels, except for their collapsed state.
 */
export function toMarkdown(nodes: readonly OutlineNode[], title?: string): string {
  const lines = [...(title === undefined ? [] : [toMarkdownHeading(title, 1), ""]), ...outlineMarkdown(nodes)];
  return lines.join("\n") + (lines.length > 0 ? "\n" : "");
}

/**
 * Reads any text as Markdown. Items of lists, headings, paragraphs and lines of code become items; check boxes become ticks;
 * text after a heading goes below it. The first heading is the title if it is the only one of level 1. Inline notation stays
 * unchanged. Never throws.
 */
export function fromMarkdown(text: string): { title?: string; nodes: OutlineNode[] } {
  const { title, nodes } = readMarkdown(text);
  return title === undefined ? { nodes } : { title, nodes };
}
