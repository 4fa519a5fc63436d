import type { SpaceFolder } from "../../layers/folder/space-folder.ts";
import { joinPath } from "../../fs/file-system.ts";
import { OPS_DIR, treeDir } from "../../log/index.ts";
import { newId } from "../../tree/index.ts";
import { besidePath, CheckedChanges, parentOf } from "../checked-changes.ts";

/**
 * Removes folders of days, months and years that have become empty. A sync service may put a file into one at any moment, and
 * file systems remove folders with their contents. So a folder is first moved to a place where nothing is put, and removed only
 * if it is empty there; otherwise its files go back.
 */
export class EmptyFolders {
  readonly #folder: SpaceFolder;
  readonly #changes: CheckedChanges;
  readonly #aside: string;

  /** @param aside folder in which nothing is, for one folder at a time */
  constructor(folder: SpaceFolder, aside: string) {
    this.#folder = folder;
    this.#changes = new CheckedChanges(folder);
    this.#aside = aside;
  }

  /**
   * Removes the folders from which files were taken, and those above them up to the tree's.
   * @param files paths of log files of a tree that are gone
   */
  async remove(treeId: string, files: Iterable<string>): Promise<void> {
    const kept = new Set([treeDir(treeId), parentOf(treeDir(treeId))]);
    let folders = new Set(Array.from(files, parentOf));
    while (folders.size > 0) {
      const above = new Set<string>();
      for (const folder of folders) {
        // in the other layout, the folder of the tree is in `ops` itself
        if (kept.has(folder) || folder.endsWith(`/${treeId}`) || !(await this.#removeIfEmpty(folder))) continue;
        above.add(parentOf(folder));
      }
      folders = above;
    }
  }

  async #removeIfEmpty(path: string): Promise<boolean> {
    if (!(await this.#isEmpty(path))) return false;
    const aside = joinPath(this.#aside, path.slice(OPS_DIR.length + 1));
    await this.#changes.moveFolder(path, aside);
    const late = (await this.#folder.findFiles(aside)).files;
    for (const { path: name } of late) await this.#moveBack(joinPath(aside, name), joinPath(path, name));
    await this.#changes.remove(this.#aside);
    return late.length === 0;
  }

  async #moveBack(from: string, to: string): Promise<void> {
    if (await this.#changes.moveFileToFree(from, to)) return;
    // a newer version has arrived since: every reader takes this one for a copy
    await this.#changes.moveFile(from, besidePath(to, `${newId().slice(0, 8)} ${to.slice(parentOf(to).length + 1)}`));
  }

  async #isEmpty(path: string): Promise<boolean> {
    await this.#folder.assertInside(path);
    return (await this.#folder.fs.list(this.#folder.at(path)))?.length === 0;
  }
}
