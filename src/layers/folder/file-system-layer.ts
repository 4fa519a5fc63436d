import { hasPlatformFileSystem, openPlatformFileSystem } from "#platform-fs";
import { systemClock, type Clock } from "../../clock.ts";
import { FoldspaceError, type Problem } from "../../errors.ts";
import type { FileSystem } from "../../fs/file-system.ts";
import { canNameLog, SPACE_DIR, treeDir } from "../../log/paths.ts";
import { Observable } from "../../observable.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import { Parsing, type ParsingOptions } from "../../worker/parsing.ts";
import { Batcher, toFoldspaceError, type Cadence } from "../batcher.ts";
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
import { FolderReader } from "./folder-reader.ts";
import { FolderSecrets } from "./folder-secrets.ts";
import { FolderWatcher } from "./folder-watcher.ts";
import { LogWriter } from "./log-writer.ts";
import { SpaceFolder } from "./space-folder.ts";

export interface FileSystemLayerOptions extends Partial<Cadence>, ParsingOptions {
  /** Default: the platform's own (Node), where it has one. */
  readonly fs?: FileSystem;
  /** Distinguishes this layer from others of the space. Default: made of the path. */
  readonly id?: string;
  /** Whether every save waits for the device, where the platform can. Default: until the operating system has the bytes, which survives the end of the process. */
  readonly fsync?: boolean;
  /** How long hints of a changed folder are gathered before it is looked at, in milliseconds. Default 25. */
  readonly gatherMs?: number;
  /** How often everything is looked at while listening, in milliseconds. Default 30,000. */
  readonly rescanIntervalMs?: number;
}

/** Before lost operations are written again, in milliseconds: some sync programs write a file bit by bit. */
const SETTLE_LOSSES_MS = 3_000;

/**
 * Keeps a space in a folder of text files, in the format of FORMAT.md, and listens to what others write there.
 *
 * Every running instance writes only files that it alone writes, so there is nothing to lock and a sync service
 * finds no conflict. Opening a folder to read writes nothing into it.
 */
export class FileSystemPersistenceLayer extends ObservedLayer implements PersistenceLayer {
  readonly id: string;
  readonly type = "local";
  /** Not where there is no file system: then the space is kept in its other layers only, and `status.error` says so. */
  readonly supportsIncomingSync: boolean;
  readonly spaceId: string;
  readonly #path: string;
  readonly #options: FileSystemLayerOptions;
  readonly #clock: Clock;
  readonly #changedSecrets = new Observable<undefined>(undefined);
  #connection: Connection | undefined;

