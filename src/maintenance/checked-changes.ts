import { joinPath, type ByteRange, type FileStat } from "../fs/file-system.ts";
import type { SpaceFolder } from "../layers/folder/space-folder.ts";

/**
 * Reads and changes files of a space's folder for tools that follow paths from the folder itself, such as records of a
 * repair. Every call checks first that no folder on the way is a link: a link can come with the folder (Git and sync
 * services carry them) and must not lead a read or a change outside. Paths are relative to the space's folder.
 *
 * All methods throw what the file system throws, and `FOLD_IO` for a link on the way.
 */
export class CheckedChanges {
  readonly #folder: SpaceFolder;

  constructor(folder: SpaceFolder) {
    this.#folder = folder;
  }

  /** @returns the size of a regular file, `undefined` if there is none */
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

  /** Moves a file, and makes the folders that it needs. A link in the last place is moved itself. */
  async moveFile(from: string, to: string): Promise<void> {
    await this.#check(from);
    await this.makeDirectory(parentOf(to));
    await this.#folder.fs.rename(this.#folder.at(from), this.#folder.at(to));
  }

  /** Moves a file to where nothing is, as far as a look directly before can tell. @returns whether it did */
  async moveFileToFree(from: string, to: string): Promise<boolean> {
    await this.#check(from);
    await this.makeDirectory(parentOf(to));
    if (await this.#folder.fs.stat(this.#folder.at(to))) return false;
    await this.#folder.fs.rename(this.#folder.at(from), this.#folder.at(to));
    return true;
  }

  /** Moves a folder that is no link itself, and makes the folders that it needs. */
  async moveFolder(from: string, to: string): Promise<void> {
    await this.#folder.assertNoLinks(from);
    await this.moveFile(from, to);
  }

  /** A link in the last place is removed itself. */
  async remove(path: string): Promise<void> {
    await this.#check(path);
    await this.#folder.fs.remove(this.#folder.at(path));
  }

  async #check(path: string): Promise<void> {
    const parent = parentOf(path);
    if (parent !== "") await this.#folder.assertNoLinks(parent);
  }
}

/** Path of the folder that holds something; `""` for the space's folder. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** A path with another last name. */
export function besidePath(path: string, name: string): string {
  return joinPath(parentOf(path), name);
}
