import {
  assertStorable,
  Batcher,
  describeLayer,
  FoldspaceError,
  newId,
  ObservedLayer,
  systemClock,
  type FlushPolicy,
  type IncomingChange,
  type LayerSession,
  type PersistenceLayer,
  type VertexOperation,
} from "foldspace";
import type { Entry } from "./server.ts";

export interface HttpLayerOptions extends Partial<FlushPolicy> {
  /** How often the server is asked for new operations. Default: 1,000 ms. */
  readonly pollMs?: number;
}

/** Keeps a space on a server of {@link makeServer}. A space that the server does not have counts as empty. */
export class HttpPersistenceLayer extends ObservedLayer implements PersistenceLayer {
  readonly id = "http";
  readonly type = "remote";
  readonly supportsIncomingSync = true;
  readonly spaceId: string;
  override readonly label: string;
  readonly #address: string;
  readonly #options: HttpLayerOptions;
  readonly #writer = newId();
  /** For each loaded tree, the position in the log up to which its operations have been delivered. */
  readonly #loaded = new Map<string, number>();
  #batcher: Batcher | undefined;
  #listener: ((change: IncomingChange) => void) | undefined;
  #position = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #polling: Promise<void> = Promise.resolve();

  constructor(server: string, spaceId: string, options: HttpLayerOptions = {}) {
    super();
    this.spaceId = spaceId;
    this.label = `the server ${server}`;
    this.#address = `${server}/${encodeURIComponent(spaceId)}`;
    this.#options = options;
  }

  async connect(_session?: LayerSession): Promise<void> {
    await this.connectInTurn(async (assertWanted) => {
      if (this.#batcher) return;
      const { length } = await this.#fetch(0);
      assertWanted();
      this.#position = length;
      // collects operations, calls `write`, tries again if that fails, and reports the state of all that
      const batcher = new Batcher(async (treeId, ops) => await this.#write(treeId, ops), this.#options, systemClock);
      this.currentStatus.value = batcher.status.value;
      batcher.status.observe((status) => (this.currentStatus.value = status));
      this.#batcher = batcher;
    });
  }

  async disconnect(): Promise<void> {
    await this.disconnectInTurn(async () => {
      const batcher = this.#batcher;
      if (!batcher) return;
      await this.stopListening();
      this.#loaded.clear();
      this.#batcher = undefined;
      await batcher.close();
      this.currentStatus.value = { ...batcher.status.value, state: "offline" };
    });
  }

  isConnected(): boolean {
    return this.#batcher !== undefined;
  }

  async listTrees(): Promise<string[]> {
    this.#connected();
    return [...new Set((await this.#fetch(0)).map(({ treeId }) => treeId))];
  }

  async loadSpaceTreeOps(): Promise<VertexOperation[]> {
    return await this.loadTreeOps(this.spaceId);
  }

  async loadTreeOps(treeId: string): Promise<VertexOperation[]> {
    this.#connected();
    const entries = await this.#fetch(0);
    this.#loaded.set(treeId, entries.length);
    return entries.filter((entry) => entry.treeId === treeId).map(({ op }) => op);
  }

  releaseTree(treeId: string): void {
    this.#loaded.delete(treeId);
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
    this.#timer ??= setInterval(() => void this.rescan(), this.#options.pollMs ?? 1_000);
  }

  async stopListening(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#polling;
    this.#listener = undefined;
  }

  /** Asks the server now. A failure is shown as a problem of the layer until the next success. */
  async rescan(): Promise<void> {
    this.#polling = this.#polling.then(async () => {
      if (!this.#listener) return;
      try {
        await this.#poll();
        if (this.problems.length > 0) this.currentProblems.value = [];
      } catch (error) {
        const reason = `${this.label} does not answer: ${String(error)}`;
        this.currentProblems.value = [{ code: "FOLD_UNAVAILABLE", reason }];
      }
    });
    await this.#polling;
  }

  async #poll(): Promise<void> {
    const start = this.#position;
    const entries = await this.#fetch(start);
    this.#position = start + entries.length;
    const changes = new Map<string, VertexOperation[] | undefined>();
    for (const [index, { treeId, op, writer }] of entries.entries()) {
      const loadedUpTo = this.#loaded.get(treeId);
      if (writer === this.#writer || (loadedUpTo !== undefined && start + index < loadedUpTo)) continue;
      // operations of a tree that is not loaded are not passed, only that there are some
      if (loadedUpTo === undefined) changes.set(treeId, undefined);
      else changes.set(treeId, [...(changes.get(treeId) ?? []), op]);
    }
    for (const [treeId, ops] of changes) this.#listener?.({ treeId, ops });
  }

  async #write(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    const body = JSON.stringify(ops.map((op): Entry => ({ treeId, op, writer: this.#writer })));
    await this.#request({ method: "POST", body });
  }

  async #fetch(after: number): Promise<Entry[]> {
    return (await (await this.#request({}, `?after=${after}`)).json()) as Entry[];
  }

  async #request(init: RequestInit, query = ""): Promise<Response> {
    const response = await fetch(this.#address + query, init).catch((cause: unknown) => {
      throw new FoldspaceError("FOLD_UNAVAILABLE", `${this.label} cannot be reached`, { cause });
    });
    if (!response.ok) throw new FoldspaceError("FOLD_IO", `${this.label} answers ${response.status}`);
    return response;
  }

  #connected(): Batcher {
    if (this.#batcher) return this.#batcher;
    throw new FoldspaceError("FOLD_CLOSED", `${describeLayer(this)} is not connected`);
  }
}
