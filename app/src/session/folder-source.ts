import type { FileSystem, SpaceCopyOptions } from "foldspace";
import type { SpacePlace } from "foldspace/indexeddb";

/** A folder that can be read and written. */
export interface OpenFolder {
  /** Its name for users: a name, or a path. */
  readonly label: string;
  readonly fs: FileSystem;
  /** Path of the space's folder in `fs`. */
  readonly path: string;
  /** Distinguishes it from all other folders, so that a copy is recognised. */
  readonly place: SpacePlace;
  /** Shows it in the system's file manager, if that is possible. */
  readonly show?: () => Promise<void>;
}

/** A folder of an earlier visit that the platform gives access to only with the user's consent. */
export interface LockedFolder {
  readonly label: string;
  /**
   * Must be called during a click.
   * @returns `undefined` if the user refuses
   */
  unlock(): Promise<OpenFolder | undefined>;
}

/** The use of a folder: for the notes, or for a readable copy of them. */
export type FolderPurpose = "notes" | "copy";

/** A way to get a folder on some platform. Each has a file of its own here; `folder-sources.ts` chooses. */
export interface FolderSource {
  /** The reason why the user cannot choose a folder here, in words for users; `undefined` if it is possible. */
  readonly obstacle: string | undefined;

  /**
   * Lets the user choose a folder. Must be called during a click.
   * @returns `undefined` if the user cancels
   */
  choose(purpose?: FolderPurpose): Promise<OpenFolder | undefined>;

  /**
   * Remembers a folder of this source for the next visit.
   * @param key the id of the space in it, or another key of the application's choice
   */
  remember(key: string, folder: OpenFolder): Promise<void>;

  /** The folder of an earlier visit. */
  recall(key: string): Promise<OpenFolder | LockedFolder | undefined>;

  /** The folder itself stays unchanged. */
  forget(key: string): Promise<void>;

  /**
   * A folder as the place of a readable copy.
   * @param notes the folder of the notes, if it is from this source
   * @throws FoldspaceError `FOLD_BAD_VALUE` if the copy would be mixed with them
   */
  placeForCopy(folder: OpenFolder, notes: OpenFolder | undefined): Promise<Pick<SpaceCopyOptions, "fs" | "path" | "spacePath">>;
}

export function isLocked(folder: OpenFolder | LockedFolder): folder is LockedFolder {
  return "unlock" in folder;
}
