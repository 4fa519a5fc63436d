import type { OutlineEditor } from "./editing.ts";
import { readNodes } from "./nodes.ts";

/**
 * Moves items with all their descendants to the end of another page, as one step on each page. They get new ids there, because
 * each page has a history of its own.
 */
export function moveItems(from: OutlineEditor, ids: readonly string[], to: OutlineEditor): void {
  const nodes = readNodes(from.outline, ids);
  // copies first, so that nothing is lost if that fails
  to.insertNodes(to.outline.tree.root!.id, nodes);
  from.remove(ids);
}
