import { randomId } from "../../random-id.ts";
import type { Bytes } from "../../bytes.ts";
import { FoldspaceError } from "../../errors.ts";
import type { ByteRange } from "../file-system.ts";
import type { MovableFile, WritableOptions } from "./browser-types.ts";
import { isLocked, isMissing, isReplaced } from "./errors.ts";

/** Delays between retries, so that a page that writes to a file, or replaces it many times a second, can finish. */
const RETRIES_MS: readonly number[] = [0, 0, 5, 10, 20, 40, 80, 160];

/** For larger pieces, Chromium may report a broken pipe (`AbortError`) instead of a full disk (38 of 100). */
const PIECE_BYTES = 512 * 1024;

export async function readRange(file: FileSystemFileHandle, range: ByteRange): Promise<Uint8Array> {
  const { offset, length } = range;
  return await withFreshFile(file, async (content) => {
    const end = length === undefined ? content.size : offset + length;
    // slicing waits for another process, 40 ms on a busy machine: skipped if the slice is the whole file
    const part = offset === 0 && end >= content.size ? content : content.slice(offset, end);
    const bytes = new Uint8Array(await part.arrayBuffer());
    if (length === undefined) await assertUnchanged(file, content);
    return bytes;
  });
}

/**
 * In a real folder, Chromium notices only after a second that another program has replaced a file. Until then it cuts
 * the new content to the old size (4 of 100 replacements). That is right for a range, but wrong for a whole file.
 */
async function assertUnchanged(file: FileSystemFileHandle, { size, lastModified }: File): Promise<void> {
  const now = await file.getFile();
  if (now.size !== size || now.lastModified !== lastModified)
    throw new DOMException("It was replaced while it was read", "NotReadableError");
}

/** Appends bytes. The browser copies the file, writes to the copy and replaces the file with it: all or nothing. */
export async function appendTo(file: FileSystemFileHandle, bytes: Uint8Array): Promise<void> {
  await rewrite(file, { keepExistingData: true }, async (copy) => {
    const { size } = await file.getFile();
    await writePieces(copy, bytes, size);
  });
}

/** Replaces the content in a single step. */
export async function replaceContent(file: FileSystemFileHandle, bytes: Uint8Array): Promise<void> {
  await rewrite(file, {}, (copy) => writePieces(copy, bytes));
}

/** Creates a file that no reader ever sees in part, if the browser can move files. */
export async function makeFile(folder: FileSystemDirectoryHandle, name: string, bytes: Uint8Array): Promise<void> {
  if (!canMove()) return await replaceContent(await folder.getFileHandle(name, { create: true }), bytes);
  // Sync programs and our own readers skip names like this one.
  const temporaryName = `.${randomId()}.tmp`;
  const temporary: MovableFile = await folder.getFileHandle(temporaryName, { create: true });
  try {
    await replaceContent(temporary, bytes);
    await whenFree(async () => temporary.move?.(folder, name));
  } catch (cause) {
    await removeIfThere(folder, temporaryName);
    throw cause;
  }
}

/** Moves a file to a free name. */
export async function moveFile(
  file: MovableFile,
  from: FileSystemDirectoryHandle,
  to: FileSystemDirectoryHandle,
  name: string,
): Promise<void> {
  if (file.move) return await whenFree(async () => file.move?.(to, name));
  const { name: oldName } = file;
  await copyContent(file, await to.getFileHandle(name, { create: true }));
  await removeIfThere(from, oldName);
}

export async function copyContent(from: FileSystemFileHandle, to: FileSystemFileHandle): Promise<void> {
  await replaceContent(to, await readRange(from, { offset: 0 }));
}

/** Copies a folder with everything below it. It does not recurse, so that no depth of nesting can exhaust the stack. */
export async function copyFolder(from: FileSystemDirectoryHandle, to: FileSystemDirectoryHandle): Promise<void> {
  const open = [{ from, to }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for await (const [name, entry] of next.from.entries()) {
      if (entry.kind === "file") await copyContent(entry, await next.to.getFileHandle(name, { create: true }));
      else open.push({ from: entry, to: await next.to.getDirectoryHandle(name, { create: true }) });
    }
  }
}

export async function removeIfThere(folder: FileSystemDirectoryHandle, name: string): Promise<void> {
  try {
    await whenFree(() => folder.removeEntry(name, { recursive: true }));
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
  }
}

function canMove(): boolean {
  return "move" in FileSystemFileHandle.prototype;
}

/**
 * A file that was opened for reading becomes unreadable once another file has replaced it, and must be opened again.
 * Chromium may report the file as missing instead; opening it shows whether it is.
 */
async function withFreshFile<T>(file: FileSystemFileHandle, action: (content: File) => Promise<T>): Promise<T> {
  for (const waitMs of RETRIES_MS) {
    const content = await file.getFile();
    try {
      return await action(content);
    } catch (cause) {
      if (!isReplaced(cause) && !isMissing(cause)) throw cause;
      await delay(waitMs);
    }
  }
  throw new DOMException("It was replaced each time it was read", "NotReadableError");
}

/** Retries an action that the browser refuses while another page writes to the file. */
async function whenFree<T>(action: () => Promise<T>): Promise<T> {
  for (const waitMs of RETRIES_MS) {
    try {
      return await action();
    } catch (cause) {
      if (!isLocked(cause)) throw cause;
      await delay(waitMs);
    }
  }
  return await action();
}

function delay(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

async function rewrite(
  file: FileSystemFileHandle,
  options: FileSystemCreateWritableOptions,
  fill: (copy: FileSystemWritableFileStream) => Promise<void>,
): Promise<void> {
  if (typeof file.createWritable !== "function")
    throw new FoldspaceError("FOLD_UNAVAILABLE", `Cannot write ${file.name}: this browser writes no files`, {
      data: { path: file.name },
    });
  // Two concurrent writers would both succeed, and one's bytes be lost. If the browser knows modes, it refuses the second.
  const exclusive: WritableOptions = { ...options, mode: "exclusive" };
  const copy = await whenFree(() => file.createWritable(exclusive));
  try {
    await fill(copy);
    await copy.close();
  } catch (cause) {
    // releases the file; does nothing if the stream has already failed
    await copy.abort();
    throw cause;
  }
}

async function writePieces(copy: FileSystemWritableFileStream, bytes: Uint8Array, position: number = 0): Promise<void> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    // the library's types allow bytes in shared memory, which streams do not accept; ours are never shared
    const data = bytes.subarray(start, start + PIECE_BYTES) as Bytes;
    await copy.write({ type: "write", position: position + start, data });
  }
}
