import { FoldspaceError, type Problem } from "../errors.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import type {
  IncomingChange,
  LayerSession,
  LayerStatus,
  PersistenceLayer,
  SecretsUpdate,
  StoredSecrets,
} from "../layers/persistence-layer.ts";
import type { PeerPool } from "../peers/peer-pool.ts";
import type { DeviceStore } from "../secrets/device-store.ts";
import type { VertexOperation } from "../tree/index.ts";

/** A call of a {@link FaultyLayer} that can be made to fail or hang. */
export type LayerStep =
  | "connect"
  | "disconnect"
  | "listTrees"
  | "loadTreeOps"
  | "saveTreeOps"
  | "loadSecrets"
  | "saveSecrets"
  | "flush"
  | "startListening"
  | "rescan"
  | "rescanTree"
  | "resumeTree"
  | "readingOf";

type Fault = <T>(call: () => Promise<T>) => Promise<T>;

/** Wraps a layer. Its calls can be made to fail or hang; otherwise it behaves like the wrapped layer. */
export class FaultyLayer implements PersistenceLayer {
  readonly inner: PersistenceLayer;
  /** All calls in order, including failed ones. */
  readonly calls: LayerStep[] = [];
  readonly #faults = new Map<LayerStep, Fault>();
  /** Saves that have not reached the wrapped layer yet. */
  readonly #handing = new Set<Promise<void>>();

  /** Present if the wrapped layer has it. */
  readonly rescanTree?: (treeId: string) => Promise<void>;
  flushOnPageHide?: () => void;
  /** Present if the wrapped layer has them. */
  readonly resumeTree?: NonNullable<PersistenceLayer["resumeTree"]>;
  readonly readingOf?: NonNullable<PersistenceLayer["readingOf"]>;

  constructor(inner: PersistenceLayer) {
    this.inner = inner;
    if (inner.rescanTree)
      this.rescanTree = async (treeId) => await this.#run("rescanTree", async () => await inner.rescanTree!(treeId));
    if (inner.resumeTree)
      this.resumeTree = async (treeId, reading) =>
        await this.#run("resumeTree", async () => await inner.resumeTree!(treeId, reading));
    if (inner.readingOf)
      this.readingOf = async (treeId) => await this.#run("readingOf", async () => await inner.readingOf!(treeId));
    if (inner.flushOnPageHide) this.flushOnPageHide = () => inner.flushOnPageHide!();
  }

