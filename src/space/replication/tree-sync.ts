import { TimeSlicer } from "../../time-slicer.ts";
import type { Clock } from "../../clock.ts";
import { FoldspaceError, toFoldspaceError } from "../../errors.ts";
import { opIdToString, type ReplicatedTree, type OpIdSet, type VertexOperation } from "../../tree/index.ts";
import { OperationBatch, type OperationList } from "../../tree/operation-batch.ts";
import type { LayerConnection } from "../layer-connection.ts";
import type { LoadedTree } from "../loaded-tree.ts";
import type { LayerEffect, LayerState, Urgency } from "./layer-state.ts";
import { cut } from "../slices-in-order.ts";
import { whileOnlyRelay } from "./relay-lock.ts";
import { SnapshotKeeper, type KeptTree } from "./snapshot-keeper.ts";
import type { TreeSnapshot, TreeSnapshots } from "../tree-snapshots.ts";
import { TreeReplication, type ReplicationEffect, type ReplicationEvent } from "./tree-replication.ts";

/** Largest number of operations of an unloaded tree that wait to be relayed; beyond that, they are read again when they are due. */
const MAX_RELAY_OPS = 2_000;
/** Operations per slice: some milliseconds of work. */
const SLICE_OPS = 2_000;

export interface TreeSyncOptions {
  readonly clock: Clock;
  readonly relayDelayMs: number;
  readonly isReadOnly: boolean;
  readonly snapshots: TreeSnapshots | undefined;
  /** The tree is brought into memory. */
  readonly onLoad: () => void;
  /** A layer fails with this tree, or, without an error, no longer does. */
  readonly onFailure: (connection: LayerConnection, treeId: string, error: FoldspaceError | undefined) => void;
}

/**
 * Keeps one tree, in memory or not, the same in all layers of a space: performs the effects of its {@link TreeReplication}, and
 * reports their results.
 */
export class TreeSync {
  readonly treeId: string;
  readonly #options: TreeSyncOptions;
  readonly #replication: TreeReplication<LayerConnection>;
  readonly #errors = new Map<LayerConnection, FoldspaceError>();
  /** Called after each event. */
  #waiters: (() => void)[] = [];
  #content: LoadedTree | undefined;
  #timer: { readonly at: number; readonly cancel: () => void } | undefined;
  #isDisposed = false;
  #progress = 0;
  readonly #keeper: SnapshotKeeper | undefined;

  constructor(treeId: string, options: TreeSyncOptions) {
    this.treeId = treeId;
    this.#options = options;
    const { relayDelayMs, isReadOnly, snapshots, clock } = options;
    this.#replication = new TreeReplication({ relayDelayMs, isReadOnly, maxRelayOps: MAX_RELAY_OPS });
    const kept: KeptTree = {
      content: () => this.#content,
      layers: () => this.#replication.layers.keys(),
      isSettled: (connection) => this.#isSettled(connection),
    };
    this.#keeper = snapshots && new SnapshotKeeper(kept, snapshots, clock);
  }

  /** The tree, if it is in memory. */
  get content(): LoadedTree | undefined {
    return this.#content;
  }

  /** The tree in memory, once it has its root. */
  get usableTree(): ReplicatedTree | undefined {
    return this.#content?.isUsable ? this.#content.tree : undefined;
  }

  /** Whether some layer may contain operations that are older than edits made now. */
  get isAwaiting(): boolean {
    return this.#replication.isAwaiting;
  }

  /** Layers that take part, including those that are being connected. */
  get layerCount(): number {
    return this.#replication.layers.size;
  }

  /** Grows with reads and relays, but not with edits: distinguishes slow work from work that hangs. */
  get progress(): number {
    return this.#progress;
  }

  /** A copy of the ids of all operations known. */
  get known(): OpIdSet {
    return this.#replication.known.clone();
  }

  // ---- layers ----

  /** Announces a layer that is still being connected: edits made before it answers are weighed against its operations. */
  expectLayer(connection: LayerConnection): void {
    this.#replication.expect(connection);
  }

