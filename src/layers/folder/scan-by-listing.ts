import { toFoldspaceError } from "../../errors.ts";
import { joinPath, type FileSystem, type ScanResult } from "../../fs/file-system.ts";
import { isIgnoredName } from "../../log/paths.ts";
import { mapLimit } from "../../map-limit.ts";

const STATS_AT_ONCE = 8;

/** Like `FileSystem.scan`, but lists folder by folder, so that a folder that does not answer can be named. */
export async function scanByListing(fs: FileSystem, root: string): Promise<ScanResult | undefined> {
  if (!(await fs.list(root))) return undefined;
  const result: ScanResult = { files: [], unreadable: [] };
  const fail = (path: string, error: unknown): void => {
    result.unreadable.push({ path, error: toFoldspaceError(error) });
  };
  const open = [""];
  const measure = async (path: string, kind: "file" | "other"): Promise<void> => {
    try {
      const stat = await fs.stat(joinPath(root, path));
      if (stat) result.files.push({ path, kind, size: stat.size, modifiedMs: stat.modifiedMs });
    } catch (error) {
      fail(path, error);
    }
  };
  for (let directory = open.pop(); directory !== undefined; directory = open.pop()) {
    try {
      const entries = (await fs.list(joinPath(root, directory))) ?? [];
      await mapLimit(STATS_AT_ONCE, entries, async ({ name, kind }) => {
        const path = joinPath(directory, name);
        if (kind !== "directory") await measure(path, kind);
        else if (!isIgnoredName(name)) open.push(path);
      });
    } catch (error) {
      fail(directory, error);
    }
  }
  return result;
}
