import { TimeSlicer } from "../../time-slicer.ts";
import { joinPath, type ScannedFile, type ScanResult } from "../file-system.ts";
import { isMissing, webFileSystemError } from "./errors.ts";

/** Concurrent round trips to the browser; more gain nothing. */
const WIDTH = 32;

/** Lists all folders below one. It does not recurse, so that no depth of nesting can exhaust the stack. */
export async function scanFolder(root: FileSystemDirectoryHandle, rootPath: string): Promise<ScanResult> {
  const files: ScannedFile[] = [];
  const unreadable: { path: string; error: Error }[] = [];
  const slicer = new TimeSlicer();
  /** Entries still to read, the last first, so that few folders are open at a time. */
  const tasks: { path: string; handle: FileSystemDirectoryHandle | FileSystemFileHandle }[] = [];

  const list = async (folder: FileSystemDirectoryHandle, path: string): Promise<void> => {
    for await (const [name, handle] of folder.entries()) {
      tasks.push({ path: joinPath(path, name), handle });
      if (slicer.isDue) await slicer.yieldToEventLoop();
    }
  };

  const readEntry = async ({ path, handle }: (typeof tasks)[number]): Promise<void> => {
    try {
      if (handle.kind === "directory") return await list(handle, path);
      const { size, lastModified } = await handle.getFile();
      files.push({ path, kind: "file", size, modifiedMs: lastModified });
    } catch (cause) {
      // an entry that vanished during the scan counts as absent
      if (!isMissing(cause)) unreadable.push({ path, error: webFileSystemError("read", joinPath(rootPath, path), cause) });
    }
  };

  await list(root, "");
  while (tasks.length > 0) {
    await Promise.all(tasks.splice(-WIDTH).map(readEntry));
    if (slicer.isDue) await slicer.yieldToEventLoop();
  }
  return { files, unreadable };
}
