import { FoldspaceError } from "../errors.ts";
import { assertContents, isAnyPropertyOp, type VertexOperation } from "../tree/index.ts";

/**
 * Refuses operations that no layer can keep, before they are queued: such an operation would block all behind it, or pass
 * for durable and be missing later. Each layer decides itself which peers it can keep.
 * @throws FoldspaceError as `assertContents`, and `FOLD_BAD_OPERATION` for a draft
 */
export function assertStorable(ops: readonly VertexOperation[]): void {
  assertContents(ops);
  if (ops.some((op) => isAnyPropertyOp(op) && op.transient))
    throw new FoldspaceError("FOLD_BAD_OPERATION", "A draft is never stored");
}
