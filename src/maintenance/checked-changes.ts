import { joinPath, type ByteRange, type FileStat } from "../fs/file-system.ts";
import type { SpaceFolder } from "../layers/folder/space-folder.ts";

/**
 * Reads and changes files of a space's folder for tools that use paths found in the folder, such as those in the records of
 * repairs. Every call checks first that no folder on the way is a link: a link can come with the folder (Git and sync
 * services carry them), and must not lead a read or a change outside. Paths are relative to the space's folder.
 *
 * All methods throw the errors of the file system, and `FOLD_IO` for a link on the way.
 */
export class CheckedChanges {
  readonly #folder: SpaceFolder;

  constructor(folder: SpaceFolder) {
    this.#folder = folder;
  }

  /** @returns the size of a regular file; `undefined` if the path is not one */
  async sizeOf(path: string): Promise<number | undefined> {
    const stat = await this.stat(path);
    return stat?.kind === "file" ? stat.size : undefined;
  }

  async stat(path: string): Promise<FileStat | undefined> {
    await this.#check(path);
    return await this.#folder.fs.stat(this.#folder.at(path));
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    await this.#check(path);
    return await this.#folder.fs.read(this.#folder.at(path), range);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#check(path);
    await this.#folder.fs.write(this.#folder.at(path), bytes);
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#folder.assertNoLinks(path);
    await this.#folder.fs.makeDirectory(this.#folder.at(path));
  }

  /** Moves a file, and creates missing folders. If the path ends at a link, the link itself is moved. */
  async moveFile(from: string, to: string): Promise<void> {
    await this.#check(from);
    await this.makeDirectory(parentOf(to));
    await this.#folder.fs.rename(this.#folder.at(from), this.#folder.at(to));
  }

  /** Moves a file if the target does not exist, judged by a check directly before. @returns whether it did */
  async moveFileToFree(from: string, to: string): Promise<boolean> {
    await this.#check(from);
    await this.makeDirectory(parentOf(to));
    if (await this.#folder.fs.stat(this.#folder.at(to))) return false;
    await this.#folder.fs.rename(this.#folder.at(from), this.#folder.at(to));
    return true;
  }

  /** Moves a folder that is not a link itself, and creates missing folders. */
  async moveFolder(from: string, to: string): Promise<void> {
    await this.#folder.assertNoLinks(from);
    await this.moveFile(from, to);
  }

  /** Removes a file or folder. If the path ends at a link, the link itself is removed. */
  async remove(path: string): Promise<void> {
    await this.#check(path);
    await this.#folder.fs.remove(this.#folder.at(path));
  }

  async #check(path: string): Promise<void> {
    const parent = parentOf(path);
    if (parent !== "") await this.#folder.assertNoLinks(parent);
  }
}

/** Path of the parent folder; `""` for the space's folder. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Path of a sibling. */
export function besidePath(path: string, name: string): string {
  return joinPath(parentOf(path), name);
}