  /**
   * Reads a layer, and keeps it and the other layers the same from then on. A layer that cannot be read is read again later by
   * itself.
   * @param options `isUrgent`: see {@link Urgency}
   * @returns when it has been read for the first time
   * @throws FoldspaceError the reason why the first attempt failed; `FOLD_CLOSED` if the layer is detached meanwhile, or the
   *   synchronization has been stopped
   */
  async attach(connection: LayerConnection, { isUrgent = false }: { readonly isUrgent?: Urgency } = {}): Promise<void> {
    if (this.#isDisposed) throw this.#closed(connection);
    this.#handle({ type: "attach", layer: connection, isUrgent, now: this.#now });
    await this.whenRead(connection, { once: true });
  }

  /**
   * Waits until a layer's content is known.
   * @param options `once`: whether to throw if it cannot be read the first time, instead of waiting for a later attempt
   * @throws FoldspaceError the reason why it could not be read; `FOLD_CLOSED` if it is detached
   */
  async whenRead(connection: LayerConnection, { once = false }: { readonly once?: boolean } = {}): Promise<void> {
    if (once) await this.whenAnswered(connection);
    else await this.#until(() => this.#phase(connection) === "current" || this.#phase(connection) === undefined);
    const error = this.#errors.get(connection);
    if (this.#phase(connection) === "failed" && error) throw error;
    if (this.#phase(connection) === undefined) throw this.#closed(connection);
  }

  /** Waits until a layer that is being read has answered or failed. */
  async whenAnswered(connection: LayerConnection): Promise<void> {
    await this.#until(() => this.#phase(connection) !== "reading");
  }

  /** Waits until all layers that are being read have answered or failed. */
  async whenCompared(): Promise<void> {
    await this.#until(() => [...this.#replication.layers.values()].every(({ phase }) => phase !== "reading"));
  }

  detach(connection: LayerConnection): void {
    this.#replication.detach(connection);
    this.#keeper?.forget(connection);
    this.#setError(connection, undefined);
    this.#afterEvent();
  }

  /** Keeps a snapshot of the tree for a layer, if snapshots are kept and it is worth it. @throws the errors of layer and store */
  async keepSnapshot(connection: LayerConnection): Promise<void> {
    await this.#keeper?.keep(connection);
  }

  /** Takes a layer's report: operations, or `"lost"` if it may have lost some. */
  receive(connection: LayerConnection, ops: readonly VertexOperation[] | "lost"): void {
    if (ops === "lost") {
      this.#handle({ type: "lost", layer: connection, now: this.#now });
      return;
    }
    const content = this.#content;
    const arrived = content?.mergeTold(ops) ?? [];
    this.#traceMerged(connection, arrived);
    this.#handle({ type: "reported", layer: connection, ops, now: this.#now });
    content?.finishTold(ops, arrived);
  }

  // ---- content ----

  /** Brings the tree into memory: every layer is read for it. */
  load(content: LoadedTree): void {
    this.#content = content;
    this.#options.onLoad();
    for (const [connection, { phase }] of this.#replication.layers)
      if (phase !== "expected") this.#handle({ type: "attach", layer: connection, isUrgent: false, now: this.#now });
  }

  /** Releases the tree in memory. It is still kept the same in all layers. */
  unload(): void {
    this.#content?.release();
    this.#content = undefined;
  }

  /** Takes operations that no layer has reported. */
  make(ops: readonly VertexOperation[]): void {
    this.#perform(this.#replication.make(ops));
    this.#afterEvent();
  }

  /** Relays at once the operations found by comparing layers. */
  hurry(): void {
    for (const connection of [...this.#replication.layers.keys()])
      this.#handle({ type: "hurry", layer: connection, now: this.#now });
  }

  /** Relays in this turn to a layer, because the page may be gone after it. */
  relayOnPageHide(connection: LayerConnection): void {
    if (this.#replication.layers.has(connection)) this.#handle({ type: "page hide", layer: connection, now: this.#now });
  }

  // ---- state ----

  /** Whether a layer is sent operations without delay: see {@link Urgency}. */
  isUrgent(connection: LayerConnection): boolean {
    return this.#replication.layers.get(connection)?.isUrgent ?? false;
  }

  /** Whether a layer takes part: it has been asked for the tree. */
  isAttached(connection: LayerConnection): boolean {
    const phase = this.#phase(connection);
    return phase !== undefined && phase !== "expected";
  }

  /** Whether a layer has been asked for the tree and has not answered. */
  isReading(connection: LayerConnection): boolean {
    return this.#phase(connection) === "reading";
  }

  /** The reason why a layer could not be read, or refused operations. */
  errorOf(connection: LayerConnection): FoldspaceError | undefined {
    return this.#errors.get(connection);
  }

  /** Whether a layer holds, or has been handed, all local operations. */
  hasMade(connection: LayerConnection): boolean {
    const { made } = this.#replication;
    return made.size === 0 || (this.#replication.layers.get(connection)?.covers(made) ?? false);
  }

  /** Whether a layer durably holds all local operations. */
  hasMadeDurably(connection: LayerConnection): boolean {
    return this.hasMade(connection) && this.#replication.layers.get(connection)?.inFlight.length === 0;
  }

  /** Waits until no layer is being read or asked once more before a relay. */
  async whenQuiet(): Promise<void> {
    await this.#until(() => [...this.#replication.layers.values()].every((state) => state.isQuiet));
  }

  /** Waits until every layer that has been asked durably holds these operations. Later operations do not prolong the wait. */
  async whenHeld(target: OpIdSet): Promise<void> {
    const pending = new Map<LayerState, ReadonlySet<number> | undefined>();
    await this.#until(() => {
      let isHeld = true;
      for (const state of this.#replication.layers.values()) {
        if (state.phase === "expected") continue;
        if (!pending.get(state) && state.covers(target)) pending.set(state, new Set(state.inFlight));
        const batches = pending.get(state);
        if (!batches || state.inFlight.some((batch) => batches.has(batch))) isHeld = false;
      }
      return isHeld;
    });
  }

  /** Layers that have been asked and do not hold these operations. */
  lacking(target: OpIdSet): LayerConnection[] {
    return [...this.#replication.layers]
      .filter(([, state]) => state.phase !== "expected" && !state.covers(target))
      .map(([connection]) => connection);
  }

  /** Stops the synchronization. The tree in memory stays readable. */
  dispose(): void {
    this.#isDisposed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#keeper?.dispose();
    for (const connection of [...this.#replication.layers.keys()]) this.#replication.detach(connection);
    this.#wakeWaiters();
  }

  // ---- inside ----

  #closed(connection: LayerConnection): FoldspaceError {
    return new FoldspaceError("FOLD_CLOSED", `${connection.label} was disposed while tree ${this.treeId} was read`);
  }

  get #now(): number {
    return this.#options.clock.now();
  }

  #phase(connection: LayerConnection): LayerState["phase"] | undefined {
    return this.#replication.layers.get(connection)?.phase;
  }

  #handle(event: ReplicationEvent<LayerConnection>): void {
    this.#perform(this.#replication.handle(event));
    this.#afterEvent();
  }

  #perform(effects: readonly ReplicationEffect<LayerConnection>[]): void {
    for (const effect of effects) {
      const { layer } = effect;
      const state = this.#replication.layers.get(layer);
      if (!state) continue;
      switch (effect.type) {
        case "read":
          void this.#read(layer, state, effect.reading);
          break;
        case "rescan":
          void this.#relay(layer, state);
          break;
        case "collect":
          void this.#collect(layer, state, effect.only);
          break;
        case "save":
          this.#save(layer, state, effect);
          break;
      }
    }
  }

  /** Never rejects: a failure is an event. */
  async #read(connection: LayerConnection, state: LayerState, reading: number): Promise<void> {
    const isCurrent = (): boolean => this.#replication.layers.get(connection) === state && state.reading === reading;
    try {
      const ops =
        (await this.#resume(connection, isCurrent)) ?? (await connection.loadTree(this.treeId, { inTurn: !this.#content }));
      if (!isCurrent()) return;
      const content = this.#content;
      const onSlice = (slice: OperationList): void => {
        if (!isCurrent()) return;
        this.#progress++;
        this.#handle({ type: "reported", layer: connection, ops: slice, now: this.#now });
      };
      const isFirst = state.isAwaited;
      const merged = content ? await content.mergeLoaded(ops, onSlice) : await inSlices(ops, onSlice);
      if (merged && connection.trace) this.#traceMerged(connection, [...merged.arrived]);
      content?.flushLocalOps();
      if (!isCurrent()) return;
      this.#setError(connection, undefined);
      this.#progress++;
      this.#handle({ type: "read", layer: connection, reading, now: this.#now });
      if (merged) content?.finishLoading(ops, merged, isFirst);
    } catch (error) {
      if (!isCurrent()) return;
      const failure = toFoldspaceError(error);
      connection.trace?.emit("failed", { treeId: this.treeId, code: failure.code });
      this.#setError(connection, failure);
      this.#handle({ type: "unreadable", layer: connection, reading, now: this.#now });
    }
  }

  /** Takes the tree from a snapshot. @returns what the layer has besides; `undefined` if the layer must be read */
  async #resume(connection: LayerConnection, isCurrent: () => boolean): Promise<OperationList | undefined> {
    const { snapshots } = this.#options;
    const content = this.#content;
    // a trace has every operation on its way
    if (!snapshots || !content || connection.trace) return undefined;
    const canResume = ({ ids }: TreeSnapshot): boolean =>
      isCurrent() && this.#content === content && content.canBe(ids) && !this.#replication.isRead;
    const snapshot = await snapshots.load(connection.layer, this.treeId);
    if (!snapshot || !canResume(snapshot)) return undefined;
    const rest = await connection.resumeTree(this.treeId, snapshot.reading);
    if (!rest) await snapshots.drop(connection.layer, this.treeId);
    // meanwhile, another layer may have been read, or an edit been made
    if (!rest || !canResume(snapshot)) return undefined;
    content.readFrom(snapshot.tree);
    this.#keeper?.note(connection, content.tree.opCount);
    this.#handle({ type: "resumed", layer: connection, ids: snapshot.ids, now: this.#now });
    return rest;
  }

  /** Whether a layer durably holds just what the tree has, as far as known. */
  #isSettled(connection: LayerConnection): boolean {
    const state = this.#replication.layers.get(connection);
    const { known } = this.#replication;
    this.#content?.flushLocalOps();
    if (this.#isDisposed || state?.phase !== "current" || !state.isQuiet || state.inFlight.length > 0) return false;
    return state.covers(known) && state.covered.size === known.size && this.#content?.tree.opCount === known.size;
  }

  /** Asks a layer once more, and relays the operations that it still lacks. Never rejects. */
  async #relay(connection: LayerConnection, state: LayerState): Promise<void> {
    const relay = async (): Promise<void> => {
      let isDone = true;
      try {
        await connection.rescanTree(this.treeId);
        this.#setError(connection, undefined);
      } catch (error) {
        isDone = false;
        this.#setError(connection, toFoldspaceError(error));
      }
      if (this.#replication.layers.get(connection) !== state) return;
      const notDownloaded = connection.layer.peersNotDownloaded?.(this.treeId) ?? new Set();
      this.#handle({ type: "rescanned", layer: connection, isDone, notDownloaded, now: this.#now });
      await this.#until(() => state.isQuiet || this.#replication.layers.get(connection) !== state);
      // saves at once, so that other instances see the relay before they do the same; a failure is in the layer's status
      await connection.flushInTime().catch(() => undefined);
    };
    const { clock } = this.#options;
    await whileOnlyRelay(`${connection.layer.spaceId}:${connection.id}`, relay, clock, connection.timeoutMs);
  }

  async #collect(connection: LayerConnection, state: LayerState, only: "made" | "all"): Promise<void> {
    let ops: VertexOperation[] = [];
    if (this.#content) {
      ops = this.#content.opsSince(state.covered);
      if (only === "made") ops = ops.filter(({ id }) => this.#replication.made.has(id));
      // the operations were known before the tree was loaded, and all layers have lost them since
      else if (ops.length === 0) this.#replication.recount();
    } else {
      ops = await this.#collectFromLayers(connection, state);
    }
    this.#handle({ type: "collected", layer: connection, only, ops, now: this.#now });
  }

  /** Reads the tree from the other layers that have missing operations, one after another. */
  async #collectFromLayers(connection: LayerConnection, state: LayerState): Promise<VertexOperation[]> {
    const found = new Map<string, VertexOperation>();
    for (const [other, otherState] of [...this.#replication.layers]) {
      if (other === connection || otherState.phase !== "current" || state.covered.includes(otherState.covered)) continue;
      try {
        const ops = await other.loadTree(this.treeId, { inTurn: true });
        if (this.#replication.layers.get(other) !== otherState) continue;
        await inSlices(ops, (slice) => this.#handle({ type: "reported", layer: other, ops: slice, now: this.#now }));
        for (const op of ops) if (state.lacks(op)) found.set(opIdToString(op.id), op);
      } catch (error) {
        this.#setError(other, toFoldspaceError(error));
      }
    }
    if (found.size === 0) this.#replication.recount();
    return [...found.values()];
  }

  #save(connection: LayerConnection, state: LayerState, { batch, ops, isRelay }: Extract<LayerEffect, { type: "save" }>): void {
    const { treeId } = this;
    connection.trace?.emit(isRelay ? "relayed" : "queued", { treeId, ops });
    connection.save(treeId, ops).then(
      () => {
        if (this.#replication.layers.get(connection) !== state) return;
        if (isRelay) this.#progress++;
        this.#handle({ type: "saved", layer: connection, batch, now: this.#now });
      },
      (error: unknown) => {
        if (this.#replication.layers.get(connection) !== state) return;
        // a layer rejects only what it can never save, or could not save before it was disconnected
        const refusal = toFoldspaceError(error);
        connection.trace?.emit("failed", { treeId, ops, code: refusal.code });
        this.#setError(connection, refusal);
        this.#handle({ type: "refused", layer: connection, batch, now: this.#now });
      },
    );
  }

  #traceMerged(connection: LayerConnection, ops: readonly VertexOperation[]): void {
    if (ops.length > 0) connection.trace?.emit("merged", { treeId: this.treeId, ops });
  }

  #setError(connection: LayerConnection, error: FoldspaceError | undefined): void {
    if (this.#errors.get(connection) === error) return;
    if (error) this.#errors.set(connection, error);
    else this.#errors.delete(connection);
    this.#options.onFailure(connection, this.treeId, error);
  }

  #afterEvent(): void {
    this.#dropPastErrors();
    this.#keeper?.keepLater();
    this.#schedule();
    this.#wakeWaiters();
  }

  /** A relay that failed may become unnecessary, because the layer gets the operations in another way: then none succeeds it. */
  #dropPastErrors(): void {
    if (this.#errors.size === 0) return;
    const current = [...this.#replication.layers.values()].filter(({ phase }) => phase === "current");
    // a layer that operations could not be collected from is still asked for them
    if (!current.every((state) => state.isQuiet && state.covers(this.#replication.known))) return;
    for (const connection of [...this.#errors.keys()])
      if (this.#phase(connection) === "current") this.#setError(connection, undefined);
  }

  #schedule(): void {
    const at = this.#isDisposed ? undefined : this.#replication.next?.at;
    if (at === this.#timer?.at) return;
    this.#timer?.cancel();
    this.#timer =
      at === undefined
        ? undefined
        : { at, cancel: this.#options.clock.schedule(Math.max(0, at - this.#now), () => this.#onTimer()) };
  }

  #onTimer(): void {
    // the clock may have been set back meanwhile
    const now = Math.max(this.#now, this.#timer?.at ?? 0);
    this.#timer = undefined;
    for (const [layer, { wakeAt }] of [...this.#replication.layers])
      if (wakeAt !== undefined && wakeAt <= now) this.#handle({ type: "due", layer, now });
    this.#afterEvent();
  }

  async #until(isDone: () => boolean): Promise<void> {
    while (!this.#isDisposed && !isDone()) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  #wakeWaiters(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}

/** Passes operations on in slices, so that other tasks can run in between. */
async function inSlices(ops: OperationList, onSlice: (slice: OperationList) => void): Promise<undefined> {
  const slicer = new TimeSlicer();
  for (const slice of ops instanceof OperationBatch ? ops.slices(SLICE_OPS) : cut([...ops], SLICE_OPS)) {
    onSlice(slice);
    if (slicer.isDue) await slicer.yieldToEventLoop();
  }
  return undefined;
}
