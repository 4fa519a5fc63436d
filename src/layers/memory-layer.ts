import { randomId } from "../random-id.ts";
import { systemClock, type Clock } from "../clock.ts";
import { FoldspaceError } from "../errors.ts";
import { applyChanges } from "../secrets/secret-map.ts";
import type { Trace } from "../trace.ts";
import { opIdToString, type VertexOperation } from "../tree/index.ts";
import { Batcher, type FlushPolicy } from "./batcher.ts";
import { ObservedLayer } from "./observed-layer.ts";
import {
  describeLayer,
  type IncomingChange,
  type LayerSession,
  type PersistenceLayer,
  type SecretsUpdate,
  type StoredSecrets,
} from "./persistence-layer.ts";
import { assertStorable } from "./storable.ts";

/** The "place" in which several memory layers keep the same space. */
export class MemoryStore {
  readonly #trees = new Map<string, Map<string, VertexOperation>>();
  readonly #listeners = new Set<(writer: object, treeId: string, ops: readonly VertexOperation[]) => void>();
  readonly #secretsListeners = new Set<(writer: object) => void>();
  /** Unique to this store. */
  readonly id: string = randomId();
  spaceId: string | undefined;
  secrets: StoredSecrets = { values: new Map(), sealed: [] };

  get treeIds(): string[] {
    return [...this.#trees.keys()].sort();
  }

  /** The operations of a tree, once each; an empty list for an unknown tree. */
  read(treeId: string): VertexOperation[] {
    return [...(this.#trees.get(treeId)?.values() ?? [])];
  }

  /**
   * Adds operations, and notifies all observers during the call.
   * @param writer object that identifies the layer, so that it can ignore its own writes
   */
  write(writer: object, treeId: string, ops: readonly VertexOperation[]): void {
    let tree = this.#trees.get(treeId);
    if (!tree) this.#trees.set(treeId, (tree = new Map()));
    for (const op of ops) tree.set(opIdToString(op.id), op);
    for (const listener of [...this.#listeners]) listener(writer, treeId, ops);
  }

  /** Passes each write. @returns a function that ends it */
  observe(listener: (writer: object, treeId: string, ops: readonly VertexOperation[]) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Applies changes to the secrets, and notifies the observers of secrets during the call. */
  writeSecrets(writer: object, { changes, sealed, retired = [] }: SecretsUpdate): void {
    const files = this.secrets.sealed.filter(({ peerId }) => peerId !== sealed?.peerId && !retired.includes(peerId));
    if (sealed) files.push({ peerId: sealed.peerId, content: sealed.text });
    this.secrets = { values: applyChanges(this.secrets.values, changes), sealed: files };
    for (const listener of [...this.#secretsListeners]) listener(writer);
  }

  /** Notifies of each write of secrets. @returns a function that ends it */
  observeSecrets(listener: (writer: object) => void): () => void {
    this.#secretsListeners.add(listener);
    return () => void this.#secretsListeners.delete(listener);
  }
}

/** Options of a layer in memory, with the intervals at which it saves to its store. */
export interface MemoryLayerOptions extends Partial<FlushPolicy> {
  /** Shared by layers that should see each other's operations. Default: the layer's own store. */
  readonly store?: MemoryStore;
  readonly id?: string;
  readonly clock?: Clock;
}

/** Keeps a space in memory: for tests, for drafts, and as the simplest example of a layer. */
export class MemoryPersistenceLayer extends ObservedLayer implements PersistenceLayer {
  readonly id: string;
  readonly type = "local";
  readonly supportsIncomingSync = true;
  readonly spaceId: string;
  readonly #store: MemoryStore;
  readonly #options: MemoryLayerOptions;
  readonly #loadedTrees = new Set<string>();
  #batcher: Batcher | undefined;
  #trace: Trace | undefined;
  #listener: ((change: IncomingChange) => void) | undefined;
  #unobserveStore: (() => void) | undefined;
  /** Changes of loaded trees that arrived while the layer had no listener. */
  #unheard: IncomingChange[] = [];

  constructor(spaceId: string, options: MemoryLayerOptions = {}) {
    super();
    this.id = options.id ?? "memory";
    this.spaceId = spaceId;
    this.#store = options.store ?? new MemoryStore();
    this.#options = options;
  }

  /** @throws FoldspaceError `FOLD_SPACE_MISMATCH`, and `FOLD_NOT_A_SPACE` if the store is empty and the session does not create */
  async connect(session?: LayerSession): Promise<void> {
    await this.connectInTurn(async () => this.#connect(session));
  }

  #connect(session: LayerSession | undefined): void {
    if (this.#batcher) return;
    if (this.#store.spaceId === undefined) {
      if (!session?.create) throw new FoldspaceError("FOLD_NOT_A_SPACE", "The store holds no space");
      this.#store.spaceId = this.spaceId;
    }
    if (this.#store.spaceId !== this.spaceId) {
      throw new FoldspaceError("FOLD_SPACE_MISMATCH", `The store holds the space ${this.#store.spaceId}, not ${this.spaceId}`);
    }
    const trace = session?.trace;
    this.#trace = trace;
    const write = async (treeId: string, ops: readonly VertexOperation[]): Promise<void> => {
      this.#store.write(this, treeId, ops);
      trace?.emit("saved", { treeId, ops });
    };
    this.#batcher = new Batcher(write, this.#options, this.#options.clock ?? systemClock, { trace });
    this.currentStatus.value = this.#batcher.status.value;
    this.#batcher.status.observe((status) => (this.currentStatus.value = status));
    this.#unobserveStore = this.#store.observe((writer, treeId, ops) => {
      if (writer === this) return;
      trace?.emit("hint", { treeId });
      this.#notify({ treeId, ops: this.#loadedTrees.has(treeId) ? ops : undefined });
    });
  }

  async disconnect(): Promise<void> {
    await this.disconnectInTurn(async () => {
      const batcher = this.#batcher;
      if (!batcher) return;
      await this.stopListening();
      this.#unobserveStore?.();
      this.#loadedTrees.clear();
      this.#unheard = [];
      this.#batcher = undefined;
      await batcher.close();
      this.currentStatus.value = { ...batcher.status.value, state: "offline" };
    });
  }

  isConnected(): boolean {
    return this.#batcher !== undefined;
  }

  get placeId(): string | undefined {
    return this.#batcher && `memory:${this.#store.id}`;
  }

  async listTrees(): Promise<string[]> {
    this.#connected();
    return this.#store.treeIds;
  }

  async loadSpaceTreeOps(): Promise<VertexOperation[]> {
    return await this.loadTreeOps(this.spaceId);
  }

  async loadTreeOps(treeId: string): Promise<VertexOperation[]> {
    this.#connected();
    this.#loadedTrees.add(treeId);
    this.#unheard = this.#unheard.filter((change) => change.treeId !== treeId);
    const ops = this.#store.read(treeId);
    this.#trace?.emit("read", { treeId, ops });
    return ops;
  }

  releaseTree(treeId: string): void {
    this.#loadedTrees.delete(treeId);
  }

  async saveTreeOps(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    const batcher = this.#connected();
    assertStorable(ops);
    await batcher.add(treeId, ops);
  }

  async flush(): Promise<void> {
    await this.#batcher?.flush();
  }

  async startListening(listener: (change: IncomingChange) => void): Promise<void> {
    this.#connected();
    this.#listener = listener;
    for (const change of this.#unheard.splice(0)) listener(change);
  }

  async stopListening(): Promise<void> {
    this.#listener = undefined;
  }

  /** Does nothing: the listener gets every operation at once. */
  async rescanTree(_treeId: string): Promise<void> {
    this.#connected();
  }

  async loadSecrets(): Promise<StoredSecrets> {
    this.#connected();
    return this.#store.secrets;
  }

  async saveSecrets(update: SecretsUpdate): Promise<void> {
    this.#connected();
    this.#store.writeSecrets(this, update);
  }

  observeSecrets(listener: () => void): () => void {
    return this.#store.observeSecrets((writer) => {
      if (writer !== this && this.#listener) listener();
    });
  }

  #notify(change: IncomingChange): void {
    if (change.ops) this.#trace?.emit("read", change);
    if (this.#listener) this.#listener(change);
    else if (change.ops) this.#unheard.push(change);
  }

  #connected(): Batcher {
    if (this.#batcher) return this.#batcher;
    throw new FoldspaceError("FOLD_CLOSED", `${describeLayer(this)} is not connected`);
  }
}
