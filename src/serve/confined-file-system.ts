import { lstat, realpath } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { FoldspaceError } from "../errors.ts";
import {
  type AppendOptions,
  type ByteRange,
  type DirectoryEntry,
  type FileStat,
  type FileSystemSupport,
  joinPath,
  type ScanResult,
  type WatchHint,
  type WatchingFileSystem,
} from "../fs/file-system.ts";
import { fileSystemError, isMissing, systemCode } from "../fs/node/errors.ts";

/**
 * Another file system of this machine, of which nothing outside one folder can be reached. Paths are relative to that
 * folder, which is `""` itself; errors name them as they are on the machine.
 *
 * Refused with `FOLD_PERMISSION` are absolute paths, `..`, names that mean something else to the system, everything to
 * which a link leads out of the folder, what makes a repository of Git or Mercurial, which run programs that are named
 * there, and every change elsewhere than where changes are allowed. A link that leads out is there, as an entry of the
 * kind `other`, and can be removed.
 *
 * Every path is looked at just before it is used. Node has no call that looks and uses in one step, so a program that
 * changes a folder into a link within that moment leads outside. Such a program runs on this machine with the right to
 * write into the folder: nobody gets there by means of this class, which makes no links.
 */
export class ConfinedFileSystem implements WatchingFileSystem {
  readonly #fs: WatchingFileSystem;
  readonly #root: string;
  readonly #writable: readonly string[];

  private constructor(fs: WatchingFileSystem, root: string, writable: readonly string[]) {
    this.#fs = fs;
    this.#root = root;
    this.#writable = writable;
  }

  /**
   * @param fs that takes the machine's paths and never opens a link in the last place of one
   * @param root folder that is there; what it leads to now counts, where it is a link
   * @param writable paths in it that may be changed, with all that is below. Default: none
   * @throws FoldspaceError `FOLD_NOT_FOUND`, `FOLD_PERMISSION`
   */
  static async open(fs: WatchingFileSystem, root: string, writable: readonly string[] = []): Promise<ConfinedFileSystem> {
    try {
      return new ConfinedFileSystem(fs, await realpath(root), writable);
    } catch (cause) {
      if (!isMissing(cause)) throw fileSystemError("open the folder", root, cause);
      throw new FoldspaceError("FOLD_NOT_FOUND", `There is no folder ${root}`, { data: { path: root }, cause });
    }
  }

  get supports(): FileSystemSupport {
    return this.#fs.supports;
  }

