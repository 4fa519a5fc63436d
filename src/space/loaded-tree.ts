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

/** A millisecond of merging or two, and a few times that where the code is cold. */
const SLICE_OPS = 500;

/** What a loaded tree needs of the space that it belongs to. */
export interface LoadedTreeHost {
  readonly now: () => number;
  /** Whether some layer has not answered yet, and may hold older operations than those made now. */
  readonly isAwaiting: () => boolean;
  readonly isReadOnly: boolean;
  /** Refuses changes that would not be saved: in a space that is closed, or that is only read. @throws FoldspaceError */
  readonly assertChangeable: (kind: TreeChangeKind) => void;
  /** Takes what no layer has told of. */
  readonly onMade: (ops: readonly VertexOperation[]) => void;
  /** Another instance makes operations under our peer id. Every tree is given another id before this returns. */
  readonly onCloned: () => void;
}

/** What came of merging all that a layer holds. */
export interface MergedLayer {
  /** What the tree did not have. */
  readonly arrived: readonly VertexOperation[];
  /** What says something else than the operations that the tree has under the same ids. */
  readonly differing: readonly DifferingContents[];
}

/** A tree that takes in what layers have read as it is. */
class LayeredTree extends ReplicatedTree {
  override mergeOwned(ops: readonly VertexOperation[]): VertexOperation[] {
    return super.mergeOwned(ops);
  }
}

/** A tree in memory: gathers its edits for the layers, and merges what the layers tell. */
export class LoadedTree {
  readonly #tree: LayeredTree;
  readonly #host: LoadedTreeHost;
  readonly #localOps: LocalOpLog;
  /** Edits of this turn, handed over together. */
  #unsent: VertexOperation[] = [];
  readonly #preLoadEdits = new PreLoadEdits();
  /** What is being merged that a layer has told of. An observer may merge what a live peer has sent meanwhile. */
  #arriving: ReadonlySet<VertexOperation> = new Set();
  #isReleased = false;

