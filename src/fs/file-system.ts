/**
 * The operations that foldspace needs from a place that keeps files. Paths are strings with `/` between their parts, in
 * the form in which the application gave the space's folder. So an implementation sees only its own kind of paths.
 *
 * Absence is a value: a call for a missing file or folder returns `undefined`. Every other failure is a FoldspaceError
 * with one of the codes `FOLD_PERMISSION`, `FOLD_READ_ONLY`, `FOLD_DISK_FULL`, `FOLD_BUSY` (a retry may help),
 * `FOLD_NOT_A_FOLDER` (a file is at the path of a folder, or on the way) or `FOLD_IO` (a folder is at the path of a file, and
 * everything else), with `data.path`, which its message contains, and the original error as its cause.
 *
 * Names may have any letters and signs of the platform. Bytes that are passed or returned belong to the caller as soon as the call
 * has ended.
 *
 * Implementations pass `testFileSystem` of `foldspace/testing`.
 */
export interface FileSystem {
  readonly supports: FileSystemSupport;

  /**
   * Entries of a folder, in no particular order, hidden ones included. Links are not followed.
   * @returns `undefined` if there is no such folder
   */
  list(path: string): Promise<DirectoryEntry[] | undefined>;

  /** @returns `undefined` if nothing exists at the path. If the path itself is a link, it is followed: the user may have linked the space's folder. */
  stat(path: string): Promise<FileStat | undefined>;

  /**
   * An identifier that distinguishes the file or folder at a path from every other one of this platform, whatever name,
   * spelling or link leads to it. On most platforms it consists of the device and the inode. A file system omits this
   * method if the platform has no such identifier.
   * @returns `undefined` if nothing exists at the path, or if it has no identifier
   */
  identify?(path: string): Promise<string | undefined>;

  /** {@link stat} and {@link identify} in one call. A file system omits this method if that costs two calls of its own. */
  inspect?(path: string): Promise<IdentifiedStat | undefined>;

  /**
   * The path with all links resolved, in the platform's own spelling, with `/` between its parts. A file system omits
   * this method if it cannot resolve links; links are then found by listing.
   * @returns `undefined` if nothing exists at the path
   */
  realPath?(path: string): Promise<string | undefined>;

  /**
   * Makes a path independent of the process's working folder, which may change while a space is open. A file system without
   * relative paths, or whose relative paths never change their meaning, lacks this method.
   */
  absolutePath?(path: string): string;

  /**
   * Every regular file below a folder, with its size and time, in one call if the platform can. Links are not followed.
   * A folder that cannot be read is reported, and the rest is still found.
   * @returns `undefined` if there is no such folder
   */
  scan?(path: string): Promise<ScanResult | undefined>;

  /**
   * The bytes of a file or of a range of it; fewer if the file ends earlier.
   * @returns `undefined` if there is no such file
   */
  read(path: string, range?: ByteRange): Promise<Uint8Array | undefined>;

  /**
   * Appends bytes to a file, creating it and its folders if needed. If the call resolves, the file contains all bytes;
   * if it rejects, the file may contain a part of them.
   * Each call opens the file anew, because it may have been replaced. Concurrent calls for one file do not mix their bytes.
   */
  append(path: string, bytes: Uint8Array, options?: AppendOptions): Promise<void>;

  /**
   * Replaces or creates a whole file, and its folders if needed, so that a reader sees the old content or the new, never a part. It
   * leaves no other file behind.
   */
  write(path: string, bytes: Uint8Array): Promise<void>;

  /** Creates a folder and its parents; an existing folder is fine. */
  makeDirectory(path: string): Promise<void>;

  /**
   * Moves a file or folder. Replaces an existing file at the target; fails with `FOLD_IO` for an existing folder. It fails, too,
   * if nothing is at the source, or if the target's folder is missing.
   */
  rename(from: string, to: string): Promise<void>;

  /** Deletes a file, a link (and not its target), or a folder with all its contents. Absence is fine. */
  remove(path: string): Promise<void>;

