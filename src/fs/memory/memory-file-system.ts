import { randomId } from "../../random-id.ts";
import { FoldspaceError, type FoldspaceErrorCode } from "../../errors.ts";
import {
  type AppendOptions,
  type ByteRange,
  type DirectoryEntry,
  type FileStat,
  type FileSystem,
  type FileSystemSupport,
  joinPath,
  type ScannedFile,
  type ScanResult,
  type WatchHint,
} from "../file-system.ts";

interface MemoryFile {
  readonly kind: "file";
  /** As appended; reading joins them. */
  parts: Uint8Array[];
  size: number;
  modifiedMs: number;
}

interface MemoryFolder {
  readonly kind: "directory";
  readonly entries: Map<string, MemoryFile | MemoryFolder>;
  modifiedMs: number;
}

interface Watch {
  readonly path: string;
  readonly onHint: (hint: WatchHint) => void;
  /** Folders to hint at in the next microtask. */
  readonly dirty: Set<string>;
  rescanReason: string | undefined;
  isQueued: boolean;
}

/**
 * Files in this instance's memory that behave like real ones: for tests, and for a space that is not kept.
 * Every path is below the root, with or without a leading `/`.
 */
export class MemoryFileSystem implements FileSystem {
  readonly supports: FileSystemSupport = { watch: true, sync: false };
  readonly #root: MemoryFolder = { kind: "directory", entries: new Map(), modifiedMs: 0 };
  readonly #watches: Set<Watch> = new Set();
  /** Distinguishes this instance's files from those of other instances. */
  readonly #id: string = randomId();
  readonly #clock: () => number;
  #lastMs = 0;

  /**
   * @param files initial files, by path
   * @param now gives the times of files, in milliseconds since the epoch
   */
  constructor(files: Readonly<Record<string, string | Uint8Array>> = {}, now: () => number = () => Date.now()) {
    this.#clock = now;
    const encoder = new TextEncoder();
    for (const [path, content] of Object.entries(files)) {
      this.#store(path, typeof content === "string" ? encoder.encode(content) : content, false);
    }
  }

  /** Every file as text, by path without a leading `/`, in the order of the paths. */
  dump(): Record<string, string> {
    const decoder = new TextDecoder();
    const found = [...walk(this.#root)].sort(([a], [b]) => (a < b ? -1 : 1));
    const texts: Record<string, string> = {};
    for (const [path, file] of found) if (file.kind === "file") texts[path] = decoder.decode(join(file));
    return texts;
  }

  async list(path: string): Promise<DirectoryEntry[] | undefined> {
    const folder = this.#folder(path);
    return folder && [...folder.entries].map(([name, { kind }]) => ({ name, kind }));
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const found = this.#find(path);
    return found && { kind: found.kind, size: found.kind === "file" ? found.size : 0, modifiedMs: found.modifiedMs };
  }

  async identify(path: string): Promise<string | undefined> {
    const real = await this.realPath(path);
    return real === undefined ? undefined : `${this.#id}:${real}`;
  }

  async realPath(path: string): Promise<string | undefined> {
    return this.#find(path) && `/${split(path).join("/")}`;
  }

  async scan(path: string): Promise<ScanResult | undefined> {
    const folder = this.#folder(path);
    if (folder === undefined) return undefined;
    const files: ScannedFile[] = [];
    for (const [relative, entry] of walk(folder)) {
      if (entry.kind === "file") files.push({ path: relative, kind: "file", size: entry.size, modifiedMs: entry.modifiedMs });
    }
    return { files, unreadable: [] };
  }

  async read(path: string, range: ByteRange = { offset: 0 }): Promise<Uint8Array | undefined> {
    const file = this.#find(path);
    if (file === undefined) return undefined;
    if (file.kind === "directory") throw failure("FOLD_IO", "read", path, "it is a folder");
    const { offset, length = Infinity } = range;
    return join(file).slice(offset, offset + length);
  }

  async append(path: string, bytes: Uint8Array, { create = true }: AppendOptions = {}): Promise<void> {
    if (!create && this.#find(path) === undefined) throw failure("FOLD_NOT_FOUND", "append to", path, "it is not there");
    this.#store(path, bytes, true);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    this.#store(path, bytes, false);
  }

  async makeDirectory(path: string): Promise<void> {
    this.#makeFolder(split(path), path);
  }

  async rename(from: string, to: string): Promise<void> {
    const moved = this.#find(from);
    if (moved === undefined) throw failure("FOLD_IO", "rename", from, "it is not there");
    const target = split(to);
    const targetName = target.pop() ?? "";
    const targetFolder = this.#folder(target.join("/"));
    if (targetFolder === undefined) throw failure("FOLD_IO", "rename", from, `there is no folder for ${to}`);
    const replaced = targetFolder.entries.get(targetName);
    if (replaced?.kind === "directory" || targetName === "") throw failure("FOLD_IO", "replace", to, "it is a folder");
    if (moved.kind === "directory") {
      if (replaced !== undefined) throw failure("FOLD_NOT_A_FOLDER", "replace", to, "a folder cannot replace a file");
      if (isInside(split(to).join("/"), split(from).join("/"))) throw failure("FOLD_IO", "rename", from, "it would be in itself");
    }
    this.#detach(from);
    targetFolder.entries.set(targetName, moved);
    this.#touch(targetFolder, target.join("/"));
    this.#changedBelow(split(to).join("/"), moved);
  }

  async remove(path: string): Promise<void> {
    if (this.#find(path) !== undefined) this.#detach(path);
  }

  async watch(path: string, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>> {
    const watch: Watch = { path, onHint, dirty: new Set(), rescanReason: undefined, isQueued: false };
    this.#watches.add(watch);
    return async () => {
      this.#watches.delete(watch);
    };
  }

  #find(path: string): MemoryFile | MemoryFolder | undefined {
    let found: MemoryFile | MemoryFolder | undefined = this.#root;
    for (const name of split(path)) {
      if (found === undefined) return undefined;
      if (found.kind === "file") throw failure("FOLD_NOT_A_FOLDER", "inspect", path, "a file is where a folder should be");
      found = found.entries.get(name);
    }
    return found;
  }

  #folder(path: string): MemoryFolder | undefined {
    const found = this.#find(path);
    if (found?.kind === "file") throw failure("FOLD_NOT_A_FOLDER", "read the folder", path, "it is a file");
    return found;
  }

  #makeFolder(names: readonly string[], path: string): MemoryFolder {
    let folder = this.#root;
    for (const [depth, name] of names.entries()) {
      let next = folder.entries.get(name);
      if (next?.kind === "file") throw failure("FOLD_NOT_A_FOLDER", "make the folder", path, "a file is in its place");
      if (next === undefined) {
        next = { kind: "directory", entries: new Map(), modifiedMs: this.#now() };
        folder.entries.set(name, next);
        this.#touch(folder, names.slice(0, depth).join("/"));
        this.#changedBelow(names.slice(0, depth + 1).join("/"), next);
      }
      folder = next;
    }
    return folder;
  }

  #store(path: string, bytes: Uint8Array, keepContent: boolean): void {
    const names = split(path);
    const name = names.pop() ?? "";
    const folder = this.#makeFolder(names, path);
    const present = folder.entries.get(name);
    if (present?.kind === "directory" || name === "") throw failure("FOLD_IO", "write", path, "it is a folder");
    const kept = keepContent ? present : undefined;
    const file: MemoryFile = kept ?? { kind: "file", parts: [], size: 0, modifiedMs: 0 };
    if (bytes.length > 0) file.parts.push(bytes.slice());
    file.size += bytes.length;
    file.modifiedMs = this.#now();
    folder.entries.set(name, file);
    if (kept === undefined) this.#touch(folder, names.join("/"));
    else this.#changed(names.join("/"));
  }

  #detach(path: string): void {
    const names = split(path);
    const name = names.pop();
    if (name === undefined) throw failure("FOLD_IO", "remove", path, "it is the root of all folders");
    const folder = this.#folder(names.join("/"));
    folder?.entries.delete(name);
    if (folder !== undefined) this.#touch(folder, names.join("/"));
    this.#changed([...names, name].join("/"), "the folder is gone");
  }

  /** An entry was added to a folder or removed from it. */
  #touch(folder: MemoryFolder, path: string): void {
    folder.modifiedMs = this.#now();
    this.#changed(path);
  }

