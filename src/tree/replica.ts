import { errorCode } from "../errors.ts";
import { settingTransient, placing, setting, type Change } from "./change.ts";
import { ChangeFeed, Listeners } from "./events.ts";
import { NAME_KEY, OLD_NAME_KEY } from "./names.ts";
import { validId, type VertexOperation } from "./operation.ts";
import type { OperationSlice } from "./operation-batch.ts";
import type { ReplicatedTreeOptions } from "./tree-options.ts";
import { TreeState } from "./tree-state.ts";
import type { Vertex } from "./vertex.ts";

/** Called for every operation that is new to the tree, whether or not it changed the visible state. */
export type OpListener = (op: VertexOperation, isLocal: boolean) => void;

/** Makes the operations of one peer, merges those of others, and notifies observers of both. Callers check edits before. */
export class Replica {
  readonly state: TreeState;
  readonly feed: ChangeFeed;
  readonly opListeners: Listeners<Parameters<OpListener>> = new Listeners();
  /** Called for every operation that is made here, before the listeners. */
  onMade: ((op: VertexOperation) => void) | undefined;
  readonly #rootId: string | undefined;
  #peerId: string;
  #nameKey: typeof NAME_KEY | typeof OLD_NAME_KEY | undefined;
  #localOps: VertexOperation[] | undefined;

  /**
   * @param childrenOf gives the children for a children event, called only if a listener reads them
   * @throws FoldspaceError `FOLD_BAD_ID`
   */
  constructor(peerId: string, options: ReplicatedTreeOptions, childrenOf: (vertexId: string) => readonly Vertex[]) {
    this.#peerId = validId("peer", peerId);
    this.#rootId = options.rootId;
    this.#nameKey = options.nameKey;
    if (options.keepsLocalOps ?? true) this.#localOps = [];
    this.feed = new ChangeFeed(() => this.state.applyPending(), childrenOf);
    this.state = new TreeState(options.rootId, this.feed);
  }

  get peerId(): string {
    return this.#peerId;
  }

  /** @throws FoldspaceError `FOLD_BAD_ID` */
  changePeer(peerId: string): void {
    this.#peerId = validId("peer", peerId);
  }

  /** Property that names are written to. */
  get nameKey(): string {
    return this.#nameKey ?? NAME_KEY;
  }

  /** Options for another replica of the same tree. */
  get optionsOfTree(): ReplicatedTreeOptions {
    return {
      ...(this.#rootId === undefined ? {} : { rootId: this.#rootId }),
      ...(this.#nameKey === undefined ? {} : { nameKey: this.#nameKey }),
    };
  }

  /** Makes one operation of each change, or, if one of them cannot be made, none. */
  make(edit: readonly Change[]): VertexOperation[] {
    if (edit.length === 0) return [];
    const ops = this.state.make(this.#peerId, edit);
    for (const op of ops) if ("key" in op) this.#noteNameKey(op.key);
    for (const op of ops) {
      this.#localOps?.push(op);
      this.onMade?.(op);
      this.opListeners.call(op, true);
    }
    this.feed.schedule();
    return ops;
  }

  /** As {@link make}, with the content of an operation; makes nothing if no later operation can be made. */
  reapply(op: VertexOperation): VertexOperation | undefined {
    try {
      if ("parentId" in op) return this.make([placing(op.targetId, op.parentId)])[0];
      return this.make([(op.transient ? settingTransient : setting)(op.targetId, op.key, op.value)])[0];
    } catch (error) {
      if (errorCode(error) !== "FOLD_COUNTER_EXHAUSTED") throw error;
      return undefined;
    }
  }

  /**
   * Merges valid operations, and keeps them: the caller must not change them any more.
   * @returns the operations that were new
   */
  merge(ops: readonly VertexOperation[]): VertexOperation[] {
    const added: VertexOperation[] = [];
    for (const op of ops) {
      if (!this.state.apply(op)) continue;
      if ("key" in op) this.#noteNameKey(op.key);
      added.push(op);
    }
    this.#afterMerge(added);
    return added;
  }

  /**
   * As {@link merge}, of operations that are rows.
   * @param vertices numbers of the vertices in this tree, by their numbers in the log: the same array for all slices of a batch
   * @param onRow called with the index in the batch of each operation that was new
   */
  mergeSlice({ batch, start, end }: OperationSlice, vertices: Int32Array, onRow: (index: number) => void): void {
    const added: VertexOperation[] = [];
    for (let index = start; index < end; index++) {
      const columns = batch.columnsAt(index);
      const row = batch.rowAt(index);
      if (!this.state.applyRow(columns, row, vertices)) continue;
      if (!columns.isMove(row)) this.#noteNameKey(columns.keyAt(row));
      if (this.opListeners.size > 0) added.push(columns.opAt(row));
      onRow(index);
    }
    this.#afterMerge(added);
  }

  #afterMerge(added: readonly VertexOperation[]): void {
    this.state.applyPendingInOrder();
    if (this.opListeners.size > 0) for (const op of added) this.opListeners.call(op, false);
    this.feed.schedule();
  }

  /** Operations made here since the last call. */
  popLocalOps(): VertexOperation[] {
    const ops = this.#localOps ?? [];
    this.#localOps = [];
    return ops;
  }

  #noteNameKey(key: string): void {
    if (key === OLD_NAME_KEY) this.#nameKey ??= OLD_NAME_KEY;
  }
}
