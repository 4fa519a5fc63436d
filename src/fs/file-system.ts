/**
 * What foldspace needs of a place that keeps files. Paths are strings with `/` between their parts, as the
 * application gave the space's folder, so an implementation sees only its own kind of paths.
 *
 * Absence is a value: what is not there gives `undefined`. Every other failure is a FoldspaceError with one of the
 * codes `FOLD_PERMISSION`, `FOLD_READ_ONLY`, `FOLD_DISK_FULL`, `FOLD_BUSY` (trying again may help),
 * `FOLD_NOT_A_FOLDER` or `FOLD_IO`, with `data.path` and the original error as its cause.
 *
 * Implementations pass `testFileSystem` of `foldspace/testing`.
 */
export interface FileSystem {
  readonly supports: FileSystemSupport;

  /**
   * Entries of a folder, in no particular order, hidden ones included. Links are not followed.
   * @returns `undefined` where there is no such folder
   */
  list(path: string): Promise<DirectoryEntry[] | undefined>;

  /** @returns `undefined` where there is nothing. A link in the last place is followed: the user may have linked the space's folder. */
  stat(path: string): Promise<FileStat | undefined>;

  /**
   * What tells the file or folder at a path from every other one of this platform, under whatever name, spelling or link it
   * is reached: on most platforms the device and the inode. A file system lacks this where the platform has no such thing.
   * @returns `undefined` where there is nothing, or where it cannot be told
   */
  identify?(path: string): Promise<string | undefined>;

  /**
   * The path with all links in it resolved, in the platform's own spelling, with `/` between its parts. A file system lacks
   * this where it cannot tell: then links are found by listing.
   * @returns `undefined` where there is nothing
   */
  realPath?(path: string): Promise<string | undefined>;

  /**
   * Every regular file below a folder, with its size and time, in one call where the platform can. Links are not
   * followed; a folder that cannot be read is reported and the rest is still found.
   * @returns `undefined` where there is no such folder
   */
  scan?(path: string): Promise<ScanResult | undefined>;

  /**
   * Bytes of a file, or of a range of it: fewer where the file ends earlier.
   * @returns `undefined` where there is no such file
   */
  read(path: string, range?: ByteRange): Promise<Uint8Array | undefined>;

  /**
   * Appends bytes to a file, making it and its folders if needed. Either all bytes are in the file when it
   * resolves, or it rejects; after a rejection a part of them may be.
   * The file is opened anew each time: it may have been replaced since.
   */
  append(path: string, bytes: Uint8Array, options?: AppendOptions): Promise<void>;

  /** Replaces or makes a whole file, and its folders if needed, so that a reader sees the old content or the new, never a part. */
  write(path: string, bytes: Uint8Array): Promise<void>;

  /** Makes a folder and those above it; an existing one is fine. */
  makeDirectory(path: string): Promise<void>;

  /** Moves a file or folder. An existing file in its place is replaced; nothing is done to an existing folder (`FOLD_IO`). */
  rename(from: string, to: string): Promise<void>;

  /** Deletes a file, or a folder with all that is in it. Absence is fine. */
  remove(path: string): Promise<void>;

  /**
   * Tells that something below a folder may have changed. Present where `supports.watch`. Hints may be lost,
   * doubled or wrong: they only save time, what happened is found by looking.
   *
   * A folder that appears is watched and hinted at by itself, as files in it may be older than the watch.
   * @returns a function that ends it
   */
  watch?(path: string, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>>;
}

/** One that scans and watches by itself. */
export type WatchingFileSystem = FileSystem & Required<Pick<FileSystem, "scan" | "watch">>;

export interface FileSystemSupport {
  readonly watch: boolean;
  /** Whether `append` with `sync` waits for the device. */
  readonly sync: boolean;
}

export type EntryKind = "file" | "directory" | "other";

export interface DirectoryEntry {
  readonly name: string;
  /** `other`: links, pipes, sockets and devices, which are never opened. */
  readonly kind: EntryKind;
}

export interface FileStat {
  readonly kind: EntryKind;
  /** In bytes; 0 for a folder. */
  readonly size: number;
  /** Time of the last change, in milliseconds since the epoch; may go back when a sync service sets it. */
  readonly modifiedMs: number;
}

export interface ScannedFile {
  /** Relative to the scanned folder. */
  readonly path: string;
  readonly kind: "file" | "other";
  readonly size: number;
  readonly modifiedMs: number;
}

export interface ScanResult {
  readonly files: ScannedFile[];
  /** What could not be looked into: path relative to the scanned folder, and why. */
  readonly unreadable: { readonly path: string; readonly error: Error }[];
}

export interface ByteRange {
  /** First byte, counted from 0. */
  readonly offset: number;
  /** In bytes; to the end by default. */
  readonly length?: number;
}

export interface AppendOptions {
  /** Wait until the device has the bytes, where `supports.sync`. */
  readonly sync?: boolean;
}

export type WatchHint =
  | {
      readonly kind: "dirty";
      /** Folder in which something may have changed: the watched path, or that path, `/` and more. */
      readonly directory: string;
    }
  /** Anything may have changed: events were lost, or the folder itself was replaced. */
  | { readonly kind: "rescan"; readonly reason: string };

/** Joins parts of a path with `/`. */
export function joinPath(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("/");
}
