import { systemClock, type Clock } from "../clock.ts";
import { FoldspaceError, errorCode, type Problem } from "../errors.ts";
import { toFoldspaceError } from "../layers/batcher.ts";
import type { IncomingChange, LayerSession, PersistenceLayer } from "../layers/persistence-layer.ts";
import { isPathSafeId } from "../log/paths.ts";
import { Observable } from "../observable.ts";
import { newId, OLD_NAME_KEY, NAME_KEY, type ReplicatedTree, type ReplicatedTreeOptions } from "../tree/index.ts";
import { toAppTree, type AppTree } from "./app-tree.ts";
import { addReference, APP_TREE_ROOT_NAME, ensureForest, listReferences, type AppTreeReference } from "./app-forest.ts";
import { assertNew, connectForNew } from "./connect-for-new.ts";
import type { LayerLink } from "./layer-link.ts";
import { assertDurable, LayerSet, whyNotOpened, type SpaceStatus } from "./layer-set.ts";
import { Mirror } from "./mirror.ts";
import { observePage } from "./page-lifecycle.ts";
import { endsInTime } from "./patience.ts";
import type { SpaceOptions } from "./space-options.ts";
import { SpaceSecrets } from "./space-secrets.ts";
import { TreeReplica, type ReplicaListener } from "./tree-replica.ts";

/** An open space: its space tree, its app trees, and the layers that keep them. Made by a `SpaceManager`. */
export class Space {
  readonly id: string;
  readonly isReadOnly: boolean;
  /** Short texts by name, kept beside the trees. */
  readonly secrets: SpaceSecrets;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #openingPatienceMs: number;
  readonly #layers: LayerSet;
  readonly #spaceReplica: TreeReplica;
  /** App trees that are loaded or being loaded. */
  readonly #replicas = new Map<string, TreeReplica>();
  readonly #loading = new Map<string, Promise<AppTree>>();
  readonly #mirror: Mirror;
  readonly #changedTree = new Observable<string>("");
  readonly #endObservingPage: () => void;
  readonly #onClosed: () => void;
  #peerId: string;
  #isClosed = false;
  #closing: Promise<void> | undefined;

  /**
   * Used by `SpaceManager`, which opens it.
   * @param onClosed told when it has let go of all layers
   */
  constructor(id: string, layers: readonly PersistenceLayer[], options: SpaceOptions, onClosed: () => void) {
    this.id = id;
    this.#onClosed = onClosed;
    this.#peerId = options.peerId ?? newId();
    this.isReadOnly = options.isReadOnly ?? false;
    this.#clock = options.clock ?? systemClock;
    this.#patienceMs = options.patienceMs ?? 10_000;
    this.#openingPatienceMs = options.openingPatienceMs ?? 60_000;
    this.#layers = new LayerSet(this.#clock, this.#patienceMs);
    const session = { isReadOnly: this.isReadOnly, patienceMs: this.#patienceMs, clock: this.#clock };
    // known before any layer has answered: what it remembers is for all of them
    const memory = layers.find((layer) => layer.secretsMemory)?.secretsMemory;
    this.secrets = new SpaceSecrets(id, session, { ...(memory ? { memory } : {}), ...options.secrets });
    this.#layers.include(this.secrets);
    this.#spaceReplica = this.#newReplica(id);
    this.#mirror = new Mirror(
      () => (this.isReadOnly ? [] : [...this.#layers.active]),
      (treeId) => treeId === id || this.#replicas.has(treeId),
      (layer, error) => this.#layers.fail(layer, error),
    );
    for (const layer of layers) this.#layers.add(layer);
    this.#endObservingPage = observePage({
      onLeaving: () => this.#leave(),
      onReturning: () => void this.#layers.rescan(),
    });
  }

  /** Under which edits are made here. Changes where somebody else is found to use it (`FOLD_PEER_CLONED` in {@link problems}). */
  get peerId(): string {
    return this.#peerId;
  }

  /** The space tree. */
  get tree(): ReplicatedTree {
    return this.#spaceReplica.tree;
  }

  get name(): string | undefined {
    return this.tree.root?.name;
  }

