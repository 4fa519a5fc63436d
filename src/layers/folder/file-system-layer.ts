import { absolutePlatformPath, hasPlatformFileSystem, openPlatformFileSystem } from "#platform-fs";
import { systemClock, type Clock } from "../../clock.ts";
import { FoldspaceError, toFoldspaceError } from "../../errors.ts";
import type { FileSystem } from "../../fs/file-system.ts";
import { TimedFileSystem } from "../../fs/timed-file-system.ts";
import { canNameLog } from "../../log/paths.ts";
import { Observable } from "../../observable.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import type { OperationColumns } from "../../tree/operation-columns.ts";
import type { ParsingOptions } from "../../worker/parsing.ts";
import type { FlushPolicy } from "../batcher.ts";
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
import { FolderConnection } from "./folder-connection.ts";
import { describeFolder, SpaceFolder } from "./space-folder.ts";
import type { TreeReading } from "./tree-reading.ts";

/** Options of a layer in a folder: its file system, how it saves, and how it finds the changes of other devices. */
export interface FileSystemLayerOptions extends Partial<FlushPolicy>, ParsingOptions {
  /** Default: the file system of the platform (Node), if it has one. */
  readonly fs?: FileSystem;
  /** Distinguishes this layer from others of the space. Default: derived from the path. */
  readonly id?: string;
  /**
   * Whether every save waits for the device, if the platform supports that. By default a save waits until the operating system
   * has the bytes, which then survive the end of the process.
   */
  readonly fsync?: boolean;
  /** For how long hints at changed folders are gathered before a rescan, in milliseconds. Default 25. */
  readonly gatherMs?: number;
  /**
   * Delay between full rescans while listening, in milliseconds. Default 30,000. In a large space, where they would take more than
   * half a percent of the time, full rescans are rarer (every ten minutes at the least), and those of recent days have this delay.
   * `Infinity`: no automatic full rescans; then
   * the layer finds only changes that the platform hints at, and those that `rescan` finds.
   */
  readonly rescanIntervalMs?: number;
}

/**
 * Keeps a space in a folder of text files, in the format of FORMAT.md, and watches for files that other devices write there.
 *
 * Every running instance writes only files of its own, so no locks are needed and a sync service finds no conflicts.
 * Opening a folder to read writes nothing into it.
 */
export class FileSystemPersistenceLayer extends ObservedLayer implements PersistenceLayer {
  readonly id: string;
  override readonly label: string;
  readonly type = "local";
  /** False without a file system: then only the other layers keep the space, and `status.error` gives the reason. */
  readonly supportsIncomingSync: boolean;
  readonly spaceId: string;
  readonly #path: string;
  readonly #options: FileSystemLayerOptions;
  readonly #clock: Clock;
  readonly #changedSecrets = new Observable<undefined>(undefined);
  #connection: FolderConnection | undefined;
  /** Functions that end the observations of the connection. */
  #unobserve: (() => void)[] = [];

