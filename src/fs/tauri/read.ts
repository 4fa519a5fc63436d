import { type FileHandle, type FileInfo, lstat, open, readFile, SeekMode } from "@tauri-apps/plugin-fs";
import type { ByteRange, EntryKind, FileStat } from "../file-system.ts";
import { failure } from "./errors.ts";

/** Opening, seeking, reading and closing are four calls, and `readFile` is one. Up to this size, reading all bytes is cheaper. */
const WHOLE_FILE_BYTES = 512 * 1024;

/** Limit of one answer, because an answer is copied several times on its way. */
const MAX_READ_BYTES = 16 * 1024 * 1024;

/** Reads a whole file or a range of it. */
export async function readRange(path: string, { offset, length = Infinity }: ByteRange): Promise<Uint8Array> {
  const { size } = await regularFile("read", path);
  const wanted = Math.max(0, Math.min(length, size - offset));
  if (wanted === 0) return new Uint8Array();
  if (wanted < size && size > WHOLE_FILE_BYTES) return await readSlice(path, offset, wanted);
  const bytes = await readFile(path);
  return offset === 0 && bytes.length <= length ? bytes : bytes.slice(offset, offset + length);
}

async function readSlice(path: string, offset: number, length: number): Promise<Uint8Array> {
  const file = await open(path, { read: true });
  try {
    await file.seek(offset, SeekMode.Start);
    return await readFully(file, new Uint8Array(length));
  } finally {
    await file.close();
  }
}

async function readFully(file: FileHandle, bytes: Uint8Array): Promise<Uint8Array> {
  let done = 0;
  while (done < bytes.length) {
    const count = await file.read(bytes.subarray(done, done + MAX_READ_BYTES));
    if (!count) return bytes.slice(0, done); // the file was truncated meanwhile
    done += count;
  }
  return bytes;
}

/**
 * The metadata of a file that may be opened. Links are refused: a folder that came from elsewhere (Git carries links)
 * could point anywhere. Pipes are refused too, because they would wait for another program at the other end.
 */
export async function regularFile(action: string, path: string): Promise<FileInfo> {
  const info = await lstat(path);
  if (info.isFile) return info;
  throw failure("FOLD_IO", action, path, info.isDirectory ? "it is a folder" : "it is not a regular file");
}

/** The kind of an entry, or of the file or folder at a path. */
export function kindOf(entry: { readonly isFile: boolean; readonly isDirectory: boolean }): EntryKind {
  if (entry.isFile) return "file";
  return entry.isDirectory ? "directory" : "other";
}

export function toStat(info: FileInfo): FileStat {
  return { kind: kindOf(info), size: info.isDirectory ? 0 : info.size, modifiedMs: info.mtime?.getTime() ?? 0 };
}
