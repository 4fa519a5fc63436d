import type {
  AppendOptions,
  ByteRange,
  DirectoryEntry,
  FileStat,
  FileSystem,
  FileSystemSupport,
  ScannedFile,
  ScanResult,
  WatchHint,
  WatchOptions,
} from "../fs/file-system.ts";
import { joinPath } from "../fs/file-system.ts";

/** One call of a file system, before it is made. */
export interface FileSystemCall {
  readonly action:
    | "list"
    | "stat"
    | "identify"
    | "realPath"
    | "scan"
    | "read"
    | "append"
    | "write"
    | "makeDirectory"
    | "rename"
    | "remove"
    | "watch";
  readonly path: string;
}

/**
 * Wraps a file system. Its calls are recorded and can be made to fail or to wait. Without a fault, it behaves like the
 * wrapped file system.
 */
export class FaultyFileSystem implements FileSystem {
  /** Returns the error with which a call fails, or `undefined` to let it pass. A promise makes the call wait. */
  fault: (call: FileSystemCall) => Error | undefined | Promise<Error | undefined> = () => undefined;
  /** Share of the bytes that a failing append writes nevertheless: 0 for none, 1 for all. */
  writtenBeforeFailing = 0;
  /** Returns the hints to emit for a hint: none to lose it, several to duplicate it. */
  passHint: (hint: WatchHint) => readonly WatchHint[] = (hint) => [hint];
  readonly calls: FileSystemCall[] = [];
  bytesRead = 0;
  readonly #inner: FileSystem;

  /** Present if the wrapped file system has the method. */
  readonly identify?: (path: string) => Promise<string | undefined>;
  readonly realPath?: (path: string) => Promise<string | undefined>;

  constructor(inner: FileSystem) {
    this.#inner = inner;
    if (inner.identify)
      this.identify = async (path) => {
        await this.#enter("identify", path);
        return await inner.identify!(path);
      };
    if (inner.realPath)
      this.realPath = async (path) => {
        await this.#enter("realPath", path);
        return await inner.realPath!(path);
      };
  }

  get supports(): FileSystemSupport {
    return this.#inner.supports;
  }

  /** Paths of the calls of one kind so far. */
  pathsOf(action: FileSystemCall["action"]): string[] {
    return this.calls.filter((call) => call.action === action).map((call) => call.path);
  }

  async list(path: string): Promise<DirectoryEntry[] | undefined> {
    await this.#enter("list", path);
    return await this.#inner.list(path);
  }

  async stat(path: string): Promise<FileStat | undefined> {
    await this.#enter("stat", path);
    return await this.#inner.stat(path);
  }

  /** Reports a folder that cannot be listed as unreadable, like a real scan. */
  async scan(path: string): Promise<ScanResult | undefined> {
    await this.#enter("scan", path);
    const rootFault = await this.fault({ action: "list", path });
    if (rootFault) throw rootFault;
    const found = await this.#inner.scan?.(path);
    if (!found) return undefined;
    const files: ScannedFile[] = [];
    const unreadable = new Map(found.unreadable.map((each) => [each.path, each.error]));
    for (const file of found.files) {
      const hidden = await this.#unreadableFolderOf(path, file.path);
      if (hidden) unreadable.set(hidden.path, hidden.error);
      else files.push(file);
    }
    return { files, unreadable: Array.from(unreadable, ([relative, error]) => ({ path: relative, error })) };
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    await this.#enter("read", path);
    const bytes = await this.#inner.read(path, range);
    this.bytesRead += bytes?.length ?? 0;
    return bytes;
  }

  async append(path: string, bytes: Uint8Array, options?: AppendOptions): Promise<void> {
    try {
      await this.#enter("append", path);
    } catch (error) {
      const written = Math.floor(bytes.length * this.writtenBeforeFailing);
      if (written > 0) await this.#inner.append(path, bytes.subarray(0, written), options);
      throw error;
    }
    await this.#inner.append(path, bytes, options);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#enter("write", path);
    await this.#inner.write(path, bytes);
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#enter("makeDirectory", path);
    await this.#inner.makeDirectory(path);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#enter("rename", from);
    await this.#inner.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    await this.#enter("remove", path);
    await this.#inner.remove(path);
  }

  async watch(path: string, onHint: (hint: WatchHint) => void, options?: WatchOptions): Promise<() => Promise<void>> {
    await this.#enter("watch", path);
    const pass = (hint: WatchHint): void => this.passHint(hint).forEach(onHint);
    return (await this.#inner.watch?.(path, pass, options)) ?? (async () => undefined);
  }

  async #enter(action: FileSystemCall["action"], path: string): Promise<void> {
    const call = { action, path };
    this.calls.push(call);
    const error = await this.fault(call);
    if (error) throw error;
  }

  async #unreadableFolderOf(root: string, file: string): Promise<{ path: string; error: Error } | undefined> {
    const parts = file.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const path = parts.slice(0, depth).join("/");
      const error = await this.fault({ action: "list", path: joinPath(root, path) });
      if (error) return { path, error };
    }
    return undefined;
  }
}
