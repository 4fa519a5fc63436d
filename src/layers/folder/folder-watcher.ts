import type { Clock } from "../../clock.ts";
import { ChangedFolders } from "../../fs/changed-folders.ts";
import type { FileSystem, WatchHint, WatchOptions } from "../../fs/file-system.ts";
import { withTimeout } from "../../with-timeout.ts";

/** A folder to rescan, without the folders below. */
export type ChangedFolder = readonly [path: string, names: readonly string[] | undefined];

export interface FolderWatcherOptions extends WatchOptions {
  /** For how long hints are gathered before a rescan, in milliseconds. */
  readonly gatherMs: number;
  /**
   * Delay between full rescans, regardless of hints, in milliseconds; `Infinity` disables them. If they take long, they are
   * rarer, and rescans of recent files run in between.
   */
  readonly rescanIntervalMs: number;
  /** Called for every hint, before it is gathered. @param directory `undefined`: anything may have changed */
  readonly onHint?: ((directory: string | undefined) => void) | undefined;
}

/** Everything, the files of recent days, or some folders. */
export type RescanScope = "all" | "recent" | readonly ChangedFolder[];

/** Share of the time that regular rescans may take, so that a space at rest costs little however large it is. */
const MAX_SHARE = 0.005;
/** Changes that no hint reported are found after this time at the latest, or after `rescanIntervalMs` if that is longer. */
const MAX_INTERVAL_MS = 10 * 60_000;

/** Above this number of changed folders, a full rescan is cheaper. */
const MAX_DIRTY_FOLDERS = 256;

/**
 * How long `start` waits for the watch to begin, and `stop` for it to end, in milliseconds. A watch that begins later is used
 * as well.
 */
const WATCH_TIMEOUT_MS = 5_000;

/**
 * Triggers rescans: gathers hints at changed folders and rescans those together. It also rescans everything at regular
 * intervals, however many hints come in between, because hints get lost, and some file systems give none. Rescans never overlap.
 */
export class FolderWatcher {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #options: FolderWatcherOptions;
  /** Reports its own failures. */
  readonly #rescan: (scope: RescanScope) => Promise<void>;
  readonly #dirty = new ChangedFolders<string>();
  #isAllDirty = false;
  #isRecentDue = false;
  #running: Promise<void> | undefined;
  #cancelGather: (() => void) | undefined;
  #cancelRescan: (() => void) | undefined;
  #cancelRecent: (() => void) | undefined;
  #unwatch: (() => Promise<void>) | undefined;
  #stopped = false;
  #stopping: Promise<void> | undefined;

  constructor(
    fs: FileSystem,
    path: string,
    clock: Clock,
    options: FolderWatcherOptions,
    rescan: (scope: RescanScope) => Promise<void>,
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
    const onHint = (hint: WatchHint): void => {
      this.#options.onHint?.(hint.kind === "rescan" ? undefined : hint.directory);
      if (hint.kind === "rescan") this.#isAllDirty = true;
      else this.#dirty.add(hint.directory, hint.names);
      this.#gather();
    };
    const unwatch = await this.#fs.watch?.(this.#path, onHint, this.#options);
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
    this.#cancelRecent?.();
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
      if (this.#isAllDirty || this.#isRecentDue || this.#dirty.size > 0) this.#gather();
    });
    return this.#running;
  }

  async #rescanDirty(): Promise<void> {
    const isAll = this.#isAllDirty || this.#dirty.size > MAX_DIRTY_FOLDERS;
    this.#isAllDirty = false;
    const dirty = this.#dirty.take();
    const isRecentDue = this.#isRecentDue && !isAll;
    this.#isRecentDue = false;
    const since = this.#clock.now();
    if (isAll) {
      await this.#rescan("all");
      this.#scheduleRescan(this.#clock.now() - since);
      return;
    }
    if (isRecentDue) {
      await this.#rescan("recent");
      this.#scheduleRecent(this.#clock.now() - since);
    }
    if (dirty.length > 0) await this.#rescan(dirty);
  }

  /** @param lastMs how long the last full rescan took */
  #scheduleRescan(lastMs: number): void {
    this.#cancelRescan?.();
    if (this.#stopped) return;
    const delayMs = this.#delayAfter(lastMs);
    this.#cancelRescan = this.#clock.schedule(delayMs, () => void this.rescan());
    if (delayMs > this.#options.rescanIntervalMs) this.#scheduleRecent(0);
    else this.#cancelRecent?.();
  }

  /** @param lastMs how long the last such rescan took */
  #scheduleRecent(lastMs: number): void {
    this.#cancelRecent?.();
    if (this.#stopped) return;
    this.#cancelRecent = this.#clock.schedule(this.#delayAfter(lastMs), () => {
      this.#isRecentDue = true;
      void this.#run();
    });
  }

  #delayAfter(lastMs: number): number {
    return Math.max(this.#options.rescanIntervalMs, Math.min(lastMs / MAX_SHARE, MAX_INTERVAL_MS));
  }
}
