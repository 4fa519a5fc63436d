import { randomUUID } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { dirname, join } from "node:path";
import { FoldspaceError, systemCode } from "../../errors.ts";
import type { AppendOptions } from "../file-system.ts";
import { retryWhileBusy } from "../../retry-while-busy.ts";
import type { Calls, OpenFile } from "./calls.ts";
import { fileSystemError, isMissing, wrongKind } from "./errors.ts";
import { REGULAR_FILES_ONLY } from "./read.ts";
import { modeToAskFor, shareFile, shareFolder, shareLike } from "./sharing.ts";

const APPEND = constants.O_WRONLY | constants.O_APPEND | REGULAR_FILES_ONLY;
const NEW = constants.O_CREAT | constants.O_EXCL;

/** Opens, writes and closes. If only a part was written, it is removed again, which is safe because we are the file's only writer. */
export async function appendTo(calls: Calls, path: string, bytes: Uint8Array, options: AppendOptions): Promise<void> {
  const { sync = false, create = true } = options;
  try {
    const file = await openToAppend(calls, path, create);
    try {
      await appendOrUndo(file, path, bytes, sync);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw fileSystemError("append to", path, cause);
  }
}

async function openToAppend(calls: Calls, path: string, create: boolean): Promise<OpenFile> {
  try {
    return await calls.open(path, APPEND);
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
    if (!create)
      throw new FoldspaceError("FOLD_NOT_FOUND", `Cannot append to ${path}: it is not there`, { data: { path }, cause });
  }
  try {
    return await makeFile(calls, path, APPEND);
  } catch (cause) {
    // something else made it in the meantime
    if (systemCode(cause) !== "EEXIST") throw cause;
    return await calls.open(path, APPEND);
  }
}

/** Makes a file, and its folder if that is missing, for the users of the folder. */
async function makeFile(calls: Calls, path: string, flags: number): Promise<OpenFile> {
  const parent = dirname(path);
  let folder = await statUnlessMissing(calls, parent);
  if (!folder) {
    await makeFolders(calls, parent);
    folder = await calls.stat(parent);
  }
  const file = await calls.open(path, flags | NEW, modeToAskFor(folder, "file"));
  try {
    await shareFile(file, folder);
  } catch (cause) {
    await file.close();
    throw cause;
  }
  return file;
}

async function appendOrUndo(file: OpenFile, path: string, bytes: Uint8Array, sync: boolean): Promise<void> {
  let written = 0;
  try {
    while (written < bytes.length) written += (await file.write(bytes, written, bytes.length - written, null)).bytesWritten;
    if (sync) await file.datasync();
  } catch (cause) {
    const undoError = written === 0 ? undefined : await attempt(() => cutOff(file, written));
    throw fileSystemError("append to", path, cause, { partial: undoError !== undefined });
  }
}

async function cutOff(file: OpenFile, lengthBytes: number): Promise<void> {
  const { size } = await file.stat();
  await file.truncate(size - lengthBytes);
}

/** Writes a temporary file in the same folder and renames it over the target. */
export async function replaceFile(calls: Calls, path: string, bytes: Uint8Array): Promise<void> {
  // Sync programs and our own readers skip names like this one. Its length does not depend on the file's name.
  const temporary = join(dirname(path), `.${randomUUID()}.tmp`);
  let made = false;
  try {
    const replaced = await findFile(calls, path, "write");
    const file = await (replaced
      ? calls.open(temporary, constants.O_WRONLY | NEW, replaced.mode & 0o777)
      : makeFile(calls, temporary, constants.O_WRONLY));
    made = true;
    try {
      if (replaced) await shareLike(file, replaced);
      let written = 0;
      while (written < bytes.length) written += (await file.write(bytes, written, bytes.length - written, null)).bytesWritten;
      // Without the sync, a power cut after the rename leaves an empty file on some file systems.
      await file.sync();
    } finally {
      await file.close();
    }
    await moveOver(calls, temporary, path);
  } catch (cause) {
    const removeError = made ? await attempt(() => calls.remove(temporary)) : undefined;
    throw fileSystemError("write", path, cause, removeError === undefined ? {} : { leftBehind: temporary });
  }
}

/** Renames a file or folder over a file, never over a folder. */
export async function renameOver(calls: Calls, from: string, to: string): Promise<void> {
  try {
    await findFile(calls, to, "replace");
    await moveOver(calls, from, to);
  } catch (cause) {
    throw fileSystemError("rename", from, cause, { to });
  }
}

/** The file at a path, if there is one. @throws FoldspaceError if it is a folder */
async function findFile(calls: Calls, path: string, action: string): Promise<Stats | undefined> {
  try {
    const stats = await calls.lstat(path);
    if (stats.isDirectory()) throw wrongKind(action, path, "it is a folder");
    return stats.isFile() ? stats : undefined;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

async function statUnlessMissing(calls: Calls, path: string): Promise<Stats | undefined> {
  try {
    return await calls.stat(path);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

async function moveOver(calls: Calls, from: string, to: string): Promise<void> {
  try {
    await retryWhileBusy(isHeldByOthers, () => calls.rename(from, to));
  } catch (cause) {
    if (!isHeldByOthers(cause)) throw cause;
    throw new FoldspaceError("FOLD_BUSY", `Cannot replace ${to}: another program is using it`, { data: { path: to }, cause });
  }
}

/** Windows reports a file that another program holds open as a lack of permission. */
function isHeldByOthers(error: unknown): boolean {
  const code = systemCode(error);
  return code === "EBUSY" || (process.platform === "win32" && (code === "EPERM" || code === "EACCES"));
}

/**
 * Makes folders one by one, each for the users of the one above. Node's own `recursive` reports a read-only disk as a missing
 * folder.
 */
export async function makeFolders(calls: Calls, path: string): Promise<void> {
  const missing = [path];
  for (let next = missing.at(-1); next !== undefined; next = missing.at(-1)) {
    try {
      await makeFolder(calls, next);
      missing.pop();
    } catch (cause) {
      const parent = dirname(next);
      if (isMissing(cause) && parent !== next) missing.push(parent);
      else if (await isFolder(calls, next)) missing.pop();
      else if (systemCode(cause) !== "EEXIST") throw fileSystemError("make the folder", next, cause);
      else {
        const message = `Cannot make the folder ${next}: a file is in its place`;
        throw new FoldspaceError("FOLD_NOT_A_FOLDER", message, { data: { path: next }, cause });
      }
    }
  }
}

async function makeFolder(calls: Calls, path: string): Promise<void> {
  const parent = await calls.stat(dirname(path));
  await calls.mkdir(path, modeToAskFor(parent, "folder"));
  await shareFolder(calls, path, parent);
}

async function isFolder(calls: Calls, path: string): Promise<boolean> {
  try {
    return (await calls.stat(path)).isDirectory();
  } catch (cause) {
    if (isMissing(cause)) return false; // a dangling link
    throw fileSystemError("inspect", path, cause);
  }
}

/** Returns the error as a value, so that a failing cleanup does not hide the first error. */
async function attempt(action: () => unknown): Promise<{ readonly cause: unknown } | undefined> {
  try {
    await action();
    return undefined;
  } catch (cause) {
    return { cause };
  }
}
