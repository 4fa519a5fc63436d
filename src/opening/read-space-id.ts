import type { FileSystem } from "../fs/file-system.ts";
import { spaceFolderAt } from "./space-folder-at.ts";

/**
 * Reads which space a folder holds. Writes nothing.
 * @param path folder of the space, not the `space-v1` in it
 * @param fs default: the file system of the platform (Node)
 * @returns `undefined` if there is no such folder, or no space in it
 * @throws FoldspaceError `FOLD_OLD_FORMAT`, `FOLD_NOT_A_FOLDER`, `FOLD_BAD_SPACE_FILE`, `FOLD_NOT_DOWNLOADED`,
 *   `FOLD_NO_FILE_SYSTEM`, and errors of the file system
 */
export async function readSpaceId(path: string, fs?: FileSystem): Promise<string | undefined> {
  const folder = await spaceFolderAt(path, fs);
  const state = await folder.inspect();
  if (state.kind === "old-format") throw folder.errorFor(state.kind);
  return state.kind === "space" ? state.spaceFile.id : undefined;
}
