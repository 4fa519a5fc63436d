import { compareOpIds, isMoveVertexOp, OpIdSet, type ReplicatedTree, type VertexOperation } from "../tree/index.ts";

/**
 * An edit that is older than this when a layer answers is not made again: its author has long moved on, and others may have
 * built on the present state.
 */
export const MAX_PRE_LOAD_EDIT_AGE_MS: number = 10 * 60_000;

/** An edit that was made while some layer was awaited. */
export interface PreLoadEdit {
  readonly op: VertexOperation;
  /** Time of the edit, in milliseconds since the epoch. */
  readonly madeAtMs: number;
}

/**
 * The edits made here while some layer was awaited. Their counters are below those of operations that the layer already
 * contained. They would lose to these although the user made them later, so they are made again.
 *
 * Only the last edit of each property and of each vertex's place is made again, and only if it is younger than
 * {@link MAX_PRE_LOAD_EDIT_AGE_MS} and the tree showed it until the layer answered. If another peer's later edit was shown, that
 * edit wins.
 */
export class PreLoadEdits {
  /** The last edit of each subject, in the order of editing. */
  readonly #edits = new Map<string, PreLoadEdit>();

  note(edit: PreLoadEdit): void {
    const subject = subjectOf(edit.op);
    this.#edits.delete(subject);
    this.#edits.set(subject, edit);
  }

  clear(): void {
    this.#edits.clear();
  }

  /**
   * Makes again the edits that lose to operations of a layer.
   * @param arrived operations that the tree had lacked and the layer has brought
   * @returns the new operations, each with the time of the edit that it repeats
   */
  reapply(tree: ReplicatedTree, arrived: Iterable<VertexOperation>, nowMs: number): PreLoadEdit[] {
    const young = new Map([...this.#edits].filter(([, { madeAtMs }]) => nowMs - madeAtMs <= MAX_PRE_LOAD_EDIT_AGE_MS));
    if (young.size === 0) return [];
    const beaten = beatenBy(arrived, young);
    if (beaten.size === 0) return [];
    const justArrived = OpIdSet.of(arrived);
    const seen = tree.getAllOps().filter(({ id }) => !justArrived.has(id));
    const beatenBefore = beatenBy(seen, beaten);
    const again: PreLoadEdit[] = [];
    for (const [subject, { op, madeAtMs }] of beaten) {
      if (beatenBefore.has(subject) || !tree.getVertex(op.targetId)) continue;
      if (isMoveVertexOp(op) && (op.parentId === null || !canMove(tree, op.targetId, op.parentId))) continue;
      const made = tree.reapply(op);
      if (made) again.push({ op: made, madeAtMs });
    }
    return again;
  }
}

/** Those of the edits, by subject, that lose to one of the operations. */
function beatenBy(ops: Iterable<VertexOperation>, edits: ReadonlyMap<string, PreLoadEdit>): Map<string, PreLoadEdit> {
  const edited = new Set([...edits.values()].map(({ op }) => op.targetId));
  const beaten = new Map<string, PreLoadEdit>();
  for (const op of ops) {
    // a hundred thousand operations may arrive, and few of them concern edited vertices
    if (!edited.has(op.targetId)) continue;
    const edit = edits.get(subjectOf(op));
    if (edit && compareOpIds(op.id, edit.op.id) > 0) beaten.set(subjectOf(op), edit);
  }
  return beaten;
}

/** The subject of an operation: one vertex's place, or one of its properties. */
export function subjectOf(op: VertexOperation): string {
  return isMoveVertexOp(op) ? op.targetId : `${op.targetId}\n${op.key}`;
}

/** Whether the move is possible: an arrived operation may have put the new parent below the vertex. */
function canMove(tree: ReplicatedTree, vertexId: string, parentId: string): boolean {
  return tree.getVertex(parentId) !== undefined && vertexId !== parentId && !tree.isAncestor(parentId, vertexId);
}
