import { FoldspaceError } from "../errors.ts";
import {
  type DirectoryEntry,
  type EntryKind,
  type FileStat,
  joinPath,
  type ScannedFile,
  type ScanResult,
} from "./file-system.ts";

/** What a scan needs of a platform. Its calls throw the platform's own errors, also where there is nothing. */
export interface ScanCalls {
  /** How many calls may run side by side. */
  readonly width: number;
  list(path: string): readonly DirectoryEntry[] | Promise<readonly DirectoryEntry[]>;
  /**
   * Links are not followed.
   * @param kind as it was listed
   */
  measure(path: string, kind: EntryKind): FileStat | Promise<FileStat>;
  isMissing(error: unknown): boolean;
  /** Makes a typed error, where something could not be done, as in "Cannot read": `read`. */
  explain(action: string, path: string, cause: unknown): FoldspaceError;
}

/** Looks through all folders below one without recursing, so that no depth of nesting can exhaust the stack. */
export async function scanFolder(calls: ScanCalls, root: string): Promise<ScanResult | undefined> {
  const files: ScannedFile[] = [];
  const unreadable: { path: string; error: Error }[] = [];
  const folders = [""];

  const look = async (folder: string): Promise<void> => {
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

  /** What vanished while we looked was not there; everything else is told. */
  const attempt = async (relative: string, action: () => Promise<void>): Promise<void> => {
    try {
      await action();
    } catch (cause) {
      if (!calls.isMissing(cause))
        unreadable.push({ path: relative, error: calls.explain("read", joinPath(root, relative), cause) });
      // the platform puts this character in place of bytes that are no text, and then finds nothing under the name
      else if (relative.includes("\uFFFD")) unreadable.push({ path: relative, error: undecodable(joinPath(root, relative)) });
    }
  };

  try {
    await look(folders.pop() ?? "");
  } catch (cause) {
    if (calls.isMissing(cause)) return undefined;
    throw calls.explain("read the folder", root, cause);
  }
  while (folders.length > 0) {
    await Promise.all(folders.splice(-calls.width).map((folder) => attempt(folder, () => look(folder))));
  }
  return { files, unreadable };
}

function undecodable(path: string): FoldspaceError {
  return new FoldspaceError("FOLD_FOREIGN_FILE", `Cannot read ${path}: its name is no valid UTF-8`, { data: { path } });
}
