import { systemClock, type Clock } from "../../clock.ts";
import { FoldspaceError, type Problem, toFoldspaceError } from "../../errors.ts";
import { Observable } from "../../observable.ts";
import type { PeerPool } from "../../peers/peer-pool.ts";
import { hasLocks } from "../../peers/web/held-lock.ts";
import { WebPeerPool } from "../../peers/web/web-peer-pool.ts";
import type { DeviceStore } from "../../secrets/device-store.ts";
import type { Trace } from "../../trace.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import { completesInTime } from "../../with-timeout.ts";
import { Batcher, type FlushPolicy, type QueueWrite } from "../batcher.ts";
import { ObservedLayer } from "../observed-layer.ts";
import {
  OFFLINE_STATUS,
  type IncomingChange,
  type LayerSession,
  type LayerStatus,
  type PersistenceLayer,
  type SecretsUpdate,
  type StoredSecrets,
} from "../persistence-layer.ts";
import { assertStorable } from "../storable.ts";
import {
  compactBatches,
  encodeBatches,
  isJoinable,
  parseRecords,
  readRecords,
  recordName,
  saveRecords,
  type FoundRecord,
  type KeyedRecord,
} from "./batches.ts";
import { Compactor } from "./compactor.ts";
import { DATABASE_NAME, DatabaseConnection, type BatchKey, type SpaceRecord } from "./database.ts";
import { PageJournal } from "./page-journal.ts";
import { IndexedDBDeviceStore, readSecrets, writeSecrets } from "./secrets-records.ts";
import { isStoragePersistent, requestPersistentStorage } from "./storage-persistence.ts";
import { TabChannel, type TabMessage } from "./tab-channel.ts";

/** Options of a layer in IndexedDB, with the intervals at which it saves: by default 50 ms, and 250 ms during steady edits. */
export interface IndexedDBLayerOptions extends Partial<FlushPolicy> {
  /** Default `foldspace`. */
  readonly databaseName?: string;
  readonly id?: string;
  /** `strict` waits for the device at each save, a millisecond or more. Default `relaxed`: waits for the operating system only. */
  readonly durability?: "relaxed" | "strict";
  /**
   * Whether to ask the browser to keep its storage (`navigator.storage.persist`) as soon as it has the space. Firefox asks the
   * user. Default: no. `status.isPersistent` has the answer.
   */
  readonly persist?: boolean;
  /** Entry of this space in the registry of spaces, used when the space is first saved. */
  readonly pointer?: Omit<SpaceRecord, "id">;
  readonly clock?: Clock;
}

/** A save costs about a millisecond here, so operations need not wait for one another. */
const FLUSH_POLICY: Partial<FlushPolicy> = { flushIntervalMs: 50, steadyIntervalMs: 250 };

/** How long a browser may take to say whether it keeps the storage. */
const PERSISTENT_MS = 1_000;

/** Resources of a connected layer. */
interface Connection {
  readonly database: DatabaseConnection;
  readonly batcher: Batcher;
  readonly compactor: Compactor;
  readonly isReadOnly: boolean;
  readonly channel: TabChannel;
  readonly secretsChannel: TabChannel<"changed">;
  readonly trace: Trace | undefined;
}

/**
 * Keeps a space in the browser's IndexedDB, in batches of operations. Empty or cleared storage is not an error: the other
 * layers fill it. Tabs with the same space send each other what they saved.
 */
