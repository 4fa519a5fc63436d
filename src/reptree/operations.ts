import type { JsonValue, MoveVertex, SetVertexProperty } from "../tree/index.ts";

export function newMoveVertexOp(clock: number, peerId: string, targetId: string, parentId: string | null): MoveVertex {
  return { id: { counter: clock, peerId }, targetId, parentId };
}

export function newSetVertexPropertyOp(
  clock: number,
  peerId: string,
  targetId: string,
  key: string,
  value: JsonValue | undefined,
): SetVertexProperty {
  return { id: { counter: clock, peerId }, targetId, key, value, transient: false };
}

export function newSetTransientVertexPropertyOp(
  clock: number,
  peerId: string,
  targetId: string,
  key: string,
  value: JsonValue | undefined,
): SetVertexProperty {
  return { ...newSetVertexPropertyOp(clock, peerId, targetId, key, value), transient: true };
}
