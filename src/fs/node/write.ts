import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { dirname, join } from "node:path";
import { FoldspaceError, systemCode } from "../../errors.ts";
import { retryWhileBusy } from "../../retry-while-busy.ts";
import type { Calls, OpenFile } from "./calls.ts";
import { fileSystemError, isMissing, wrongKind } from "./errors.ts";
import { REGULAR_FILES_ONLY } from "./read.ts";

const APPEND = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | REGULAR_FILES_ONLY;
const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
const DEFAULT_MODE = 0o666;

/** Opens, writes and closes. If only a part was written, it is removed again, which is safe because we are the file's only writer. */
export async function appendTo(calls: Calls, path: string, bytes: Uint8Array, sync: boolean): Promise<void> {
  try {
    const file = await withFolders(calls, path, () => calls.open(path, APPEND));
    try {
      await appendOrUndo(file, path, bytes, sync);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw fileSystemError("append to", path, cause);
  }
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
    const mode = await modeInPlace(calls, path, "write");
    const file = await withFolders(calls, path, () => calls.open(temporary, NEW_FILE, mode));
    made = true;
    try {
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
    await modeInPlace(calls, to, "replace");
    await moveOver(calls, from, to);
  } catch (cause) {
    throw fileSystemError("rename", from, cause, { to });
  }
}

/** The mode of the file at a path, so that a private file stays private. @throws FoldspaceError if it is a folder */
async function modeInPlace(calls: Calls, path: string, action: string): Promise<number> {
  try {
    const stats = await calls.lstat(path);
    if (stats.isDirectory()) throw wrongKind(action, path, "it is a folder");
    return stats.isFile() ? stats.mode & 0o777 : DEFAULT_MODE;
  } catch (cause) {
    if (isMissing(cause)) return DEFAULT_MODE;
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

/** Makes the folders only if they prove to be missing: mostly they exist. */
async function withFolders(calls: Calls, path: string, open: () => OpenFile | Promise<OpenFile>): Promise<OpenFile> {
  try {
    return await open();
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
  }
  await makeFolders(calls, dirname(path));
  return open();
}

/** Makes folders one by one: Node's own `recursive` reports a read-only disk as a missing folder. */
export async function makeFolders(calls: Calls, path: string): Promise<void> {
  const missing = [path];
  for (let next = missing.at(-1); next !== undefined; next = missing.at(-1)) {
    try {
      await calls.mkdir(next);
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
