import { joinPath, type WatchHint } from "../file-system.ts";
import { browserGlobals, type ChangeRecord, type Observer } from "./browser-types.ts";
import { isMissing, webFileSystemError } from "./errors.ts";

export interface WatchTask {
  readonly path: string;
  /** Gets a fresh handle of the folder. Rejects with `NotFoundError` if the folder is missing. */
  readonly open: () => Promise<FileSystemDirectoryHandle>;
  readonly onHint: (hint: WatchHint) => void;
  readonly pollIntervalMs: number;
}

/** Interval for checking whether a missing folder is back; no change is noticed until then. */
const AWAIT_ROOT_MS = 250;
/** After this time a new folder is scanned again, because the browser does not report changes in it while the observation of it begins. */
const PROCESS_DELAY_MS = 300;
/** Above this number of new folders, a full rescan is cheaper. */
const MAX_NEW_FOLDERS = 256;

/** @returns a function that ends the watch */
export async function watchFolder(task: WatchTask): Promise<() => Promise<void>> {
  if (!browserGlobals().FileSystemObserver) return pollFolder(task);
  const watch = new ObservedFolder(task);
  await watch.start();
  return async () => watch.end();
}

function pollFolder({ onHint, pollIntervalMs }: WatchTask): () => Promise<void> {
  const timer = setInterval(() => onHint({ kind: "rescan", reason: "this browser reports no changes" }), pollIntervalMs);
  return async () => clearInterval(timer);
}

/** Observes a folder while it exists, and starts again when it is back. */
class ObservedFolder {
  readonly #task: WatchTask;
  #observer: Observer | undefined;
  /** Why nothing is observed. */
  #trouble: string | undefined;
  readonly #timers: Set<ReturnType<typeof setTimeout>> = new Set();
  #ended = false;

  constructor(task: WatchTask) {
    this.#task = task;
  }

  async start(): Promise<void> {
    const { path, pollIntervalMs } = this.#task;
    try {
      await this.#observe();
    } catch (cause) {
      const { message } = webFileSystemError("watch", path, cause);
      // if the folder exists and cannot be observed, regular rescans replace the events
      if (message !== this.#trouble || !isMissing(cause)) this.#hint({ kind: "rescan", reason: message });
      this.#trouble = message;
      this.#later(isMissing(cause) ? AWAIT_ROOT_MS : pollIntervalMs, () => this.start());
    }
  }

  end(): void {
    this.#ended = true;
    this.#observer?.disconnect();
    for (const timer of this.#timers) clearTimeout(timer);
  }

  async #observe(): Promise<void> {
    const folder = await this.#task.open();
    const { FileSystemObserver } = browserGlobals();
    if (!FileSystemObserver || this.#ended) return;
    const observer = new FileSystemObserver((records) => {
      if (this.#observer === observer) for (const record of records) this.#receive(record);
    });
    this.#observer = observer;
    await observer.observe(folder, { recursive: true });
    // The watch has ended while it was starting: disconnect what has begun since.
    if (this.#ended) return observer.disconnect();
    if (this.#trouble !== undefined) this.#hint({ kind: "rescan", reason: "the folder is back" });
    this.#trouble = undefined;
  }

  #receive({ type, relativePathComponents: names, relativePathMovedFrom: oldNames, changedHandle }: ChangeRecord): void {
    if (type === "errored" || type === "unknown") return this.#restart("the browser lost track of changes");
    if (type === "disappeared" && names.length === 0) return this.#restart("the folder is gone");
    this.#dirty(names.slice(0, -1));
    if (oldNames) this.#dirty(oldNames.slice(0, -1));
    if (type === "modified" || changedHandle?.kind !== "directory") return;
    // the browser reports a folder that was moved in, but not the folders below it
    const folder = changedHandle as FileSystemDirectoryHandle;
    this.#later(0, () => this.#hintBelow(folder, names));
    this.#later(PROCESS_DELAY_MS, () => this.#hintBelow(folder, names));
  }

  /** Hints at a folder and all folders below it. */
  async #hintBelow(root: FileSystemDirectoryHandle, rootNames: readonly string[]): Promise<void> {
    const open = [{ folder: root, names: rootNames }];
    let found = 0;
    try {
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        this.#dirty(next.names);
        for await (const [name, entry] of next.folder.entries()) {
          if (this.#ended) return;
          if (entry.kind !== "directory") continue;
          found += 1;
          if (found > MAX_NEW_FOLDERS) return this.#hint({ kind: "rescan", reason: "many new folders" });
          open.push({ folder: entry, names: [...next.names, name] });
        }
      }
    } catch (cause) {
      const { path } = this.#task;
      // gone again: another event will report that
      if (!isMissing(cause)) this.#hint({ kind: "rescan", reason: webFileSystemError("watch", path, cause).message });
    }
  }

  #restart(reason: string): void {
    this.#observer?.disconnect();
    this.#observer = undefined;
    this.#trouble = reason;
    this.#hint({ kind: "rescan", reason });
    this.#later(AWAIT_ROOT_MS, () => this.start());
  }

  #dirty(names: readonly string[]): void {
    this.#hint({ kind: "dirty", directory: joinPath(this.#task.path, ...names) });
  }

  /** Runs the receiver in its own task, so that an error that it throws does not stop the watch. */
  #hint(hint: WatchHint): void {
    queueMicrotask(() => {
      if (!this.#ended) this.#task.onHint(hint);
    });
  }

  /** @param step reports its own failures */
  #later(delayMs: number, step: () => Promise<void>): void {
    if (this.#ended) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void step();
    }, delayMs);
    this.#timers.add(timer);
  }
}
