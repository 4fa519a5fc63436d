import { joinPath } from "../../fs/file-system.ts";
import { isDayFolder } from "../../log/paths.ts";
import type { SpaceFolder } from "./space-folder.ts";

/**
 * Finds the folders of a tree's days, the latest first. Follows no links.
 * @param folder of the tree
 * @param first path of the first day's folder
 * @param before path of the first day's folder that is too late
 */
export async function* earlierFolders(
  space: SpaceFolder,
  folder: string,
  first: string,
  before: string,
  depth: number = 0,
): AsyncGenerator<string> {
  if (depth === 3) {
    yield folder;
    return;
  }
  for (const name of await namesOf(space, folder)) {
    const path = joinPath(folder, name);
    // of two siblings, the one with the earlier name has only earlier days
    const isEarlier = depth === 2 ? path < before : path <= before.slice(0, path.length);
    if (!isEarlier || path < first.slice(0, path.length) || !isDayFolder(name, depth)) continue;
    yield* earlierFolders(space, path, first, before, depth + 1);
  }
}

/** The latest first. */
async function namesOf(space: SpaceFolder, path: string): Promise<string[]> {
  const entries = (await space.fs.list(space.at(path))) ?? [];
  return entries.flatMap(({ name, kind }) => (kind === "directory" ? [name] : [])).toSorted((a, b) => (a > b ? -1 : 1));
}
