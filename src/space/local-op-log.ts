import { encodeLine } from "../log/line.ts";
import {
  compareOpIds,
  isMoveVertexOp,
  opIdToString,
  OpIdSet,
  type DifferingContents,
  type MoveVertex,
  type OpId,
  type ReplicatedTree,
  type Conflicts,
  type VertexOperation,
} from "../tree/index.ts";
import { opsOfPeers } from "../tree/operation-batch.ts";
import { subjectOf } from "./pre-load-edits.ts";

/**
 * How many vertices are placed again for each contested id. Only a history made for it has more: dozens of moves, each of which
 * would be a cycle with one of the conflicts but not with the other. The remaining vertices stay where each device has them until
 * they are moved. The limit keeps foreign operations from making this device write without end.
 */
const MAX_PLACES_PER_ID = 8;

/** The number of later arrivals of moves with which contested moves are checked again. */
const FURTHER_CHECKS = 16;

/** An operation with an id of ours that was not made here, or with an id that is known here for another operation. */
export interface ForeignOperation {
  readonly op: VertexOperation;
  /** The operation that was made here, or is known here, with the same id; `undefined` if there is no such operation. */
  readonly ours: VertexOperation | undefined;
}

/** A peer of which this instance continues the work of earlier ones. */
export interface KeptPeer {
  readonly peerId: string;
  /** The highest counter that they may have used: higher ones were used by others. */
  readonly counterFloor: number;
}

/**
 * The ids of the operations that this instance has made in one tree. With them, it detects another instance that makes operations
 * under its peer id, such as a copy of its profile, or a machine that was restored from an image while it ran. The tree has the
 * operations; while it is not in memory, they are here.
 */
export class LocalOpLog {
  /** Contested moves, and the number of arrivals with which each is still checked again. */
  readonly #contested = new Map<string, { readonly foreignOp: ForeignOperation; checksLeft: number }>();
  /** Of all peer ids that this instance has had. */
  readonly #ids = new OpIdSet();
  #unloaded: readonly VertexOperation[] = [];
  readonly #kept: () => KeptPeer | undefined;

  constructor(kept: () => KeptPeer | undefined = () => undefined) {
    this.#kept = kept;
  }

  note(op: VertexOperation): void {
    this.#ids.add(op.id);
  }

  /** Whether {@link findForeignOps} finds none among operations with these ids, whatever they contain. */
  hasMadeAll(ids: OpIdSet): boolean {
    const kept = this.#kept();
    return this.#ids.size === 0 && (kept === undefined || ids.highest(kept.peerId) <= kept.counterFloor);
  }

  /** Keeps the operations that were made here until the tree is loaded again. */
  keep(tree: ReplicatedTree): void {
    this.#unloaded = this.#ids.size === 0 ? [] : tree.getAllOps().filter(({ id }) => this.#ids.has(id));
  }

  /** @returns the operations that were kept: they are the tree's from then on */
  takeKept(): readonly VertexOperation[] {
    const ops = this.#unloaded;
    this.#unloaded = [];
    return ops;
  }

  /**
   * Finds operations that others made under our ids, and adds operations that differ from those known with the same ids, whichever
   * peer has made them: it may be an earlier run of this instance. Contested moves are returned again with the next arrivals of
   * moves: the devices that contest them resolve them without knowing of each other, or of moves made meanwhile.
   * @param ops operations that have just arrived
   * @param newPeerId this instance's peer id: an operation with it is foreign even if none has been made here yet. `undefined` if
   *   an earlier run may have used the id
   * @param differing those of the operations that differ from the tree's operations with the same ids. The tree knows all
   *   operations made here
   */
  findForeignOps(
    ops: Iterable<VertexOperation>,
    newPeerId: string | undefined,
    differing: readonly DifferingContents[],
  ): ForeignOperation[] {
    const foreignOps: ForeignOperation[] = differing.map(({ reported, known }) => ({ op: reported, ours: known }));
    const kept = this.#kept();
    for (const op of opsOfPeers(ops, (peerId) => this.#isOwnPeer(peerId, newPeerId))) {
      const isEarlier = kept !== undefined && op.id.peerId === kept.peerId && op.id.counter <= kept.counterFloor;
      if (!isEarlier && !this.#ids.has(op.id)) foreignOps.push({ op, ours: undefined });
    }
    const earlier = foreignOps.length > 0 || this.#hasForeignMove(ops) ? this.#contestedBefore() : [];
    for (const foreignOp of foreignOps) {
      if (!foreignOp.ours || ![foreignOp.op, foreignOp.ours].some(isMoveVertexOp)) continue;
      this.#contested.set(`${opIdToString(foreignOp.op.id)} ${encodeLine(foreignOp.op)}`, {
        foreignOp,
        checksLeft: FURTHER_CHECKS,
      });
    }
    return [...foreignOps, ...earlier];
  }

  #isOwnPeer(peerId: string, newPeerId: string | undefined): boolean {
    return peerId === this.#kept()?.peerId || peerId === newPeerId || this.#ids.highest(peerId) > 0;
  }

  /** `false` also if no moves are contested. */
  #hasForeignMove(ops: Iterable<VertexOperation>): boolean {
    if (this.#contested.size > 0) for (const op of ops) if (isMoveVertexOp(op) && !this.#ids.has(op.id)) return true;
    return false;
  }

  #contestedBefore(): ForeignOperation[] {
    const contested = [...this.#contested.values()].map(({ foreignOp }) => foreignOp);
    for (const [key, each] of this.#contested) if (--each.checksLeft === 0) this.#contested.delete(key);
    return contested;
  }
}

/**
 * The operations to repeat if one id refers to two operations, of which every device knows the one that reached it first: both,
 * unless a later operation has decided the matter. Every device finds the same operations in the same order, so that it does not
 * matter how many devices repeat them.
 * @param known every operation of the tree
 */
export function toReapply(foreignOps: readonly ForeignOperation[], known: readonly VertexOperation[]): VertexOperation[] {
  const contested = conflictsAmong(foreignOps).flat();
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
 * The places of the vertices that devices may show in different places, because they know different moves under contested
 * ids; in an order in which each takes effect on every device.
 */
export function placesToReapply(tree: ReplicatedTree, foreignOps: readonly ForeignOperation[]): MoveVertex[] {
  const conflicts = conflictsAmong(foreignOps).filter((ops) => ops.some(isMoveVertexOp));
  return tree
    .findAmbiguousPlaces(conflicts)
    .slice(0, MAX_PLACES_PER_ID * conflicts.length)
    .map(({ vertexId, parentId }) => ({ id: { counter: 1, peerId: tree.peerId }, targetId: vertexId, parentId }));
}

/** The operations of each contested id; ids by counter, then by peer, and their operations by their lines. */
function conflictsAmong(foreignOps: readonly ForeignOperation[]): Conflicts[] {
  const byId = new Map<string, Map<string, VertexOperation>>();
  for (const { op, ours } of foreignOps) {
    if (!ours) continue;
    const id = opIdToString(op.id);
    const known = byId.get(id) ?? new Map<string, VertexOperation>();
    byId.set(id, known.set(encodeLine(op), op).set(encodeLine(ours), ours));
  }
  const conflicts = Array.from(
    byId.values(),
    (known) => [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, op]) => op) as [VertexOperation, ...VertexOperation[]],
  );
  return conflicts.sort(([a], [b]) => compareOpIds(a.id, b.id));
}
