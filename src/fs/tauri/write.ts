import { randomId } from "../../random-id.ts";
import { lstat, mkdir, remove, rename, truncate, writeFile } from "@tauri-apps/plugin-fs";
import { errorMessage, FoldspaceError } from "../../errors.ts";
import { retryWhileBusy } from "../../retry-while-busy.ts";
import type { AppendOptions } from "../file-system.ts";
import type { Commands } from "./commands.ts";
import { failure, isHeldByOthers, isMissing, isWindowsPath, tauriFileSystemError } from "./errors.ts";
import { regularFile } from "./read.ts";

const DEFAULT_MODE = 0o666;

/** Part of our command's message if it could not undo a partial write. */
const PARTLY_WRITTEN = /, of which a part was written, with error: /;

export async function appendTo(
  commands: Commands,
  path: string,
  bytes: Uint8Array,
  options: Required<AppendOptions>,
): Promise<void> {
  const { create } = options;
  const append = async (): Promise<void> => {
    if (!(await commands.append(path, bytes, options))) await appendOrUndo(path, bytes, create);
  };
  try {
    await (create ? withFolder(path, append) : append());
  } catch (cause) {
    if (!create && isMissing(cause)) throw failure("FOLD_NOT_FOUND", "append to", path, "it is not there");
    throw tauriFileSystemError("append to", path, cause, { partial: PARTLY_WRITTEN.test(errorMessage(cause)) });
  }
}

/** Undoes a partial write, which is safe because we are the file's only writer. */
async function appendOrUndo(path: string, bytes: Uint8Array, create: boolean): Promise<void> {
  const sizeBefore = await sizeInPlace(path);
  try {
    await writeFile(path, bytes, { append: true, create });
  } catch (cause) {
    if (isMissing(cause)) throw cause; // the folder or the file is missing, so nothing was written
    const undoError = await attempt(() => cutOff(path, sizeBefore, bytes.length));
    throw tauriFileSystemError("append to", path, cause, { partial: undoError !== undefined });
  }
}

async function sizeInPlace(path: string): Promise<number> {
  try {
    return (await regularFile("append to", path)).size;
  } catch (cause) {
    if (isMissing(cause)) return 0;
    throw cause;
  }
}

async function cutOff(path: string, sizeBefore: number, addedBytes: number): Promise<void> {
  const size = await sizeInPlace(path);
  if (size === sizeBefore) return;
  if (size < sizeBefore || size > sizeBefore + addedBytes)
    throw failure("FOLD_IO", "truncate", path, "it was replaced meanwhile");
  await truncate(path, sizeBefore);
}

/** Writes a temporary file in the same folder and renames it over the target. */
export async function replaceFile(commands: Commands, path: string, bytes: Uint8Array): Promise<void> {
  // Sync programs and our own readers skip names like this one. With a leading dot, it would be outside the scope.
  const temporary = `${folderOf(path)}~${randomId()}.tmp`;
  let isMade = false;
  try {
    const mode = await modeInPlace("write", path);
    await withFolder(path, async () => {
      await writeFile(temporary, bytes, { createNew: true, mode });
      isMade = true;
    });
    // Without the sync, a power cut after the rename leaves an empty file on some file systems.
    await commands.append(temporary, new Uint8Array(), { sync: true, create: false });
    await moveOver(temporary, path);
  } catch (cause) {
    const removeError = isMade ? await attempt(() => remove(temporary)) : undefined;
    throw tauriFileSystemError("write", path, cause, removeError === undefined ? {} : { leftBehind: temporary });
  }
}

/** Renames a file or folder over a file, never over a folder. */
export async function renameOver(from: string, to: string): Promise<void> {
  try {
    await modeInPlace("replace", to);
    await moveOver(from, to);
  } catch (cause) {
    throw tauriFileSystemError("rename", from, cause, { to });
  }
}

/** The mode of the file at a path, so that a private file stays private. @throws FoldspaceError if it is a folder */
async function modeInPlace(action: string, path: string): Promise<number> {
  try {
    const info = await lstat(path);
    if (info.isDirectory) throw failure("FOLD_IO", action, path, "it is a folder");
    return info.isFile && info.mode !== null ? info.mode & 0o777 : DEFAULT_MODE;
  } catch (cause) {
    if (isMissing(cause)) return DEFAULT_MODE;
    throw cause;
  }
}

async function moveOver(from: string, to: string): Promise<void> {
  const isHeld = (cause: unknown): boolean => isHeldByOthers(to, cause);
  try {
    await retryWhileBusy(isHeld, () => rename(from, to));
  } catch (cause) {
    if (!isHeld(cause)) throw cause;
    throw new FoldspaceError("FOLD_BUSY", `Cannot replace ${to}: another program is using it`, { data: { path: to }, cause });
  }
}

/** Deletes a file, or a folder with all that is in it. */
export async function removeAll(path: string): Promise<void> {
  const { isDirectory } = await lstat(path);
  await retryWhileBusy(
    (cause) => isHeldByOthers(path, cause),
    () => remove(path, { recursive: isDirectory }),
  );
}

/** Makes the folder only if it proves to be missing: mostly it exists. */
async function withFolder(path: string, action: () => Promise<void>): Promise<void> {
  try {
    return await action();
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
  }
  await mkdir(folderOf(path), { recursive: true });
  await action();
}

/** Path of the folder that contains an entry, with the separator at its end. */
function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), isWindowsPath(path) ? path.lastIndexOf("\\") : -1) + 1);
}

/** Returns the error as a value, so that a failing cleanup does not hide the first error. */
async function attempt(action: () => Promise<unknown>): Promise<{ readonly cause: unknown } | undefined> {
  try {
    await action();
    return undefined;
  } catch (cause) {
    return { cause };
  }
}
