import { FileSystemPersistenceLayer, type FileSystemLayerOptions, type LayerSession } from "foldspace";

/** The longest that the folder is kept waiting, in milliseconds: perhaps only the folder has the space. */
const PATIENCE_MS = 1_000;

export interface LateFolderLayerOptions extends FileSystemLayerOptions {
  /** What the folder waits for. */
  readonly start?: Promise<unknown> | undefined;
}

/** A folder that is read after something else, which would be slower beside it. */
export class LateFolderLayer extends FileSystemPersistenceLayer {
  readonly #start: Promise<unknown> | undefined;

  constructor(spacePath: string, spaceId: string, { start, ...options }: LateFolderLayerOptions) {
    super(spacePath, spaceId, options);
    this.#start = start;
  }

  override async connect(session?: LayerSession): Promise<void> {
    if (this.#start) await Promise.race([this.#start, new Promise((resolve) => setTimeout(resolve, PATIENCE_MS))]);
    await super.connect(session);
  }
}
