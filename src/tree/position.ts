import { setting, type Change } from "./change.ts";
import { FoldspaceError } from "../errors.ts";
import { showId } from "./operation.ts";
import { keysAmong, ORDER_KEY } from "./order.ts";
import type { TreeState } from "./tree-state.ts";

/** A vertex, a bound one, or its id. */
export type VertexOrId = string | { readonly id: string } | { readonly $id: string };

/** A place among the children of a vertex: beside one of them, or an index among the others. */
export type Position =
  | { readonly before: VertexOrId }
  | { readonly after: VertexOrId }
  | { /** From 0 on; beyond the last child: at the end. */ readonly at: number };

export function idOf(vertex: VertexOrId): string {
  if (typeof vertex === "string") return vertex;
  // a bound vertex may have a property `id`
  return "$id" in vertex ? vertex.$id : vertex.id;
}

/**
 * The changes that give a vertex a place among the children of a vertex, which is or will be its parent; none if it is there.
 * @param peerId of the peer that makes them
 * @throws FoldspaceError `FOLD_NO_VERTEX` if the vertex beside it is not one of the children, `FOLD_BAD_VALUE` if it is no position
 */
export function takingPlace(state: TreeState, vertexId: string, parentId: string, position: Position, peerId: string): Change[] {
  const children = state.childrenOf(parentId);
  const own = children.indexOf(state.vertices.find(vertexId));
  const siblings = own < 0 ? children : children.toSpliced(own, 1);
  const index = indexOf(state, siblings, parentId, position);
  if (index === own) return [];
  const orderAt = (at: number): string | undefined => (at < siblings.length ? state.properties.order(siblings[at]!) : undefined);
  const { keys, rekeyed } = keysAmong(orderAt, index, 1, peerId);
  const others = rekeyed.map(([at, key]) => setting(state.vertices.idOf(siblings[at]!), ORDER_KEY, key));
  return [...others, setting(vertexId, ORDER_KEY, keys[0])];
}

function indexOf(state: TreeState, siblings: readonly number[], parentId: string, position: Position): number {
  if ("at" in position && Number.isInteger(position.at) && position.at >= 0) return Math.min(position.at, siblings.length);
  const beside = "before" in position ? position.before : "after" in position ? position.after : undefined;
  if (beside === undefined) {
    throw new FoldspaceError(
      "FOLD_BAD_VALUE",
      `A position is { before }, { after } or { at } with an index from 0 on, not ${JSON.stringify(position)}`,
    );
  }
  const id = idOf(beside);
  const index = siblings.indexOf(state.vertices.find(id));
  if (index >= 0) return "before" in position ? index : index + 1;
  throw new FoldspaceError("FOLD_NO_VERTEX", `${showId(id)} is not another child of ${showId(parentId)}`, {
    data: { vertexId: id },
  });
}
