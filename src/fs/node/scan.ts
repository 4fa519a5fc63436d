import { joinPath, type ScannedFile, type ScanResult } from "../file-system.ts";
import type { Calls } from "./calls.ts";
import { fileSystemError, isMissing } from "./errors.ts";
import { kindOf } from "./read.ts";

/** Looks through all folders below one without recursing, so that no depth of nesting can exhaust the stack. */
export async function scanFolder(calls: Calls, root: string): Promise<ScanResult | undefined> {
  const files: ScannedFile[] = [];
  const unreadable: { path: string; error: Error }[] = [];
  const folders = [""];

  const look = async (folder: string): Promise<void> => {
    const path = joinPath(root, folder);
    const entries = await calls.readdir(path);
    for (let start = 0; start < entries.length; start += calls.width) {
      await Promise.all(
        entries.slice(start, start + calls.width).map(async (entry) => {
          const relative = joinPath(folder, entry.name);
          if (entry.isDirectory()) return folders.push(relative);
          return attempt(relative, () => measure(relative));
        }),
      );
    }
  };

  const measure = async (relative: string): Promise<void> => {
    const stats = await calls.lstat(joinPath(root, relative));
    const kind = kindOf(stats);
    if (kind === "directory") folders.push(relative);
    else files.push({ path: relative, kind, size: stats.size, modifiedMs: stats.mtimeMs });
  };

  /** What vanished while we looked was not there; everything else is told. */
  const attempt = async (relative: string, action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (cause) {
      if (!isMissing(cause)) unreadable.push({ path: relative, error: fileSystemError("read", joinPath(root, relative), cause) });
    }
  };

  try {
    await look(folders.pop() ?? "");
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw fileSystemError("read the folder", root, cause);
  }
  while (folders.length > 0) {
    await Promise.all(folders.splice(-calls.width).map((folder) => attempt(folder, () => look(folder))));
  }
  return { files, unreadable };
}