export class IndexedDBPersistenceLayer extends ObservedLayer implements PersistenceLayer {
  readonly id: string;
  override readonly label: string;
  readonly type = "local";
  readonly supportsIncomingSync = true;
  readonly spaceId: string;
  readonly #options: IndexedDBLayerOptions & Required<Pick<IndexedDBLayerOptions, "databaseName" | "durability" | "clock">>;
  readonly #changedSecrets = new Observable<undefined>(undefined);
  readonly deviceStore: DeviceStore;
  /** Absent without Web Locks, which a page has that was loaded over https or from this machine. */
  readonly peerPool: PeerPool | undefined;
  readonly #treeProblems = new Map<string, readonly Problem[]>();
  /** By loaded tree: the names of the records that were read or written here, and whether each may be joined with others. */
  readonly #seen = new Map<string, Map<string, boolean>>();
  /** By loaded tree: a promise that resolves when its records have been read, or reading failed. */
  readonly #reading = new Map<string, Promise<void>>();
  /** Running deliveries: records that are being parsed for the listener. */
  readonly #deliveries = new Set<Promise<void>>();
  /** The database that `connect` is opening. */
  #opening: DatabaseConnection | undefined;
  #connection: Connection | undefined;
  #listener: ((change: IncomingChange) => void) | undefined;
  /** With its count, makes this instance's keys unique among tabs and over time. */
  #writerId = newId();
  #written = 0;
  /** Records whose transaction is under way. */
  readonly #saving = new Set<KeyedRecord>();
  readonly #journal: PageJournal;
  /** Whether the page may be gone after this turn. */
  #isPageHiding = false;
  /** The browser's answer; `undefined` before it. */
  #isPersistent: boolean | undefined;
  #hasAskedToPersist = false;

  constructor(spaceId: string, options: IndexedDBLayerOptions = {}) {
    super();
    this.#options = { databaseName: DATABASE_NAME, durability: "relaxed", clock: systemClock, ...options };
    this.id = options.id ?? `indexeddb:${this.#options.databaseName}`;
    this.label = `the browser's IndexedDB database ${this.#options.databaseName}`;
    this.spaceId = spaceId;
    this.#journal = new PageJournal(this.#options.databaseName);
    this.deviceStore = new IndexedDBDeviceStore(this.#options.databaseName);
    this.peerPool = hasLocks() ? new WebPeerPool(`${this.#options.databaseName}-peers`) : undefined;
  }

  /** @throws FoldspaceError `FOLD_UNAVAILABLE`, `FOLD_NEWER_FORMAT`, `FOLD_FOREIGN_STORAGE`, `FOLD_IO` */
  async connect(session?: LayerSession): Promise<void> {
    await this.connectInTurn(async (assertWanted) => {
      if (!this.#connection) await this.#connect(session, assertWanted);
    });
  }

  async disconnect(): Promise<void> {
    // another tab may block the opening for an unknown time
    this.#opening?.close();
    await this.disconnectInTurn(async () => {
      const connection = this.#connection;
      this.#listener = this.#connection = undefined;
      if (!connection) return;
      await connection.batcher.close();
      await connection.compactor.stop();
      connection.channel.close();
      connection.secretsChannel.close();
      connection.database.close();
      this.#seen.clear();
      this.#publish({ ...connection.batcher.status.value, state: "offline" });
    });
  }

  isConnected(): boolean {
    return this.#connection !== undefined;
  }

  get placeId(): string | undefined {
    return this.#connection && `indexeddb:${this.#options.databaseName}`;
  }

  async listTrees(): Promise<string[]> {
    return await this.#connected().database.run(async (database) => {
      const treeIds: string[] = [];
      // one request per tree: each continues behind all keys of the tree before
      let range = IDBKeyRange.bound([this.spaceId], [this.spaceId, []]);
      for (;;) {
        const key = await database.getKey("batches", range);
        if (!key) return treeIds;
        treeIds.push(key[1]);
        range = IDBKeyRange.bound([this.spaceId, key[1], []], [this.spaceId, []]);
      }
    });
  }

  async loadSpaceTreeOps(): Promise<VertexOperation[]> {
    return await this.loadTreeOps(this.spaceId);
  }

