import { errorMessage } from "../../errors.ts";
import { joinPath } from "../file-system.ts";
import type { WatchBackend, WatchHost } from "./watch-root.ts";

/** What tells of changes anywhere below a folder. */
export interface RecursiveWatch {
  /** @returns what ends it */
  begin(listener: ChangeListener): (() => void) | Promise<() => void>;
  /** Names of the folders in one; `undefined` where the path is no folder that is there. */
  foldersIn(path: string): Promise<readonly string[] | undefined>;
  /**
   * After that time a new folder is looked through once more, as what came while the system began to watch it is told
   * by nobody. In milliseconds.
   */
  readonly lookAgainMs?: number;
}

export interface ChangeListener {
  /**
   * @param path of an entry, relative to the root
   * @param mayBeNewFolder whether the entry came, went or was renamed
   */
  readonly onChange: (path: string, mayBeNewFolder: boolean) => void;
  /** Something changed, and the system did not say where. */
  readonly onChangeAnywhere: (reason: string) => void;
  /** Events were lost, or the watch is. */
  readonly onLoss: (reason: string) => void;
}

/** From so many new folders on, looking at everything is cheaper. */
const MAX_NEW_FOLDERS = 256;

/** Lets the system watch all that is below the root; it names the entry of each event. */
export class RecursiveWatchBackend implements WatchBackend {
  readonly #host: WatchHost;
  readonly #watch: RecursiveWatch;
  #stopWatching: (() => void) | undefined;
  readonly #dirty: Set<string> = new Set();
  /** What came or went. A folder that was moved in gives one event, whatever it holds. */
  readonly #renamed: Set<string> = new Set();
  #rescanReason: string | undefined;
  readonly #timers: Set<ReturnType<typeof setTimeout>> = new Set();

  constructor(host: WatchHost, watch: RecursiveWatch) {
    this.#host = host;
    this.#watch = watch;
  }

  async start(): Promise<void> {
    this.#stopWatching = await this.#watch.begin({
      onChange: (path, mayBeNewFolder) => this.#onChange(path, mayBeNewFolder),
      onChangeAnywhere: (reason) => {
        this.#rescanReason ??= reason;
        this.#host.processSoon();
      },
      onLoss: (reason) => this.#host.restart(reason),
    });
  }

  async processEvents(): Promise<void> {
    const dirty = [...this.#dirty];
    const renamed = [...this.#renamed];
    if (this.#rescanReason !== undefined) this.#host.hint({ kind: "rescan", reason: this.#rescanReason });
    this.#forget();
    for (const directory of dirty) this.#hintAt(directory);
    const folders = await this.#lookThrough(renamed);
    const { lookAgainMs } = this.#watch;
    if (lookAgainMs === undefined || folders.length === 0) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#lookThrough(folders);
    }, lookAgainMs);
    this.#timers.add(timer);
  }

  async retry(): Promise<void> {
    // One watch covers everything: it is there or `start` has failed.
  }

  stop(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#forget();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #forget(): void {
    this.#dirty.clear();
    this.#renamed.clear();
    this.#rescanReason = undefined;
  }

  /** Hints at those of the paths that are folders, and at all folders in them. @returns those of the paths */
  async #lookThrough(paths: readonly string[]): Promise<string[]> {
    const folders: string[] = [];
    const pending = paths.map((path) => ({ path, isGiven: true }));
    for (let found = 0, next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { path, isGiven } = next;
      const names = await this.#foldersIn(path);
      if (names === undefined) continue;
      if (isGiven) folders.push(path);
      found += 1;
      if (found > MAX_NEW_FOLDERS) {
        this.#host.hint({ kind: "rescan", reason: "many new folders" });
        break;
      }
      this.#hintAt(path);
      for (const name of names) if (!name.startsWith(".")) pending.push({ path: joinPath(path, name), isGiven: false });
    }
    return folders;
  }

  #hintAt(directory: string): void {
    this.#host.hint({ kind: "dirty", directory: joinPath(this.#host.path, directory) });
  }

  /** @returns `undefined` where the path is no folder that can be read */
  async #foldersIn(relative: string): Promise<readonly string[] | undefined> {
    try {
      return await this.#watch.foldersIn(joinPath(this.#host.path, relative));
    } catch (error) {
      this.#host.hint({ kind: "rescan", reason: errorMessage(error) });
      return undefined;
    }
  }

  #onChange(path: string, mayBeNewFolder: boolean): void {
    const parts = path.split("/");
    if (parts.slice(0, -1).some((part) => part.startsWith("."))) return;
    this.#dirty.add(parts.slice(0, -1).join("/"));
    if (mayBeNewFolder) this.#renamed.add(path);
    this.#host.processSoon();
  }
}
