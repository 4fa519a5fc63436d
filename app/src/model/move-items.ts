import type { OutlineEditor } from "./editing.ts";
import { readNodes } from "./nodes.ts";

/**
 * Moves items with everything below them to the end of another page, in one step on each: there they are new items, as a page
 * has a history of its own.
 */
export function moveItems(from: OutlineEditor, ids: readonly string[], to: OutlineEditor): void {
  const nodes = readNodes(from.outline, ids);
  // first to where they go, so that nothing is lost if that fails
  to.insertNodes(to.outline.tree.root!.id, nodes);
  from.remove(ids);
}
