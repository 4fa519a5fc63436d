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
import type { DeviceStore } from "../secrets/device-store.ts";
import type { VertexOperation } from "../tree/index.ts";

/** What a {@link FaultyLayer} can be told to do badly. */
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
  | "rescanTree";

type Fault = <T>(call: () => Promise<T>) => Promise<T>;

/** A layer that fails or hangs where a test says so, and otherwise does what the layer does that it wraps. */
export class FaultyLayer implements PersistenceLayer {
  readonly inner: PersistenceLayer;
  /** Every call of a step, in order, those that failed included. */
  readonly calls: LayerStep[] = [];
  readonly #faults = new Map<LayerStep, Fault>();
  /** Saves that have not reached the other layer yet. */
  readonly #handing = new Set<Promise<void>>();

  /** Present where the other layer has it. */
  readonly rescanTree?: (treeId: string) => Promise<void>;

  constructor(inner: PersistenceLayer) {
    this.inner = inner;
    if (inner.rescanTree)
      this.rescanTree = async (treeId) => await this.#take("rescanTree", async () => await inner.rescanTree!(treeId));
  }

  /** Has a step fail from now on. */
  fail(step: LayerStep, error: unknown = new FoldspaceError("FOLD_IO", `${step} fails in this test`)): void {
    this.#faults.set(step, async () => {
      throw error;
    });
  }

  /**
   * Has a step hang from now on. A flush waits for saves that hang, as it promises what was handed over before.
   * @param moment before the other layer is asked, or after that, so that only the answer is late
   * @returns lets go of those that hang, and of all that come
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

  /** Ends the faults of a step. What hangs goes on hanging. */
  heal(step: LayerStep): void {
    this.#faults.delete(step);
  }

  async #take<T>(step: LayerStep, call: () => Promise<T>): Promise<T> {
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
    await this.#take("connect", async () => await this.inner.connect(session));
  }

  async disconnect(): Promise<void> {
    await this.#take("disconnect", async () => await this.inner.disconnect());
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
    return await this.#take("listTrees", async () => await this.inner.listTrees());
  }

  async loadSpaceTreeOps(): Promise<VertexOperation[]> {
    return await this.loadTreeOps(this.spaceId);
  }

  async loadTreeOps(treeId: string): Promise<VertexOperation[]> {
    return await this.#take("loadTreeOps", async () => await this.inner.loadTreeOps(treeId));
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
      await this.#take("saveTreeOps", async () => {
        const saving = this.inner.saveTreeOps(treeId, ops);
        reach();
        await saving;
      });
    } finally {
      reach();
    }
  }

  async flush(): Promise<void> {
    await this.#take("flush", async () => {
      if (this.#handing.size > 0) await Promise.all(this.#handing);
      await this.inner.flush();
    });
  }

  async startListening(listener: (change: IncomingChange) => void): Promise<void> {
    await this.#take("startListening", async () => await this.inner.startListening?.(listener));
  }

  async loadSecrets(): Promise<StoredSecrets | undefined> {
    return await this.#take("loadSecrets", async () => await this.inner.loadSecrets?.());
  }

  async saveSecrets(update: SecretsUpdate): Promise<void> {
    await this.#take("saveSecrets", async () => await this.inner.saveSecrets?.(update));
  }

  observeSecrets(listener: () => void): () => void {
    return this.inner.observeSecrets?.(listener) ?? (() => undefined);
  }

  get deviceStore(): DeviceStore | undefined {
    return this.inner.deviceStore;
  }

  async stopListening(): Promise<void> {
    await this.inner.stopListening?.();
  }

  flushOnPageHide(): void {
    if (this.inner.flushOnPageHide) this.inner.flushOnPageHide();
    // a failure is in the status
    else this.flush().catch(() => undefined);
  }

  async rescan(): Promise<void> {
    await this.#take("rescan", async () => await this.inner.rescan?.());
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

  observeProblems(listener: (problems: readonly Problem[]) => void): () => void {
    return this.inner.observeProblems(listener);
  }
}

/** A store that refuses to be written to while a test says so, as a full disk does, and counts what it is given. */
export class FaultyStore extends MemoryStore {
  refuseWith: FoldspaceError | undefined;
  /** Operations given so far, those that were there already included. */
  written = 0;

  override write(writer: object, treeId: string, ops: readonly VertexOperation[]): void {
    if (this.refuseWith) throw this.refuseWith;
    this.written += ops.length;
    super.write(writer, treeId, ops);
  }
}
