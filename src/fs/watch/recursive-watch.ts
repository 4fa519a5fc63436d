import { errorMessage } from "../../errors.ts";
import { ChangedFolders } from "../changed-folders.ts";
import { joinPath } from "../file-system.ts";
import type { WatchBackend, WatchHost } from "./watch-root.ts";

/** Reports changes anywhere below a folder. */
export interface RecursiveWatch {
  /** @returns a function that ends the watch */
  begin(listener: ChangeListener): (() => void) | Promise<() => void>;
  /** Names of the folders in a folder; `undefined` if the path is not an existing folder. */
  foldersIn(path: string): Promise<readonly string[] | undefined>;
  /**
   * After this time a new folder is scanned once more, because the system does not report changes in it while the watch
   * of it begins. In milliseconds.
   */
  readonly rescanAfterMs?: number;
}

export interface ChangeListener {
  /**
   * @param path of an entry, relative to the root
   * @param mayBeNewFolder whether the entry came, went or was renamed
   */
  readonly onChange: (path: string, mayBeNewFolder: boolean) => void;
  /** Something changed, and the system did not name the place. */
  readonly onChangeAnywhere: (reason: string) => void;
  /** Events were lost, or the watch itself. */
  readonly onLoss: (reason: string) => void;
}

/** Above this number of new folders, a full rescan is cheaper. */
const MAX_NEW_FOLDERS = 256;

/** Lets the system watch everything below the root. Each event names an entry. */
export class RecursiveWatchBackend implements WatchBackend {
  readonly #host: WatchHost;
  readonly #watch: RecursiveWatch;
  #stopWatching: (() => void) | undefined;
  readonly #dirty = new ChangedFolders<string>();
  /** Entries that came or went. A folder that was moved in gives one event, whatever it contains. */
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
    const dirty = this.#dirty.take();
    const renamed = [...this.#renamed];
    if (this.#rescanReason !== undefined) this.#host.hint({ kind: "rescan", reason: this.#rescanReason });
    this.#forget();
    for (const [directory, names] of dirty) this.#hintAt(directory, names);
    const folders = await this.#hintBelow(renamed);
    const { rescanAfterMs } = this.#watch;
    if (rescanAfterMs === undefined || folders.length === 0) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#hintBelow(folders);
    }, rescanAfterMs);
    this.#timers.add(timer);
  }

  async retry(): Promise<void> {
    // One watch covers everything: it is active, or `start` has failed.
  }

  stop(): void {
    this.#stopWatching?.();
    this.#stopWatching = undefined;
    this.#forget();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #forget(): void {
    this.#dirty.take();
    this.#renamed.clear();
    this.#rescanReason = undefined;
  }

  /** Hints at those of the paths that are folders, and at all folders below them. @returns those of the paths that are folders */
  async #hintBelow(paths: readonly string[]): Promise<string[]> {
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

  #hintAt(directory: string, names?: readonly string[]): void {
    this.#host.hint({ kind: "dirty", directory: joinPath(this.#host.path, directory), ...(names && { names }) });
  }

  /** @returns `undefined` if the path is not a readable folder */
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
    this.#dirty.add(parts.slice(0, -1).join("/"), parts.slice(-1));
    if (mayBeNewFolder) this.#renamed.add(path);
    this.#host.processSoon();
  }
}
