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
import { OperationBatch, type OperationList, type OperationSlice } from "../tree/operation-batch.ts";
import type { SectionReader, SectionWriter } from "../tree/sections.ts";
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
  readonly arrived: Iterable<VertexOperation>;
  /** Operations that differ from the tree's operations with the same ids. */
  readonly differing: readonly DifferingContents[];
}

interface MergedOperations {
  /** Those that the tree did not have. */
  readonly arrived: Iterable<VertexOperation>;
  readonly repeated: readonly VertexOperation[];
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

  override mergeSlice(slice: OperationSlice, vertices: Int32Array, onNew: (index: number) => void): void {
    super.mergeSlice(slice, vertices, onNew);
  }

  override get isBlank(): boolean {
    return super.isBlank;
  }

  override writeTo(writer: SectionWriter): void {
    super.writeTo(writer);
  }

  override readFrom(reader: SectionReader): void {
    super.readFrom(reader);
  }

  override set onMade(listener: (op: VertexOperation) => void) {
    super.onMade = listener;
  }
}

/** A tree in memory: gathers its edits for the layers, and merges the operations that layers report. */
export class LoadedTree {
  readonly treeId: string;
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
    this.treeId = treeId;
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
    this.#tree.onMade = (op) => {
      if (isDraft(op)) return;
      this.#localOps.note(op);
      this.#send(op);
    };
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

  /** Whether the tree, with the operations of these ids, can be taken from a snapshot as if a layer had given it. */
  canBe(ids: OpIdSet): boolean {
    return this.#tree.isBlank && !this.#isReleased && this.#localOps.hasMadeAll(ids);
  }

  /** Writes the tree, without drafts. */
  writeTo(writer: SectionWriter): void {
    this.#tree.writeTo(writer);
  }

  /** Takes over what {@link writeTo} wrote, if {@link canBe}. */
  readFrom(reader: SectionReader): void {
    this.#tree.readFrom(reader);
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
  async mergeLoaded(ops: OperationList, onSlice: (slice: OperationList) => void): Promise<MergedLayer> {
    const slicer = new TimeSlicer();
    const isLong = ops.length > SLICE_OPS;
    // ordering them is a long task of its own
    if (isLong) await slicer.yieldToEventLoop(true);
    // in order, so that few moves are late: late ones cost a whole undo and redo, which cannot be divided
    const merging = ops instanceof OperationBatch ? this.#mergeBatch(ops) : this.#mergeList([...ops]);
    let step = merging.next();
    for (; !step.done; step = merging.next()) {
      onSlice(step.value);
      if (slicer.isDue) await slicer.yieldToEventLoop();
    }
    const { arrived, repeated } = step.value;
    // the next step reads the tree, which first applies the late moves
    if (isLong) await slicer.yieldToEventLoop(true);
    const search = this.tree.searchDifferingContents(repeated);
    let found = search.next();
    for (; !found.done; found = search.next()) if (slicer.isDue) await slicer.yieldToEventLoop();
    return { arrived, differing: found.value };
  }

  *#mergeList(ops: readonly VertexOperation[]): Generator<OperationList, MergedOperations> {
    const arrived: VertexOperation[] = [];
    for (const slice of slicesInOrder(ops, SLICE_OPS)) {
      for (const op of this.#tree.mergeOwned(slice)) arrived.push(op);
      yield slice;
    }
    return { arrived, repeated: repeatedAmong(ops, arrived) };
  }

  /** As {@link #mergeList}, without an object per operation. */
  *#mergeBatch(batch: OperationBatch): Generator<OperationList, MergedOperations> {
    const vertices = new Int32Array(batch.idCount + 1);
    /** For each index in the batch, 1 if the operation was new. */
    const isNew = new Uint8Array(batch.length);
    for (const slice of batch.slices(SLICE_OPS)) {
      this.#tree.mergeSlice(slice, vertices, (index) => (isNew[index] = 1));
      yield slice;
    }
    const repeated: VertexOperation[] = [];
    for (let index = isNew.indexOf(0); index !== -1; index = isNew.indexOf(0, index + 1)) repeated.push(batch.opAt(index));
    return { arrived: newAmong(batch, isNew), repeated };
  }

  /**
   * Must be called when all operations of a layer have been merged and passed on.
   * @param isFirst whether the layer had not been read before
   */
  finishLoading(ops: OperationList, { arrived, differing }: MergedLayer, isFirst: boolean): void {
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

  #reapplyPreLoadEdits(arrived: Iterable<VertexOperation>): void {
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
  #detectClone(ops: OperationList, differing: readonly DifferingContents[], newPeerId: string | undefined): void {
    const foreignOps = this.#localOps.findForeignOps(ops, newPeerId, differing);
    if (foreignOps.length === 0) return;
    if (foreignOps.some(({ op }) => op.id.peerId === this.tree.peerId)) this.#host.onCloned();
    if (this.#host.isReadOnly) return;
    for (const op of toReapply(foreignOps, this.tree.getAllOps())) this.tree.reapply(op);
    for (const op of placesToReapply(this.tree, foreignOps)) this.tree.reapply(op);
  }
}

/** Makes the operations one by one, each time that they are read. */
function newAmong(batch: OperationBatch, isNew: Uint8Array): Iterable<VertexOperation> {
  return {
    *[Symbol.iterator](): Generator<VertexOperation> {
      for (let index = isNew.indexOf(1); index !== -1; index = isNew.indexOf(1, index + 1)) yield batch.opAt(index);
    },
  };
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
