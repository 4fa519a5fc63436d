import { type FSWatcher, watch } from "node:fs";
import { basename } from "node:path";
import { errorMessage, systemCode } from "../../errors.ts";
import type { WatchBackend, WatchHost } from "../watch/watch-root.ts";
import type { Calls } from "./calls.ts";

/**
 * Half of the events that Linux queues by default before it silently drops events. The queue is emptied in one go, so
 * that many events between two calls of `processEvents` may mean that it was full. The other half is for other watches
 * of the process.
 */
const LOSS_IS_LIKELY_EVENTS = 8192;

/** A folder below the root, with the path at which it was found. */
class Folder {
  readonly path: string;
  readonly parent: Folder | undefined;
  readonly name: string;
  watcher: FSWatcher | undefined;
  /** Created with the first child: most folders of a space have no folders in them. */
  children: Map<string, Folder> | undefined;

  constructor(name: string, parent?: Folder) {
    this.name = name;
    this.parent = parent;
    this.path = parent === undefined ? name : `${parent.path}/${name}`;
  }
}

/** Watches every folder separately. Skips folders whose name starts with ".": they belong to Git and to sync programs. */
export class PerFolderWatch implements WatchBackend {
  readonly #host: WatchHost;
  readonly #calls: Calls;
  #root: Folder;
  /** Folders in which something changed. */
  readonly #dirty: Set<Folder> = new Set();
  /** Folders in which an entry, perhaps a folder, came or went. */
  readonly #unlisted: Set<Folder> = new Set();
  /** Folders whose own entry came or went: another folder may be there now, even with the same inode number. */
  readonly #suspects: Set<Folder> = new Set();
  /** Folders that the system refused to watch. */
  readonly #refused: Set<Folder> = new Set();
  #events = 0;

  constructor(host: WatchHost, calls: Calls) {
    this.#host = host;
    this.#calls = calls;
    this.#root = new Folder(host.path);
  }

  async start(): Promise<void> {
    this.#root = new Folder(this.#host.path);
    this.#root.watcher = this.#watch(this.#root);
    await this.#explore([this.#root], false);
  }

  async processEvents(): Promise<void> {
    const events = this.#events;
    this.#events = 0;
    if (events >= LOSS_IS_LIKELY_EVENTS) return this.#host.restart("so much changed at once that events may be lost");
    for (const suspect of this.#suspects) this.#drop(suspect);
    for (const folder of this.#dirty) this.#hintAt(folder);
    const unlisted = [...this.#unlisted].filter((folder) => folder.watcher !== undefined);
    for (const set of [this.#suspects, this.#dirty, this.#unlisted]) set.clear();
    await this.#explore(unlisted, true);
  }

  async retry(): Promise<void> {
    for (const folder of this.#refused) {
      if (!this.#tryWatch(folder)) break;
      this.#hintAt(folder);
      await this.#explore([folder], true);
    }
  }

  stop(): void {
    this.#drop(this.#root);
    for (const set of [this.#suspects, this.#dirty, this.#unlisted, this.#refused]) set.clear();
    this.#events = 0;
  }

  #hintAt(folder: Folder): void {
    if (folder.watcher !== undefined) this.#host.hint({ kind: "dirty", directory: folder.path });
  }

  /** Lists folders and every new folder in them, the most recent finds first. */
  async #explore(folders: Folder[], hintAtFinds: boolean): Promise<void> {
    const pending = folders;
    while (pending.length > 0) {
      const batch = pending.splice(-this.#calls.width);
      for (const found of await Promise.all(batch.map((folder) => this.#list(folder)))) {
        for (const folder of found) {
          if (hintAtFinds) this.#hintAt(folder);
          pending.push(folder);
        }
      }
    }
  }

  /** Drops folders that are gone and watches new ones. The hint comes after that, so that later files in them give events. */
  async #list(folder: Folder): Promise<Folder[]> {
    let names: string[];
    try {
      const entries = await this.#calls.readdir(folder.path);
      names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map((entry) => entry.name);
    } catch (error) {
      if (folder === this.#root) throw error;
      if (folder.watcher !== undefined) this.#refuse(folder, error);
      return [];
    }
    if (folder.watcher === undefined) return []; // dropped while it was being listed
    const present = new Set(names);
    for (const child of folder.children?.values() ?? []) if (!present.has(child.name)) this.#drop(child);
    const found: Folder[] = [];
    for (const name of names) {
      if (folder.children?.has(name)) continue;
      const child = new Folder(name, folder);
      (folder.children ??= new Map()).set(name, child);
      if (this.#tryWatch(child)) found.push(child);
    }
    return found;
  }

  /** @returns whether the folder is watched now */
  #tryWatch(folder: Folder): boolean {
    try {
      folder.watcher = this.#watch(folder);
      this.#refused.delete(folder);
      return true;
    } catch (error) {
      this.#refuse(folder, error);
      return false;
    }
  }

  #watch(folder: Folder): FSWatcher {
    return watch(folder.path, (type, name) => this.#onEvent(folder, type, name)).on("error", (error) =>
      this.#host.restart(errorMessage(error)),
    );
  }

  #refuse(folder: Folder, error: unknown): void {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return this.#drop(folder);
    this.#stopWatching(folder);
    if (this.#refused.size === 0) {
      const isLimit = code === "ENOSPC" || code === "EMFILE";
      const why = isLimit ? "the system's limit of watches or open files is reached" : errorMessage(error);
      this.#host.hint({ kind: "rescan", reason: `${folder.path} and perhaps others cannot be watched: ${why}` });
    }
    // Moved to the end: `retry` stops at the first folder that is refused again, so each time it starts with another one.
    this.#refused.delete(folder);
    this.#refused.add(folder);
  }

  #onEvent(folder: Folder, type: string, name: string | null): void {
    const isRoot = folder === this.#root;
    if (name?.startsWith(".") && !isRoot) return;
    this.#events += 1;
    this.#dirty.add(folder);
    if (type === "rename") {
      this.#unlisted.add(folder);
      const child = folder.children?.get(name ?? "");
      if (child !== undefined) this.#suspects.add(child);
      // The root itself was moved, deleted or unmounted: such an event carries the root's own name.
      else if (isRoot && name === basename(folder.path)) this.#host.restart("the folder was replaced");
    }
    this.#host.processSoon();
  }

  /** Drops a folder and everything below it. It does not recurse, because nesting may be deep. */
  #drop(folder: Folder): void {
    if (folder.parent?.children?.get(folder.name) === folder) folder.parent.children.delete(folder.name);
    const pending = [folder];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      this.#stopWatching(next);
      this.#refused.delete(next);
      for (const child of next.children?.values() ?? []) pending.push(child);
      next.children = undefined;
    }
  }

  #stopWatching(folder: Folder): void {
    folder.watcher?.close();
    folder.watcher = undefined;
  }
}
