import { systemClock, type Clock } from "../../clock.ts";
import { FoldspaceError, toFoldspaceError, type Problem } from "../../errors.ts";
import { Observable } from "../../observable.ts";
import { ProblemLedger } from "../../problem-ledger.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import { Batcher } from "../batcher.ts";
import { ObservedLayer } from "../observed-layer.ts";
import {
  OFFLINE_STATUS,
  type IncomingChange,
  type LayerSession,
  type PersistenceLayer,
  type SecretsUpdate,
  type StoredSecrets,
} from "../persistence-layer.ts";
import { assertStorable } from "../storable.ts";
import type { NatsLayerOptions } from "./nats-options.ts";
import { Sealing } from "./sealing.ts";
import { ServerSession } from "./server-session.ts";
import { canNameSubject, SpaceSubjects } from "./subjects.ts";

/** Trees whose operations are on their way at once. */
const MAX_CONCURRENT_TREES = 16;
const WRITER_NAME = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * Keeps a space on NATS servers, in JetStream: a relay and an archive for devices that share no folder. Its users keep another
 * layer beside it, so that they work while it is out of reach, and so that a lost server loses nothing.
 */
export class NatsPersistenceLayer extends ObservedLayer implements PersistenceLayer {
  readonly id: string;
  override readonly label: string;
  readonly type = "remote";
  readonly supportsIncomingSync = true;
  readonly spaceId: string;
  readonly loadSecrets?: () => Promise<StoredSecrets | undefined>;
  readonly saveSecrets?: (update: SecretsUpdate) => Promise<void>;
  readonly #options: NatsLayerOptions;
  readonly #clock: Clock;
  readonly #ledger = new ProblemLedger();
  readonly #changedSecrets = new Observable<undefined>(undefined);
  #session: ServerSession | undefined;
  /** The session that `connect` is opening. */
  #opening: ServerSession | undefined;
  #batcher: Batcher | undefined;
  #isListening = false;

