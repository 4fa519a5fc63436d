import { joinPath, type WatchHint } from "../file-system.ts";
import { browserGlobals, type ChangeRecord, type Observer } from "./browser-types.ts";
import { isMissing, webFileSystemError } from "./errors.ts";

export interface WatchTask {
  readonly path: string;
  /** Gets a fresh handle of the folder. Rejects with `NotFoundError` while there is none. */
  readonly open: () => Promise<FileSystemDirectoryHandle>;
  readonly onHint: (hint: WatchHint) => void;
  readonly pollIntervalMs: number;
}

/** Whether a folder that is gone is back; nothing else is noticed until then. */
const AWAIT_ROOT_MS = 250;
/** After that time a new folder is looked through again: what came while the browser began to observe it is told by nobody. */
const PROCESS_DELAY_MS = 300;
/** From so many new folders on, looking at everything is cheaper. */
const MAX_NEW_FOLDERS = 256;

/** @returns a function that ends it */
export async function watchFolder(task: WatchTask): Promise<() => Promise<void>> {
  if (!browserGlobals().FileSystemObserver) return pollFolder(task);
  const watch = new ObservedFolder(task);
  await watch.start();
  return async () => watch.end();
}

function pollFolder({ onHint, pollIntervalMs }: WatchTask): () => Promise<void> {
  const timer = setInterval(() => onHint({ kind: "rescan", reason: "this browser tells of no changes" }), pollIntervalMs);
  return async () => clearInterval(timer);
}

/** Observes a folder for as long as it is there, and begins anew when it is back. */
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
      // where it is there and cannot be observed, looking regularly takes the place of being told
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
    // Ended while it started: what was begun since then is still there.
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
    // a folder that came in is told of, those in it are not
    const folder = changedHandle as FileSystemDirectoryHandle;
    this.#later(0, () => this.#lookThrough(folder, names));
    this.#later(PROCESS_DELAY_MS, () => this.#lookThrough(folder, names));
  }

  /** Hints at a folder and all that are in it. */
  async #lookThrough(root: FileSystemDirectoryHandle, rootNames: readonly string[]): Promise<void> {
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
      // gone again: that will be told too
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

  /** In a task of its own: what the receiver throws is its own affair and must not stop the watch. */
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
