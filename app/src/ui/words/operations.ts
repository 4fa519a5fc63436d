import { BIN_ID, type ReplicatedTree, type VertexOperation } from "foldspace";
import { isMoveVertexOp } from "foldspace/tree";
import { CREATED_KEY, COLLAPSED_KEY, DONE_KEY, ORDER_KEY, TEXT_KEY, textOf } from "../../model/item.ts";
import { SEEN_KEY } from "../../model/text-versions.ts";

/** The effect of a batch of operations of one peer on one item. */
export interface Deed {
  readonly itemId: string;
  readonly text: string;
}

/** The space tree's entry of the app tree gives it its name. */
const TREE_KEY = "tid";

/**
 * Describes operations in words: one sentence for each item, about its most important change.
 * @param tree in the state after them
 */
export function describeOperations(tree: ReplicatedTree, ops: readonly VertexOperation[]): Deed[] {
  const byItem = new Map<string, VertexOperation[]>();
  for (const op of ops) {
    const known = byItem.get(op.targetId);
    if (known) known.push(op);
    else byItem.set(op.targetId, [op]);
  }
  const deeds: Deed[] = [];
  for (const [itemId, own] of byItem) {
    const text = describe(tree, itemId, own);
    if (text !== undefined) deeds.push({ itemId, text });
  }
  return deeds;
}

function describe(tree: ReplicatedTree, itemId: string, ops: readonly VertexOperation[]): string | undefined {
  if (itemId === BIN_ID || itemId === tree.root?.id) return describeRoot(ops);
  const move = ops.findLast(isMoveVertexOp);
  const keys = new Map(ops.flatMap((op) => (isMoveVertexOp(op) ? [] : [[op.key, op.value] as const])));
  const called = nameOf(tree, itemId);
  if (keys.has(TREE_KEY)) return tree.getName(itemId) ? `added the page ${called}` : "added a page";
  if (move?.parentId === BIN_ID) return `deleted ${called}`;
  if (keys.has(CREATED_KEY)) return `added ${called}`;
  if (keys.has(TEXT_KEY)) return keys.get(TEXT_KEY) === "" ? "emptied an item" : `wrote ${called}`;
  if (keys.has(DONE_KEY)) return keys.get(DONE_KEY) === true ? `ticked off ${called}` : `unticked ${called}`;
  if (keys.has(COLLAPSED_KEY)) return `${keys.get(COLLAPSED_KEY) === true ? "folded" : "unfolded"} ${called}`;
  if (keys.has("name") || keys.has("_n")) return `named a page ${called}`;
  if (keys.has(SEEN_KEY)) return `chose between two versions of ${called}`;
  if (move) return `put ${called} under ${nameOf(tree, move.parentId ?? "")}`;
  if (keys.has(ORDER_KEY)) return `moved ${called}`;
  const [key] = keys.keys();
  return key === undefined ? undefined : `set “${key}” of ${called}`;
}

function describeRoot(ops: readonly VertexOperation[]): string | undefined {
  const isNamed = ops.some((op) => !isMoveVertexOp(op) && (op.key === "name" || op.key === "_n"));
  return isNamed ? "renamed it" : undefined;
}

function nameOf(tree: ReplicatedTree, itemId: string): string {
  if (itemId === tree.root?.id) return "the page";
  const text = textOf(tree, itemId) || tree.getName(itemId) || "";
  if (text === "") return "an empty item";
  return `“${text.length > 60 ? `${text.slice(0, 59)}…` : text}”`;
}