  /** Whether it is closed, or is being closed. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  // ---- opening ----

  /**
   * Connects and loads all layers at once.
   * @returns when the first layer has given a space tree with its root
   * @throws FoldspaceError if none does, or none in time: the error of the only layer, or `FOLD_NO_LAYER` with all of them in `data.layers`
   */
  async open(): Promise<void> {
    const failures = new Map<LayerLink, FoldspaceError>();
    const opening = this.#layers.links.map(async (link) => {
      try {
        await this.#openUntilUsable(link);
      } catch (error) {
        failures.set(link, toFoldspaceError(error));
        throw error;
      }
    });
    const isOpen = await endsInTime(Promise.any(opening), this.#openingPatienceMs, this.#clock).catch(() => false);
    if (isOpen) return;
    const error = whyNotOpened(this.id, this.#layers.links, failures);
    await this.#letGo();
    throw error;
  }

  /**
   * Makes a new space in all layers at once.
   * @throws FoldspaceError what a layer refuses with: nothing is in any layer then, except perhaps an empty place made for it;
   *   `FOLD_NOT_DURABLE` if one of them cannot save it: the others have it then
   */
  async create(name: string | undefined): Promise<void> {
    try {
      if (this.isReadOnly) throw new FoldspaceError("FOLD_READ_ONLY", "A new space has to be written");
      // first ask all of them, so that one that refuses does so before another has been written to
      for (const { layer } of this.#layers.links) await connectForNew(layer, this.#peerId);
      for (const link of this.#layers.links) await this.#openLink(link, true);
      assertNew(this.tree, this.id);
      const root = this.tree.createRoot(this.id);
      if (name !== undefined) root.name = name;
      ensureForest(this.tree);
      await this.flush();
    } catch (error) {
      await this.#letGo();
      throw error;
    }
  }

  /**
   * Resolves when every layer has answered, every layer has everything, and everything is durable. In a space that is only
   * read, when every layer has answered.
   * @throws FoldspaceError as {@link flush}
   */
  async whenSynced(): Promise<void> {
    await this.#saveAll();
    for (let compared = -1; !(await endsInTime(this.#mirror.settled(), this.#patienceMs, this.#clock));) {
      if (compared === this.#mirror.compared)
        throw new FoldspaceError("FOLD_NOT_DURABLE", "The trees that are not loaded could not be compared in time");
      compared = this.#mirror.compared;
    }
    await this.#saveAll();
  }

  // ---- layers ----

  /**
   * Adds a layer to the open space: what it holds is merged, what it lacks is sent to it.
   * @param options `create`: whether to make the storage if it is not there
   * @returns when it has been read and everything it lacked is on its way
   * @throws FoldspaceError why it cannot be used; it is not added then
   */
  async addLayer(layer: PersistenceLayer, options: { readonly create?: boolean } = {}): Promise<void> {
    this.#assertOpen();
    if (layer.spaceId !== this.id)
      throw new FoldspaceError("FOLD_SPACE_MISMATCH", `The layer ${layer.id} is of space ${layer.spaceId}, not of ${this.id}`);
    if (this.#layers.links.some((link) => link.layer.id === layer.id))
      throw new FoldspaceError("FOLD_BAD_ID", `The space has a layer ${layer.id} already`);
    const link = this.#layers.add(layer);
    try {
      await this.#openLink(link, options.create ?? false);
    } catch (error) {
      await this.#dropLink(link);
      throw error;
    }
  }

  /** Takes a layer off, after saving to it what can be saved. What it holds stays there. */
  async removeLayer(layerId: string): Promise<void> {
    const link = this.#layers.links.find(({ layer }) => layer.id === layerId);
    if (!link) return;
    await link.settled();
    for (const replica of this.#allReplicas()) replica.handOver();
    const lacking = [await link.flush(), ...(await this.secrets.flush(link.layer))];
    await this.#dropLink(link);
    assertDurable(lacking);
  }

  // ---- app trees ----

  /** The app trees that the space tree names. */
  get appTrees(): AppTreeReference[] {
    return listReferences(this.tree);
  }

  /**
   * Ids of all trees that some layer has operations of, the space tree first. Of a layer that cannot say, {@link status} tells.
   * @throws FoldspaceError why, if no layer can
   */
  async listTrees(): Promise<string[]> {
    const ids = new Set([...this.#replicas.keys(), ...(await this.#layers.listTrees())]);
    ids.delete(this.id);
    return [this.id, ...[...ids].sort()];
  }

  /**
   * Makes an app tree and enters it in the space tree.
   * @param appId which app it is for
   */
  newAppTree(appId: string, name: string): AppTree {
    this.#assertOpen();
    const nameKey = this.tree.nameKey === OLD_NAME_KEY ? OLD_NAME_KEY : NAME_KEY;
    const replica = this.#newReplica(newId(), { nameKey });
    const root = replica.tree.createRoot();
    root.name = APP_TREE_ROOT_NAME;
    root.setProperty("appId", appId);
    this.#replicas.set(replica.treeId, replica);
    for (const { layer } of this.#layers.links) replica.await(layer);
    for (const layer of this.#layers.active) this.#layers.linkOf(layer)?.track(replica.attach(layer));
    addReference(this.tree, replica.treeId, name);
    return toAppTree(replica);
  }

  /**
   * Loads a tree, once; later calls give the same.
   * @returns when the first layer has given its root
   * @throws FoldspaceError `FOLD_NO_TREE`, `FOLD_BAD_ID`, why no layer could be read, or `FOLD_BUSY` if none gave it in time
   */
  async loadAppTree(treeId: string): Promise<AppTree> {
    this.#assertOpen();
    if (!isPathSafeId(treeId))
      throw new FoldspaceError("FOLD_BAD_ID", `${JSON.stringify(treeId.slice(0, 80))} cannot be a tree's id`);
    const loaded = this.#replicaOf(treeId);
    if (loaded?.isUsable) return toAppTree(loaded);
    let loading = this.#loading.get(treeId);
    if (!loading) {
      loading = this.#loadAppTree(treeId).finally(() => this.#loading.delete(treeId));
      this.#loading.set(treeId, loading);
    }
    return await loading;
  }

  /** The tree, if it is the space tree or is loaded, as far as to have its root. */
  getLoadedTree(treeId: string): ReplicatedTree | undefined {
    const replica = this.#replicaOf(treeId);
    return replica?.isUsable ? replica.tree : undefined;
  }

  /** Tells of a tree that is not loaded and of which a layer has new operations. @returns a function that ends it */
  observeUnloadedTrees(listener: (treeId: string) => void): () => void {
    return this.#changedTree.observe(listener);
  }

  async #loadAppTree(treeId: string): Promise<AppTree> {
    const replica = this.#newReplica(treeId);
    this.#replicas.set(treeId, replica);
    for (const { layer } of this.#layers.links) replica.await(layer);
    const noTree = new FoldspaceError("FOLD_NO_TREE", `There is no tree ${treeId} in this space`, { data: { treeId } });
    const attaching = this.#layers.links.map(async (link) => {
      if (this.#layers.active.has(link.layer)) {
        const attached = replica.attach(link.layer);
        link.track(attached);
        await attached;
        // a layer that is being opened reads all trees of that time by itself
      } else await link.opened;
      if (!replica.isUsable) throw noTree;
    });
    try {
      if (!(await endsInTime(Promise.any(attaching), this.#openingPatienceMs, this.#clock)))
        throw new FoldspaceError("FOLD_BUSY", `No layer has given tree ${treeId} in time (waited ${this.#openingPatienceMs} ms)`);
    } catch (error) {
      // its root may have come another way, and somebody may be editing it
      if (replica.isUsable) return toAppTree(replica);
      this.#replicas.delete(treeId);
      // one that answers after all has nothing to do with this try any more
      for (const { layer } of this.#layers.links) replica.detach(layer);
      for (const layer of this.#layers.active) layer.releaseTree?.(treeId);
      const errors: unknown[] = error instanceof AggregateError ? error.errors : [error];
      throw errors.find((each) => errorCode(each) !== "FOLD_NO_TREE") ?? noTree;
    }
    return toAppTree(replica);
  }

  // ---- durability ----

  /**
   * Resolves when everything made so far is durable in every layer.
   * @throws FoldspaceError `FOLD_NOT_DURABLE`, with the layers that failed and how much they lack in `data.layers`; everything stays queued
   */
  async flush(): Promise<void> {
    // there is nothing to be saved
    if (!this.isReadOnly) await this.#saveAll();
  }

  async #saveAll(): Promise<void> {
    await this.#layers.settled();
    for (const replica of this.#allReplicas()) replica.handOver();
    assertDurable((await Promise.all([this.#layers.flush(), this.secrets.flush()])).flat());
  }

  /**
   * Looks for what changed elsewhere without waiting to be told: on focus, after sleep, when the network is back. Of a layer
   * that cannot look, {@link status} tells.
   */
  async rescan(): Promise<void> {
    await this.#layers.rescan();
  }

  /**
   * Flushes and lets go of all layers. Closing once more is waiting for the same.
   * @throws FoldspaceError as {@link flush}; the space is closed all the same
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.flush();
      // a layer that has just found something lost tells of it now, and is given it once more
      this.#layers.stopListening();
      await this.flush();
    } finally {
      await this.#letGo();
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

  /** What is wrong with the stored data, in all layers. */
  get problems(): readonly Problem[] {
    return this.#layers.problems.value;
  }

  observeProblems(listener: (problems: readonly Problem[]) => void): () => void {
    return this.#layers.problems.observe(listener);
  }

  // ---- inside ----

  /** @returns when the layer has given a space tree with its root; listening and other trees may take longer */
  #openUntilUsable(link: LayerLink): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#openLink(link, false, () => {
        if (this.#spaceReplica.isUsable) resolve();
      }).then(
        () =>
          reject(
            new FoldspaceError("FOLD_NO_ROOT", `${link.layer.id} has no operation that creates the root of space ${this.id}`),
          ),
        reject,
      );
    });
  }

  #openLink(link: LayerLink, create: boolean, onRead?: () => void): Promise<void> {
    const session = (): LayerSession => ({ peerId: this.#peerId, create, isReadOnly: this.isReadOnly });
    for (const replica of this.#allReplicas()) replica.await(link.layer);
    return link.open(session, [
      async () => void (await Promise.all([this.#spaceReplica.attach(link.layer), this.secrets.attach(link.layer)])),
      async () => {
        this.#layers.active.add(link.layer);
        onRead?.();
        await Promise.all(Array.from(this.#replicas.values(), async (replica) => await replica.attach(link.layer)));
      },
      async () => await link.layer.startListening?.((change) => this.#receive(link.layer, change)),
      async () => this.#mirror.addAll(),
    ]);
  }

  #receive(layer: PersistenceLayer, change: IncomingChange): void {
    if (!this.#layers.active.has(layer)) return;
    const replica = this.#replicaOf(change.treeId);
    if (!replica) {
      this.#mirror.add(change.treeId);
      this.#changedTree.value = change.treeId;
    } else if (change.isLossy) {
      this.#layers.linkOf(layer)?.track(replica.reattach(layer));
      // a layer that has lost the space tree has lost those that are not loaded, too
      if (replica === this.#spaceReplica) this.#mirror.addAll();
    } else if (change.ops) {
      replica.receive(layer, change.ops);
    }
  }

  /** Begins to save what there is, without waiting for anything: the page may be gone in a moment. */
  #leave(): void {
    for (const replica of this.#allReplicas()) replica.handOver();
    this.#layers.leave();
    this.secrets.saveNow();
  }

  #newReplica(treeId: string, options: ReplicatedTreeOptions = {}): TreeReplica {
    const listener: ReplicaListener = {
      onFailed: (layer, error) => this.#layers.fail(layer, error),
      onCloned: (clonedTreeId) => this.#changePeer(clonedTreeId),
    };
    return new TreeReplica(this.#peerId, treeId, this.isReadOnly, listener, options);
  }

  #changePeer(treeId: string): void {
    const former = this.#peerId;
    this.#peerId = newId();
    for (const replica of this.#allReplicas()) replica.changePeer(this.#peerId);
    this.secrets.changePeer();
    for (const { layer } of this.#layers.links) layer.changePeer?.(this.#peerId);
    const reason = `somebody else makes operations as peer ${former}, so edits are made here as ${this.#peerId} from now on; nothing is lost`;
    this.#layers.report({ code: "FOLD_PEER_CLONED", reason, treeId });
  }

  #replicaOf(treeId: string): TreeReplica | undefined {
    return treeId === this.id ? this.#spaceReplica : this.#replicas.get(treeId);
  }

  #allReplicas(): TreeReplica[] {
    return [this.#spaceReplica, ...this.#replicas.values()];
  }

  async #dropLink(link: LayerLink): Promise<void> {
    for (const replica of this.#allReplicas()) replica.detach(link.layer);
    this.secrets.detach(link.layer);
    await this.#layers.drop(link);
  }

  async #letGo(): Promise<void> {
    this.#isClosed = true;
    this.#endObservingPage();
    this.secrets.close();
    await this.#layers.close();
    this.#onClosed();
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new FoldspaceError("FOLD_CLOSED", `Space ${this.id} is closed`);
  }
}
