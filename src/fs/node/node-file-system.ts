import type { Dirent, Stats } from "node:fs";
import type {
  AppendOptions,
  ByteRange,
  DirectoryEntry,
  FileStat,
  IdentifiedStat,
  FileSystem,
  FileSystemSupport,
  ScanResult,
  WatchHint,
  WatchOptions,
} from "../file-system.ts";
import { scanFolder } from "../scan-folder.ts";
import { KeyedMutex } from "../../mutex.ts";
import { absolutePath } from "./absolute-path.ts";
import { asyncCalls, syncCalls, type Calls } from "./calls.ts";
import { fileSystemError, isMissing } from "./errors.ts";
import { kindOf, readRange } from "./read.ts";
import { watchFolder } from "./watch.ts";
import { appendTo, makeFolders, renameOver, replaceFile } from "./write.ts";

/** Options of the file system of Node. */
export interface NodeFileSystemOptions {
  /**
   * `async` (default) does not block the event loop: right if anything else runs too, as in a server or an application.
   * `sync` uses synchronous calls. It is 5 to 10 times faster with many small files, but blocks everything else: right
   * for a command-line tool or a worker thread.
   */
  readonly io?: "async" | "sync";
}

/** Node has four threads for all calls: a folder that does not answer leaves one to the others. */
const MAX_CALLS = 3;

/** Files on this machine, through Node. */
export class NodeFileSystem implements FileSystem {
  readonly supports: FileSystemSupport = { watch: true, sync: true, maxCalls: MAX_CALLS };
  readonly #calls: Calls;
  /** A second append to a file waits for the first, so that undoing a partial append stays safe. */
  readonly #appends = new KeyedMutex();

  constructor(options: NodeFileSystemOptions = {}) {
    this.#calls = options.io === "sync" ? syncCalls : asyncCalls;
  }

  async list(path: string): Promise<DirectoryEntry[] | undefined> {
    const entries = await this.#unlessMissing("read the folder", path, () => this.#calls.readdir(path));
    return entries?.map(toEntry);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const stats = await this.#unlessMissing("inspect", path, () => this.#calls.stat(path));
    return stats && toStat(stats);
  }

  async identify(path: string): Promise<string | undefined> {
    return (await this.inspect(path))?.identity;
  }

  async inspect(path: string): Promise<IdentifiedStat | undefined> {
    const stats = await this.#unlessMissing("inspect", path, () => this.#calls.statExactly(path));
    if (!stats) return undefined;
    // some drivers of Windows and of network folders have no inode numbers
    const identity = stats.ino === 0n ? undefined : `${stats.dev}:${stats.ino}`;
    const size = stats.isDirectory() ? 0 : Number(stats.size);
    return { kind: kindOf(stats), size, modifiedMs: Number(stats.mtimeNs) / 1e6, identity };
  }

  async realPath(path: string): Promise<string | undefined> {
    const real = await this.#unlessMissing("resolve", path, () => this.#calls.realpath(path));
    return process.platform === "win32" ? real?.replaceAll("\\", "/") : real;
  }

  absolutePath(path: string): string {
    return absolutePath(path);
  }

  async scan(path: string): Promise<ScanResult | undefined> {
    const calls = this.#calls;
    return scanFolder(
      {
        width: calls.width,
        list: async (folder) => (await calls.readdir(folder)).map(toEntry),
        measure: async (file) => toStat(await calls.lstat(file)),
        isMissing,
        explain: fileSystemError,
      },
      path,
    );
  }

  async read(path: string, range: ByteRange = { offset: 0 }): Promise<Uint8Array | undefined> {
    return readRange(this.#calls, path, range);
  }

  async append(path: string, bytes: Uint8Array, options: AppendOptions = {}): Promise<void> {
    await this.#appends.run(path, () => appendTo(this.#calls, path, bytes, options));
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await replaceFile(this.#calls, path, bytes);
  }

  async makeDirectory(path: string): Promise<void> {
    await makeFolders(this.#calls, path);
  }

  async rename(from: string, to: string): Promise<void> {
    await renameOver(this.#calls, from, to);
  }

  async remove(path: string): Promise<void> {
    await this.#unlessMissing("remove", path, () => this.#calls.remove(path));
  }

  /** Skips names that start with ".". Waits for a missing folder. Keeps the process alive until the watch ends. */
  async watch(path: string, onHint: (hint: WatchHint) => void, options?: WatchOptions): Promise<() => Promise<void>> {
    return watchFolder(this.#calls, path, onHint, options);
  }

  async #unlessMissing<T>(action: string, path: string, call: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await call();
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw fileSystemError(action, path, cause);
    }
  }
}

function toEntry(entry: Dirent): DirectoryEntry {
  return { name: entry.name, kind: kindOf(entry) };
}

function toStat(stats: Stats): FileStat {
  return { kind: kindOf(stats), size: stats.isDirectory() ? 0 : stats.size, modifiedMs: stats.mtimeMs };
}
