import { copyValue, type JsonValue } from "./json-value.ts";
import { assertOperations, type MoveVertex, type OpId, type SetVertexProperty, type VertexOperation } from "./operation.ts";

/** The change that an edit makes: an operation without an id. */
export type Change = Omit<MoveVertex, "id"> | Omit<SetVertexProperty, "id">;

export function placing(targetId: string, parentId: string | null): Change {
  return { targetId, parentId };
}

export function setting(targetId: string, key: string, value: JsonValue | undefined): Change {
  return { targetId, key, value, transient: false };
}

export function settingTransient(targetId: string, key: string, value: JsonValue | undefined): Change {
  return { targetId, key, value, transient: true };
}

export function toOperation(id: OpId, change: Change): VertexOperation {
  const { targetId } = change;
  if ("parentId" in change) return { id, targetId, parentId: change.parentId };
  return { id, targetId, key: change.key, value: change.value, transient: change.transient };
}

/**
 * Copies that share nothing with the operations.
 * @throws FoldspaceError as {@link assertOperations}
 */
export function copyOperations(ops: readonly VertexOperation[]): VertexOperation[] {
  assertOperations(ops);
  return ops.map(copyOperation);
}

function copyOperation(op: VertexOperation): VertexOperation {
  const id = { counter: op.id.counter, peerId: op.id.peerId };
  if ("parentId" in op) return { id, targetId: op.targetId, parentId: op.parentId };
  return { id, targetId: op.targetId, key: op.key, value: copyValue(op.value), transient: op.transient };
}
