import { FoldspaceError } from "../../errors.ts";
import type { ByteRange } from "../file-system.ts";
import type { MovableFile, WritableOptions } from "./browser-types.ts";
import { isLocked, isMissing, isReplaced } from "./errors.ts";

/** A page that writes to a file, or replaces it many times a second, is let pass. */
const RETRIES_MS: readonly number[] = [0, 0, 5, 10, 20, 40, 80, 160];

/** Of larger pieces, Chromium may tell that a pipe broke (`AbortError`) instead of that the disk is full (38 of 100). */
const PIECE_BYTES = 512 * 1024;

export async function readRange(file: FileSystemFileHandle, range: ByteRange): Promise<Uint8Array> {
  const { offset, length } = range;
  return await withFreshFile(file, async (content) => {
    const end = length === undefined ? content.size : offset + length;
    // cutting a piece waits for another process, for 40 ms on a busy machine: not done where the piece is the whole
    const part = offset === 0 && end >= content.size ? content : content.slice(offset, end);
    const bytes = new Uint8Array(await part.arrayBuffer());
    if (length === undefined) await assertUnchanged(file, content);
    return bytes;
  });
}

/**
 * In a real folder Chromium notices only after a second that another program has replaced a file, and until then cuts
 * the new content to the old size (4 of 100 replacements): right for one who asked for a range, a part for one who asked for all.
 */
async function assertUnchanged(file: FileSystemFileHandle, { size, lastModified }: File): Promise<void> {
  const now = await file.getFile();
  if (now.size !== size || now.lastModified !== lastModified)
    throw new DOMException("It was replaced while it was read", "NotReadableError");
}

/** Adds bytes at the end. The browser copies the file, writes to the copy and puts it in the file's place: all or nothing. */
export async function appendTo(file: FileSystemFileHandle, bytes: Uint8Array): Promise<void> {
  await rewrite(file, { keepExistingData: true }, async (copy) => {
    const { size } = await file.getFile();
    await put(copy, bytes, size);
  });
}

/** Replaces the content in a single step. */
export async function replaceContent(file: FileSystemFileHandle, bytes: Uint8Array): Promise<void> {
  await rewrite(file, {}, (copy) => put(copy, bytes));
}

/** Makes a file of which nobody ever sees a part, where the browser can move files. */
export async function makeFile(folder: FileSystemDirectoryHandle, name: string, bytes: Uint8Array): Promise<void> {
  if (!canMove()) return await replaceContent(await folder.getFileHandle(name, { create: true }), bytes);
  // Sync programs and our own readers pass over names like this one.
  const temporaryName = `.${crypto.randomUUID()}.tmp`;
  const temporary: MovableFile = await folder.getFileHandle(temporaryName, { create: true });
  try {
    await replaceContent(temporary, bytes);
    await whenFree(async () => temporary.move?.(folder, name));
  } catch (cause) {
    await removeIfThere(folder, temporaryName);
    throw cause;
  }
}

/** Moves a file to where there is none. */
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

/** Copies a folder with all below it, without recursing, so that no depth of nesting can exhaust the stack. */
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
 * A file that was opened for reading cannot be read any more once another has taken its place, and is opened again.
 * Chromium may tell that as if the file were missing; whether it is, opening it tells.
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

/** Does what the browser refuses while another page writes to the file. */
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
  // Two writers at once would both succeed and the bytes of one be lost; where modes are known, the second is refused.
  const exclusive: WritableOptions = { ...options, mode: "exclusive" };
  const copy = await whenFree(() => file.createWritable(exclusive));
  try {
    await fill(copy);
    await copy.close();
  } catch (cause) {
    // gives the file free; does nothing where the stream has failed by itself
    await copy.abort();
    throw cause;
  }
}

async function put(copy: FileSystemWritableFileStream, bytes: Uint8Array, position: number = 0): Promise<void> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    // the library's types allow bytes in shared memory, which streams do not take; none of ours are
    const data = bytes.subarray(start, start + PIECE_BYTES) as Uint8Array<ArrayBuffer>;
    await copy.write({ type: "write", position: position + start, data });
  }
}