  async loadTreeOps(treeId: string): Promise<VertexOperation[]> {
    const { database, compactor, isReadOnly, trace } = this.#connected();
    // before reading: the listener gets what another tab saves from now on
    const seen = new Map<string, boolean>();
    this.#seen.set(treeId, seen);
    const reading = database.run((opened) => readRecords(opened, this.spaceId, treeId));
    const over = (): void => undefined;
    this.#reading.set(treeId, reading.then(over, over));
    const { records } = await reading;
    for (const [key, record] of records) seen.set(recordName(key), isJoinable(key, record));
    const { ops, problems } = await parseRecords(treeId, records);
    trace?.emit("read", { treeId, ops, file: firstName(records) });
    this.#setProblems(treeId, problems);
    if (!isReadOnly) compactor.note(treeId, seen.size);
    return ops;
  }

  releaseTree(treeId: string): void {
    this.#seen.delete(treeId);
    this.#reading.delete(treeId);
  }

  async saveTreeOps(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    const { batcher } = this.#connected();
    assertStorable(ops);
    await batcher.add(treeId, ops);
  }

  async flush(): Promise<void> {
    await this.#connection?.batcher.flush();
  }

  flushOnPageHide(): void {
    this.#isPageHiding = true;
    this.#options.clock.schedule(0, () => (this.#isPageHiding = false));
    this.#journal.add([...this.#saving]);
    this.#connection?.batcher.beginFlush();
  }

  async startListening(listener: (change: IncomingChange) => void): Promise<void> {
    this.#connected();
    this.#listener = listener;
    // what other tabs saved between loading and listening
    await this.rescan();
  }

  async stopListening(): Promise<void> {
    this.#listener = undefined;
  }

