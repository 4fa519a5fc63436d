import { errorCode, errorMessage, FoldspaceError } from "../errors.ts";
import type { FileSystem } from "../fs/file-system.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import type { SpaceFolder } from "../layers/folder/space-folder.ts";
import { SpaceManager } from "../space/space-manager.ts";
import type { SpaceOptions } from "../space/space-options.ts";
import type { Space } from "../space/space.ts";
import { newId } from "../tree/index.ts";
import { spaceFolderAt } from "./space-folder-at.ts";

/** Options of `openFolder`. */
export interface OpenFolderOptions extends SpaceOptions {
  /** Default: the file system of the platform (Node). */
  readonly fs?: FileSystem;
  /** Name of a new space. */
  readonly name?: string;
  /** Whether to make the folder and a space in it, if they are missing. Default: true, unless the space is read-only. */
  readonly create?: boolean;
  /** Aborts opening: the call rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Opens the space in a folder, or makes a new one there. `space.close()` saves and ends it. Each call opens the folder once more,
 * as another device would; a `SpaceManager` shares one space among several users.
 *
 * Two devices that each make a space before their folders are synced have two spaces: see `SpaceManager.openOrCreate`.
 * @param path folder of the space, not the `space-v1` in it
 * @throws FoldspaceError `FOLD_OLD_FORMAT`, `FOLD_NOT_A_FOLDER`, `FOLD_BAD_SPACE_FILE`, `FOLD_NOT_DOWNLOADED`, `FOLD_PERMISSION`,
 *   `FOLD_NO_FILE_SYSTEM`, and `FOLD_NOT_FOUND` if there is no space and none is made
 */
export async function openFolder(path: string, options: OpenFolderOptions = {}): Promise<Space> {
  const { fs, create, signal, name, ...spaceOptions } = options;
  const folder = await spaceFolderAt(path, fs);
  const id = await idIn(folder, create ?? !(spaceOptions.isReadOnly ?? false));
  signal?.throwIfAborted();
  return await new SpaceManager(spaceOptions).openOrCreate({
    id,
    persistenceLayers: [new FileSystemPersistenceLayer(path, id, fs ? { fs } : {})],
    ...(name === undefined ? {} : { name }),
    ...(signal ? { signal } : {}),
  });
}

/** The id of the folder's space, or of the one to make there. */
async function idIn(folder: SpaceFolder, create: boolean): Promise<string> {
  const { kind } = await folder.inspect();
  const isFree = kind === "absent" || (kind === "empty" && !folder.isInsideOfSpace);
  if (isFree && create) return newId();
  try {
    return (await folder.open()).id;
  } catch (error) {
    if (errorCode(error) !== "FOLD_NOT_A_SPACE") throw error;
    throw new FoldspaceError("FOLD_NOT_FOUND", errorMessage(error), { data: { path: folder.path }, cause: error });
  }
}
