import { type FileHandle, type FileInfo, lstat, open, readFile, SeekMode } from "@tauri-apps/plugin-fs";
import type { ByteRange, EntryKind, FileStat } from "../file-system.ts";
import { failure } from "./errors.ts";

/** Opening, seeking, reading and closing are four calls where `readFile` is one: up to this size its bytes are the cheaper part. */
const WHOLE_FILE_BYTES = 512 * 1024;

/** Of one answer: it is copied several times on its way. */
const MAX_READ_BYTES = 16 * 1024 * 1024;

/** The whole of a file or a range of it. */
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
    if (!count) return bytes.slice(0, done); // it was cut off meanwhile
    done += count;
  }
  return bytes;
}

/**
 * What is known of a file that may be opened. Links are refused: a folder that came from elsewhere (Git carries links)
 * could point anywhere. So are pipes, which would wait for somebody at the other end.
 */
export async function regularFile(action: string, path: string): Promise<FileInfo> {
  const info = await lstat(path);
  if (info.isFile) return info;
  throw failure("FOLD_IO", action, path, info.isDirectory ? "it is a folder" : "it is no regular file");
}

/** What an entry or what stands at a path is. */
export function kindOf(entry: { readonly isFile: boolean; readonly isDirectory: boolean }): EntryKind {
  if (entry.isFile) return "file";
  return entry.isDirectory ? "directory" : "other";
}

export function toStat(info: FileInfo): FileStat {
  return { kind: kindOf(info), size: info.isDirectory ? 0 : info.size, modifiedMs: info.mtime?.getTime() ?? 0 };
}
