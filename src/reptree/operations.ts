import type { JsonValue, MoveVertex, SetVertexProperty } from "../tree/index.ts";

/** An operation that places a vertex under a parent; `null` makes it the root. @param clock its counter */
export function newMoveVertexOp(clock: number, peerId: string, targetId: string, parentId: string | null): MoveVertex {
  return { id: { counter: clock, peerId }, targetId, parentId };
}

/** An operation that sets a property; `undefined` removes it. @param clock its counter */
export function newSetVertexPropertyOp(
  clock: number,
  peerId: string,
  targetId: string,
  key: string,
  value: JsonValue | undefined,
): SetVertexProperty {
  return { id: { counter: clock, peerId }, targetId, key, value, transient: false };
}

/** As {@link newSetVertexPropertyOp}, for a draft, which is not stored. */
export function newSetTransientVertexPropertyOp(
  clock: number,
  peerId: string,
  targetId: string,
  key: string,
  value: JsonValue | undefined,
): SetVertexProperty {
  return { ...newSetVertexPropertyOp(clock, peerId, targetId, key, value), transient: true };
}
