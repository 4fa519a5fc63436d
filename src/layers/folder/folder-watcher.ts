import type { Clock } from "../../clock.ts";
import type { FileSystem } from "../../fs/file-system.ts";
import { withTimeout } from "../../with-timeout.ts";

export interface FolderWatcherOptions {
  /** For how long hints are gathered before a rescan, in milliseconds. */
  readonly gatherMs: number;
  /** Delay between full rescans, regardless of hints, in milliseconds; `Infinity` disables them. */
  readonly rescanIntervalMs: number;
  /** Called for every hint, before it is gathered. @param directory `undefined`: anything may have changed */
  readonly onHint?: ((directory: string | undefined) => void) | undefined;
}

/** Above this number of changed folders, a full rescan is cheaper. */
const MAX_DIRTY_FOLDERS = 256;

/**
 * How long `start` waits for the watch to begin, and `stop` for it to end, in milliseconds. A watch that begins later is used
 * as well.
 */
const WATCH_TIMEOUT_MS = 5_000;

/**
 * Triggers rescans: gathers hints at changed folders and rescans those together. It also rescans everything at regular
 * intervals, however many hints come in between, because hints get lost. Rescans never overlap.
 */
export class FolderWatcher {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #options: FolderWatcherOptions;
  /** Rescans these folders, or everything. Reports its own failures. */
  readonly #rescan: (folders: readonly string[] | "all") => Promise<void>;
  readonly #dirty = new Set<string>();
  #isAllDirty = false;
  #running: Promise<void> | undefined;
  #cancelGather: (() => void) | undefined;
  #cancelRescan: (() => void) | undefined;
  #unwatch: (() => Promise<void>) | undefined;
  #stopped = false;
  #stopping: Promise<void> | undefined;

  constructor(
    fs: FileSystem,
    path: string,
    clock: Clock,
    options: FolderWatcherOptions,
    rescan: (folders: readonly string[] | "all") => Promise<void>,
  ) {
    this.#fs = fs;
    this.#path = path;
    this.#clock = clock;
    this.#options = options;
    this.#rescan = rescan;
  }

  /**
   * Does nothing if it was stopped already.
   * @throws FoldspaceError if the file system refuses to watch
   */
  async start(): Promise<void> {
    if (this.#stopped) return;
    await this.#withinTime(this.#watch());
    // finds changes from before the watch began
    await this.rescan();
  }

  async #watch(): Promise<void> {
    const since = this.#clock.now();
    const unwatch = await this.#fs.watch?.(this.#path, (hint) => {
      this.#options.onHint?.(hint.kind === "rescan" ? undefined : hint.directory);
      if (hint.kind === "rescan") this.#isAllDirty = true;
      else this.#dirty.add(hint.directory);
      this.#gather();
    });
    if (this.#stopped) return await unwatch?.();
    this.#unwatch = unwatch;
    // `start` no longer waits for this late watch: finds changes from before it began
    if (this.#clock.now() - since >= WATCH_TIMEOUT_MS) void this.rescan();
  }

  /** Rescans everything, now or when the running rescan has ended. */
  async rescan(): Promise<void> {
    this.#isAllDirty = true;
    await this.#running;
    await this.#run();
  }

  /** Resolves when the running rescan has ended, also for repeated calls. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelGather?.();
    this.#cancelRescan?.();
    if (this.#unwatch) await this.#withinTime(this.#unwatch());
    await this.#running;
  }

  /** Waits for a task until the timeout; a late task continues. */
  async #withinTime(task: Promise<void>): Promise<void> {
    const late = new Error("The watch does not answer in time");
    try {
      await withTimeout(task, WATCH_TIMEOUT_MS, this.#clock, () => late);
    } catch (error) {
      if (error !== late) throw error;
    }
  }

  #gather(): void {
    if (this.#stopped || this.#running || this.#cancelGather) return;
    this.#cancelGather = this.#clock.schedule(this.#options.gatherMs, () => {
      this.#cancelGather = undefined;
      void this.#run();
    });
  }

  /** Never rejects, because `#rescan` reports its own failures. */
  #run(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.#running ??= this.#rescanDirty().finally(() => {
      this.#running = undefined;
      if (this.#isAllDirty || this.#dirty.size > 0) this.#gather();
    });
    return this.#running;
  }

  async #rescanDirty(): Promise<void> {
    const folders = this.#isAllDirty || this.#dirty.size > MAX_DIRTY_FOLDERS ? "all" : [...this.#dirty];
    this.#isAllDirty = false;
    this.#dirty.clear();
    if (folders === "all" || folders.length > 0) await this.#rescan(folders);
    if (folders === "all") this.#scheduleRescan();
  }

  #scheduleRescan(): void {
    this.#cancelRescan?.();
    if (this.#stopped) return;
    this.#cancelRescan = this.#clock.schedule(this.#options.rescanIntervalMs, () => void this.rescan());
  }
}
