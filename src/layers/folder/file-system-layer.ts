import { hasPlatformFileSystem, openPlatformFileSystem } from "#platform-fs";
import { systemClock, type Clock } from "../../clock.ts";
import { FoldspaceError, toFoldspaceError } from "../../errors.ts";
import type { FileSystem } from "../../fs/file-system.ts";
import { TimedFileSystem } from "../../fs/timed-file-system.ts";
import { canNameLog } from "../../log/paths.ts";
import { Observable } from "../../observable.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import type { ParsingOptions } from "../../worker/parsing.ts";
import type { FlushPolicy } from "../batcher.ts";
import { ObservedLayer } from "../observed-layer.ts";
import {
  OFFLINE_STATUS,
  type LayerSession,
  type PersistenceLayer,
  type SecretsUpdate,
  type StoredSecrets,
} from "../persistence-layer.ts";
import { assertStorable } from "../storable.ts";
import { FolderConnection, type Listener } from "./folder-connection.ts";
import { SpaceFolder } from "./space-folder.ts";

export interface FileSystemLayerOptions extends Partial<FlushPolicy>, ParsingOptions {
  /** Default: the platform's own (Node), where it has one. */
  readonly fs?: FileSystem;
  /** Distinguishes this layer from others of the space. Default: made of the path. */
  readonly id?: string;
  /** Whether every save waits for the device, where the platform can. Default: until the operating system has the bytes, which survives the end of the process. */
  readonly fsync?: boolean;
  /** How long hints of a changed folder are gathered before it is looked at, in milliseconds. Default 25. */
  readonly gatherMs?: number;
  /**
   * How long after one look at everything the next one comes while listening, in milliseconds. Default 30,000. `Infinity`:
   * never; then only what the platform hints at is found, and what is asked for by `rescan`.
   */
  readonly rescanIntervalMs?: number;
}

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
  #connection: FolderConnection | undefined;
  /** Ends what is told of the connection. */
  #unobserve: (() => void)[] = [];

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
    return await this.#connected().loadTree(treeId);
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

  async startListening(listener: Listener): Promise<void> {
    await this.#connected().startListening(listener);
  }

  /** Losses that are waiting to be told of are told of at once. */
  async stopListening(): Promise<void> {
    await this.#connection?.stopListening();
  }

  async rescan(): Promise<void> {
    await this.#connection?.rescan();
  }

  async rescanTree(treeId: string): Promise<void> {
    await this.#connected().rescanTree(treeId);
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

  async #open({ peerId, create = false, trace }: LayerSession, assertWanted: () => void): Promise<FolderConnection> {
    // a space that could never be saved is not made either, be it for the peer's own operations or for those of others
    if (![peerId, newId()].every((author) => canNameLog(this.spaceId, author, peerId))) {
      const [space, peer] = [this.spaceId, peerId].map((id) => JSON.stringify(id.slice(0, 80)));
      throw new FoldspaceError("FOLD_BAD_ID", `Files of a folder cannot be named after the space ${space} and the peer ${peer}`);
    }
    const platform = this.#options.fs ?? (await openPlatformFileSystem());
    if (!platform)
      throw new FoldspaceError("FOLD_NO_FILE_SYSTEM", "This platform has no file system of its own: give one in the option `fs`");
    const fs = new TimedFileSystem(platform, this.#clock);
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
    const place = (await fs.identify?.(folder.path)) ?? (await fs.realPath?.(folder.path));
    assertWanted();
    return new FolderConnection({
      folder,
      fs,
      spaceId: this.spaceId,
      peerId,
      placeId: place === undefined ? undefined : `folder:${place}`,
      clock: this.#clock,
      layer: this.#options,
      trace,
    });
  }

  #connected(): FolderConnection {
    if (this.#connection) return this.#connection;
    throw new FoldspaceError("FOLD_CLOSED", `The layer ${this.id} is not connected`);
  }
}
