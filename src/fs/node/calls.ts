import * as fs from "node:fs";

/** A value or a promise of it: code that awaits it works with both. */
export type Answer<T> = T | Promise<T>;

/** The part of an open file that we use. */
export interface OpenFile {
  stat(): Answer<fs.Stats>;
  read(buffer: Uint8Array, offset: number, length: number, position: number): Answer<{ readonly bytesRead: number }>;
  write(buffer: Uint8Array, offset: number, length: number, position: null): Answer<{ readonly bytesWritten: number }>;
  truncate(sizeBytes: number): Answer<void>;
  datasync(): Answer<void>;
  sync(): Answer<void>;
  /** Changes the group; the owner stays. */
  chown(gid: number): Answer<void>;
  chmod(mode: number): Answer<void>;
  close(): Answer<void>;
}

/** The system calls behind {@link NodeFileSystem}. They throw the system's own errors. */
export interface Calls {
  /** How many calls may run side by side. */
  readonly width: number;
  open(path: string, flags: number, mode?: number): Answer<OpenFile>;
  lstat(path: string): Answer<fs.Stats>;
  stat(path: string): Answer<fs.Stats>;
  /** Its numbers are exact on every system. */
  statExactly(path: string): Answer<fs.BigIntStats>;
  realpath(path: string): Answer<string>;
  readdir(path: string): Answer<fs.Dirent[]>;
  mkdir(path: string, mode: number): Answer<void>;
  /** Changes the group; the owner stays. */
  chown(path: string, gid: number): Answer<void>;
  chmod(path: string, mode: number): Answer<void>;
  rename(from: string, to: string): Answer<void>;
  /** Removes all contents too; absence is fine. */
  remove(path: string): Answer<void>;
}

/** On Windows, a file cannot be deleted while a virus scanner or an indexer briefly holds it open. */
const REMOVE_OPTIONS = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 } as const;

const SAME_OWNER = -1;

export const asyncCalls: Calls = {
  // one of the 4 threads of libuv's pool is left to other folders, if this one stops to answer
  width: 3,
  open: async (path, flags, mode) => new AsyncFile(await fs.promises.open(path, flags, mode)),
  lstat: (path) => fs.promises.lstat(path),
  stat: (path) => fs.promises.stat(path),
  statExactly: (path) => fs.promises.stat(path, { bigint: true }),
  realpath: (path) => fs.promises.realpath(path),
  readdir: (path) => fs.promises.readdir(path, { withFileTypes: true }),
  mkdir: (path, mode) => fs.promises.mkdir(path, mode),
  chown: (path, gid) => fs.promises.chown(path, SAME_OWNER, gid),
  chmod: (path, mode) => fs.promises.chmod(path, mode),
  rename: (from, to) => fs.promises.rename(from, to),
  remove: (path) => fs.promises.rm(path, REMOVE_OPTIONS),
};

export const syncCalls: Calls = {
  width: 1,
  open: (path, flags, mode) => new SyncFile(fs.openSync(path, flags, mode)),
  lstat: (path) => fs.lstatSync(path),
  stat: (path) => fs.statSync(path),
  statExactly: (path) => fs.statSync(path, { bigint: true }),
  realpath: (path) => fs.realpathSync.native(path),
  readdir: (path) => fs.readdirSync(path, { withFileTypes: true }),
  mkdir: (path, mode) => fs.mkdirSync(path, mode),
  chown: (path, gid) => fs.chownSync(path, SAME_OWNER, gid),
  chmod: (path, mode) => fs.chmodSync(path, mode),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.rmSync(path, REMOVE_OPTIONS),
};

class AsyncFile implements OpenFile {
  readonly #handle: fs.promises.FileHandle;

  constructor(handle: fs.promises.FileHandle) {
    this.#handle = handle;
  }

  stat(): Promise<fs.Stats> {
    return this.#handle.stat();
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }> {
    return this.#handle.read(buffer, offset, length, position);
  }

  write(buffer: Uint8Array, offset: number, length: number, position: null): Promise<{ readonly bytesWritten: number }> {
    return this.#handle.write(buffer, offset, length, position);
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#handle.truncate(sizeBytes);
  }

  datasync(): Promise<void> {
    return this.#handle.datasync();
  }

  sync(): Promise<void> {
    return this.#handle.sync();
  }

  chown(gid: number): Promise<void> {
    return this.#handle.chown(SAME_OWNER, gid);
  }

  chmod(mode: number): Promise<void> {
    return this.#handle.chmod(mode);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

class SyncFile implements OpenFile {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  stat(): fs.Stats {
    return fs.fstatSync(this.#descriptor);
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number): { bytesRead: number } {
    return { bytesRead: fs.readSync(this.#descriptor, buffer, offset, length, position) };
  }

  write(buffer: Uint8Array, offset: number, length: number, position: null): { bytesWritten: number } {
    return { bytesWritten: fs.writeSync(this.#descriptor, buffer, offset, length, position) };
  }

  truncate(sizeBytes: number): void {
    fs.ftruncateSync(this.#descriptor, sizeBytes);
  }

  datasync(): void {
    fs.fdatasyncSync(this.#descriptor);
  }

  sync(): void {
    fs.fsyncSync(this.#descriptor);
  }

  chown(gid: number): void {
    fs.fchownSync(this.#descriptor, SAME_OWNER, gid);
  }

  chmod(mode: number): void {
    fs.fchmodSync(this.#descriptor, mode);
  }

  close(): void {
    fs.closeSync(this.#descriptor);
  }
}
