import { fromMarkdown, toMarkdown } from "../../model/markdown.ts";
import { readNodes } from "../../model/nodes.ts";
import type { OutlineNode } from "../../model/outline-node.ts";
import type { Outline } from "../../model/outline.ts";
import { linesFromNodes } from "../../model/pasted-lines.ts";

/** A Markdown list, of which items can be made again just as they were. */
const ITEMS_TYPE = "application/x-foldspace-items";

/** Puts items with everything below them into a clipboard: as text for other programs, and so that they can be taken back. */
export function writeItems(clipboard: DataTransfer, outline: Outline, ids: readonly string[]): void {
  const nodes = readNodes(outline, ids);
  clipboard.setData("text/plain", linesFromNodes(nodes));
  clipboard.setData(ITEMS_TYPE, toMarkdown(nodes));
}

/** @returns `undefined` where the clipboard holds something else */
export function readItems(clipboard: DataTransfer): OutlineNode[] | undefined {
  const text = clipboard.getData(ITEMS_TYPE);
  return text === "" ? undefined : fromMarkdown(text).nodes;
}
