import type { WatchHint } from "../file-system.ts";

/** What watches the folders below a root. It tells of events; {@link watchRoot} decides when to act. */
export interface WatchBackend {
  /** Begins to watch. Throws the system's error where that fails; what has begun until then is undone by `stop`. */
  start(): Promise<void>;
  /** Acts on the events since the last call: hints at folders, watches new ones. */
  processEvents(): Promise<void>;
  /** Tries again what could not be watched. */
  retry(): Promise<void>;
  stop(): void;
}

export interface WatchHost {
  /** Folder to watch. */
  readonly path: string;
  hint(hint: WatchHint): void;
  /** Asks for `settle` soon. */
  processSoon(): void;
  /** Asks to begin anew, because the root may be another folder by now or events were lost. */
  restart(reason: string): void;
}

export interface WatchedRoot {
  readonly path: string;
  makeBackend(host: WatchHost): WatchBackend;
  /** What tells the folder that stands there now from any other; `undefined` while there is none. */
  identify(): Promise<string | undefined>;
  /** Says in words why the root cannot be watched. */
  explain(cause: unknown): string;
}

type Timer = ReturnType<typeof setTimeout>;

/** One append makes several events, one sync many more; a person does not notice the wait. */
const PROCESS_DELAY_MS = 10;

/** Whether the root is still the same folder: a rename above it or a disk that went away gives no event. */
const CHECK_ROOT_MS = 2000;

/** Whether it is back; shorter, as nothing is noticed until then. */
const AWAIT_ROOT_MS = 250;

/** Hints at what changes below a folder, now or whenever there is one. @returns a function that ends it */
export async function watchRoot(root: WatchedRoot, onHint: (hint: WatchHint) => void): Promise<() => Promise<void>> {
  const watch = new RootWatch(root, onHint);
  await watch.begin();
  return () => watch.end();
}

/** Keeps backend below a root for as long as there is one, and begins anew whenever it is another. */
class RootWatch {
  readonly #root: WatchedRoot;
  readonly #onHint: (hint: WatchHint) => void;
  readonly #backend: WatchBackend;
  /** Of the folder that is watched; `undefined` while none is. */
  #identity: string | undefined;
  /** Why none is watched, so that it is told once. */
  #trouble = "";
  #restartReason: string | undefined;
  #processTimer: Timer | undefined;
  #checkTimer: Timer | undefined;
  #checkIsQueued = false;
  /** What is done about events, one after the other. */
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

  /** In a task of its own: what the receiver throws is its own affair and must not stop the watch. */
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
    // Ended while it started: what was begun since then is still there.
    if (this.#ended) return this.#backend.stop();
    this.#identity = identity;
    this.#trouble = "";
    const timer: Timer | { unref(): void } = this.#checkEvery(CHECK_ROOT_MS);
    if (typeof timer === "object") timer.unref(); // the backend keep the process alive
  }

  /** Nothing is watched until a later check finds the folder. */
  #lose(reason: string): void {
    this.#backend.stop();
    if (this.#ended) return;
    this.#identity = undefined;
    this.#restartReason = undefined;
    this.#checkEvery(AWAIT_ROOT_MS); // keeps the process alive: whoever watches waits for the folder
    if (reason !== this.#trouble) this.#hint({ kind: "rescan", reason });
    this.#trouble = reason;
  }
}
