import { errorCode } from "../errors.ts";
import { settingTransient, placing, setting, type Change } from "./change.ts";
import { ChangeFeed, Listeners } from "./events.ts";
import type { JsonValue } from "./json-value.ts";
import { NAME_KEY, OLD_NAME_KEY } from "./names.ts";
import { validId, type VertexOperation } from "./operation.ts";
import type { OperationSlice } from "./operation-batch.ts";
import type { ReplicatedTreeOptions } from "./tree-options.ts";
import type { SectionReader, SectionWriter } from "./sections.ts";
import { TreeState } from "./tree-state.ts";
import type { Vertex } from "./vertex.ts";

/** Called for every operation that is new to the tree, whether or not it changed the visible state. */
export type OpListener = (op: VertexOperation, isLocal: boolean) => void;

/** An operation of an edit that was made here, and what it replaced. */
export interface TreeEdit {
  readonly op: VertexOperation;
  /**
   * Of a move: the id of the parent before it; `null`: none, as it was a root; `undefined`: the vertex is new. Of a property: the
   * stored value before it; `undefined`: none.
   */
  readonly former: JsonValue | undefined;
}

interface Transaction {
  readonly edits: TreeEdit[];
  readonly ops: Parameters<OpListener>[];
}

/** Makes the operations of one peer, merges those of others, and notifies observers of both. Callers check edits before. */
export class Replica {
  readonly state: TreeState;
  readonly feed: ChangeFeed;
  readonly opListeners: Listeners<Parameters<OpListener>> = new Listeners();
  readonly editListeners: Listeners<[readonly TreeEdit[]]> = new Listeners();
  /** Called for every operation that is made here, before the listeners. */
  onMade: ((op: VertexOperation) => void) | undefined;
  readonly #rootId: string | undefined;
  readonly #beforeMaking: ((highestCounter: number) => void) | undefined;
  #peerId: string;
  #counterFloor: number;
  #nameKey: typeof NAME_KEY | typeof OLD_NAME_KEY | undefined;
  #localOps: VertexOperation[] | undefined;
  /** The transaction that runs: listeners have not been called yet for these. */
  #transaction: Transaction | undefined;

  /**
   * @param childrenOf gives the children for a children event, called only if a listener reads them
   * @throws FoldspaceError `FOLD_BAD_ID`
   */
  constructor(peerId: string, options: ReplicatedTreeOptions, childrenOf: (vertexId: string) => readonly Vertex[]) {
    this.#peerId = validId("peer", peerId);
    this.#counterFloor = options.counterFloor ?? 0;
    this.#beforeMaking = options.beforeMaking;
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
  changePeer(peerId: string, counterFloor: number): void {
    this.#peerId = validId("peer", peerId);
    this.#counterFloor = counterFloor;
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

  /** Runs edits, and calls the listeners for all their operations at its end. One that runs inside of another one is a part of it. */
  transact<Result>(work: () => Result): Result {
    if (this.#transaction) return work();
    const { edits, ops }: Transaction = (this.#transaction = { edits: [], ops: [] });
    try {
      return work();
    } finally {
      this.#transaction = undefined;
      if (edits.length > 0) this.editListeners.call(edits);
      for (const [op, isLocal] of ops) this.opListeners.call(op, isLocal);
    }
  }

  /** Makes one operation of each change of an edit, or, if one of them cannot be made, none. */
  make(edit: readonly Change[]): readonly VertexOperation[] {
    if (edit.length === 0) return [];
    const formers = this.editListeners.size > 0 ? edit.map((change) => this.state.formerOf(change)) : undefined;
    return this.transact(() => {
      const ops = this.#make(edit);
      if (formers) for (const [index, op] of ops.entries()) this.#transaction!.edits.push({ op, former: formers[index] });
      return ops;
    });
  }

  /** Makes an operation with the content of another one, which is no edit; makes nothing if no later operation can be made. */
  reapply(op: VertexOperation): VertexOperation | undefined {
    try {
      if ("parentId" in op) return this.#make([placing(op.targetId, op.parentId)])[0];
      return this.#make([(op.transient ? settingTransient : setting)(op.targetId, op.key, op.value)])[0];
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

  /** Whether the tree is empty, and nobody would have to be told that it no longer is. */
  get isBlank(): boolean {
    return this.state.isBlank && this.opListeners.size === 0 && !this.feed.hasListeners;
  }

  writeTo(writer: SectionWriter): void {
    this.state.writeTo(writer);
  }

  /** Takes over what another replica wrote. This one must be blank. */
  readFrom(reader: SectionReader): void {
    this.state.readFrom(reader);
    if (this.state.hasOldNames) this.#noteNameKey(OLD_NAME_KEY);
  }

  #afterMerge(added: readonly VertexOperation[]): void {
    this.state.applyPendingInOrder();
    this.#report(added, false);
    this.feed.schedule();
  }

  /** Operations made here since the last call. */
  popLocalOps(): VertexOperation[] {
    const ops = this.#localOps ?? [];
    this.#localOps = [];
    return ops;
  }

  #make(changes: readonly Change[]): readonly VertexOperation[] {
    const ops = this.#makeOps(changes);
    for (const op of ops) {
      if ("key" in op) this.#noteNameKey(op.key);
      this.#localOps?.push(op);
      this.onMade?.(op);
    }
    this.#report(ops, true);
    this.feed.schedule();
    return ops;
  }

  #report(ops: readonly VertexOperation[], isLocal: boolean): void {
    if (this.opListeners.size === 0) return;
    for (const op of ops) {
      if (this.#transaction) this.#transaction.ops.push([op, isLocal]);
      else this.opListeners.call(op, isLocal);
    }
  }

  #makeOps(edit: readonly Change[]): readonly VertexOperation[] {
    const peerId = this.#peerId;
    let made = this.state.make(peerId, this.#counterFloor, edit);
    if (this.#beforeMaking) this.#beforeMaking(made.ops.reduce((highest, { id }) => Math.max(highest, id.counter), 0));
    if (this.#peerId !== peerId) made = this.state.make(this.#peerId, this.#counterFloor, edit);
    this.state.addMade(made);
    return made.ops;
  }

  #noteNameKey(key: string): void {
    if (key === OLD_NAME_KEY) this.#nameKey ??= OLD_NAME_KEY;
  }
}
