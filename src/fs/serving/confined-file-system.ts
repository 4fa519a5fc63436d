import { lstat, realpath } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import { FoldspaceError, systemCode } from "../../errors.ts";
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
} from "../file-system.ts";
import { fileSystemError, isMissing } from "../node/errors.ts";

/**
 * Wraps another file system of this machine and confines it to one folder. Paths are relative to that folder; `""` is the
 * folder itself. Errors name the machine's paths.
 *
 * It refuses with `FOLD_PERMISSION`: absolute paths, `..`, names with another meaning to the system, targets of links that
 * lead out of the folder, files that make a repository of Git or Mercurial (which run programs that are named there), and
 * changes outside the writable paths. A link that leads out appears as an entry of the kind `other` and can be removed.
 *
 * Every path is checked just before its use. Node has no call that checks and uses in one step, so a program that replaces
 * a folder by a link within that moment leads outside. Such a program already runs on this machine with write access to
 * the folder. This class gives no client that access, and makes no links.
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
   * @param fs that accepts the machine's paths and never opens a link at the end of a path
   * @param root existing folder; if it is a link, its current target counts
   * @param writable paths in the folder that may be changed, with everything below them. Default: none
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

  /** Full path of the folder, without links. */
  get root(): string {
    return this.#root;
  }

  get supports(): FileSystemSupport {
    return this.#fs.supports;
  }

  async list(path: string): Promise<DirectoryEntry[] | undefined> {
    return await this.#fs.list(await this.#confine("read the folder", path));
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const entry = await this.#entry("inspect", path);
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
    const emit = async (hint: WatchHint): Promise<void> => {
      const below = hint.kind === "dirty" ? hint.directory.slice(watched.length).replace(/^\/+/, "") : "";
      const directory = joinPath(path, below);
      try {
        // the folder may have become a link since: clients must not learn even names from elsewhere
        await this.#confine("watch", directory);
        if (!hasEnded) onHint(hint.kind === "dirty" ? { ...hint, directory } : hint);
      } catch {
        // the client rescans, and is refused then
        if (!hasEnded) onHint({ kind: "rescan", reason: "the folder can no longer be read" });
      }
    };
    const end = await this.#fs.watch(watched, (hint) => void emit(hint));
    return async () => {
      hasEnded = true;
      await end();
    };
  }

  /** Full path of an entry that does not lead out of the folder, whether it is a link or not. */
  async #confine(action: string, path: string): Promise<string> {
    const entry = await this.#entry(action, path);
    const target = await leadsTo(entry);
    if (target !== undefined && !isIn(this.#root, target)) throw this.#refusal(action, path, "it leads out of the served folder");
    return entry;
  }

  /** Full path of an entry, with all links resolved except in its last name. */
  async #entry(action: string, path: string): Promise<string> {
    const names = path === "" ? [] : path.split("/");
    if (names.some((name) => !isPlainName(name))) throw this.#refusal(action, path, "it is not a path in the served folder");
    const last = names.pop();
    if (last === undefined) return this.#root;
    const entry = join(await this.#parent(action, path, names), last);
    if (!isIn(this.#root, entry)) throw this.#refusal(action, path, "it leads out of the served folder");
    if (this.#isOfRepository(entry)) throw this.#refusal(action, path, "it belongs to a repository");
    return entry;
  }

  /** Real path of a folder; for a missing folder, the path at which it would be made. */
  async #parent(action: string, path: string, names: string[]): Promise<string> {
    const missing: string[] = [];
    for (;;) {
      const folder = join(this.#root, ...names);
      try {
        return join(await realpath(folder), ...missing);
      } catch (cause) {
        if (!isMissing(cause) && systemCode(cause) !== "ENOTDIR") throw fileSystemError(action, folder, cause);
        if (names.length === 0) return join(this.#root, ...missing);
        const kind = await kindAt(folder);
        if (kind === "link") throw this.#refusal(action, path, "its path contains a dangling link", cause);
        // another call has made it meanwhile
        if (kind === "other") continue;
      }
      missing.unshift(names.pop()!);
    }
  }

  /** @returns the full path of an entry, if it may be changed */
  #changing(action: string, path: string, entry: string): string {
    if (this.#writable.some((writable) => isIn(join(this.#root, writable), entry))) return entry;
    throw this.#refusal(action, path, "it is not part of the space");
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

/** A repository always contains one of these names: a Git repository without a folder `.git` has a file `HEAD`. */
const OF_REPOSITORIES: ReadonlySet<string> = new Set([".git", ".hg", "head"]);

/** Whether a full path is that of a folder, or of an entry below it. */
function isIn(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way.split(sep)[0] !== ".." && !isAbsolute(way);
}

/** Windows treats `\` as `/` and a name with `:` as a drive or a hidden part of a file, and drops dots and spaces at the end. */
const MEANT_OTHERWISE_BY_WINDOWS = /[\\:]|[. ]$|~\d/;

function isPlainName(name: string): boolean {
  if (name === "" || name === "." || name === ".." || name.includes("\0")) return false;
  return process.platform !== "win32" || !MEANT_OTHERWISE_BY_WINDOWS.test(name);
}

/** Real path of an entry, with all links followed; `undefined` if there is no entry. */
async function leadsTo(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (cause) {
    if (isMissing(cause) || systemCode(cause) === "ENOTDIR") return undefined;
    throw fileSystemError("inspect", path, cause);
  }
}

/** What a path itself is; `undefined` if there is nothing. */
async function kindAt(path: string): Promise<"link" | "other" | undefined> {
  try {
    return (await lstat(path)).isSymbolicLink() ? "link" : "other";
  } catch (cause) {
    if (isMissing(cause) || systemCode(cause) === "ENOTDIR") return undefined;
    throw fileSystemError("inspect", path, cause);
  }
}
