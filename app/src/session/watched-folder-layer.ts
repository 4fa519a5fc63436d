import {
  FileSystemPersistenceLayer,
  FoldspaceError,
  SpaceFolder,
  type FileSystem,
  type FileSystemLayerOptions,
  type LayerSession,
  type LayerStatus,
} from "foldspace";

/** The longest delay of the folder, in milliseconds, as only the folder may have the space. */
const START_TIMEOUT_MS = 1_000;
/** Interval of the checks whether the folder still exists. */
const CHECK_INTERVAL_MS = 1_500;
const SPACE_FILE = "space-v1/space.json";

export interface WatchedFolderLayerOptions extends FileSystemLayerOptions {
  readonly fs: FileSystem;
  /** The folder is read after this. */
  readonly start?: Promise<unknown> | undefined;
}

/**
 * A folder layer that starts after another task, which would be slower beside it. Its status reports within seconds that the
 * folder is gone, even if there is nothing to save.
 */
export class WatchedFolderLayer extends FileSystemPersistenceLayer {
  readonly #fs: FileSystem;
  readonly #spaceFile: string;
  readonly #start: Promise<unknown> | undefined;
  readonly #listeners = new Set<(status: LayerStatus) => void>();
  /** The reason why the folder cannot be reached. */
  #loss: FoldspaceError | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(spacePath: string, spaceId: string, { start, ...options }: WatchedFolderLayerOptions) {
    super(spacePath, spaceId, options);
    this.#fs = options.fs;
    this.#spaceFile = new SpaceFolder(options.fs, spacePath).at(SPACE_FILE);
    this.#start = start;
  }

  override get status(): LayerStatus {
    const status = super.status;
    // an error of saving says more
    return this.#loss && !status.error ? { ...status, state: "degraded", error: this.#loss } : status;
  }

  override observeStatus(listener: (status: LayerStatus) => void): () => void {
    const end = super.observeStatus(() => listener(this.status));
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      end();
    };
  }

  override async connect(session?: LayerSession): Promise<void> {
    if (this.#start) await Promise.race([this.#start, new Promise((resolve) => setTimeout(resolve, START_TIMEOUT_MS))]);
    await super.connect(session);
    this.#checkLater();
  }

  override async disconnect(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await super.disconnect();
    this.#setLoss(undefined);
  }

  #checkLater(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#check(), CHECK_INTERVAL_MS);
  }

  async #check(): Promise<void> {
    const timer = this.#timer;
    const loss = await this.#findLoss();
    // it was disconnected or connected anew meanwhile
    if (this.#timer !== timer) return;
    const wasLost = this.#loss !== undefined;
    this.#setLoss(loss);
    this.#checkLater();
    if (wasLost && !loss) await this.rescan();
  }

  async #findLoss(): Promise<FoldspaceError | undefined> {
    try {
      if ((await this.#fs.stat(this.#spaceFile))?.kind === "file") return undefined;
      return new FoldspaceError("FOLD_FOLDER_LOST", `${this.#spaceFile} is gone: the folder was moved, deleted or unmounted`);
    } catch (error) {
      return error instanceof FoldspaceError ? error : new FoldspaceError("FOLD_IO", String(error), { cause: error });
    }
  }

  #setLoss(loss: FoldspaceError | undefined): void {
    if (loss?.code === this.#loss?.code) return;
    this.#loss = loss;
    for (const listener of this.#listeners) listener(this.status);
  }
}
