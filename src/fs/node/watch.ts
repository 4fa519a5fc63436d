import type { WatchHint } from "../file-system.ts";
import type { Calls } from "./calls.ts";
import { fileSystemError, isMissing, systemCode } from "./errors.ts";
import { FolderSentries } from "./watch-folders.ts";
import { RecursiveSentry } from "./watch-recursive.ts";

/** What watches the folders below a root. It tells of events; {@link RootWatch} decides when to act. */
export interface Sentries {
  /** Begins to watch. Throws the system's error where that fails; what has begun until then is undone by `stop`. */
  start(): Promise<void>;
  /** Acts on the events since the last call: hints at folders, watches new ones. */
  settle(): Promise<void>;
  /** Tries again what could not be watched. */
  retry(): Promise<void>;
  stop(): void;
}

export interface SentryPost {
  /** Folder to watch. */
  readonly path: string;
  readonly calls: Calls;
  hint(hint: WatchHint): void;
  /** Asks for `settle` soon. */
  settleSoon(): void;
  /** Asks to begin anew, because the root may be another folder by now or events were lost. */
  restart(reason: string): void;
}

/** One append makes several events, one sync many more; a person does not notice the wait. */
const SETTLE_MS = 10;

/** Whether the root is still the same folder: a rename above it or a disk that went away gives no event. */
const CHECK_ROOT_MS = 2000;

/** Whether it is back; shorter, as nothing is noticed until then. */
const AWAIT_ROOT_MS = 250;

/**
 * Linux: a watch per folder, as the recursive one that Node 20 to 24 has there goes deaf to a file once it was
 * replaced (39 of 40 replacements missed). macOS and Windows watch recursively by themselves.
 */
export function watchFolder(calls: Calls, path: string, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>> {
  const recursive = process.platform === "darwin" || process.platform === "win32";
  return watchWith((post) => (recursive ? new RecursiveSentry(post) : new FolderSentries(post)), calls, path, onHint);
}

export async function watchWith(
  makeSentries: (post: SentryPost) => Sentries,
  calls: Calls,
  path: string,
  onHint: (hint: WatchHint) => void,
): Promise<() => Promise<void>> {
  const watch = new RootWatch(makeSentries, calls, path, onHint);
  await watch.begin();
  return () => watch.end();
}

/** Keeps sentries below a root for as long as there is one, and begins anew whenever it is another. */
class RootWatch {
  readonly #path: string;
  readonly #calls: Calls;
  readonly #onHint: (hint: WatchHint) => void;
  readonly #sentries: Sentries;
  /** Device and inode of the folder that is watched; `undefined` while none is. */
  #identity: string | undefined;
  /** Why none is watched, so that it is told once. */
  #trouble = "";
  #restartReason: string | undefined;
  #settleTimer: NodeJS.Timeout | undefined;
  #checkTimer: NodeJS.Timeout | undefined;
  #checkIsQueued = false;
  /** What is done about events, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(makeSentries: (post: SentryPost) => Sentries, calls: Calls, path: string, onHint: (hint: WatchHint) => void) {
    this.#path = path;
    this.#calls = calls;
    this.#onHint = onHint;
    this.#sentries = makeSentries({
      path,
      calls,
      hint: (hint) => this.#hint(hint),
      settleSoon: () => {
        this.#settleTimer ??= setTimeout(() => this.#settle(), SETTLE_MS);
      },
      restart: (reason) => {
        this.#restartReason ??= reason;
        this.#check();
      },
    });
  }

  async begin(): Promise<void> {
    this.#do(() => this.#start());
    await this.#work;
  }

  async end(): Promise<void> {
    this.#ended = true;
    clearInterval(this.#checkTimer);
    clearTimeout(this.#settleTimer);
    this.#sentries.stop();
    await this.#work;
  }

  /** In a task of its own: what the receiver throws is its own affair and must not stop the watch. */
  #hint(hint: WatchHint): void {
    queueMicrotask(() => {
      if (!this.#ended) this.#onHint(hint);
    });
  }

  #settle(): void {
    this.#settleTimer = undefined;
    this.#do(() => this.#sentries.settle());
  }

  #check(): void {
    if (this.#checkIsQueued) return;
    this.#checkIsQueued = true;
    this.#do(() => {
      this.#checkIsQueued = false;
      return this.#checkRoot();
    });
  }

  #checkEvery(intervalMs: number): NodeJS.Timeout {
    clearInterval(this.#checkTimer);
    this.#checkTimer = setInterval(() => this.#check(), intervalMs);
    return this.#checkTimer;
  }

  #do(step: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (this.#ended) return;
      try {
        await step();
      } catch (error) {
        this.#lose(fileSystemError("watch", this.#path, error).message);
      }
    });
  }

  async #checkRoot(): Promise<void> {
    const identity = await this.#identify();
    const reason = this.#restartReason;
    if (identity === this.#identity && reason === undefined) {
      if (identity !== undefined) await this.#sentries.retry();
      return;
    }
    if (identity === undefined) return this.#lose("the folder is gone");
    const news = this.#identity === undefined ? "the folder is back" : "the folder was replaced";
    this.#sentries.stop();
    await this.#start();
    if (this.#identity !== undefined) this.#hint({ kind: "rescan", reason: reason ?? news });
  }

  async #start(): Promise<void> {
    this.#restartReason = undefined;
    const identity = await this.#identify();
    if (identity === undefined) return this.#lose("the folder is not there");
    await this.#sentries.start();
    // Ended while it started: what was begun since then is still there.
    if (this.#ended) return this.#sentries.stop();
    this.#identity = identity;
    this.#trouble = "";
    this.#checkEvery(CHECK_ROOT_MS).unref(); // the sentries keep the process alive
  }

  /** Nothing is watched until a later check finds the folder. */
  #lose(reason: string): void {
    this.#sentries.stop();
    if (this.#ended) return;
    this.#identity = undefined;
    this.#restartReason = undefined;
    this.#checkEvery(AWAIT_ROOT_MS); // keeps the process alive: whoever watches waits for the folder
    if (reason !== this.#trouble) this.#hint({ kind: "rescan", reason });
    this.#trouble = reason;
  }

  async #identify(): Promise<string | undefined> {
    try {
      const stats = await this.#calls.stat(this.#path);
      return stats.isDirectory() ? `${stats.dev}:${stats.ino}` : undefined;
    } catch (error) {
      if (isMissing(error) || systemCode(error) === "ENOTDIR") return undefined;
      throw error;
    }
  }
}
