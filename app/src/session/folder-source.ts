import type { FileSystem } from "foldspace";

/** A folder that can be read and written. */
export interface OpenFolder {
  /** What people call it: its name, or its path. */
  readonly label: string;
  readonly fs: FileSystem;
  /** Path of the space's folder in `fs`. */
  readonly path: string;
  /** Shows it in the file manager of the system, where that can be asked for it. */
  readonly show?: () => Promise<void>;
}

/** A folder that was used before, and that the platform gives again only when the person says so. */
export interface LockedFolder {
  readonly label: string;
  /**
   * Has to be called while a click is handled.
   * @returns `undefined` where the person says no
   */
  unlock(): Promise<OpenFolder | undefined>;
}

/** A way to come by a folder on some platform. Each has a file of its own here; `folder-sources.ts` chooses. */
export interface FolderSource {
  /** Why the person cannot choose a folder here, in words for them; `undefined` where they can. */
  readonly obstacle: string | undefined;

  /**
   * Lets the person choose a folder. Has to be called while a click is handled.
   * @returns `undefined` where they chose none
   */
  choose(): Promise<OpenFolder | undefined>;

  /** Keeps a folder that this source has given for the next visit. */
  remember(spaceId: string, folder: OpenFolder): Promise<void>;

  /** The folder of an earlier visit. */
  recall(spaceId: string): Promise<OpenFolder | LockedFolder | undefined>;

  /** The folder itself stays as it is. */
  forget(spaceId: string): Promise<void>;
}

export function isLocked(folder: OpenFolder | LockedFolder): folder is LockedFolder {
  return "unlock" in folder;
}
