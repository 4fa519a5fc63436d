import { fromMarkdown, toMarkdown } from "../../model/markdown.ts";
import { readNodes } from "../../model/nodes.ts";
import type { OutlineNode } from "../../model/outline-node.ts";
import type { Outline } from "../../model/outline.ts";
import { linesFromNodes } from "../../model/pasted-lines.ts";

/** A Markdown list from which the same items can be made again. */
const ITEMS_TYPE = "application/x-foldspace-items";

/** Copies items with all their descendants: as text for other programs, and in a form for pasting them here. */
export function writeItems(clipboard: DataTransfer, outline: Outline, ids: readonly string[]): void {
  const nodes = readNodes(outline, ids);
  clipboard.setData("text/plain", linesFromNodes(nodes));
  clipboard.setData(ITEMS_TYPE, toMarkdown(nodes));
}

/** @returns `undefined` if the clipboard contains something else */
export function readItems(clipboard: DataTransfer): OutlineNode[] | undefined {
  const text = clipboard.getData(ITEMS_TYPE);
  return text === "" ? undefined : fromMarkdown(text).nodes;
}
