import type { FileSignature } from "./file-signature.ts";
import { FoldspaceError, isFoldspaceError, type FoldspaceErrorCode } from "../../errors.ts";
import type { FileSystem, IdentifiedStat } from "../../fs/file-system.ts";
import { OPS_DIR, SPACE_FILE } from "../../log/paths.ts";
import { Observable } from "../../observable.ts";
import type { SpaceFolder } from "./space-folder.ts";

/** Errors that prove that the folder is not the space's at present. Other errors only mean that the check failed. */
const ABOUT_THE_PLACE: ReadonlySet<FoldspaceErrorCode> = new Set<FoldspaceErrorCode>([
  "FOLD_SPACE_MISMATCH",
  "FOLD_FOLDER_LOST",
  "FOLD_BAD_SPACE_FILE",
  // it may report anything about the folder
  "FOLD_UNTRUSTED_SERVER",
]);

/** The state of `space.json` when it was last read. */
interface SpaceFileSignature extends FileSignature {
  readonly identity: string | undefined;
}

/**
 * Checks that a folder still contains the space that it was opened for, before and after every use. A disk may be unmounted,
 * another one mounted in its place, a folder renamed, or a sync service may deliver another `space.json`. That file is read
 * again only if its signature has changed.
 */
export class PlaceGuard {
  /** Why the folder was not the space's at the last check. */
  readonly failure: Observable<FoldspaceError | undefined> = new Observable<FoldspaceError | undefined>(undefined);
  readonly spaceId: string;
  readonly #folder: SpaceFolder;
  #seen: SpaceFileSignature | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(folder: SpaceFolder, spaceId: string) {
    this.#folder = folder;
    this.spaceId = spaceId;
  }

  /**
   * Begins a check. Calls during a running check share the next one.
   * @throws FoldspaceError `FOLD_SPACE_MISMATCH`, `FOLD_FOLDER_LOST`, `FOLD_BAD_SPACE_FILE`, and errors of the file system
   */
  assertHere(): Promise<void> {
    if (!this.#running) return this.#run();
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.#run();
      });
    return this.#next;
  }

  #run(): Promise<void> {
    this.#running = this.#prove().finally(() => (this.#running = undefined));
    return this.#running;
  }

  async #prove(): Promise<void> {
    try {
      await this.#check();
    } catch (error) {
      this.#seen = undefined;
      const isNews = isFoldspaceError(error) && error.message !== this.failure.value?.message;
      if (isNews && ABOUT_THE_PLACE.has(error.code)) this.failure.value = error;
      throw error;
    }
    if (this.failure.value) this.failure.value = undefined;
  }

  async #check(): Promise<void> {
    const { fs, label, path } = this.#folder;
    const file = this.#folder.at(SPACE_FILE);
    const stat = fs.inspect ? await fs.inspect(file) : await inspectInTwoCalls(fs, file);
    if (!stat) throw this.#folder.lost();
    const { size, modifiedMs, identity } = stat;
    const seen = this.#seen;
    if (seen?.size === size && seen.modifiedMs === modifiedMs && seen.identity === identity) return;
    await this.#folder.assertInside(OPS_DIR);
    const spaceFile = await this.#folder.readSpaceFile();
    if (!spaceFile) throw this.#folder.lost();
    if (spaceFile.id !== this.spaceId) {
      throw new FoldspaceError("FOLD_SPACE_MISMATCH", `${label} now holds the space ${spaceFile.id}, not ${this.spaceId}`, {
        data: { found: spaceFile.id, expected: this.spaceId, path },
      });
    }
    this.#seen = { size, modifiedMs, identity };
  }
}

async function inspectInTwoCalls(fs: FileSystem, path: string): Promise<IdentifiedStat | undefined> {
  const [stat, identity] = await Promise.all([fs.stat(path), fs.identify?.(path)]);
  return stat && { ...stat, identity };
}
