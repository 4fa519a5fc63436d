import { constants, type Stats } from "node:fs";
import type { ByteRange, EntryKind } from "../file-system.ts";
import type { Calls, OpenFile } from "./calls.ts";
import { fileSystemError, isMissing, wrongKind } from "./errors.ts";

/**
 * Links are refused: a folder that came from elsewhere (Git carries links) could point anywhere. Non-blocking opening is
 * for pipes, which would otherwise wait for another program at the other end. Windows has neither flag.
 */
export const REGULAR_FILES_ONLY: number = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** One call of the system reads at most 2 GiB. */
const MAX_READ_BYTES = 2 ** 30;

/** Reads a whole file or a range of it; `undefined` if there is no such file. */
export async function readRange(calls: Calls, path: string, range: ByteRange): Promise<Uint8Array | undefined> {
  let file: OpenFile;
  try {
    file = await calls.open(path, constants.O_RDONLY | REGULAR_FILES_ONLY);
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw fileSystemError("read", path, cause);
  }
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw wrongKind("read", path, stats.isDirectory() ? "it is a folder" : "it is not a regular file");
    return await readBytes(file, stats.size, range);
  } catch (cause) {
    throw fileSystemError("read", path, cause);
  } finally {
    await file.close();
  }
}

async function readBytes(file: OpenFile, sizeBytes: number, range: ByteRange): Promise<Uint8Array> {
  const { offset, length = Infinity } = range;
  const bytes = new Uint8Array(Math.max(0, Math.min(length, sizeBytes - offset)));
  let done = 0;
  while (done < bytes.length) {
    const { bytesRead } = await file.read(bytes, done, Math.min(bytes.length - done, MAX_READ_BYTES), offset + done);
    if (bytesRead === 0) return bytes.slice(0, done); // the file was truncated meanwhile
    done += bytesRead;
  }
  return bytes;
}

/** The kind of an entry, or of the file or folder at a path. */
export function kindOf(entry: Pick<Stats, "isFile" | "isDirectory">): EntryKind {
  if (entry.isFile()) return "file";
  return entry.isDirectory() ? "directory" : "other";
}
