import { keysBetween, type ReplicatedTree } from "foldspace/tree";
import { asNote, COLLAPSED_KEY, DONE_KEY, NOTE_KEY, ORDER_KEY, TEXT_KEY, toLine } from "./item.ts";
import type { OutlineNode } from "./outline-node.ts";

/** Makes an item of a node, and items of all its descendants. @returns the item's id */
export function createItem(tree: ReplicatedTree, parentId: string, order: string, node: OutlineNode): string {
  const id = createOne(tree, parentId, order, node);
  // the loop appends to the array
  const open = [{ id, node }];
  for (const {
    id: above,
    node: { children },
  } of open) {
    const { keys } = keysBetween([], 0, children.length, tree.peerId);
    for (const [index, child] of children.entries()) open.push({ id: createOne(tree, above, keys[index]!, child), node: child });
  }
  return id;
}

function createOne(tree: ReplicatedTree, parentId: string, order: string, node: OutlineNode): string {
  const properties: Record<string, string | boolean> = { [TEXT_KEY]: toLine(node.text), [ORDER_KEY]: order };
  const note = asNote(node.note);
  if (note !== "") properties[NOTE_KEY] = note;
  if (node.isDone === true) properties[DONE_KEY] = true;
  if (node.isCollapsed === true) properties[COLLAPSED_KEY] = true;
  return tree.newVertex(parentId, properties).id;
}
