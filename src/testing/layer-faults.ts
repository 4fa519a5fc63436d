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
import type { SecretsMemory } from "../secrets/memory.ts";
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
  | "rescanTree";

/** A layer that fails or hangs where a test says so, and otherwise does what the layer does that it wraps. */
export class FaultyLayer implements PersistenceLayer {
  readonly inner: PersistenceLayer;
  /** Every call of a step, in order, those that failed included. */
  readonly calls: LayerStep[] = [];
  readonly #faults = new Map<LayerStep, () => Promise<void>>();

  /** Present where the other layer has it. */
  readonly rescanTree?: (treeId: string) => Promise<void>;

  constructor(inner: PersistenceLayer) {
    this.inner = inner;
    if (inner.rescanTree)
      this.rescanTree = async (treeId) => {
        await this.#take("rescanTree");
        await inner.rescanTree!(treeId);
      };
  }

  /** Has a step fail from now on. */
  fail(step: LayerStep, error: unknown = new FoldspaceError("FOLD_IO", `${step} fails in this test`)): void {
    this.#faults.set(step, async () => {
      throw error;
    });
  }

  /** Has a step hang from now on. @returns lets go of those that hang, and of all that come */
  hang(step: LayerStep): () => void {
    let release: (() => void) | undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    this.#faults.set(step, () => released);
    return () => {
      this.heal(step);
      release?.();
    };
  }

  /** Ends the faults of a step. What hangs goes on hanging. */
  heal(step: LayerStep): void {
    this.#faults.delete(step);
  }

  async #take(step: LayerStep): Promise<void> {
    this.calls.push(step);
    await this.#faults.get(step)?.();
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
    await this.#take("connect");
    await this.inner.connect(session);
  }

  async disconnect(): Promise<void> {
    await this.#take("disconnect");
    await this.inner.disconnect();
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
    await this.#take("listTrees");
    return await this.inner.listTrees();
  }

  async loadSpaceTreeOps(): Promise<VertexOperation[]> {
    return await this.loadTreeOps(this.spaceId);
  }

  async loadTreeOps(treeId: string): Promise<VertexOperation[]> {
    await this.#take("loadTreeOps");
    return await this.inner.loadTreeOps(treeId);
  }

  releaseTree(treeId: string): void {
    this.inner.releaseTree?.(treeId);
  }

  async saveTreeOps(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    await this.#take("saveTreeOps");
    await this.inner.saveTreeOps(treeId, ops);
  }

  async flush(): Promise<void> {
    await this.#take("flush");
    await this.inner.flush();
  }

  async startListening(listener: (change: IncomingChange) => void): Promise<void> {
    await this.#take("startListening");
    await this.inner.startListening?.(listener);
  }

  async loadSecrets(): Promise<StoredSecrets | undefined> {
    await this.#take("loadSecrets");
    return await this.inner.loadSecrets?.();
  }

  async saveSecrets(update: SecretsUpdate): Promise<void> {
    await this.#take("saveSecrets");
    await this.inner.saveSecrets?.(update);
  }

  observeSecrets(listener: () => void): () => void {
    return this.inner.observeSecrets?.(listener) ?? (() => undefined);
  }

  get secretsMemory(): SecretsMemory | undefined {
    return this.inner.secretsMemory;
  }

  async stopListening(): Promise<void> {
    await this.inner.stopListening?.();
  }

  leave(): void {
    if (this.inner.leave) this.inner.leave();
    // a failure is in the status
    else this.flush().catch(() => undefined);
  }

  async rescan(): Promise<void> {
    await this.inner.rescan?.();
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
