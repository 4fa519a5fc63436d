import {
  type AppendOptions,
  type ByteRange,
  type DirectoryEntry,
  type FileStat,
  type FileSystem,
  type FileSystemSupport,
  type ScanResult,
  type WatchHint,
} from "../file-system.ts";
import { KeyedMutex } from "../../mutex.ts";
import { queryAccess } from "./folder-access.ts";
import { failure, isMissing, isWrongKind, webFileSystemError } from "./errors.ts";
import { appendTo, copyContent, copyFolder, makeFile, moveFile, readRange, removeIfThere, replaceContent } from "./files.ts";
import { Folders, split, splitLast } from "./folders.ts";
import { scanFolder } from "./scan.ts";
import { watchFolder } from "./watch.ts";

/** Options of a folder in a browser. */
export interface WebFileSystemOptions {
  /** Interval at which a watch requests a rescan if the browser does not report changes, in milliseconds. Default 5,000. */
  readonly pollIntervalMs?: number;
}

type Handle = FileSystemFileHandle | FileSystemDirectoryHandle;

/**
 * Files in a folder that the user has opened in a browser, or in the browser's own storage. Paths are relative to that
 * folder; `""` is the folder itself. Nothing outside it can be reached.
 *
 * The browser copies a file to append to it, so an append takes time in proportion to the file's size.
 */
export class WebFileSystem implements FileSystem {
  readonly supports: FileSystemSupport = { watch: true, sync: false };
  readonly #folders: Folders;
  readonly #pollIntervalMs: number;
  /** The browser allows one writer per file at a time. */
  readonly #writing = new KeyedMutex();

  constructor(root: FileSystemDirectoryHandle, options: WebFileSystemOptions = {}) {
    this.#folders = new Folders(root);
    this.#pollIntervalMs = options.pollIntervalMs ?? 5_000;
  }

  async list(path: string): Promise<DirectoryEntry[] | undefined> {
    return await this.#unlessMissing("read the folder", path, () =>
      this.#folders.use(split(path), async (folder) => {
        const entries: DirectoryEntry[] = [];
        for await (const [name, { kind }] of folder.entries()) entries.push({ name, kind });
        return entries;
      }),
    );
  }

  /** Browsers know no modification time of a folder: it is 0. */
  async stat(path: string): Promise<FileStat | undefined> {
    return await this.#unlessMissing("inspect", path, async () => {
      const handle = await this.#handle(path);
      if (handle.kind === "directory") return { kind: "directory", size: 0, modifiedMs: 0 };
      const { size, lastModified } = await handle.getFile();
      return { kind: "file", size, modifiedMs: lastModified };
    });
  }

  async scan(path: string): Promise<ScanResult | undefined> {
    return await this.#unlessMissing("read the folder", path, async () =>
      scanFolder(await this.#folders.walk(split(path)), path),
    );
  }

  async read(path: string, range: ByteRange = { offset: 0 }): Promise<Uint8Array | undefined> {
    return await this.#unlessMissing("read", path, async () => {
      const { parent, name } = splitLast(path);
      return await readRange(await this.#folders.use(parent, (folder) => folder.getFileHandle(name)), range);
    });
  }

  async append(path: string, bytes: Uint8Array, { create = true }: AppendOptions = {}): Promise<void> {
    await this.#inTurn("append to", path, async () => {
      const { parent, name } = splitLast(path);
      const getFile = (folder: FileSystemDirectoryHandle): Promise<FileSystemFileHandle> =>
        folder.getFileHandle(name, { create });
      const opening = this.#folders.use(parent, getFile, { create });
      const file = await (create ? opening : orMissing(opening));
      if (!file) throw failure("FOLD_NOT_FOUND", "append to", path, "it is not there");
      await appendTo(file, bytes);
    });
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#inTurn("write", path, async () => {
      const { parent, name } = splitLast(path);
      const file = await orMissing(this.#folders.use(parent, (folder) => folder.getFileHandle(name)));
      if (file) await replaceContent(file, bytes);
      else await makeFile(await this.#folders.walk(parent, { create: true }), name, bytes);
    });
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#inTurn("make the folder", path, () => this.#folders.walk(split(path), { create: true }));
  }

  /** Files are moved if the browser can move them. Folders are copied and then deleted, so a failure may leave both. */
  async rename(from: string, to: string): Promise<void> {
    await this.#inTurn("rename", from, async () => {
      const source = splitLast(from);
      const target = splitLast(to);
      const moved = await this.#handle(from);
      const folder = await orMissing(this.#folders.walk(target.parent));
      if (folder === undefined) throw failure("FOLD_IO", "rename", from, `there is no folder for ${to}`);
      const replaced = await orMissing(this.#handle(to));
      if (replaced?.kind === "directory") throw failure("FOLD_IO", "replace", to, "it is a folder");
      if (await replaced?.isSameEntry(moved)) return;
      const sourceFolder = await this.#folders.walk(source.parent);
      if (moved.kind === "directory") {
        if (replaced) throw failure("FOLD_NOT_A_FOLDER", "replace", to, "a folder cannot replace a file");
        if (await moved.resolve(folder)) throw failure("FOLD_IO", "rename", from, "it would be in itself");
        await copyFolder(moved, await folder.getDirectoryHandle(target.name, { create: true }));
      } else if (replaced) await copyContent(moved, replaced);
      else return await moveFile(moved, sourceFolder, folder, target.name);
      await removeIfThere(sourceFolder, source.name);
    });
  }

  async remove(path: string): Promise<void> {
    const { parent, name } = splitLast(path);
    if (name === "") throw failure("FOLD_IO", "remove", path, "only its contents can be removed");
    await this.#inTurn("remove", path, () => orMissing(this.#folders.use(parent, (folder) => removeIfThere(folder, name))));
  }

  /** Waits for a missing folder. If the browser does not report changes, the watch regularly requests a rescan. */
  async watch(path: string, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>> {
    return await watchFolder({
      path,
      open: () => this.#folders.walk(split(path)),
      onHint,
      pollIntervalMs: this.#pollIntervalMs,
    });
  }

  /** The file or folder at a path. @throws DOMException `NotFoundError` */
  async #handle(path: string): Promise<Handle> {
    const { parent, name } = splitLast(path);
    if (name === "") return await present(this.#folders.root);
    return await this.#folders.use<Handle>(parent, async (folder) => {
      try {
        return await folder.getFileHandle(name);
      } catch (cause) {
        if (!isWrongKind(cause)) throw cause;
        return await folder.getDirectoryHandle(name);
      }
    });
  }

  /** Changes a file after all earlier changes of it. */
  async #inTurn(action: string, path: string, change: () => Promise<unknown>): Promise<void> {
    const permitted = async (): Promise<unknown> => {
      // otherwise the browser prompts the user at an arbitrary moment, and waits for the answer
      if ((await queryAccess(this.#folders.root)) !== "granted") throw new DOMException("It was not granted", "NotAllowedError");
      return await change();
    };
    await this.#attempt(action, path, () => this.#writing.run(split(path).join("/"), permitted));
  }

  async #unlessMissing<T>(action: string, path: string, call: () => Promise<T>): Promise<T | undefined> {
    return await this.#attempt(action, path, () => orMissing(call()));
  }

  async #attempt<T>(action: string, path: string, call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (cause) {
      throw webFileSystemError(action, path, cause);
    }
  }
}

async function orMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

/** A handle does not show whether its folder still exists; reading an entry does. */
async function present(folder: FileSystemDirectoryHandle): Promise<FileSystemDirectoryHandle> {
  const entries = folder.keys();
  await entries.next();
  await entries.return?.();
  return folder;
}
