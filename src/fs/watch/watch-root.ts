import type { WatchHint } from "../file-system.ts";

/** Watches the folders below a root. It reports events; {@link watchRoot} decides when to act on them. */
export interface WatchBackend {
  /** Begins to watch. Throws the system's error on failure; `stop` then undoes what has begun. */
  start(): Promise<void>;
  /** Processes the events since the last call: hints at folders and watches new ones. */
  processEvents(): Promise<void>;
  /** Tries again to watch the folders that could not be watched. */
  retry(): Promise<void>;
  stop(): void;
}

export interface WatchHost {
  /** Folder to watch. */
  readonly path: string;
  hint(hint: WatchHint): void;
  /** Requests a call of `processEvents` soon. */
  processSoon(): void;
  /** Requests a new start, because the root may be another folder now or events were lost. */
  restart(reason: string): void;
}

export interface WatchedRoot {
  readonly path: string;
  makeBackend(host: WatchHost): WatchBackend;
  /** An identifier that distinguishes the folder that is there now from any other; `undefined` if there is no folder. */
  identify(): Promise<string | undefined>;
  /** Explains in words why the root cannot be watched. */
  explain(cause: unknown): string;
}

type Timer = ReturnType<typeof setTimeout>;

/** One append causes several events, and one sync many more; a user does not notice the delay. */
const PROCESS_DELAY_MS = 10;

/** Interval for checking that the root is still the same folder: a rename above it or a disconnected disk causes no event. */
const CHECK_ROOT_MS = 2000;

/** Interval for checking whether a lost root is back; shorter, because no change is noticed until then. */
const AWAIT_ROOT_MS = 250;

/** Hints at changes below a folder, whenever the folder exists. @returns a function that ends the watch */
export async function watchRoot(root: WatchedRoot, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>> {
  const watch = new RootWatch(root, onHint);
  await watch.begin();
  return () => watch.end();
}

/** Runs the backend while the root exists, and restarts it whenever the root is another folder. */
class RootWatch {
  readonly #root: WatchedRoot;
  readonly #onHint: (hint: WatchHint) => void;
  readonly #backend: WatchBackend;
  /** Identity of the watched folder; `undefined` while none is watched. */
  #identity: string | undefined;
  /** Why no folder is watched, so that each reason is reported once. */
  #trouble = "";
  #restartReason: string | undefined;
  #processTimer: Timer | undefined;
  #checkTimer: Timer | undefined;
  #checkIsQueued = false;
  /** Steps that run one after the other. */
  #work: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(root: WatchedRoot, onHint: (hint: WatchHint) => void) {
    this.#root = root;
    this.#onHint = onHint;
    this.#backend = root.makeBackend({
      path: root.path,
      hint: (hint) => this.#hint(hint),
      processSoon: () => {
        this.#processTimer ??= setTimeout(() => this.#processEvents(), PROCESS_DELAY_MS);
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
    clearTimeout(this.#processTimer);
    this.#backend.stop();
    await this.#work;
  }

  /** Runs the receiver in its own task, so that an error that it throws does not stop the watch. */
  #hint(hint: WatchHint): void {
    queueMicrotask(() => {
      if (!this.#ended) this.#onHint(hint);
    });
  }

  #processEvents(): void {
    this.#processTimer = undefined;
    this.#do(() => this.#backend.processEvents());
  }

  #check(): void {
    if (this.#checkIsQueued) return;
    this.#checkIsQueued = true;
    this.#do(() => {
      this.#checkIsQueued = false;
      return this.#checkRoot();
    });
  }

  #checkEvery(intervalMs: number): Timer {
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
        this.#lose(this.#root.explain(error));
      }
    });
  }

  async #checkRoot(): Promise<void> {
    const identity = await this.#root.identify();
    const reason = this.#restartReason;
    if (identity === this.#identity && reason === undefined) {
      if (identity !== undefined) await this.#backend.retry();
      return;
    }
    if (identity === undefined) return this.#lose("the folder is gone");
    const news = this.#identity === undefined ? "the folder is back" : "the folder was replaced";
    this.#backend.stop();
    await this.#start();
    if (this.#identity !== undefined) this.#hint({ kind: "rescan", reason: reason ?? news });
  }

  async #start(): Promise<void> {
    this.#restartReason = undefined;
    const identity = await this.#root.identify();
    if (identity === undefined) return this.#lose("the folder is not there");
    await this.#backend.start();
    // The watch has ended while it was starting: stop what has begun since.
    if (this.#ended) return this.#backend.stop();
    this.#identity = identity;
    this.#trouble = "";
    const timer: Timer | { unref(): void } = this.#checkEvery(CHECK_ROOT_MS);
    if (typeof timer === "object") timer.unref(); // the backend keeps the process alive
  }

  /** Watches nothing until a later check finds the folder. */
  #lose(reason: string): void {
    this.#backend.stop();
    if (this.#ended) return;
    this.#identity = undefined;
    this.#restartReason = undefined;
    this.#checkEvery(AWAIT_ROOT_MS); // keeps the process alive: the caller waits for the folder
    if (reason !== this.#trouble) this.#hint({ kind: "rescan", reason });
    this.#trouble = reason;
  }
}
