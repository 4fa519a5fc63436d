import type { FileSignature } from "./file-signature.ts";
import { FoldspaceError, isFoldspaceError, type FoldspaceErrorCode } from "../../errors.ts";
import { OPS_DIR, SPACE_FILE } from "../../log/paths.ts";
import { Observable } from "../../observable.ts";
import type { SpaceFolder } from "./space-folder.ts";

/** What says that the folder is not the space's at present. Anything else says only that this could not be found out. */
const ABOUT_THE_PLACE: ReadonlySet<FoldspaceErrorCode> = new Set<FoldspaceErrorCode>([
  "FOLD_SPACE_MISMATCH",
  "FOLD_FOLDER_LOST",
  "FOLD_BAD_SPACE_FILE",
  // whatever it says of the folder
  "FOLD_UNTRUSTED_SERVER",
]);

/** What `space.json` looked like when it was last read. */
interface SpaceFileSignature extends FileSignature {
  readonly identity: string | undefined;
}

/**
 * Proves that a folder still holds the space that it was opened for, each time before and after something relies on it: a
 * disk is unmounted, another one is mounted in its place, a folder is renamed, a sync service brings another `space.json`.
 * That file is read again only when it looks different from outside.
 */
export class PlaceGuard {
  /** Why the folder is not the space's at present, as of the last proof. */
  readonly failure: Observable<FoldspaceError | undefined> = new Observable<FoldspaceError | undefined>(undefined);
  readonly #folder: SpaceFolder;
  readonly #spaceId: string;
  #seen: SpaceFileSignature | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(folder: SpaceFolder, spaceId: string) {
    this.#folder = folder;
    this.#spaceId = spaceId;
  }

  /**
   * Begins a proof; those who ask while one is under way share the next.
   * @throws FoldspaceError `FOLD_SPACE_MISMATCH`, `FOLD_FOLDER_LOST`, `FOLD_BAD_SPACE_FILE`, and what looking failed with
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
    const { fs, path } = this.#folder;
    const file = this.#folder.at(SPACE_FILE);
    const [stat, identity] = await Promise.all([fs.stat(file), fs.identify?.(file)]);
    if (!stat) throw this.#folder.lost();
    const { size, modifiedMs } = stat;
    const seen = this.#seen;
    if (seen?.size === size && seen.modifiedMs === modifiedMs && seen.identity === identity) return;
    await this.#folder.assertInside(OPS_DIR);
    const spaceFile = await this.#folder.readSpaceFile();
    if (!spaceFile) throw this.#folder.lost();
    if (spaceFile.id !== this.#spaceId) {
      throw new FoldspaceError("FOLD_SPACE_MISMATCH", `${path} holds the space ${spaceFile.id} by now, not ${this.#spaceId}`, {
        data: { found: spaceFile.id, expected: this.#spaceId, path },
      });
    }
    this.#seen = { size, modifiedMs, identity };
  }
}