  /** A folder appeared, with its contents. */
  #changedBelow(path: string, appeared: MemoryFile | MemoryFolder): void {
    if (appeared.kind === "file") return;
    this.#changed(path, "the folder is back");
    for (const [relative, entry] of walk(appeared)) if (entry.kind === "directory") this.#changed(joinPath(path, relative));
  }

  /**
   * @param path of a folder, without a leading `/`
   * @param rootReason if the folder itself came or went: the rescan reason for watches of that folder or of one in it
   */
  #changed(path: string, rootReason?: string): void {
    for (const watch of this.#watches) {
      const root = split(watch.path).join("/");
      if (rootReason !== undefined && isInside(root, path)) watch.rescanReason = rootReason;
      else if (isInside(path, root)) watch.dirty.add(watch.path + path.slice(root.length));
      else continue;
      if (watch.isQueued) continue;
      watch.isQueued = true;
      queueMicrotask(() => this.#emit(watch));
    }
  }

  #emit(watch: Watch): void {
    const hints: WatchHint[] = [...watch.dirty].map((directory) => ({ kind: "dirty", directory }));
    if (watch.rescanReason !== undefined) hints.push({ kind: "rescan", reason: watch.rescanReason });
    watch.dirty.clear();
    watch.rescanReason = undefined;
    watch.isQueued = false;
    for (const hint of hints) if (this.#watches.has(watch)) watch.onHint(hint);
  }

  /** Strictly rising, so that two changes within a millisecond differ. */
  #now(): number {
    this.#lastMs = Math.max(this.#clock(), this.#lastMs + 1);
    return this.#lastMs;
  }
}

function split(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function isInside(path: string, folder: string): boolean {
  return folder === "" || path === folder || path.startsWith(`${folder}/`);
}

function join(file: MemoryFile): Uint8Array {
  const [first] = file.parts;
  if (first !== undefined && file.parts.length === 1) return first;
  const bytes = new Uint8Array(file.size);
  let offset = 0;
  for (const part of file.parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  file.parts = [bytes];
  return bytes;
}

/** Everything below a folder, by relative path. */
function* walk(root: MemoryFolder): Generator<[string, MemoryFile | MemoryFolder]> {
  const folders: [string, MemoryFolder][] = [["", root]];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    const [path, folder] = next;
    for (const [name, entry] of folder.entries) {
      const relative = joinPath(path, name);
      yield [relative, entry];
      if (entry.kind === "directory") folders.push([relative, entry]);
    }
  }
}

function failure(code: FoldspaceErrorCode, action: string, path: string, reason: string): FoldspaceError {
  return new FoldspaceError(code, `Cannot ${action} ${path}: ${reason}`, { data: { path } });
}
