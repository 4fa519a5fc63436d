import { steadyClock, systemClock, type Clock } from "../clock.ts";
import { FoldspaceError, type Problem, toFoldspaceError } from "../errors.ts";
import { describeLayer, type LayerSession, type PersistenceLayer } from "../layers/persistence-layer.ts";
import { Observable } from "../observable.ts";
import { openTrace, type SpaceTrace } from "../trace.ts";
import type { ReplicatedTree, ReplicatedTreeOptions } from "../tree/index.ts";
import { ensureForest, listReferences, type AppTreeReference } from "./app-forest.ts";
import type { AppTree } from "./app-tree.ts";
import { AppTrees } from "./app-trees.ts";
import { assertNew, connectForNew } from "./connect-for-new.ts";
import { LayerConnection } from "./layer-connection.ts";
import { assertDurable, LayerSet, whyNotOpened, type SpaceStatus } from "./layer-set.ts";
import { LoadedTree, type LoadedTreeHost } from "./loaded-tree.ts";
import { LocalOpLog } from "./local-op-log.ts";
import { observePage } from "./page-lifecycle.ts";
import { pageTrace } from "./page-trace.ts";
import { staggered } from "../staggered.ts";
import { completesInTime } from "../with-timeout.ts";
import type { Urgency } from "./replication/layer-state.ts";
import { Replicator } from "./replication/replicator.ts";
import type { TreeSync } from "./replication/tree-sync.ts";
import type { SpaceOptions } from "./space-options.ts";
import { poolFor, SpacePeer } from "./space-peer.ts";
import { SpaceSecrets } from "./space-secrets.ts";
import { TreeSnapshots } from "./tree-snapshots.ts";

