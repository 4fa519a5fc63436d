import { FoldspaceError } from "../errors.ts";
import {
  type DirectoryEntry,
  type EntryKind,
  type FileStat,
  joinPath,
  type ScannedFile,
  type ScanResult,
} from "./file-system.ts";

/** The calls of a platform that a scan needs. They throw the platform's own errors, also if a path is missing. */
export interface ScanCalls {
  /** How many calls may run side by side. */
  readonly width: number;
  list(path: string): readonly DirectoryEntry[] | Promise<readonly DirectoryEntry[]>;
  /**
   * Links are not followed.
   * @param kind from the listing
   */
  measure(path: string, kind: EntryKind): FileStat | Promise<FileStat>;
  isMissing(error: unknown): boolean;
  /** Makes a typed error. @param action that failed, as in "Cannot read": `read` */
  explain(action: string, path: string, cause: unknown): FoldspaceError;
}

/** Lists all folders below one. It does not recurse, so that no depth of nesting can exhaust the stack. */
export async function scanFolder(calls: ScanCalls, root: string): Promise<ScanResult | undefined> {
  const files: ScannedFile[] = [];
  const unreadable: { path: string; error: Error }[] = [];
  const folders = [""];

  const listFolder = async (folder: string): Promise<void> => {
    const entries = await calls.list(joinPath(root, folder));
    for (let start = 0; start < entries.length; start += calls.width) {
      await Promise.all(
        entries.slice(start, start + calls.width).map(async ({ name, kind }) => {
          const relative = joinPath(folder, name);
          if (kind === "directory") return folders.push(relative);
          return attempt(relative, () => measure(relative, kind));
        }),
      );
    }
  };

  const measure = async (relative: string, listedKind: EntryKind): Promise<void> => {
    const { kind, size, modifiedMs } = await calls.measure(joinPath(root, relative), listedKind);
    if (kind === "directory") folders.push(relative);
    else files.push({ path: relative, kind, size, modifiedMs });
  };

  /** Ignores an entry that vanished during the scan and reports every other error. */
  const attempt = async (relative: string, action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (cause) {
      if (!calls.isMissing(cause))
        unreadable.push({ path: relative, error: calls.explain("read", joinPath(root, relative), cause) });
      // the platform substitutes this character for bytes that are not text, and then finds no file of that name
      else if (relative.includes("\uFFFD")) unreadable.push({ path: relative, error: undecodable(joinPath(root, relative)) });
    }
  };

  try {
    await listFolder(folders.pop() ?? "");
  } catch (cause) {
    if (calls.isMissing(cause)) return undefined;
    throw calls.explain("read the folder", root, cause);
  }
  while (folders.length > 0) {
    await Promise.all(folders.splice(-calls.width).map((folder) => attempt(folder, () => listFolder(folder))));
  }
  return { files, unreadable };
}

function undecodable(path: string): FoldspaceError {
  return new FoldspaceError("FOLD_FOREIGN_FILE", `Cannot read ${path}: its name is not valid UTF-8`, { data: { path } });
}
