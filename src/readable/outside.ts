import { FoldspaceError } from "../errors.ts";
import { joinPath, type FileSystem } from "../fs/file-system.ts";
import { SPACE_DIR } from "../log/paths.ts";

/**
 * A copy is in a folder of its own: not that of the space, nothing around it, and nothing in which the space has its files.
 * @throws FoldspaceError `FOLD_BAD_VALUE`
 */
export async function assertOutside(fs: FileSystem, path: string, spacePath: string): Promise<void> {
  const copy = await realPathOf(fs, path);
  const space = await realPathOf(fs, spacePath);
  const files = joinPath(space, SPACE_DIR);
  if (!isIn(copy, files) && !isIn(space, copy)) return;
  const reason = isIn(copy, files)
    ? `is in ${SPACE_DIR}, which belongs to the space`
    : "is, or contains, the folder of the space";
  throw new FoldspaceError("FOLD_BAD_VALUE", `${path} ${reason}: the copy needs a folder of its own`, { data: { path } });
}

/** A path with its links resolved, as far as there is something. */
export async function realPathOf(fs: FileSystem, path: string): Promise<string> {
  const parts: string[] = [];
  for (let at = path; at !== "" && at !== "/"; at = at.slice(0, Math.max(at.lastIndexOf("/"), 0))) {
    const real = await fs.realPath?.(at);
    if (real !== undefined) return joinPath(real, ...parts);
    parts.unshift(at.slice(at.lastIndexOf("/") + 1));
  }
  return path;
}

/** Whether a path is another one, or below it; on some systems case makes no difference. */
function isIn(path: string, folder: string): boolean {
  const [inner, outer] = [path, folder].map((each) => `${each.normalize("NFC").toLowerCase()}/`) as [string, string];
  return inner.startsWith(outer);
}