  /**
   * Reports that something below a folder may have changed. Present if `supports.watch`. Hints may be lost, duplicated or
   * wrong: they only save time, and a rescan finds the actual changes.
   *
   * A new folder is watched, and hinted at by itself, because files in it may be older than the watch; so is one that was moved
   * there, or deleted and made again. A watch of a missing folder waits for it. Changes by this file system are hinted at, too.
   * @returns a function that ends the watch; ending it twice is fine
   */
  watch?(path: string, onHint: (hint: WatchHint) => void, options?: WatchOptions): Promise<() => Promise<void>>;
}

/** Options of `FileSystem.watch`. */
export interface WatchOptions {
  /**
   * Whether a folder needs no watch, and no folder in it does. A file system may watch it nevertheless. If such a folder appears
   * during the watch, it is hinted at once, like any other.
   * @param path relative to the watched folder
   */
  readonly skips?: (path: string) => boolean;
}

/** A file system with its own `scan` and `watch`. */
export type WatchingFileSystem = FileSystem & Required<Pick<FileSystem, "scan" | "watch">>;

/** The abilities that not every file system has. */
export interface FileSystemSupport {
  readonly watch: boolean;
  /** Whether `append` with `sync` waits until the device has the bytes. */
  readonly sync: boolean;
  /** Maximum of concurrent calls for one folder, if more would keep other folders waiting when this one does not answer. */
  readonly maxCalls?: number;
}

/** The kind of an entry. `other`: links, pipes, sockets and devices, which are never opened. */
export type EntryKind = "file" | "directory" | "other";

/** An entry of a folder, as `FileSystem.list` finds it. */
export interface DirectoryEntry {
  readonly name: string;
  /** `other`: links, pipes, sockets and devices, which are never opened. */
  readonly kind: EntryKind;
}

/** A file or folder, as `FileSystem.stat` finds it. */
export interface FileStat {
  readonly kind: EntryKind;
  /** In bytes; 0 for a folder. */
  readonly size: number;
  /** Time of the last change, in milliseconds since the epoch; a sync service may set it back. */
  readonly modifiedMs: number;
}

/** The result of `FileSystem.inspect`. */
export interface IdentifiedStat extends FileStat {
  /** As of {@link FileSystem.identify}. */
  readonly identity: string | undefined;
}

/** A file below a folder, as `FileSystem.scan` finds it. `other`: a link, pipe, socket or device. */
export interface ScannedFile {
  /** Relative to the scanned folder. */
  readonly path: string;
  readonly kind: "file" | "other";
  readonly size: number;
  readonly modifiedMs: number;
}

/** The outcome of `FileSystem.scan`. */
export interface ScanResult {
  readonly files: ScannedFile[];
  /** The folders and files that could not be read: the path relative to the scanned folder, and the error. */
  readonly unreadable: { readonly path: string; readonly error: Error }[];
}

/** A part of a file. */
export interface ByteRange {
  /** First byte, counted from 0. */
  readonly offset: number;
  /** In bytes; to the end by default. */
  readonly length?: number;
}

/** Options of `FileSystem.append`. */
export interface AppendOptions {
  /** Wait until the device has the bytes, if `supports.sync`. */
  readonly sync?: boolean;
  /**
   * Whether a missing file is created, with its folders; `true` by default. With `false`, an append to a missing file fails with
   * `FOLD_NOT_FOUND` and creates nothing. The check and the append are one step, so that a file that is moved away is not begun anew.
   */
  readonly create?: boolean;
}

/** A hint of a watch: changes in one folder, or changes anywhere. */
export type WatchHint =
  | {
      readonly kind: "dirty";
      /** Folder in which something may have changed: the watched path, or a path below it. */
      readonly directory: string;
      /** Names of the entries of the folder that may have changed; absent if any may have. */
      readonly names?: readonly string[];
    }
  /** Anything may have changed: events were lost, or the folder itself was replaced. */
  | { readonly kind: "rescan"; readonly reason: string };

/** Joins parts of a path with `/`. */
export function joinPath(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("/");
}
