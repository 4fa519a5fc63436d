import type { Clock } from "../../clock.ts";
import type { FileSystem } from "../../fs/file-system.ts";
import { withTimeout } from "../../with-timeout.ts";

export interface FolderWatcherOptions {
  /** How long hints are gathered before someone looks, in milliseconds. */
  readonly gatherMs: number;
  /** How long after one look at everything the next one comes, hints or not, in milliseconds; after `Infinity`, never. */
  readonly rescanIntervalMs: number;
  /** Called for every hint, before it is gathered. @param directory `undefined`: anything may have changed */
  readonly onHint?: ((directory: string | undefined) => void) | undefined;
}

/** Above so many changed folders, looking at everything is cheaper. */
const MAX_DIRTY_FOLDERS = 256;

/** So long, in milliseconds, listening waits for the watch to begin, and its end for the watch to end. One that begins later is taken as well. */
const WATCH_TIMEOUT_MS = 5_000;

/**
 * Turns hints into looks: gathers what changed folders are hinted at, has them looked at together, and has everything
 * looked at now and then, because hints get lost: in time, however many hints come in between. Looks never overlap.
 */
export class FolderWatcher {
  readonly #fs: FileSystem;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #options: FolderWatcherOptions;
  /** Looks at these folders, or at everything. Reports its own failures. */
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
    look: (folders: readonly string[] | "all") => Promise<void>,
  ) {
    this.#fs = fs;
    this.#path = path;
    this.#clock = clock;
    this.#options = options;
    this.#rescan = look;
  }

  /**
   * Does nothing where it was stopped already.
   * @throws FoldspaceError where the file system refuses to watch
   */
  async start(): Promise<void> {
    if (this.#stopped) return;
    await this.#withinTime(this.#watch());
    // what changed before the watch was on
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
    // nobody waits for it any more
    if (this.#clock.now() - since >= WATCH_TIMEOUT_MS) void this.rescan();
  }

  /** Looks at everything, now or as soon as the running look is done. */
  async rescan(): Promise<void> {
    this.#isAllDirty = true;
    await this.#running;
    await this.#run();
  }

  /** Resolves when the look under way is done, also for whoever asks once more. */
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

  /** Waits no longer than long enough; what is late goes on. */
  async #withinTime(task: Promise<void>): Promise<void> {
    const late = new Error("It takes long");
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

  /** Never rejects, as looking reports its own failures. */
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
