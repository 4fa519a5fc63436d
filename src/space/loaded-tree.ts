import { TimeSlicer } from "../time-slicer.ts";
import { FoldspaceError } from "../errors.ts";
import {
  isMoveVertexOp,
  ReplicatedTree,
  type DifferingContents,
  type ReplicatedTreeOptions,
  type TreeChangeKind,
  type OpIdSet,
  type VertexOperation,
} from "../tree/index.ts";
import { placesToReapply, toReapply, type LocalOpLog } from "./local-op-log.ts";
import { slicesInOrder } from "./slices-in-order.ts";
import { PreLoadEdits } from "./pre-load-edits.ts";

/** One or two milliseconds of merging; a few times that if the code is cold. */
const SLICE_OPS = 500;

/** The space as a loaded tree uses it. */
export interface LoadedTreeHost {
  readonly now: () => number;
  /** Whether some layer has not answered yet, and may contain operations older than those made now. */
  readonly isAwaiting: () => boolean;
  readonly isReadOnly: boolean;
  /** Refuses changes that would not be saved, because the space is closed or read-only. @throws FoldspaceError */
  readonly assertChangeable: (kind: TreeChangeKind) => void;
  /** Takes operations that no layer has reported. */
  readonly onMade: (ops: readonly VertexOperation[]) => void;
  /** Called before operations are made, with the highest of their counters: may give every tree another peer id. */
  readonly beforeMaking: (highestCounter: number) => void;
  /** Operations of layers have been merged. */
  readonly onMerged: (tree: ReplicatedTree) => void;
  /** Another instance makes operations under our peer id. Every tree is given another id before this returns. */
  readonly onCloned: () => void;
}

/** The peer as which operations are made. */
export interface Maker {
  readonly peerId: string;
  /** The highest counter that the peer may have used before, in any tree. */
  readonly counterFloor: number;
}

/** The result of merging all operations of a layer. */
export interface MergedLayer {
  /** Operations that the tree did not have. */
  readonly arrived: readonly VertexOperation[];
  /** Operations that differ from the tree's operations with the same ids. */
  readonly differing: readonly DifferingContents[];
}

/** A tree that merges operations read from layers without copying them, and passes on those that a caller merges. */
class LayeredTree extends ReplicatedTree {
  onMergedByCaller: ((ops: readonly VertexOperation[]) => void) | undefined;

  override merge(ops: readonly VertexOperation[]): VertexOperation[] {
    const added = super.merge(ops);
    this.onMergedByCaller?.(added);
    return added;
  }

  override mergeOwned(ops: readonly VertexOperation[]): VertexOperation[] {
    return super.mergeOwned(ops);
  }
}

/** A tree in memory: gathers its edits for the layers, and merges the operations that layers report. */
export class LoadedTree {
  readonly #tree: LayeredTree;
  readonly #host: LoadedTreeHost;
  readonly #localOps: LocalOpLog;
  /** Edits of the current task, handed over together. */
  #unsent: VertexOperation[] = [];
  readonly #preLoadEdits = new PreLoadEdits();
  #isReleased = false;