  /**
   * @param spacePath folder of the space; not the `space-v1` in it
   * @param spaceId id that the folder's `space.json` has to name
   */
  constructor(spacePath: string, spaceId: string, options: FileSystemLayerOptions = {}) {
    super();
    this.id = options.id ?? `folder:${spacePath}`;
    this.spaceId = spaceId;
    this.supportsIncomingSync = options.fs !== undefined || hasPlatformFileSystem;
    this.#path = spacePath;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * @throws FoldspaceError `FOLD_NOT_FOUND`, `FOLD_NOT_A_FOLDER`, `FOLD_NOT_A_SPACE`, `FOLD_OLD_FORMAT`, `FOLD_BAD_SPACE_FILE`,
   *   `FOLD_NOT_DOWNLOADED`, `FOLD_SPACE_MISMATCH`, `FOLD_NO_FILE_SYSTEM`, `FOLD_BAD_ID`, `FOLD_PERMISSION`
   */
  async connect(session: LayerSession = { peerId: newId() }): Promise<void> {
    await this.connectInTurn(async (assertWanted) => {
      if (this.#connection) return;
      try {
        const folder = await this.#openFolder(session, assertWanted);
        assertWanted();
        this.#connection = this.#start(folder, session.peerId);
      } catch (error) {
        this.currentStatus.value = { ...OFFLINE_STATUS, error: toFoldspaceError(error) };
        throw error;
      }
    });
  }

  async disconnect(): Promise<void> {
    await this.disconnectInTurn(async () => {
      const connection = this.#connection;
      if (!connection) return;
      this.#connection = undefined;
      await connection.listening?.watcher.stop();
      connection.parsing.close();
      await connection.secrets.settled();
      await connection.batcher.close();
      this.#reportLosses(connection);
      const { error, lastSavedAt, pendingOps } = connection.batcher.status.value;
      this.currentStatus.value = { state: "offline", error, lastSavedAt, pendingOps };
    });
  }

  changePeer(peerId: string): void {
    this.#connection?.writer.changeWriter(peerId);
  }

  isConnected(): boolean {
    return this.#connection !== undefined;
  }

  async listTrees(): Promise<string[]> {
    return await this.#connected().reader.listTrees();
  }

  async loadSpaceTreeOps(): Promise<VertexOperation[]> {
    return await this.loadTreeOps(this.spaceId);
  }

  /** @throws FoldspaceError `FOLD_BAD_ID` */
  async loadTreeOps(treeId: string): Promise<VertexOperation[]> {
    treeDir(treeId);
    const { reader, exclusively } = this.#connected();
    return await exclusively(() => reader.loadTree(treeId));
  }

  releaseTree(treeId: string): void {
    this.#connection?.reader.releaseTree(treeId);
  }

  /**
   * Operations of a peer that cannot name a file are a problem, and are not kept here.
   * @throws FoldspaceError `FOLD_BAD_ID` for a tree that cannot name a folder, and as `assertStorable`
   */
  async saveTreeOps(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    const { batcher, writer, unwritable, publish } = this.#connected();
    assertStorable(ops);
    const byPeer = new Map<string, VertexOperation[]>();
    for (const op of ops) {
      const own = byPeer.get(op.id.peerId);
      if (own) own.push(op);
      else byPeer.set(op.id.peerId, [op]);
    }
    const saves: Promise<void>[] = [];
    for (const [peerId, peerOps] of byPeer) {
      if (writer.canWrite(treeId, peerId)) saves.push(batcher.add(`${treeId}/${peerId}`, peerOps));
      else unwritable.set(peerId, unwritablePeer(peerId));
    }
    if (saves.length < byPeer.size) publish();
    await Promise.all(saves);
  }

  async flush(): Promise<void> {
    await this.#connection?.batcher.flush();
  }

  async loadSecrets(): Promise<StoredSecrets> {
    return await this.#connected().secrets.load();
  }

  async saveSecrets(update: SecretsUpdate): Promise<void> {
    await this.#connected().secrets.save(update);
  }

  observeSecrets(listener: () => void): () => void {
    return this.#changedSecrets.observe(listener);
  }

  async startListening(listener: Listener): Promise<void> {
    const connection = this.#connected();
    const former = connection.listening?.watcher;
    const { folder } = connection;
    const options = { gatherMs: this.#options.gatherMs ?? 25, rescanIntervalMs: this.#options.rescanIntervalMs ?? 30_000 };
    const watcher = new FolderWatcher(folder.fs, folder.at(SPACE_DIR), this.#clock, options, (folders) =>
      this.#look(connection, listener, folders),
    );
    connection.listening = { watcher, listener };
    // those that nobody was there to be told of
    for (const treeId of connection.lossyTrees) this.#reportLossLater(connection, treeId);
    await former?.stop();
    await watcher.start();
  }

  /** Losses that are waiting to be told of are told of at once. */
  async stopListening(): Promise<void> {
    const connection = this.#connection;
    const listening = connection?.listening;
    if (!connection || !listening) return;
    this.#reportLosses(connection);
    // the look that ends now tells what it has read, as no later one reads that again
    await listening.watcher.stop();
    if (connection.listening !== listening) return;
    this.#reportLosses(connection);
    connection.listening = undefined;
  }

  async rescan(): Promise<void> {
    await this.#connection?.listening?.watcher.rescan();
  }

  async #openFolder({ peerId, create = false }: LayerSession, assertWanted: () => void): Promise<SpaceFolder> {
    // a space that could never be saved is not made either, be it for the peer's own operations or for those of others
    if (![peerId, newId()].every((author) => canNameLog(this.spaceId, author, peerId))) {
      const [space, peer] = [this.spaceId, peerId].map((id) => JSON.stringify(id.slice(0, 80)));
      throw new FoldspaceError("FOLD_BAD_ID", `Files of a folder cannot be named after the space ${space} and the peer ${peer}`);
    }
    const fs = this.#options.fs ?? (await openPlatformFileSystem());
    if (!fs)
      throw new FoldspaceError("FOLD_NO_FILE_SYSTEM", "This platform has no file system of its own: give one in the option `fs`");
    const folder = new SpaceFolder(fs, this.#path);
    const state = await folder.inspect();
    assertWanted();
    if (state.kind === "space") {
      const { id } = state.spaceFile;
      if (id !== this.spaceId) {
        throw new FoldspaceError("FOLD_SPACE_MISMATCH", `${this.#path} holds the space ${id}, not ${this.spaceId}`, {
          data: { found: id, expected: this.spaceId },
        });
      }
    } else {
      if (!create || state.kind === "old-format") throw folder.errorFor(state.kind);
      await folder.create(this.spaceId);
    }
    return folder;
  }

  #start(folder: SpaceFolder, peerId: string): Connection {
    const writer = new LogWriter(folder, peerId, this.#clock, this.#options.fsync ?? false, (treeId) =>
      this.#reportLossLater(connection, treeId),
    );
    const parsing = new Parsing(this.#options);
    const reader = new FolderReader(folder, this.#clock, parsing, (path, seen) => writer.isUntouched(path, seen));
    const secrets = new FolderSecrets(folder, this.spaceId, this.#clock);
    const unwritable = new Map<string, Problem>();
    const publish = (failure?: Problem): void => {
      const problems = [...reader.problems.value, ...secrets.problems.value, ...unwritable.values()];
      this.currentProblems.value = failure ? [...problems, failure] : problems;
    };
    reader.problems.observe(() => publish());
    secrets.problems.observe(() => publish());
    const batcher = new Batcher(
      async (lane, ops) => {
        const [treeId, author] = lane.split("/") as [string, string];
        return await writer.append(treeId, author, ops);
      },
      this.#options,
      this.#clock,
    );
    this.currentStatus.value = batcher.status.value;
    batcher.status.observe((status) => (this.currentStatus.value = status));
    let last: Promise<unknown> = Promise.resolve();
    const connection: Connection = {
      folder,
      writer,
      reader,
      parsing,
      batcher,
      secrets,
      unwritable,
      publish,
      exclusively: async (task) => {
        const run = last.then(task, task);
        last = run;
        return await run;
      },
      hasFailed: false,
      listening: undefined,
      lossyTrees: new Set(),
      cancelLossReport: undefined,
    };
    return connection;
  }

  /** Never rejects: what looking failed with becomes a problem. */
  async #look(connection: Connection, listener: Listener, folders: readonly string[] | "all"): Promise<void> {
    const { reader, secrets, exclusively } = connection;
    // not waited for: secrets are read back after they were written, which takes a while
    if (secrets.mayBeIn(folders)) void this.#lookAtSecrets(connection);
    try {
      const changes = await exclusively(() => (folders === "all" ? reader.lookAtAll() : reader.lookAt(folders)));
      for (const change of changes) {
        if (change.isLossy) this.#reportLossLater(connection, change.treeId);
        else listener(change);
      }
      // what an earlier look failed with is over
      if (connection.hasFailed) connection.publish();
      connection.hasFailed = false;
    } catch (error) {
      const { code, message } = toFoldspaceError(error);
      connection.hasFailed = true;
      connection.publish({ code, reason: message });
    }
  }

  /** Never rejects: a failure shows when the secrets are loaded. */
  async #lookAtSecrets({ secrets }: Connection): Promise<void> {
    const hasChanged = await secrets.hasChanged().catch(() => true);
    if (hasChanged) this.#changedSecrets.value = undefined;
  }

  #reportLossLater(connection: Connection, treeId: string): void {
    connection.lossyTrees.add(treeId);
    connection.cancelLossReport ??= this.#clock.schedule(SETTLE_LOSSES_MS, () => this.#reportLosses(connection));
  }

  #reportLosses(connection: Connection): void {
    connection.cancelLossReport?.();
    connection.cancelLossReport = undefined;
    if (!connection.listening) return;
    const treeIds = [...connection.lossyTrees];
    connection.lossyTrees.clear();
    for (const treeId of treeIds) connection.listening.listener({ treeId, ops: undefined, isLossy: true });
  }

  #connected(): Connection {
    if (this.#connection) return this.#connection;
    throw new FoldspaceError("FOLD_CLOSED", `The layer ${this.id} is not connected`);
  }
}

type Listener = (change: IncomingChange) => void;

/** What exists while the layer is connected. */
interface Connection {
  readonly folder: SpaceFolder;
  readonly writer: LogWriter;
  readonly reader: FolderReader;
  readonly parsing: Parsing;
  readonly batcher: Batcher;
  readonly secrets: FolderSecrets;
  /** By peer, what is wrong with those whose operations cannot be written. */
  readonly unwritable: Map<string, Problem>;
  /** Tells the problems anew. @param failure of the last look, if it failed */
  readonly publish: (failure?: Problem) => void;
  /** Whether the last look failed. */
  hasFailed: boolean;
  /** Runs reading tasks one after another. */
  readonly exclusively: <T>(task: () => Promise<T>) => Promise<T>;
  listening: { readonly watcher: FolderWatcher; readonly listener: Listener } | undefined;
  readonly lossyTrees: Set<string>;
  cancelLossReport: (() => void) | undefined;
}

function unwritablePeer(peerId: string): Problem {
  const name = JSON.stringify(peerId.slice(0, 80));
  return {
    code: "FOLD_BAD_ID",
    reason: `operations of the peer ${name} are not kept in the folder, because no file can bear its name; the space's other layers keep them`,
  };
}
