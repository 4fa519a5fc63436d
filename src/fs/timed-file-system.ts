import type { Clock } from "../clock.ts";
import { FoldspaceError } from "../errors.ts";
import { withTimeout } from "../with-timeout.ts";
import { answerOf, CallGate } from "./call-gate.ts";
import type {
  AppendOptions,
  ByteRange,
  DirectoryEntry,
  FileStat,
  IdentifiedStat,
  FileSystem,
  FileSystemSupport,
  ScanResult,
} from "./file-system.ts";

/** A slow disk that wakes up takes up to this long to answer a call for one file or folder, including a piece of its content. */
const CALL_TIMEOUT_MS = 5_000;
/** A scan visits many folders. If it takes longer, each folder is listed on its own. */
const SCAN_TIMEOUT_MS = 10_000;
const WRITE_TIMEOUT_MS = 30_000;
/** Each late answer doubles the time limit of its path, up to this factor. */
const MAX_TIMEOUT_FACTOR = 16;
/** Each time this many more paths do not answer, the time limit of the others shrinks, so that all together take a bounded time. */
const LATE_PATHS = 8;

export interface TimedFileSystemOptions {
  /** Folder of which the files are used. It is inspected to find out whether the drive or a single file does not answer. */
  readonly root?: string;
}

/**
 * Wraps a file system and limits the time of its calls: a call that is not answered in time fails with `FOLD_TIMEOUT`.
 * The platform cannot cancel the call. Until it is answered, further calls for the same path fail at once and block nothing.
 * While the folder itself does not answer, no call goes to it (`CallGate`), and all fail.
 *
 * A running append has no limit here, because the caller must know whether a late append will still arrive: `Batcher` limits it.
 */
export class TimedFileSystem implements FileSystem {
  readonly identify?: (path: string) => Promise<string | undefined>;
  readonly inspect?: (path: string) => Promise<IdentifiedStat | undefined>;
  readonly realPath?: (path: string) => Promise<string | undefined>;
  readonly scan?: (path: string) => Promise<ScanResult | undefined>;
  readonly watch?: NonNullable<FileSystem["watch"]>;
  readonly #inner: FileSystem;
  readonly #clock: Clock;
  /** By path, the calls that were not answered in time. */
  readonly #late = new Map<string, Promise<void>>();
  /** By path, the factor of its time limit. */
  readonly #timeoutFactors = new Map<string, number>();
  #maxTimeoutMs = Infinity;
  readonly #underWay = new Set<CallUnderWay>();
  readonly #gate: CallGate;

  constructor(inner: FileSystem, clock: Clock, { root }: TimedFileSystemOptions = {}) {
    this.#inner = inner;
    this.#clock = clock;
    const probe = root === undefined ? undefined : () => inner.stat(root);
    this.#gate = new CallGate({ clock, maxCalls: inner.supports.maxCalls ?? Infinity, probe, timeoutMs: CALL_TIMEOUT_MS });
    if (inner.identify) this.identify = (path) => this.#inTime("inspect", path, () => inner.identify!(path));
    if (inner.inspect) this.inspect = (path) => this.#inTime("inspect", path, () => inner.inspect!(path));
    if (inner.realPath) this.realPath = (path) => this.#inTime("resolve", path, () => inner.realPath!(path));
    if (inner.scan)
      this.scan = (path) => this.#inTime("read the folder", `${path}/**`, () => inner.scan!(path), SCAN_TIMEOUT_MS, path);
    if (inner.watch) this.watch = (path, onHint, options) => inner.watch!(path, onHint, options);
  }

  get supports(): FileSystemSupport {
    return this.#inner.supports;
  }

  /** Whether a call for this path has timed out and is still unanswered. */
  isLate(path: string): boolean {
    return this.#late.has(path);
  }

  /** Limits all reading calls, current and later, to this time; `Infinity` removes the limit. */
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
    return await this.#inTime("inspect", path, () => this.#inner.stat(path));
  }

  async read(path: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    return await this.#inTime("read", path, () => this.#inner.read(path, range));
  }

  async append(path: string, bytes: Uint8Array, options?: AppendOptions): Promise<void> {
    if (!(await this.#gate.enter())) throw folderBusy("append to", path);
    const answer = answerOf(() => this.#inner.append(path, bytes, options));
    this.#gate.track(answer);
    await answer;
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

  /** @param key while a call for it is late, no other call for it is made */
  async #inTime<T>(
    action: string,
    key: string,
    call: () => Promise<T>,
    timeoutMs: number = CALL_TIMEOUT_MS,
    path: string = key,
  ): Promise<T> {
    if (this.#late.has(key)) throw busy(action, path, "an earlier call is still unanswered");
    const timeoutFactor = this.#timeoutFactors.get(key) ?? 1;
    const limitMs = Math.min((timeoutMs * timeoutFactor) / (1 + Math.floor(this.#late.size / LATE_PATHS)), this.#maxTimeoutMs);
    const underWay: CallUnderWay = { giveUp: () => undefined, cancel: () => undefined };
    const hurried = new Promise<never>((_, reject) => {
      underWay.giveUp = () => reject(busy(action, path, "the caller no longer waits"));
    });
    this.#underWay.add(underWay);
    // also the wait at the gate ends then
    if (this.#maxTimeoutMs < Infinity) underWay.cancel = this.#clock.schedule(this.#maxTimeoutMs, underWay.giveUp);
    try {
      const entering = this.#gate.enter(hurried);
      if (entering !== true && !(await entering)) throw folderBusy(action, path);
      if (this.#late.has(key)) {
        this.#gate.release();
        throw busy(action, path, "an earlier call is still unanswered");
      }
      const answer = answerOf(call);
      this.#gate.track(answer);

      const value = await withTimeout(Promise.race([answer, hurried]), limitMs, this.#clock, () => {
        this.#noteLate(key, answer, timeoutFactor);
        return busy(action, path, `no answer within ${Math.round(limitMs / 100) / 10} s`);
      });
      if (timeoutFactor > 1) this.#timeoutFactors.delete(key);
      return value;
    } finally {
      underWay.cancel();
      this.#underWay.delete(underWay);
    }
  }

  #noteLate(key: string, answer: Promise<unknown>, timeoutFactor: number): void {
    this.#timeoutFactors.set(key, Math.min(2 * timeoutFactor, MAX_TIMEOUT_FACTOR));
    // the next call finds out what has changed
    const end = (): void => void this.#late.delete(key);
    this.#late.set(key, answer.then(end, end));
  }
}

interface CallUnderWay {
  giveUp: () => void;
  /** Cancels the timer that would give the call up. */
  cancel: () => void;
}

function folderBusy(action: string, path: string): FoldspaceError {
  return busy(action, path, "its folder does not answer");
}

function busy(action: string, path: string, reason: string): FoldspaceError {
  return new FoldspaceError("FOLD_TIMEOUT", `Cannot ${action} ${path}: ${reason}`, { data: { path } });
}