  async list(path: string): Promise<DirectoryEntry[] | undefined> {
    return await this.#fs.list(await this.#confine("read the folder", path));
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const entry = await this.#entry("look at", path);
    const target = await leadsTo(entry);
    if (target !== undefined && !isIn(this.#root, target)) return { kind: "other", size: 0, modifiedMs: 0 };
    return await this.#fs.stat(entry);
  }

  async scan(path: string): Promise<ScanResult | undefined> {
    return await this.#fs.scan(await this.#confine("read the folder", path));
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    return await this.#fs.read(await this.#confine("read", path), range);
  }

  async append(path: string, bytes: Uint8Array, options?: AppendOptions): Promise<void> {
    await this.#fs.append(this.#changing("append to", path, await this.#confine("append to", path)), bytes, options);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#fs.write(this.#changing("write", path, await this.#confine("write", path)), bytes);
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#fs.makeDirectory(this.#changing("make the folder", path, await this.#confine("make the folder", path)));
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#fs.rename(
      this.#changing("rename", from, await this.#entry("rename", from)),
      this.#changing("rename", to, await this.#entry("rename", to)),
    );
  }

  async remove(path: string): Promise<void> {
    if (path === "") throw this.#refusal("remove", path, "it is the folder that is served");
    await this.#fs.remove(this.#changing("remove", path, await this.#entry("remove", path)));
  }

  async watch(path: string, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>> {
    const watched = await this.#confine("watch", path);
    let hasEnded = false;
    const tell = async (hint: WatchHint): Promise<void> => {
      const below = hint.kind === "dirty" ? hint.directory.slice(watched.length).replace(/^\/+/, "") : "";
      const directory = joinPath(path, below);
      try {
        // the folder may have become a link since: not even names of what is elsewhere are told
        await this.#confine("watch", directory);
        if (!hasEnded) onHint(hint.kind === "dirty" ? { kind: "dirty", directory } : hint);
      } catch {
        // it is looked for by who is told so, and refused then
        if (!hasEnded) onHint({ kind: "rescan", reason: "the folder cannot be looked at any more" });
      }
    };
    const end = await this.#fs.watch(watched, (hint) => void tell(hint));
    return async () => {
      hasEnded = true;
      await end();
    };
  }

  /** Full path of an entry that does not lead out of the folder, be it a link or not. */
  async #confine(action: string, path: string): Promise<string> {
    const entry = await this.#entry(action, path);
    const target = await leadsTo(entry);
    if (target !== undefined && !isIn(this.#root, target)) throw this.#refusal(action, path, "it leads out of the served folder");
    return entry;
  }

  /** Full path of an entry, without links up to its last name. */
  async #entry(action: string, path: string): Promise<string> {
    const names = path === "" ? [] : path.split("/");
    if (names.some((name) => !isPlainName(name))) throw this.#refusal(action, path, "it is no path in the served folder");
    const last = names.pop();
    if (last === undefined) return this.#root;
    const entry = join(await this.#parent(action, path, names), last);
    if (!isIn(this.#root, entry)) throw this.#refusal(action, path, "it leads out of the served folder");
    if (this.#isOfRepository(entry)) throw this.#refusal(action, path, "it belongs to a repository");
    return entry;
  }

  /** Where a folder really is; of one that is missing, where it would be made. */
  async #parent(action: string, path: string, names: string[]): Promise<string> {
    const missing: string[] = [];
    for (;;) {
      const folder = join(this.#root, ...names);
      try {
        return join(await realpath(folder), ...missing);
      } catch (cause) {
        if (!isMissing(cause) && systemCode(cause) !== "ENOTDIR") throw fileSystemError(action, folder, cause);
        if (names.length === 0) return join(this.#root, ...missing);
        if (await isThere(folder)) throw this.#refusal(action, path, "a link on the way leads nowhere", cause);
      }
      missing.unshift(names.pop()!);
    }
  }

  /** @returns the full path of an entry, if it may be changed */
  #changing(action: string, path: string, entry: string): string {
    if (this.#writable.some((writable) => isIn(join(this.#root, writable), entry))) return entry;
    throw this.#refusal(action, path, "it is no part of the space");
  }

  #isOfRepository(path: string): boolean {
    const names = relative(this.#root, path).split(sep);
    return names.some((name) => OF_REPOSITORIES.has(name.toLowerCase()));
  }

  #refusal(action: string, path: string, reason: string, cause?: unknown): FoldspaceError {
    const options = cause === undefined ? {} : { cause };
    return new FoldspaceError("FOLD_PERMISSION", `Cannot ${action} ${path}: ${reason}`, { data: { path }, ...options });
  }
}

/** Names without which no folder is a repository: one of Git without a folder `.git` has a file `HEAD`. */
const OF_REPOSITORIES: ReadonlySet<string> = new Set([".git", ".hg", "head"]);

/** Whether a full path is that of a folder, or of something in it. */
function isIn(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way.split(sep)[0] !== ".." && !isAbsolute(way);
}

/** Windows takes `\` for `/`, what has a `:` for a drive or a hidden part of a file, and drops dots and spaces at the end. */
const MEANT_OTHERWISE_BY_WINDOWS = /[\\:]|[. ]$|~\d/;

function isPlainName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.includes("\0")) return false;
  return process.platform !== "win32" || !MEANT_OTHERWISE_BY_WINDOWS.test(name);
}

/** What stands at a path in the end, all links followed; `undefined` where there is nothing. */
async function leadsTo(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (isMissing(cause) || systemCode(cause) === "ENOTDIR") return undefined;
    throw fileSystemError("look at", path, cause);
  }
}

/** Whether anything stands at a path, also a link that leads nowhere. */
async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (cause) {
    if (isMissing(cause) || systemCode(cause) === "ENOTDIR") return false;
    throw fileSystemError("look at", path, cause);
  }
}