  /** @param localOps what this instance has made in the tree, also when it was loaded before */
  constructor(peerId: string, treeId: string, host: LoadedTreeHost, localOps: LocalOpLog, options: ReplicatedTreeOptions = {}) {
    this.#host = host;
    this.#localOps = localOps;
    this.#tree = new LayeredTree(peerId, [], {
      ...options,
      rootId: treeId,
      keepsLocalOps: false,
      beforeChange: (kind) => {
        host.assertChangeable(kind);
        if (this.#isReleased) throw new FoldspaceError("FOLD_CLOSED", `Tree ${treeId} was unloaded: load it anew to change it`);
      },
    });
    // what a layer that is read first may lack: without it, the next edits would be made under the same ids
    this.#tree.mergeOwned(localOps.operations);
    this.#tree.observeOpApplied((op, isLocal) => {
      if (this.#arriving.has(op) || (!isMoveVertexOp(op) && op.transient)) return;
      if (isLocal) this.#localOps.note(op);
      this.#send(op);
    });
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
    this.#isReleased = true;
  }

  /** Hands over the edits of this turn. */
  flushLocalOps(): void {
    const ops = this.#unsent;
    if (ops.length === 0) return;
    this.#unsent = [];
    if (this.#host.isAwaiting()) for (const op of ops) this.#preLoadEdits.note({ op, madeAtMs: this.#host.now() });
    this.#host.onMade(ops);
  }

  /**
   * Merges all that a layer holds, slice by slice, so that others get their turn.
   * @param onSlice called with each slice when it has been merged
   */
  async mergeLoaded(ops: readonly VertexOperation[], onSlice: (slice: readonly VertexOperation[]) => void): Promise<MergedLayer> {
    const arrived: VertexOperation[] = [];
    const slicer = new TimeSlicer();
    const isLong = ops.length > SLICE_OPS;
    // bringing them in order is a piece of work by itself
    if (isLong) await slicer.yieldToEventLoop(true);
    // in order, so that few moves come late: late ones cost a whole undo and redo, which cannot be divided
    for (const slice of slicesInOrder(ops, SLICE_OPS)) {
      for (const op of this.#merge(slice)) arrived.push(op);
      onSlice(slice);
      if (slicer.isDue) await slicer.yieldToEventLoop();
    }
    // what comes next looks at the tree, which then does the work on late moves
    if (isLong) await slicer.yieldToEventLoop(true);
    const search = this.tree.searchDifferingContents(repeatedAmong(ops, arrived));
    let step = search.next();
    for (; !step.done; step = search.next()) if (slicer.isDue) await slicer.yieldToEventLoop();
    return { arrived, differing: step.value };
  }

  /** To be called when all that a layer holds has been merged, and handed on. @param isFirst whether it had not been read before */
  finishLoading(ops: readonly VertexOperation[], { arrived, differing }: MergedLayer, isFirst: boolean): void {
    if (isFirst) this.#reapplyPreLoadEdits(arrived);
    if (!this.#host.isAwaiting()) this.#preLoadEdits.clear();
    this.#lookForClone(ops, differing, undefined);
  }

  /** Merges what a layer tells later on. @returns what the tree did not have */
  mergeTold(ops: readonly VertexOperation[]): VertexOperation[] {
    return this.#merge(ops);
  }

  /** To be called when what a layer told has been merged, and handed on. @param arrived what the tree did not have */
  finishTold(ops: readonly VertexOperation[], arrived: readonly VertexOperation[]): void {
    this.#lookForClone(ops, this.tree.findDifferingContents(repeatedAmong(ops, arrived)), this.tree.peerId);
  }

  /** Operations that are not in the vector, sorted by id. */
  opsSince(vector: OpIdSet): VertexOperation[] {
    this.flushLocalOps();
    return vector.size === this.tree.opCount ? [] : this.tree.opsSince(vector);
  }

  /** Goes on as another peer. What was made so far stays as it is. */
  changePeer(peerId: string): void {
    this.flushLocalOps();
    this.tree.changePeer(peerId);
  }

  #merge(ops: readonly VertexOperation[]): VertexOperation[] {
    const outer = this.#arriving;
    this.#arriving = new Set(ops);
    try {
      return this.#tree.mergeOwned(ops);
    } finally {
      this.#arriving = outer;
    }
  }

  #send(op: VertexOperation): void {
    if (this.#unsent.length === 0) queueMicrotask(() => this.flushLocalOps());
    this.#unsent.push(op);
  }

  #reapplyPreLoadEdits(arrived: readonly VertexOperation[]): void {
    const again = this.#preLoadEdits.reapply(this.tree, arrived, this.#host.now());
    this.flushLocalOps();
    // what was made again is as old as what it repeats
    if (this.#host.isAwaiting()) for (const edit of again) this.#preLoadEdits.note(edit);
  }

  /**
   * Makes again what ids stand for that were given to two operations: one of them is all that each device knows that has only
   * heard of that one. Whoever hears of both does so, as those that have made them may be gone.
   * @param newPeerId as for {@link LocalOpLog.findForeignOps}, as is `differing`
   */
  #lookForClone(ops: readonly VertexOperation[], differing: readonly DifferingContents[], newPeerId: string | undefined): void {
    const foreignOps = this.#localOps.findForeignOps(ops, newPeerId, differing);
    if (foreignOps.length === 0) return;
    if (foreignOps.some(({ op }) => op.id.peerId === this.tree.peerId)) this.#host.onCloned();
    if (this.#host.isReadOnly) return;
    for (const op of toReapply(foreignOps, this.tree.getAllOps())) this.tree.reapply(op);
    for (const op of placesToReapply(this.tree, foreignOps)) this.tree.reapply(op);
  }
}

function repeatedAmong(ops: readonly VertexOperation[], arrived: readonly VertexOperation[]): readonly VertexOperation[] {
  if (ops.length === arrived.length) return [];
  if (arrived.length === 0) return ops;
  const fresh = new Set(arrived);
  return ops.filter((op) => !fresh.has(op));
}