  /** @param localOps what this instance has made in the tree, also when it was loaded before */
  constructor(
    { peerId, counterFloor }: Maker,
    treeId: string,
    host: LoadedTreeHost,
    localOps: LocalOpLog,
    options: ReplicatedTreeOptions = {},
  ) {
    this.#host = host;
    this.#localOps = localOps;
    this.#tree = new LayeredTree(peerId, [], {
      ...options,
      rootId: treeId,
      keepsLocalOps: false,
      counterFloor,
      beforeMaking: host.beforeMaking,
      beforeChange: (kind) => {
        host.assertChangeable(kind);
        if (this.#isReleased) throw new FoldspaceError("FOLD_CLOSED", `Tree ${treeId} was unloaded: load it anew to change it`);
      },
    });
    // the layer that is read first may lack them: without them, the next edits would reuse their ids
    this.#tree.mergeOwned(localOps.takeKept());
    this.#tree.observeOpApplied((op, isLocal) => {
      if (!isLocal || isDraft(op)) return;
      this.#localOps.note(op);
      this.#send(op);
    });
    this.#tree.onMergedByCaller = (ops) => {
      for (const op of ops) if (!isDraft(op)) this.#send(op);
    };
  }

  get tree(): ReplicatedTree {
    return this.#tree;
  }

  /** Whether the tree has a root, so that it can be shown and edited. */
  get isUsable(): boolean {
    return this.tree.root !== undefined;
  }

  /** The tree is no longer kept up to date, and takes no edits any more. */
  release(): void {
    this.flushLocalOps();
    if (!this.#isReleased) this.#localOps.keep(this.#tree);
    this.#isReleased = true;
  }

  /** Hands over the edits of the current task. */
  flushLocalOps(): void {
    const ops = this.#unsent;
    if (ops.length === 0) return;
    this.#unsent = [];
    if (this.#host.isAwaiting()) for (const op of ops) this.#preLoadEdits.note({ op, madeAtMs: this.#host.now() });
    this.#host.onMade(ops);
  }

  /**
   * Merges all operations of a layer, slice by slice, so that other tasks can run in between.
   * @param onSlice called with each slice after it has been merged
   */
  async mergeLoaded(ops: readonly VertexOperation[], onSlice: (slice: readonly VertexOperation[]) => void): Promise<MergedLayer> {
    const arrived: VertexOperation[] = [];
    const slicer = new TimeSlicer();
    const isLong = ops.length > SLICE_OPS;
    // ordering them is a long task of its own
    if (isLong) await slicer.yieldToEventLoop(true);
    // in order, so that few moves are late: late ones cost a whole undo and redo, which cannot be divided
    for (const slice of slicesInOrder(ops, SLICE_OPS)) {
      for (const op of this.#tree.mergeOwned(slice)) arrived.push(op);
      onSlice(slice);
      if (slicer.isDue) await slicer.yieldToEventLoop();
    }
    // the next step reads the tree, which first applies the late moves
    if (isLong) await slicer.yieldToEventLoop(true);
    const search = this.tree.searchDifferingContents(repeatedAmong(ops, arrived));
    let step = search.next();
    for (; !step.done; step = search.next()) if (slicer.isDue) await slicer.yieldToEventLoop();
    return { arrived, differing: step.value };
  }

  /**
   * Must be called when all operations of a layer have been merged and passed on.
   * @param isFirst whether the layer had not been read before
   */
  finishLoading(ops: readonly VertexOperation[], { arrived, differing }: MergedLayer, isFirst: boolean): void {
    this.#host.onMerged(this.tree);
    if (isFirst) this.#reapplyPreLoadEdits(arrived);
    if (!this.#host.isAwaiting()) this.#preLoadEdits.clear();
    this.#detectClone(ops, differing, undefined);
  }

  /** Merges operations that a layer reports later. @returns the operations that the tree did not have */
  mergeTold(ops: readonly VertexOperation[]): VertexOperation[] {
    return this.#tree.mergeOwned(ops);
  }

  /** Must be called when reported operations have been merged and passed on. @param arrived those that the tree did not have */
  finishTold(ops: readonly VertexOperation[], arrived: readonly VertexOperation[]): void {
    if (arrived.length > 0) this.#host.onMerged(this.tree);
    this.#detectClone(ops, this.tree.findDifferingContents(repeatedAmong(ops, arrived)), this.tree.peerId);
  }

  /** Operations that are not in the vector, sorted by id. */
  opsSince(vector: OpIdSet): VertexOperation[] {
    this.flushLocalOps();
    return vector.size === this.tree.opCount ? [] : this.tree.opsSince(vector);
  }

  /** Continues as another peer. Earlier operations stay unchanged. */
  changePeer({ peerId, counterFloor }: Maker): void {
    this.flushLocalOps();
    this.tree.changePeer(peerId, counterFloor);
  }

  #send(op: VertexOperation): void {
    if (this.#unsent.length === 0) queueMicrotask(() => this.flushLocalOps());
    this.#unsent.push(op);
  }

  #reapplyPreLoadEdits(arrived: readonly VertexOperation[]): void {
    const again = this.#preLoadEdits.reapply(this.tree, arrived, this.#host.now());
    this.flushLocalOps();
    // a repeated edit is as old as the original
    if (this.#host.isAwaiting()) for (const edit of again) this.#preLoadEdits.note(edit);
  }

  /**
   * Repeats both operations if one id was given to two different operations: a device that has received only one of them knows
   * nothing of the other. Every device that receives both does so, because the authors may be gone.
   * @param newPeerId as for {@link LocalOpLog.findForeignOps}, as is `differing`
   */
  #detectClone(ops: readonly VertexOperation[], differing: readonly DifferingContents[], newPeerId: string | undefined): void {
    const foreignOps = this.#localOps.findForeignOps(ops, newPeerId, differing);
    if (foreignOps.length === 0) return;
    if (foreignOps.some(({ op }) => op.id.peerId === this.tree.peerId)) this.#host.onCloned();
    if (this.#host.isReadOnly) return;
    for (const op of toReapply(foreignOps, this.tree.getAllOps())) this.tree.reapply(op);
    for (const op of placesToReapply(this.tree, foreignOps)) this.tree.reapply(op);
  }
}

function isDraft(op: VertexOperation): boolean {
  return !isMoveVertexOp(op) && op.transient;
}

function repeatedAmong(ops: readonly VertexOperation[], arrived: readonly VertexOperation[]): readonly VertexOperation[] {
  if (ops.length === arrived.length) return [];
  if (arrived.length === 0) return ops;
  const fresh = new Set(arrived);
  return ops.filter((op) => !fresh.has(op));
}