  /** Reads records that other tabs saved without a message to this tab. */
  async rescan(): Promise<void> {
    this.#notifySecretsChanged();
    await this.#absorbJournal();
    for (const treeId of [...this.#seen.keys()]) await this.rescanTree(treeId);
  }

  async rescanTree(treeId: string): Promise<void> {
    // records that are being read are not read twice
    await this.#reading.get(treeId);
    const seen = this.#seen.get(treeId);
    if (!this.#connection || !this.#listener || !seen) return;
    const isNew = (key: BatchKey): boolean => !seen.has(recordName(key));
    const { keys, records } = await this.#connection.database.run((database) =>
      readRecords(database, this.spaceId, treeId, isNew),
    );
    // another tab may have sent some meanwhile, and the tree may have been released
    const unseen = records.filter(([key]) => isNew(key));
    if (this.#seen.get(treeId) !== seen) return;
    await this.#notify(treeId, seen, unseen);
    // records that another tab sent count as seen while they are parsed
    await Promise.all(this.#deliveries);
    if (keys.length === 0 && seen.size > 0) this.#reportLoss(treeId);
  }

  async loadSecrets(): Promise<StoredSecrets | undefined> {
    return await this.#connected().database.run((database) => readSecrets(database, this.spaceId));
  }

  async saveSecrets(update: SecretsUpdate): Promise<void> {
    const { database, secretsChannel } = this.#connected();
    await database.run((opened) => writeSecrets(opened, this.spaceId, update, this.#options.durability));
    secretsChannel.post("changed");
  }

  observeSecrets(listener: () => void): () => void {
    return this.#changedSecrets.observe(listener);
  }

  async #connect(session: LayerSession | undefined, assertWanted: () => void): Promise<void> {
    const onWaiting = (error: FoldspaceError | undefined): void => {
      if (this.#opening !== database && this.#connection?.database !== database) return;
      if (error || this.currentStatus.value.error?.code === "FOLD_BUSY")
        this.currentStatus.value = { ...this.currentStatus.value, error };
    };
    const database = new DatabaseConnection(this.#options.databaseName, { onWaiting, clock: this.#options.clock });
    this.#opening = database;
    let hasSpace = false;
    const persistent = isStoragePersistent();
    try {
      await database.run(async (opened) => {
        hasSpace = (await opened.get("spaces", this.spaceId)) !== undefined;
        if (hasSpace || !session?.create) return;
        await opened.put("spaces", this.#spaceRecord());
        hasSpace = true;
      });
      await completesInTime(
        persistent.then((answer) => (this.#isPersistent = answer)),
        PERSISTENT_MS,
        this.#options.clock,
      );
      assertWanted();
    } catch (error) {
      database.close();
      this.currentStatus.value = { ...OFFLINE_STATUS, error: toFoldspaceError(error) };
      throw error;
    } finally {
      this.#opening = undefined;
    }
    this.#writerId = newId();
    const write: QueueWrite = (treeId, ops, onBegun) => this.#write(connection, treeId, ops, onBegun);
    const trace = session?.trace;
    const connection: Connection = {
      isReadOnly: session?.isReadOnly ?? false,
      trace,
      database,
      batcher: new Batcher(write, { ...FLUSH_POLICY, ...this.#options }, this.#options.clock, {
        writesQueuesConcurrently: true,
        trace,
      }),
      compactor: new Compactor((treeId) => this.#compact(database, treeId), this.#options.clock),
      channel: new TabChannel(
        `foldspace:${this.#options.databaseName}:${this.spaceId}`,
        (message) => void this.#onMessage(message),
      ),
      secretsChannel: new TabChannel(`foldspace:${this.#options.databaseName}:${this.spaceId}:secrets`, () =>
        this.#notifySecretsChanged(),
      ),
    };
    this.#connection = connection;
    this.#publish(connection.batcher.status.value);
    connection.batcher.status.observe((status) => this.#publish(status));
    await this.#absorbJournal();
    if (hasSpace) this.#askToPersist(connection);
  }

  /** Moves into the database what pages saved while they were being hidden, and could not tell whether it arrived. */
  async #absorbJournal(): Promise<void> {
    const connection = this.#connection;
    const records = this.#journal.find(this.spaceId);
    // a session that may not write sees them when another one has moved them
    if (!connection || connection.isReadOnly || records.length === 0) return;
    try {
      await connection.database.run((database) => saveRecords(database, this.spaceId, records, this.#options.durability));
      this.#journal.removeFound(records);
    } catch (error) {
      const { code, message } = toFoldspaceError(error);
      const reason = `what a page saved when it was left could not be moved from localStorage, and stays there: ${message}`;
      this.currentProblems.value = [...this.currentProblems.value, { code, reason }];
    }
  }

  async #write(connection: Connection, treeId: string, ops: readonly VertexOperation[], onBegun: () => void): Promise<void> {
    const encoded = await encodeBatches(ops, this.#isPageHiding);
    const records = encoded.map((record): KeyedRecord => [this.#newKey(treeId, record.peerId), record]);
    for (const record of records) this.#saving.add(record);
    if (this.#isPageHiding) this.#journal.add(records);
    let wasMissing: boolean;
    try {
      wasMissing = await connection.database.run((database) =>
        saveRecords(database, this.spaceId, records, this.#options.durability, onBegun),
      );
    } finally {
      for (const record of records) this.#saving.delete(record);
    }
    this.#journal.remove(records);
    this.#askToPersist(connection);
    connection.trace?.emit("saved", { treeId, ops, file: firstName(records) });
    if (wasMissing) await connection.database.run((database) => database.put("spaces", this.#spaceRecord()));
    // the database was deleted since these trees were loaded, and lacks their operations
    if (wasMissing) for (const [loaded, { size }] of this.#seen) if (size > 0) this.#reportLoss(loaded);
    const seen = this.#seen.get(treeId);
    for (const [key, record] of records) {
      seen?.set(recordName(key), isJoinable(key, record));
      connection.channel.post({ treeId, key, record });
    }
    if (seen) connection.compactor.note(treeId, seen.size);
  }

  /** Is not awaited, because the browser may ask the user. */
  #askToPersist({ isReadOnly }: Connection): void {
    if (!this.#options.persist || this.#hasAskedToPersist || isReadOnly) return;
    this.#hasAskedToPersist = true;
    void requestPersistentStorage().then((answer) => {
      this.#isPersistent = answer;
      this.#publish(this.currentStatus.value);
    });
  }

  #publish(status: LayerStatus): void {
    this.currentStatus.value = this.#isPersistent === undefined ? status : { ...status, isPersistent: this.#isPersistent };
  }

  async #onMessage({ treeId, key, record }: TabMessage): Promise<void> {
    this.#connection?.trace?.emit("hint", { treeId, file: recordName(key) });
    // without a listener the record counts as unseen: `startListening` reads it
    if (!this.#listener) return;
    const seen = this.#seen.get(treeId);
    if (seen?.has(recordName(key))) return;
    if (seen) await this.#notify(treeId, seen, [[key, record]]);
    else this.#listener({ treeId, ops: undefined });
  }

  async #notify(treeId: string, seen: Map<string, boolean>, records: readonly FoundRecord[]): Promise<void> {
    const delivery = this.#parseAndDeliver(treeId, seen, records).finally(() => this.#deliveries.delete(delivery));
    this.#deliveries.add(delivery);
    await delivery;
  }

  /** Delivers unseen records. They stay unseen if the layer has no listener once they are read. */
  async #parseAndDeliver(treeId: string, seen: Map<string, boolean>, records: readonly FoundRecord[]): Promise<void> {
    for (const [key] of records) seen.set(recordName(key), false);
    const { ops, problems } = await parseRecords(treeId, records);
    for (const [key, record] of records) {
      if (this.#listener) seen.set(recordName(key), isJoinable(key, record));
      else seen.delete(recordName(key));
    }
    if (!this.#listener) return;
    if (ops.length > 0) this.#connection?.trace?.emit("read", { treeId, ops, file: firstName(records) });
    if (problems.length > 0) this.#setProblems(treeId, [...(this.#treeProblems.get(treeId) ?? []), ...problems]);
    if (ops.length > 0) this.#listener({ treeId, ops });
  }

  /** Joins only records that this tab has read, so that it knows all contents of the joined records, too. */
  async #compact(database: DatabaseConnection, treeId: string): Promise<number> {
    const seen = this.#seen.get(treeId);
    if (!seen) return 0;
    const isWanted = (key: BatchKey): boolean => seen.get(recordName(key)) ?? false;
    const newKey = (peerId: string): BatchKey => this.#newKey(treeId, peerId);
    try {
      const { added, removed } = await database.run((opened) => compactBatches(opened, this.spaceId, treeId, isWanted, newKey));
      for (const key of removed) seen.delete(recordName(key));
      for (const [key, record] of added) seen.set(recordName(key), isJoinable(key, record));
    } catch (error) {
      const { code, message } = toFoldspaceError(error);
      const problem: Problem = { code, reason: `the stored batches could not be joined: ${message}`, treeId };
      this.#setProblems(treeId, [...(this.#treeProblems.get(treeId) ?? []), problem]);
    }
    return seen.size;
  }

  #notifySecretsChanged(): void {
    if (this.#listener) this.#changedSecrets.value = undefined;
  }

  #reportLoss(treeId: string): void {
    this.#seen.get(treeId)?.clear();
    this.#listener?.({ treeId, ops: undefined, isLossy: true });
  }

  #newKey(treeId: string, peerId: string): BatchKey {
    return [this.spaceId, treeId, peerId, this.#writerId, this.#written++];
  }

  #spaceRecord(): SpaceRecord {
    return { createdAt: new Date(this.#options.clock.now()).toISOString(), ...this.#options.pointer, id: this.spaceId };
  }

  #setProblems(treeId: string, problems: readonly Problem[]): void {
    if (problems.length === 0 && !this.#treeProblems.has(treeId)) return;
    this.#treeProblems.set(treeId, problems);
    this.currentProblems.value = [...this.#treeProblems.values()].flat();
  }

  #connected(): Connection {
    if (this.#connection) return this.#connection;
    throw new FoldspaceError("FOLD_CLOSED", `${this.label} is not connected as a layer`);
  }
}

/** Names what was read or written in a trace. */
function firstName([first]: readonly FoundRecord[]): string | undefined {
  return first && recordName(first[0]);
}
