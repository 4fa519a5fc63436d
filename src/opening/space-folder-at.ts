import { openPlatformFileSystem } from "#platform-fs";
import { systemClock } from "../clock.ts";
import { FoldspaceError } from "../errors.ts";
import type { FileSystem } from "../fs/file-system.ts";
import { TimedFileSystem } from "../fs/timed-file-system.ts";
import { SpaceFolder } from "../layers/folder/space-folder.ts";

/**
 * The folder at a path, whose calls have time limits.
 * @param fs default: the file system of the platform
 * @throws FoldspaceError `FOLD_NO_FILE_SYSTEM`
 */
export async function spaceFolderAt(path: string, fs: FileSystem | undefined): Promise<SpaceFolder> {
  const platform = fs ?? (await openPlatformFileSystem());
  if (platform) return new SpaceFolder(new TimedFileSystem(platform, systemClock, { root: path }), path);
  throw new FoldspaceError("FOLD_NO_FILE_SYSTEM", "This platform has no file system of its own: pass one as `fs`");
}