/** An open space: its space tree, its app trees, and the layers that keep them. Made by a `SpaceManager`. */
export class Space {
  readonly id: string;
  readonly isReadOnly: boolean;
  /** Short texts by name, stored beside the trees. */
  readonly secrets: SpaceSecrets;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #openTimeoutMs: number;
  readonly #layers = new LayerSet();
  readonly #replicator: Replicator;
  readonly #appTrees: AppTrees;
  /** By tree, and kept while the space is open: with it, the space detects another instance that uses our peer id. */
  readonly #localOps = new Map<string, LocalOpLog>();
  readonly #trace: SpaceTrace | undefined;
  readonly #changedTree = new Observable<string>("");
  readonly #endObservingPage: () => void;
  readonly #onClosed: () => void;
  readonly #peer: SpacePeer;
  /** Whether the space has been opened or created, so that there may be something to save. */
  #isOpened = false;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  /**
   * Used by `SpaceManager`, which opens it.
   * @param onClosed called when all layers have been released
   */
  constructor(id: string, layers: readonly PersistenceLayer[], options: SpaceOptions, onClosed: () => void) {
    this.id = id;
    this.#onClosed = onClosed;
    this.isReadOnly = options.isReadOnly ?? false;
    this.#clock = options.clock ?? systemClock;
    this.#peer = new SpacePeer(id, {
      peerId: options.peerId,
      pool: poolFor(options, layers),
      clock: this.#clock,
      onChange: () => this.#changePeer(),
      onFailure: () => this.#layers.reportPeer(this.#peer.failure),
    });
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    this.#openTimeoutMs = options.openTimeoutMs ?? 60_000;
    this.#trace = openTrace([options.trace, pageTrace()], {
      spaceId: id,
      peerId: () => this.peerId,
      clock: this.#clock,
      onError: (reason) => this.#layers.report({ code: "FOLD_IO", reason }),
    });
    const session = { isReadOnly: this.isReadOnly, timeoutMs: this.#timeoutMs, clock: this.#clock };
    // known before any layer has answered, because all layers use the same device store
    const deviceStore = layers.find((layer) => layer.deviceStore)?.deviceStore;
    this.secrets = new SpaceSecrets(id, session, { ...(deviceStore ? { deviceStore } : {}), ...options.secrets });
    this.#layers.include(this.secrets);
    const relayGraceMs = options.relayGraceMs ?? 3_000;
    this.#replicator = new Replicator(id, {
      // a relay or a retry must not wait until a clock that was set back has caught up
      clock: steadyClock(this.#clock),
      relayDelayMs: relayGraceMs + staggered(relayGraceMs / 3, this.peerId),
      isReadOnly: this.isReadOnly,
      timeoutMs: this.#timeoutMs,
      snapshots: options.snapshots && new TreeSnapshots(options.snapshots),
      onUnloadedChange: (treeId) => (this.#changedTree.value = treeId),
    });
    this.#load(this.#replicator.spaceTree);
    this.#appTrees = new AppTrees({
      replicator: this.#replicator,
      layers: this.#layers,
      clock: this.#clock,
      openTimeoutMs: this.#openTimeoutMs,
      isReadOnly: this.isReadOnly,
      load: (sync, treeOptions) => this.#load(sync, treeOptions),
    });
    for (const layer of layers) this.#addConnection(layer);
    this.#endObservingPage = observePage({
      onHide: () => this.#flushOnPageHide(),
      onShow: () => {
        this.#peer.leaveIfLost();
        void this.#rescan();
      },
    });
  }

  /**
   * The peer id of edits made here. Changes if another instance turns out to use it (`FOLD_PEER_CLONED` in {@link problems}), or if
   * the pool that keeps it fails (`peerFailure` in {@link status}).
   */
  get peerId(): string {
    return this.#peer.maker.peerId;
  }

  /** The space tree. */
  get tree(): ReplicatedTree {
    return this.#replicator.spaceTree.content!.tree;
  }

  get name(): string | undefined {
    return this.tree.root?.name;
  }

  /** Whether the space is closed or being closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  // ---- opening ----

  /**
   * Connects and loads all layers at once.
   * @param options `createMissing`: whether the other layers make their storage, as soon as one has given the space
   * @returns when the first layer has given a space tree with its root
   * @throws FoldspaceError if no layer does so in time: `FOLD_NOT_FOUND` if all layers answer that they have no space, the error
   *   of the only layer, or `FOLD_NO_LAYER`; all errors are in `data.layers`
   */
  async open({ createMissing = false }: { readonly createMissing?: boolean } = {}): Promise<void> {
    await this.#leasePeer();
    const failures = new Map<LayerConnection, FoldspaceError>();
    const opening = this.#layers.connections.map(async (connection) => {
      void this.#open(connection, { create: () => createMissing && this.#isOpened, isUrgent: "if empty" });
      try {
        await connection.usable;
        if (!this.#replicator.spaceTree.usableTree)
          throw new FoldspaceError(
            "FOLD_NO_ROOT",
            `${connection.label} has no operation that creates the root of space ${this.id}`,
          );
      } catch (error) {
        failures.set(connection, toFoldspaceError(error));
        throw error;
      }
    });
    const isOpen = await completesInTime(Promise.any(opening), this.#openTimeoutMs, this.#clock).catch(() => false);
    if (isOpen && !this.#isClosed) {
      this.#isOpened = true;
      await this.#peer.prepare(this.tree.clock);
      return;
    }
    const error = whyNotOpened(this.id, this.#layers.connections, failures, this.tree.opCount > 0);
    await this.#dispose();
    throw error;
  }

  /**
   * Creates a new space in all layers at once.
   * @throws FoldspaceError a layer's refusal: nothing is in any layer then, except perhaps an empty place made for it;
   *   `FOLD_NOT_DURABLE` if one of them cannot save it: the others have it then
   */
  async create(name: string | undefined): Promise<void> {
    try {
      if (this.isReadOnly) throw new FoldspaceError("FOLD_READ_ONLY", "A new space cannot be created read-only");
      await this.#leasePeer();
      await this.#peer.prepare(0);
      const { connections } = this.#layers;
      // asks all layers first, so that a layer that refuses does so before another has been written to
      for (const connection of connections) {
        await connection.claim();
        await this.#answerOf(connection, connectForNew(connection.layer, { peerId: this.peerId, trace: connection.trace }));
      }
      for (const connection of connections) {
        void this.#open(connection, { create: () => true, isUrgent: true });
        await this.#answerOf(connection, connection.usable);
      }
      assertNew(this.tree, this.id);
      const root = this.tree.createRoot(this.id);
      if (name !== undefined) root.name = name;
      ensureForest(this.tree);
      await this.flush();
      this.#isOpened = true;
    } catch (error) {
      await this.#dispose();
      throw error;
    }
  }

  /**
   * Resolves when every layer has answered, and durably holds everything that was known when this was called. In a read-only space,
   * it resolves when every layer has answered.
   * @throws FoldspaceError as {@link flush}, and `FOLD_NOT_DURABLE` if a layer could not be brought up to date
   */
  async whenSynced(): Promise<void> {
    this.#assertOpen();
    await this.#saveAll();
    await Promise.all(this.#layers.connections.map(async (connection) => await connection.whenBroughtIn()));
    const lacking = await this.#replicator.whenSynced();
    assertDurable(
      this.#layers.connections.map((connection) => {
        const error = connection.obstacle ?? lacking.get(connection);
        return error && connection.toNotDurable(error);
      }),
    );
    await this.#saveAll();
  }

  // ---- layers ----

  /** Whether the space has a layer of this id, usable or not. */
  hasLayer(layerId: string): boolean {
    return this.#layers.find(layerId) !== undefined;
  }

  /**
   * Adds a layer to the open space: its operations are merged, and it is sent those that it lacks.
   * @param options `create`: whether to make the storage if it is not there
   * @returns when it has been read and its missing operations have been handed over
   * @throws FoldspaceError the reason why it cannot be used; it is not added then
   */
  async addLayer(layer: PersistenceLayer, options: { readonly create?: boolean } = {}): Promise<void> {
    this.#assertOpen();
    this.#assertOfThisSpace(layer);
    if (this.#layers.find(layer.id)) throw new FoldspaceError("FOLD_BAD_ID", `The space has ${describeLayer(layer)} already`);
    const connection = this.#addConnection(layer);
    const isBroughtIn = this.#open(connection, { create: () => options.create ?? false, isUrgent: true });
    try {
      await connection.usable;
      await isBroughtIn;
      connection.assertOpen();
    } catch (error) {
      await this.#drop(connection);
      throw error;
    }
  }

  /** Removes a layer, after saving to it as far as possible. Its contents stay there. @throws FoldspaceError as {@link flush} */
  async removeLayer(layerId: string): Promise<void> {
    this.#assertOpen();
    const connection = this.#layers.find(layerId);
    if (!connection) return;
    if (this.isReadOnly) return await this.#drop(connection);
    await connection.whenUsable();
    this.#replicator.flushLocalOps();
    await this.#replicator.hurry();
    const lacking = [
      connection.isLoading ? connection.toNotDurable(connection.unanswered()) : await this.#notDurable(connection),
      ...(await this.secrets.flush(connection.layer)),
    ];
    await this.#drop(connection);
    assertDurable(lacking);
  }

  // ---- app trees ----

  /** The app trees that the space tree names. */
  get appTrees(): AppTreeReference[] {
    return listReferences(this.tree);
  }

  /**
   * Ids of all trees that some layer has operations of, the space tree first. {@link status} reports a layer that cannot list them.
   * @throws FoldspaceError the reason, if no layer can; `FOLD_CLOSED`
   */
  async listTrees(): Promise<string[]> {
    this.#assertOpen();
    const ids = new Set(this.#replicator.loaded.map(({ treeId }) => treeId));
    // in the order of the layers, whichever answers first
    const connections = this.#layers.connections.filter((connection) => this.#replicator.active.has(connection));
    const listing = connections.map(async (connection): Promise<FoldspaceError | undefined> => {
      try {
        for (const treeId of await connection.listTrees()) ids.add(treeId);
        connection.recover("listing");
        return undefined;
      } catch (error) {
        connection.fail("listing", error);
        return toFoldspaceError(error);
      }
    });
    const failures = (await Promise.all(listing)).filter((error) => error !== undefined);
    if (failures.length > 0 && failures.length === connections.length) throw failures[0];
    ids.delete(this.id);
    return [this.id, ...[...ids].sort()];
  }

  /**
   * Creates an app tree and adds it to the space tree.
   * @param appId id of the app that uses it
   * @throws FoldspaceError `FOLD_CLOSED`, `FOLD_READ_ONLY`
   */
  newAppTree(appId: string, name: string): AppTree {
    this.#assertEditable();
    return this.#appTrees.create(appId, name);
  }

  /**
   * Loads a tree, once; later calls return the same tree.
   * @returns when the first layer has given its root
   * @throws FoldspaceError `FOLD_NO_TREE`, `FOLD_BAD_ID`, the reason why no layer could be read, or `FOLD_TIMEOUT` if none gave it
   *   in time
   */
  async loadAppTree(treeId: string): Promise<AppTree> {
    this.#assertOpen();
    const appTree = await this.#appTrees.load(treeId);
    await this.#peer.prepare(appTree.tree.clock);
    return appTree;
  }

  /**
   * Releases an app tree that is no longer needed in memory. The layers keep its edits, and the released tree takes no more;
   * {@link loadAppTree} loads it anew.
   * @throws FoldspaceError `FOLD_NOT_DURABLE` if no layer has saved its edits yet: it stays in memory then
   */
  async unloadAppTree(treeId: string): Promise<void> {
    this.#assertOpen();
    await this.#appTrees.unload(treeId, async () => {
      const reports = this.#layers.connections.map((connection) => this.#notDurable(connection));
      const lacking = (await Promise.all(reports)).filter((report) => report !== undefined);
      // one layer that has them is enough
      if (lacking.length === reports.length) assertDurable(lacking);
    });
  }

  /** The tree, if it is the space tree or a loaded tree, and its root is known. */
  getLoadedTree(treeId: string): ReplicatedTree | undefined {
    return this.#replicator.get(treeId)?.usableTree;
  }

  /** Reports a tree that is not loaded when a layer has new operations of it. @returns a function that ends it */
  observeUnloadedTrees(listener: (treeId: string) => void): () => void {
    return this.#changedTree.observe(listener);
  }

  // ---- durability ----

  /**
   * Resolves when everything made so far is durable in every layer.
   * @throws FoldspaceError `FOLD_NOT_DURABLE`, with the failed layers and the number of missing operations in `data.layers`;
   *   everything stays queued. `FOLD_CLOSED`; `FOLD_READ_ONLY` in a read-only space
   */
  async flush(): Promise<void> {
    this.#assertEditable();
    await this.#saveAll();
  }

  async #saveAll(): Promise<void> {
    const { connections } = this.#layers;
    await Promise.all(connections.map(async (connection) => await connection.whenUsable()));
    this.#replicator.flushLocalOps();
    if (this.isReadOnly) return;
    const saving = connections.map(async (connection) => await this.#notDurable(connection));
    assertDurable([...(await Promise.all(saving)), ...(await this.secrets.flush())]);
  }

  /**
   * Checks for changes made elsewhere without waiting for a notification: on focus, after sleep, when the network is back.
   * {@link status} reports a layer that cannot be checked.
   * @throws FoldspaceError `FOLD_CLOSED`
   */
  async rescan(): Promise<void> {
    this.#assertOpen();
    await this.#rescan();
  }

  /**
   * Flushes and releases all layers. Further calls wait for the same closing.
   * @throws FoldspaceError as {@link flush}; the space is closed all the same
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#replicator.flushLocalOps();
    this.#isClosed = true;
    try {
      if (!this.#isOpened) return;
      await this.#saveAll();
      await this.#replicator.keepSnapshots();
      // a layer that has just detected a loss reports it now, and is given the operations once more
      for (const connection of this.#replicator.active)
        // a failure here occurs again when the layer is disconnected
        connection.stopListening().catch(() => undefined);
      if (!this.isReadOnly) await this.#replicator.hurry();
      await this.#saveAll();
    } finally {
      await this.#dispose();
    }
  }

  // ---- observing ----

  get status(): SpaceStatus {
    return this.#layers.status.value;
  }

  /** @returns a function that ends it */
  observeStatus(listener: (status: SpaceStatus) => void): () => void {
    return this.#layers.status.observe(listener);
  }

  /** Problems of the stored data, in all layers: a sample, if there are very many. */
  get problems(): readonly Problem[] {
    return this.#layers.problems.value;
  }

  /** Number of all problems. */
  get problemCount(): number {
    return this.#layers.problemCount;
  }

  /** Passes each new list of {@link problems}. @returns a function that ends it */
  observeProblems(listener: (problems: readonly Problem[]) => void): () => void {
    return this.#layers.problems.observe(listener);
  }

  // ---- inside ----

  #addConnection(layer: PersistenceLayer): LayerConnection {
    const connection = new LayerConnection(layer, {
      clock: this.#clock,
      timeoutMs: this.#timeoutMs,
      openTimeoutMs: this.#openTimeoutMs,
      onChange: () => this.#layers.publishStatus(),
      trace: this.#trace?.ofLayer(layer.id),
    });
    this.#layers.add(connection);
    this.#replicator.expectLayer(connection);
    return connection;
  }

  /** Opens a connection, and retries until it succeeds. @returns when the layer takes part in everything */
  #open(connection: LayerConnection, how: { readonly create: () => boolean; readonly isUrgent: Urgency }): Promise<void> {
    const { isReadOnly } = this;
    const session = (): LayerSession => ({
      peerId: this.peerId,
      isPeerContinued: this.#peer.maker.counterFloor > 0,
      create: how.create() && !isReadOnly,
      isReadOnly,
      trace: connection.trace,
    });
    return connection.open(session, async () => await this.#bringIn(connection, how.isUrgent));
  }

  async #bringIn(connection: LayerConnection, urgency: Urgency): Promise<void> {
    const { layer } = connection;
    this.#assertOtherPlace(connection);
    const { spaceTree } = this.#replicator;
    // the first failure is an answer, too; the layer is read again until it succeeds
    const reading = spaceTree.attach(connection, { isUrgent: urgency }).catch(() => undefined);
    const secrets = this.secrets.attach(layer);
    // secrets that do not arrive in time do not keep the space from opening
    await Promise.all([reading, completesInTime(secrets, this.#timeoutMs, this.#clock)]);
    await spaceTree.whenRead(connection);
    const isUrgent = spaceTree.isUrgent(connection);
    const activating = this.#replicator.activate(connection, isUrgent);
    connection.noteUsable();
    await activating;
    await connection.keepTrying("listening", async () => {
      await layer.startListening?.((change) => this.#replicator.receive(connection, change));
    });
    if (!this.isReadOnly) this.#replicator.compareAll();
    await secrets;
  }

  /** Begins to save pending changes, without waiting for anything: the page may be gone in a moment. */
  #flushOnPageHide(): void {
    this.#replicator.flushLocalOps();
    // failures are in the status, and no caller is left to receive them
    for (const connection of this.#replicator.active) {
      if (connection.layer.flushOnPageHide) this.#replicator.relayOnPageHide(connection);
      connection.flushOnPageHide().catch(() => undefined);
    }
    this.secrets.saveNow();
  }

  /** Never rejects. */
  async #rescan(): Promise<void> {
    await Promise.all(Array.from(this.#replicator.active, async (connection) => await connection.rescan()));
  }

  #load(sync: TreeSync, options: ReplicatedTreeOptions = {}): LoadedTree {
    const host: LoadedTreeHost = {
      now: () => this.#clock.now(),
      isAwaiting: () => sync.isAwaiting,
      isReadOnly: this.isReadOnly,
      // a draft is never stored, and operations of a live peer can be shown
      assertChangeable: (kind) => (kind === "edit" ? this.#assertEditable() : this.#assertOpen()),
      onMade: (ops) => {
        this.#trace?.emit("made", { treeId: sync.treeId, ops });
        sync.make(ops);
      },
      beforeMaking: (highestCounter) => this.#peer.claim(highestCounter),
      onMerged: (tree) => void this.#peer.prepare(tree.clock),
      onCloned: () => this.#leaveClonedPeer(sync.treeId),
    };
    const localOps = this.#localOps.get(sync.treeId) ?? new LocalOpLog(() => this.#peer.kept);
    this.#localOps.set(sync.treeId, localOps);
    const content = new LoadedTree(this.#peer.maker, sync.treeId, host, localOps, options);
    for (const connection of this.#layers.connections) sync.expectLayer(connection);
    sync.load(content);
    return content;
  }

  #leaveClonedPeer(treeId: string): void {
    const former = this.peerId;
    this.#peer.changeAfterClone();
    this.secrets.changePeer();
    const reason = `another instance makes operations as peer ${former}, so edits are made here as ${this.peerId} from now on; nothing is lost`;
    this.#layers.report({ code: "FOLD_PEER_CLONED", reason, treeId });
  }

  /** Takes a peer from the pool, before any layer is used and any operation is made. */
  async #leasePeer(): Promise<void> {
    await this.#peer.lease();
    this.#replicator.spaceTree.content?.changePeer(this.#peer.maker);
  }

  #changePeer(): void {
    const { maker } = this.#peer;
    for (const { content } of this.#replicator.loaded) content?.changePeer(maker);
    for (const { layer } of this.#layers.connections) layer.changePeer?.(maker.peerId);
  }

  async #notDurable(connection: LayerConnection): ReturnType<LayerConnection["notDurable"]> {
    await this.#replicator.whenLoadedAreRead(connection);
    return await connection.notDurable(() => this.#replicator.lackingMade(connection));
  }

  async #drop(connection: LayerConnection): Promise<void> {
    this.#replicator.detach(connection);
    this.secrets.detach(connection.layer);
    await this.#layers.drop(connection);
  }

  async #dispose(): Promise<void> {
    this.#isClosed = true;
    this.#endObservingPage();
    this.secrets.close();
    this.#replicator.dispose();
    await this.#layers.close();
    await this.#peer.end();
    this.#onClosed();
  }

  /** @throws FoldspaceError `FOLD_TIMEOUT` if the answer does not arrive in time */
  async #answerOf(connection: LayerConnection, answer: Promise<void>): Promise<void> {
    if (!(await completesInTime(answer, this.#openTimeoutMs, this.#clock)))
      throw new FoldspaceError("FOLD_TIMEOUT", `${connection.label} timed out (waited ${this.#openTimeoutMs} ms)`);
  }

  #assertOfThisSpace(layer: PersistenceLayer): void {
    if (layer.spaceId === this.id) return;
    throw new FoldspaceError("FOLD_SPACE_MISMATCH", `${describeLayer(layer)} is of space ${layer.spaceId}, not of ${this.id}`);
  }

  /** Two layers in one place would each take the other's writes for foreign ones: the first layer keeps the place. */
  #assertOtherPlace(connection: LayerConnection): void {
    const { placeId } = connection.layer;
    if (placeId === undefined) return;
    const { connections } = this.#layers;
    const same = connections.find(
      (other, index) =>
        other !== connection &&
        other.layer.placeId === placeId &&
        (this.#replicator.active.has(other) || index < connections.indexOf(connection)),
    );
    if (same) throw new FoldspaceError("FOLD_IN_USE", `${connection.label} keeps the space in the same place as ${same.label}`);
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new FoldspaceError("FOLD_CLOSED", `Space ${this.id} is closed`);
  }

  #assertEditable(): void {
    this.#assertOpen();
    if (this.isReadOnly) throw new FoldspaceError("FOLD_READ_ONLY", `Space ${this.id} is open for reading only`);
  }
}