  /**
   * @param spacePath folder of the space, not the `space-v1` in it. A relative path counts from the working folder that the
   *   process has now
   * @param spaceId id that the folder's `space.json` must contain
   */
  constructor(spacePath: string, spaceId: string, options: FileSystemLayerOptions = {}) {
    super();
    this.id = options.id ?? `folder:${spacePath}`;
    this.label = describeFolder(spacePath);
    this.spaceId = spaceId;
    this.supportsIncomingSync = options.fs !== undefined || hasPlatformFileSystem;
    this.#path = options.fs ? (options.fs.absolutePath?.(spacePath) ?? spacePath) : absolutePlatformPath(spacePath);
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
        this.#keep(await this.#open(session, assertWanted));
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
      const { error, lastSavedAt, pendingOps } = await connection.close();
      for (const end of this.#unobserve.splice(0)) end();
      this.currentStatus.value = { state: "offline", error, lastSavedAt, pendingOps };
    });
  }

  changePeer(peerId: string): void {
    this.#connection?.changePeer(peerId);
  }

  isConnected(): boolean {
    return this.#connection !== undefined;
  }

  get placeId(): string | undefined {
    return this.#connection?.placeId;
  }

  override get problemCount(): number {
    return this.#connection?.problemCount ?? super.problemCount;
  }

  async listTrees(): Promise<string[]> {
    return await this.#connected().listTrees();
  }

  async loadSpaceTreeOps(): Promise<VertexOperation[]> {
    return await this.loadTreeOps(this.spaceId);
  }

  async loadTreeOps(treeId: string): Promise<VertexOperation[]> {
    const ops: VertexOperation[] = [];
    for (const columns of await this.loadTreeColumns(treeId)) for (const op of columns) ops.push(op);
    return ops;
  }

  /** @internal */
  async loadTreeColumns(treeId: string): Promise<OperationColumns[]> {
    return await this.#connected().loadTree(treeId);
  }

  /** @internal */
  async resumeTree(treeId: string, reading: unknown): Promise<OperationColumns[] | undefined> {
    return await this.#connected().resumeTree(treeId, reading as TreeReading);
  }

  /** @internal */
  async readingOf(treeId: string): Promise<unknown> {
    return await this.#connected().readingOf(treeId);
  }

  releaseTree(treeId: string): void {
    this.#connection?.releaseTree(treeId);
  }

  /** @throws FoldspaceError as `assertStorable` */
  async saveTreeOps(treeId: string, ops: readonly VertexOperation[]): Promise<void> {
    const connection = this.#connected();
    assertStorable(ops);
    await connection.save(treeId, ops);
  }

  async flush(): Promise<void> {
    await this.#connection?.flush();
  }

  async loadSecrets(): Promise<StoredSecrets> {
    return await this.#connected().loadSecrets();
  }

  async saveSecrets(update: SecretsUpdate): Promise<void> {
    await this.#connected().saveSecrets(update);
  }

  observeSecrets(listener: () => void): () => void {
    return this.#changedSecrets.observe(listener);
  }

  async startListening(listener: (change: IncomingChange) => void): Promise<void> {
    await this.#connected().startListening(listener);
  }

  /** Reports pending losses at once. */
  async stopListening(): Promise<void> {
    await this.#connection?.stopListening();
  }

  async rescan(): Promise<void> {
    await this.#connection?.rescan();
  }

  async rescanTree(treeId: string): Promise<void> {
    await this.#connected().rescanTree(treeId);
  }

  peersNotDownloaded(treeId: string): ReadonlySet<string> {
    return this.#connected().peersNotDownloaded(treeId);
  }

  #keep(connection: FolderConnection): void {
    this.#connection = connection;
    this.currentStatus.value = connection.status.value;
    this.#unobserve = [
      connection.status.observe((status) => (this.currentStatus.value = status)),
      connection.problems.observe((problems) => (this.currentProblems.value = problems)),
      connection.changedSecrets.observe(() => (this.#changedSecrets.value = undefined)),
    ];
  }

  async #open(
    { peerId, isPeerContinued = false, create = false, trace }: LayerSession,
    assertWanted: () => void,
  ): Promise<FolderConnection> {
    // a space is not created if it could never be saved: neither the peer's own operations nor those of other peers
    if (![peerId, newId()].every((author) => canNameLog(this.spaceId, author, peerId))) {
      const [space, peer] = [this.spaceId, peerId].map((id) => JSON.stringify(id.slice(0, 80)));
      throw new FoldspaceError("FOLD_BAD_ID", `The ids of the space ${space} and the peer ${peer} cannot be parts of file names`);
    }
    const platform = this.#options.fs ?? (await openPlatformFileSystem());
    if (!platform)
      throw new FoldspaceError("FOLD_NO_FILE_SYSTEM", "This platform has no file system of its own: pass one in the option `fs`");
    const fs = new TimedFileSystem(platform, this.#clock, { root: this.#path });
    const folder = new SpaceFolder(fs, this.#path);
    const state = await folder.inspect();
    assertWanted();
    if (state.kind === "space") {
      const { id } = state.spaceFile;
      if (id !== this.spaceId) {
        throw new FoldspaceError("FOLD_SPACE_MISMATCH", `${folder.label} holds the space ${id}, not ${this.spaceId}`, {
          data: { found: id, expected: this.spaceId },
        });
      }
    } else {
      if (!create || state.kind === "old-format") throw folder.errorFor(state.kind);
      await folder.create(this.spaceId);
    }
    const place = (await fs.identify?.(folder.path)) ?? (await fs.realPath?.(folder.path));
    assertWanted();
    return new FolderConnection({
      folder,
      fs,
      spaceId: this.spaceId,
      peerId,
      isPeerContinued,
      placeId: place === undefined ? undefined : `folder:${place}`,
      clock: this.#clock,
      layer: this.#options,
      trace,
    });
  }

  #connected(): FolderConnection {
    if (this.#connection) return this.#connection;
    throw new FoldspaceError("FOLD_CLOSED", `${this.label} is not connected as a layer`);
  }
}
