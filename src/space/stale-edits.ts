import { compareOpIds, isMoveVertexOp, type ReplicatedTree, type VertexOperation } from "../tree/index.ts";

/**
 * Makes edits again that were made before a slower layer had answered. Their counters are below those of operations
 * that this layer held all along, to which they would lose although the person made them later. Only the last edit
 * of each property and of each vertex's place is made again, and only if it lost to one of the layer's operations, not to
 * what somebody else has edited since.
 *
 * @param edits made here while the layer was awaited, in the order of their making
 * @param arrived what the layer held and the tree did not
 */
export function reissueStaleEdits(
  tree: ReplicatedTree,
  edits: readonly VertexOperation[],
  arrived: readonly VertexOperation[],
): void {
  if (edits.length === 0) return;
  const lastEdits = new Map<string, VertexOperation>();
  for (const edit of edits) lastEdits.set(subjectOf(edit), edit);
  const edited = new Set(edits.map(({ targetId }) => targetId));
  const winners = new Map<string, VertexOperation>();
  for (const op of arrived) {
    // a hundred thousand may arrive, and few of them concern what was edited
    if (!edited.has(op.targetId)) continue;
    const subject = subjectOf(op);
    const beaten = winners.get(subject) ?? lastEdits.get(subject);
    if (beaten && compareOpIds(op.id, beaten.id) > 0) winners.set(subject, op);
  }
  if (winners.size === 0) return;
  for (const op of tree.getAllOps()) {
    if (!edited.has(op.targetId)) continue;
    const winner = winners.get(subjectOf(op));
    if (winner && compareOpIds(op.id, winner.id) > 0) winners.delete(subjectOf(op));
  }
  for (const [subject, edit] of lastEdits) {
    if (!winners.has(subject) || !tree.getVertex(edit.targetId)) continue;
    const canTakeEffect = !isMoveVertexOp(edit) || (edit.parentId !== null && canMove(tree, edit.targetId, edit.parentId));
    if (canTakeEffect) tree.reissue(edit);
  }
}

/** What an operation decides: one vertex's place, or one property of it. */
export function subjectOf(op: VertexOperation): string {
  return isMoveVertexOp(op) ? op.targetId : `${op.targetId}\n${op.key}`;
}

/** What has arrived may have put the new parent below the vertex. */
function canMove(tree: ReplicatedTree, vertexId: string, parentId: string): boolean {
  return tree.getVertex(parentId) !== undefined && vertexId !== parentId && !tree.isAncestor(parentId, vertexId);
}
