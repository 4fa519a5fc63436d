import { encodeLine } from "../log/line.ts";
import {
  compareOpIds,
  isMoveVertexOp,
  opIdToString,
  type MoveVertex,
  type OpId,
  type ReplicatedTree,
  type VertexOperation,
} from "../tree/index.ts";
import { subjectOf } from "./stale-edits.ts";

/** An operation under an id of ours that was not made here. */
export interface StrangeOperation {
  readonly op: VertexOperation;
  /** What was made here under the same id, where something was. */
  readonly ours: VertexOperation | undefined;
}

/**
 * The operations that this instance has made in one tree: what tells that somebody else makes operations under its
 * peer id, as a copy of its profile does, or a machine that was restored from an image while it ran.
 */
export class MadeHere {
  /** By peer id, as it may change, and counter. */
  readonly #ops = new Map<string, Map<number, VertexOperation>>();

  note(op: VertexOperation): void {
    const { peerId, counter } = op.id;
    const ops = this.#ops.get(peerId);
    if (ops) ops.set(counter, op);
    else this.#ops.set(peerId, new Map([[counter, op]]));
  }

  /**
   * Finds what others made under our ids.
   * @param ops just arrived
   * @param newPeerId whose every operation would be one of ours, though none has been made; `undefined` where an earlier run
   *   may have used the id
   */
  strangersAmong(ops: readonly VertexOperation[], newPeerId: string | undefined): StrangeOperation[] {
    const strangers: StrangeOperation[] = [];
    for (const op of ops) {
      const made = this.#ops.get(op.id.peerId);
      if (!made && op.id.peerId !== newPeerId) continue;
      const ours = made?.get(op.id.counter);
      if (!ours || (ours !== op && encodeLine(ours) !== encodeLine(op))) strangers.push({ op, ours });
    }
    return strangers;
  }
}

/**
 * What has to be made again where one id stands for two operations, of which every device knows the one that reached it
 * first: both, theirs before ours, unless a later operation has settled the matter.
 * @param known every operation of the tree
 */
export function toReissue(strangers: readonly StrangeOperation[], known: readonly VertexOperation[]): VertexOperation[] {
  const contested = strangers.flatMap(({ op, ours }) => (ours ? [op, ours] : [])).sort((a, b) => a.id.counter - b.id.counter);
  const latest = new Map<string, OpId>();
  const subjects = new Set(contested.map(subjectOf));
  for (const op of known) {
    const subject = subjectOf(op);
    if (!subjects.has(subject)) continue;
    const other = latest.get(subject);
    if (!other || compareOpIds(op.id, other) > 0) latest.set(subject, op.id);
  }
  const again = new Map<string, VertexOperation>();
  for (const op of contested) {
    const last = latest.get(subjectOf(op));
    if (!last || compareOpIds(last, op.id) <= 0) again.set(`${opIdToString(op.id)} ${encodeLine(op)}`, op);
  }
  return [...again.values()];
}

/**
 * The places of all vertices that were moved since ids are contested, parents first. Whether a move made a cycle depends
 * on the moves before it, so devices that know different ones of those may show vertices in different places.
 */
export function placesToReissue(tree: ReplicatedTree, strangers: readonly StrangeOperation[]): MoveVertex[] {
  const contested = strangers.filter(({ op, ours }) => ours && (isMoveVertexOp(op) || isMoveVertexOp(ours)));
  if (contested.length === 0) return [];
  const first = contested.reduce((lowest, { op }) => Math.min(lowest, op.id.counter), Infinity);
  const places = new Map<string, { readonly move: MoveVertex; readonly depth: number }>();
  for (const op of tree.getAllOps()) {
    if (!isMoveVertexOp(op) || op.id.counter < first) continue;
    const parentId = tree.getParentId(op.targetId);
    if (parentId === null) continue;
    places.set(op.targetId, { move: { ...op, parentId }, depth: tree.getAncestors(op.targetId).length });
  }
  return [...places.values()].sort((a, b) => a.depth - b.depth).map(({ move }) => move);
}
