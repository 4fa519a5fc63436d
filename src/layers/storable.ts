import { FoldspaceError } from "../errors.ts";
import { assertContents, isAnyPropertyOp, type VertexOperation } from "../tree/index.ts";

/**
 * Refuses operations that no layer can keep, before they are queued: there, one would hold up all behind it, or be taken for
 * durable and not be there later. Which peers it can keep is up to each layer.
 * @throws FoldspaceError what `assertContents` throws, and `FOLD_BAD_OPERATION` for a draft
 */
export function assertStorable(ops: readonly VertexOperation[]): void {
  assertContents(ops);
  if (ops.some((op) => isAnyPropertyOp(op) && op.transient))
    throw new FoldspaceError("FOLD_BAD_OPERATION", "A draft is never stored");
}
