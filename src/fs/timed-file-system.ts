import type { Clock } from "../clock.ts";
import { FoldspaceError } from "../errors.ts";
import { withTimeout } from "../with-timeout.ts";
import type {
  AppendOptions,
  ByteRange,
  DirectoryEntry,
  FileStat,
  FileSystem,
  FileSystemSupport,
  ScanResult,
  WatchHint,
} from "./file-system.ts";

/** An answer about one file or folder, a piece of its content included, takes that long on a slow disk that wakes up. */
const CALL_TIMEOUT_MS = 5_000;
/** A scan goes through many folders; what does not answer it in time is looked at folder by folder. */
const SCAN_TIMEOUT_MS = 10_000;
const WRITE_TIMEOUT_MS = 30_000;
/** A path that keeps answering late is waited for longer, up to so many times as long. */
const MAX_PATIENCE = 16;
/** For each so many paths that do not answer, the others are waited for less long, so that all of them together do not take without end. */
const LATE_PATHS = 8;

/**
 * Another file system whose calls end in time: what has not answered by then fails with `FOLD_TIMEOUT`. The platform cannot call
 * it off, so until it answers no other call is made for that path: it fails at once, and holds up nothing.
 *
 * Appends are not limited here, as whether one that is late will still arrive decides what to do about it: `Batcher`
 * limits them.
 */
export class TimedFileSystem implements FileSystem {
  readonly identify?: (path: string) => Promise<string | undefined>;
  readonly realPath?: (path: string) => Promise<string | undefined>;
  readonly scan?: (path: string) => Promise<ScanResult | undefined>;
  readonly watch?: (path: string, onHint: (hint: WatchHint) => void) => Promise<() => Promise<void>>;
  readonly #inner: FileSystem;
  readonly #clock: Clock;
  /** By path, calls that have not answered in time. */
  readonly #late = new Map<string, Promise<void>>();
  /** By path, how many times as long it is waited for as at first. */
  readonly #patience = new Map<string, number>();
  #maxTimeoutMs = Infinity;
  readonly #underWay = new Set<CallUnderWay>();

  constructor(inner: FileSystem, clock: Clock) {
    this.#inner = inner;
    this.#clock = clock;
    if (inner.identify) this.identify = (path) => this.#inTime("look at", path, () => inner.identify!(path));
    if (inner.realPath) this.realPath = (path) => this.#inTime("resolve", path, () => inner.realPath!(path));
    if (inner.scan)
      this.scan = (path) => this.#inTime("read the folder", `${path}/**`, () => inner.scan!(path), SCAN_TIMEOUT_MS, path);
    if (inner.watch) this.watch = (path, onHint) => inner.watch!(path, onHint);
  }

  get supports(): FileSystemSupport {
    return this.#inner.supports;
  }

  /** Whether a call for this path has been given up, and has not answered yet. */
  isLate(path: string): boolean {
    return this.#late.has(path);
  }

  /** Gives up calls that read, now and from now on, when they take longer than that; `Infinity` takes that back. */
  hurry(timeoutMs: number): void {
    this.#maxTimeoutMs = timeoutMs;
    for (const call of this.#underWay) {
      call.cancel();
      call.cancel = timeoutMs < Infinity ? this.#clock.schedule(timeoutMs, call.giveUp) : () => undefined;
    }
  }

  async list(path: string): Promise<DirectoryEntry[] | undefined> {
    return await this.#inTime("read the folder", path, () => this.#inner.list(path));
  }

  async stat(path: string): Promise<FileStat | undefined> {
    return await this.#inTime("look at", path, () => this.#inner.stat(path));
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    return await this.#inTime("read", path, () => this.#inner.read(path, range));
  }

  async append(path: string, bytes: Uint8Array, options?: AppendOptions): Promise<void> {
    await this.#inner.append(path, bytes, options);
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#inTime("write", path, () => this.#inner.write(path, bytes), WRITE_TIMEOUT_MS);
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#inTime("make the folder", path, () => this.#inner.makeDirectory(path), WRITE_TIMEOUT_MS);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#inTime("rename", from, () => this.#inner.rename(from, to), WRITE_TIMEOUT_MS);
  }

  async remove(path: string): Promise<void> {
    await this.#inTime("remove", path, () => this.#inner.remove(path), WRITE_TIMEOUT_MS);
  }

  /** @param key what no other call is made for while one is late */
  async #inTime<T>(
    action: string,
    key: string,
    call: () => Promise<T>,
    timeoutMs: number = CALL_TIMEOUT_MS,
    path: string = key,
  ): Promise<T> {
    if (this.#late.has(key)) throw busy(action, path, "an earlier call has not been answered yet");
    const patience = this.#patience.get(key) ?? 1;
    const limitMs = Math.min((timeoutMs * patience) / (1 + Math.floor(this.#late.size / LATE_PATHS)), this.#maxTimeoutMs);
    const underWay: CallUnderWay = { giveUp: () => undefined, cancel: () => undefined };
    const hurried = new Promise<never>((_, reject) => {
      underWay.giveUp = () => reject(busy(action, path, "it was given up"));
    });
    const answer = call();
    this.#underWay.add(underWay);
    try {
      const value = await withTimeout(Promise.race([answer, hurried]), limitMs, this.#clock, () => {
        this.#noteLate(key, answer, patience);
        return busy(action, path, `it has not been answered within ${Math.round(limitMs / 100) / 10} s`);
      });
      if (patience > 1) this.#patience.delete(key);
      return value;
    } finally {
      underWay.cancel();
      this.#underWay.delete(underWay);
    }
  }

  #noteLate(key: string, answer: Promise<unknown>, patience: number): void {
    this.#patience.set(key, Math.min(2 * patience, MAX_PATIENCE));
    // whatever it answers is found by the next call
    const end = (): void => void this.#late.delete(key);
    this.#late.set(key, answer.then(end, end));
  }
}

interface CallUnderWay {
  giveUp: () => void;
  /** Calls off what was to give it up. */
  cancel: () => void;
}

function busy(action: string, path: string, reason: string): FoldspaceError {
  return new FoldspaceError("FOLD_TIMEOUT", `Cannot ${action} ${path}: ${reason}`, { data: { path } });
}
