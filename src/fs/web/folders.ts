import { failure, isMissing, isWrongKind } from "./errors.ts";

/** The browser's main process keeps each handle too. A space writes to a handful of folders at a time. */
const MAX_KNOWN = 256;

/**
 * Handles of the folders below the opened one. Getting a handle takes a round trip to the browser for each part of its
 * path, so handles are kept. A stale handle, whose folder is gone or was replaced, is dropped.
 */
export class Folders {
  readonly root: FileSystemDirectoryHandle;
  readonly #known: Map<string, FileSystemDirectoryHandle> = new Map();

  constructor(root: FileSystemDirectoryHandle) {
    this.root = root;
  }

  /**
   * Runs an action in a folder. If something is missing, it runs the action again with a fresh handle.
   * @param create whether to make the folder if it is missing
   * @throws DOMException `NotFoundError`, FoldspaceError `FOLD_NOT_A_FOLDER`
   */
  async use<T>(
    names: readonly string[],
    action: (folder: FileSystemDirectoryHandle) => Promise<T>,
    { create = false }: { create?: boolean } = {},
  ): Promise<T> {
    const known = this.#known.get(names.join("/"));
    if (known !== undefined) {
      try {
        return await action(known);
      } catch (cause) {
        if (!isMissing(cause) && !isWrongKind(cause)) throw cause;
      }
    }
    return await action(await this.walk(names, { create }));
  }

  /** Walks down from the root, without the known handles. */
  async walk(names: readonly string[], { create = false }: { create?: boolean } = {}): Promise<FileSystemDirectoryHandle> {
    let folder = this.root;
    let path = "";
    for (const name of names) {
      path = path === "" ? name : `${path}/${name}`;
      this.#known.delete(path);
      try {
        folder = await folder.getDirectoryHandle(name, { create });
      } catch (cause) {
        if (!isWrongKind(cause)) throw cause;
        throw failure("FOLD_NOT_A_FOLDER", "open the folder", path, "a file is in its place", cause);
      }
      this.#remember(path, folder);
    }
    return folder;
  }

  #remember(path: string, folder: FileSystemDirectoryHandle): void {
    this.#known.set(path, folder);
    if (this.#known.size <= MAX_KNOWN) return;
    const [oldest] = this.#known.keys();
    if (oldest !== undefined) this.#known.delete(oldest);
  }
}

/** Parts of a path. */
export function split(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

/** Parts of the path of the folder that contains an entry, and the entry's name. */
export function splitLast(path: string): { readonly parent: string[]; readonly name: string } {
  const parent = split(path);
  const name = parent.pop() ?? "";
  return { parent, name };
}
