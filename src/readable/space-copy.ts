import type { Clock } from "../clock.ts";
import { errorCode } from "../errors.ts";
import type { FileSystem } from "../fs/file-system.ts";
import type { Space } from "../space/space.ts";
import type { ReplicatedTree } from "../tree/index.ts";
import { CopyKeeper } from "./copy-keeper.ts";
import { ReadableCopy, type CopyReport } from "./readable-copy.ts";

/** Options of `SpaceCopy.open`. */
export interface SpaceCopyOptions {
  readonly fs: FileSystem;
  /** Folder of the copy: new, empty, or with an earlier copy of the same space. */
  readonly path: string;
  /** Folder of the space, if `fs` has it: the copy must be outside of its files. */
  readonly spacePath?: string | undefined;
  /** Called after each update with the files that it changed. */
  readonly onUpdated?: (report: CopyReport) => void;
  /** Called once for each failure in a row of the same ones. The update is tried again. */
  readonly onFailed?: (error: unknown) => void;
  /** Lets other work run while a long page is read. Default: a timer. */
  readonly pause?: () => Promise<void>;
  readonly clock?: Clock;
}

/**
 * A readable copy of an open space: every page as a Markdown file in a folder of its own, which is never read back. It replaces
 * and deletes only files that it has written itself. Pages that are not loaded are loaded for it.
 */
export class SpaceCopy {
  readonly #space: Space;
  readonly #keeper: CopyKeeper;
  readonly #ends = new Map<ReplicatedTree, () => void>();
  #endObserving: (() => void) | undefined;

  private constructor(space: Space, copy: ReadableCopy, options: SpaceCopyOptions) {
    const { onUpdated = () => undefined, onFailed = () => undefined, clock, pause = nextTask } = options;
    this.#space = space;
    this.#keeper = new CopyKeeper({
      copy,
      source: { spaceId: space.id, treeOf: async (treeId) => await this.#treeOf(treeId) },
      onUpdated,
      onFailed,
      pause,
      ...(clock && { clock }),
    });
  }

  /**
   * Prepares a folder, in which nothing is written yet.
   * @throws FoldspaceError `FOLD_BAD_VALUE` if the copy would be mixed with other files, `FOLD_SPACE_MISMATCH` if the folder has
   *   the copy of another space
   */
  static async open(space: Space, options: SpaceCopyOptions): Promise<SpaceCopy> {
    const copy = await ReadableCopy.open(options.fs, options.path, space.id, options.spacePath);
    return new SpaceCopy(space, copy, options);
  }

  /** Makes the copy, and keeps it up to date from now on. @returns after the first attempt */
  async begin(): Promise<void> {
    this.#endObserving ??= this.#space.observeUnloadedTrees((treeId) => this.#keeper.noteChange(treeId));
    await this.#keeper.begin();
  }

  /** Brings the copy up to date for the last time. The files stay. Must be called before the space is closed. */
  async close(): Promise<void> {
    await this.#keeper.close();
    this.#endObserving?.();
    for (const end of this.#ends.values()) end();
    this.#ends.clear();
  }

  async #treeOf(treeId: string): Promise<ReplicatedTree | undefined> {
    const tree = treeId === this.#space.id ? this.#space.tree : await this.#load(treeId);
    if (tree && !this.#ends.has(tree))
      this.#ends.set(
        tree,
        tree.observeOpApplied(() => this.#keeper.noteChange(treeId)),
      );
    return tree;
  }

  async #load(treeId: string): Promise<ReplicatedTree | undefined> {
    try {
      return (await this.#space.loadAppTree(treeId)).tree;
    } catch (error) {
      if (errorCode(error) !== "FOLD_NO_TREE") throw error;
      return undefined;
    }
  }
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