  /** Makes a step fail from now on. */
  fail(step: LayerStep, error: unknown = new FoldspaceError("FOLD_IO", `${step} fails in this test`)): void {
    this.#faults.set(step, async () => {
      throw error;
    });
  }

  /**
   * Makes a step hang from now on. A flush waits for hanging saves, because it covers all earlier saves.
   * @param moment before the wrapped layer is called, or after that, so that only the answer is late
   * @returns a function that releases the hanging calls and ends the fault
   */
  hang(step: LayerStep, moment: "before" | "answer" = "before"): () => void {
    let release: (() => void) | undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    const fault: Fault = async (call) => {
      if (moment === "before") await released;
      const answer = await call();
      await released;
      return answer;
    };
    this.#faults.set(step, fault);
    return () => {
      if (this.#faults.get(step) === fault) this.heal(step);
      release?.();
    };
  }

  /** Ends the faults of a step. Calls that hang continue to hang. */
  heal(step: LayerStep): void {
    this.#faults.delete(step);
  }

  async #run<T>(step: LayerStep, call: () => Promise<T>): Promise<T> {
    this.calls.push(step);
    const fault = this.#faults.get(step);
    return await (fault ? fault(call) : call());
  }

  get id(): string {
    return this.inner.id;
  }

  get type(): "local" | "remote" {
    return this.inner.type;
  }

  get spaceId(): string {
    return this.inner.spaceId;
  }

  get supportsIncomingSync(): boolean {
    return this.inner.supportsIncomingSync;
  }

  async connect(session?: LayerSession): Promise<void> {
    await this.#run("connect", async () => await this.inner.connect(session));
  }

  async disconnect(): Promise<void> {
    await this.#run("disconnect", async () => await this.inner.disconnect());
  }

  changePeer(peerId: string): void {
    this.inner.changePeer?.(peerId);
  }

  isConnected(): boolean {
    return this.inner.isConnected();
  }

  get placeId(): string | undefined {
    return this.inner.placeId;
  }

  async listTrees(): Promise<string[]> {
    return await this.#run("listTrees", async () => await this.inner.listTrees());
  }

  async loadSpaceTreeOps(): Promise<VertexOperation[]> {
    return await this.loadTreeOps(this.spaceId);
  }

  async loadTreeOps(treeId: string): Promise<VertexOperation[]> {
    return await this.#run("loadTreeOps", async () => await this.inner.loadTreeOps(treeId));
  }

  releaseTree(treeId: string): void {
    this.inner.releaseTree?.(treeId);
  }

  async saveTreeOps(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    let hand: (() => void) | undefined;
    const handed = new Promise<void>((resolve) => (hand = resolve));
    this.#handing.add(handed);
    const reach = (): void => {
      this.#handing.delete(handed);
      hand?.();
    };
    try {
      await this.#run("saveTreeOps", async () => {
        const saving = this.inner.saveTreeOps(treeId, ops);
        reach();
        await saving;
      });
    } finally {
      reach();
    }
  }

  async flush(): Promise<void> {
    await this.#run("flush", async () => {
      if (this.#handing.size > 0) await Promise.all(this.#handing);
      await this.inner.flush();
    });
  }

  async startListening(listener: (change: IncomingChange) => void): Promise<void> {
    await this.#run("startListening", async () => await this.inner.startListening?.(listener));
  }

  async loadSecrets(): Promise<StoredSecrets | undefined> {
    return await this.#run("loadSecrets", async () => await this.inner.loadSecrets?.());
  }

  async saveSecrets(update: SecretsUpdate): Promise<void> {
    await this.#run("saveSecrets", async () => await this.inner.saveSecrets?.(update));
  }

  observeSecrets(listener: () => void): () => void {
    return this.inner.observeSecrets?.(listener) ?? (() => undefined);
  }

  get peerPool(): PeerPool | undefined {
    return this.inner.peerPool;
  }

  get deviceStore(): DeviceStore | undefined {
    return this.inner.deviceStore;
  }

  async stopListening(): Promise<void> {
    await this.inner.stopListening?.();
  }

  async rescan(): Promise<void> {
    await this.#run("rescan", async () => await this.inner.rescan?.());
  }

  get status(): LayerStatus {
    return this.inner.status;
  }

  observeStatus(listener: (status: LayerStatus) => void): () => void {
    return this.inner.observeStatus(listener);
  }

  get problems(): readonly Problem[] {
    return this.inner.problems;
  }

  get problemCount(): number {
    return this.inner.problemCount ?? this.inner.problems.length;
  }

  /** Observes the problems of the wrapped layer. @returns a function that ends it */
  observeProblems(listener: (problems: readonly Problem[]) => void): () => void {
    return this.inner.observeProblems(listener);
  }
}

/** A store that counts the operations that it is given, and can be made to reject writes, as a full disk does. */
export class FaultyStore extends MemoryStore {
  refuseWith: FoldspaceError | undefined;
  /** Number of operations given so far, including operations that the store already had. */
  written = 0;

  /** Adds operations as `MemoryStore.write` does. @throws FoldspaceError {@link refuseWith}, if it is set */
  override write(writer: object, treeId: string, ops: readonly VertexOperation[]): void {
    if (this.refuseWith) throw this.refuseWith;
    this.written += ops.length;
    super.write(writer, treeId, ops);
  }
}