  constructor(spaceId: string, options: NatsLayerOptions) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.id = options.id ?? "nats";
    this.label = `the server ${[options.servers].flat().map(withoutCredentials).join(", ")}`;
    this.spaceId = spaceId;
    if (options.secrets === "none") return;
    this.loadSecrets = async () => await this.#connected().loadSecrets();
    this.saveSecrets = async (update) => await this.#connected().saveSecrets(update);
  }

  /**
   * @throws FoldspaceError `FOLD_UNAVAILABLE` if no server can be reached or the client is not installed, `FOLD_PERMISSION`,
   *   `FOLD_NOT_FOUND` if the server lacks the stream and it must not be created, `FOLD_BAD_ID`
   */
  async connect(session?: LayerSession): Promise<void> {
    await this.connectInTurn(async (assertWanted) => {
      if (!this.#session) await this.#connect(session, assertWanted);
    });
  }

  async disconnect(): Promise<void> {
    // a server that does not answer delays nothing
    void this.#opening?.close();
    await this.disconnectInTurn(async () => {
      const [session, batcher] = [this.#session, this.#batcher];
      if (!session || !batcher) return;
      await this.stopListening();
      await batcher.close();
      this.#session = this.#batcher = undefined;
      await session.close();
      this.currentStatus.value = { ...batcher.status.value, state: "offline" };
    });
  }

  changePeer(peerId: string): void {
    this.#session?.changePeer(peerId);
  }

  isConnected(): boolean {
    return this.#session !== undefined;
  }

  override get problemCount(): number {
    return this.#ledger.count;
  }

  get placeId(): string | undefined {
    const place = this.#session?.place;
    return place === undefined ? undefined : `nats:${place}:${this.spaceId}`;
  }

  async listTrees(): Promise<string[]> {
    return await this.#connected().feed.listTrees();
  }

  async loadSpaceTreeOps(): Promise<VertexOperation[]> {
    return await this.loadTreeOps(this.spaceId);
  }

  async loadTreeOps(treeId: string): Promise<VertexOperation[]> {
    const session = this.#connected();
    if (this.#isKept(treeId)) return await session.feed.load(treeId);
    return [];
  }

  releaseTree(treeId: string): void {
    this.#session?.feed.release(treeId);
  }

  async saveTreeOps(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    this.#connected();
    assertStorable(ops);
    if (this.#isKept(treeId)) await this.#batcher?.add(treeId, this.#kept(ops));
  }

  async flush(): Promise<void> {
    await this.#batcher?.flush();
  }

  async startListening(listener: (change: IncomingChange) => void): Promise<void> {
    const { feed } = this.#connected();
    this.#isListening = true;
    await feed.listen(listener);
  }

  async stopListening(): Promise<void> {
    this.#isListening = false;
    this.#session?.feed.stopListening();
  }

  /** Also tries at once to reach a server that could not be reached. */
  async rescan(): Promise<void> {
    await this.#session?.rescan();
  }

  async rescanTree(treeId: string): Promise<void> {
    await this.#connected().feed.rescanTree(treeId);
  }

  /** Peers of other devices: those publish the operations themselves, and what others publish under their peers is not taken. */
  peersNotDownloaded(_treeId: string): ReadonlySet<string> {
    return this.#session?.peersOfOthers ?? new Set();
  }

  observeSecrets(listener: () => void): () => void {
    return this.#changedSecrets.observe(listener);
  }

  async #connect(session: LayerSession | undefined, assertWanted: () => void): Promise<void> {
    try {
      const opened = await this.#open(session, assertWanted);
      const write = async (treeId: string, ops: readonly VertexOperation[]): Promise<void> => opened.publish(treeId, ops);
      const batcher = new Batcher(write, this.#options, this.#clock, {
        writesQueuesConcurrently: true,
        maxConcurrentQueues: MAX_CONCURRENT_TREES,
        trace: session?.trace,
      });
      this.#session = opened;
      this.#batcher = batcher;
      const publish = (): void => {
        const status = batcher.status.value;
        const error = opened.failure.value;
        if (this.#session === opened) this.currentStatus.value = error ? { ...status, state: "degraded", error } : status;
      };
      publish();
      batcher.status.observe(publish);
      opened.failure.observe((error) => {
        publish();
        if (!error) batcher.retry();
      });
    } catch (error) {
      this.currentStatus.value = { ...OFFLINE_STATUS, error: toFoldspaceError(error) };
      throw error;
    }
  }

  async #open(session: LayerSession | undefined, assertWanted: () => void): Promise<ServerSession> {
    const { shardDigits = 1, writer, operationKey } = this.#options;
    if (writer !== undefined && !WRITER_NAME.test(writer)) {
      const shown = JSON.stringify(writer.slice(0, 80));
      throw new FoldspaceError("FOLD_BAD_ID", `${shown} cannot name a device on a server: only letters, digits, "-" and "_"`);
    }
    const opening = new ServerSession(this.spaceId, {
      subjects: new SpaceSubjects(this.spaceId, shardDigits),
      peerId: session?.peerId ?? newId(),
      sealing: operationKey && (await Sealing.of(operationKey)),
      layer: this.#options,
      label: this.label,
      clock: this.#clock,
      trace: session?.trace,
      isReadOnly: session?.isReadOnly ?? false,
      create: session?.create ?? false,
      onProblems: (treeId, problems, isAll) => this.#report(treeId, problems, isAll),
      onSecretsChanged: () => {
        if (this.#isListening) this.#changedSecrets.value = undefined;
      },
    });
    this.#opening = opening;
    try {
      assertWanted();
      await opening.open();
      assertWanted();
      return opening;
    } catch (error) {
      await opening.close();
      throw error;
    } finally {
      this.#opening = undefined;
    }
  }

  /** Whether the server can keep a tree; if not, this is a problem. */
  #isKept(treeId: string): boolean {
    if (canNameSubject(treeId)) return true;
    const shown = JSON.stringify(treeId.slice(0, 80));
    const reason = `the id ${shown} of a tree cannot be part of a subject, so that the server does not keep the tree`;
    this.#report(`id ${treeId}`, [{ code: "FOLD_BAD_ID", reason }], true);
    return false;
  }

  /** The operations that the server can keep; others are a problem. */
  #kept(ops: readonly VertexOperation[]): readonly VertexOperation[] {
    if (ops.every(({ id }) => canNameSubject(id.peerId))) return ops;
    for (const peerId of new Set(ops.map(({ id }) => id.peerId))) {
      if (canNameSubject(peerId)) continue;
      const shown = JSON.stringify(peerId.slice(0, 80));
      const reason = `the id ${shown} of a peer cannot be part of a message, so that the server does not keep its operations`;
      this.#report(`id ${peerId}`, [{ code: "FOLD_BAD_ID", reason }], true);
    }
    return ops.filter(({ id }) => canNameSubject(id.peerId));
  }

  /** @param isAll whether these are all problems of the key, or more of them */
  #report(key: string, problems: readonly Problem[], isAll: boolean): void {
    if (isAll) this.#ledger.set(key, problems);
    else this.#ledger.add(key, problems);
    if (this.currentProblems.value !== this.#ledger.sample) this.currentProblems.value = this.#ledger.sample;
  }

  #connected(): ServerSession {
    if (this.#session) return this.#session;
    throw new FoldspaceError("FOLD_CLOSED", `${this.label} is not connected as a layer`);
  }
}

/** An address without what it may contain for logging in. */
function withoutCredentials(server: string): string {
  return server.replace(/\/\/.*@/, "//");
}
