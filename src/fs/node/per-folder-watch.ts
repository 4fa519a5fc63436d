import { type FSWatcher, watch } from "node:fs";
import { basename } from "node:path";
import { errorMessage, systemCode } from "../../errors.ts";
import { ChangedFolders } from "../changed-folders.ts";
import { joinPath } from "../file-system.ts";
import type { WatchBackend, WatchHost } from "../watch/watch-root.ts";
import type { Calls } from "./calls.ts";
import { isMissing } from "./errors.ts";

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
  /** Whether it needs no watch. */
  readonly isSkipped: boolean;
  isDropped = false;
  /** Created with the first child: most folders of a space have no folders in them. */
  children: Map<string, Folder> | undefined;

  constructor(name: string, parent?: Folder, isSkipped = false) {
    this.name = name;
    this.parent = parent;
    this.isSkipped = isSkipped;
    this.path = parent === undefined ? name : `${parent.path}/${name}`;
  }
}

/**
 * Watches every folder separately, except those that need no watch. Ignores folders whose name starts with ".": they belong to
 * Git and to sync programs.
 */
export class PerFolderWatch implements WatchBackend {
  readonly #host: WatchHost;
  readonly #calls: Calls;
  readonly #skips: (fullPath: string) => boolean;
  #root: Folder;
  /** Folders in which something changed. */
  readonly #dirty = new ChangedFolders<Folder>();
  /** Folders in which an entry, perhaps a folder, came or went. */
  readonly #unlisted = new ChangedFolders<Folder>();
  /** Folders whose own entry came or went: another folder may be there now, even with the same inode number. */
  readonly #suspects: Set<Folder> = new Set();
  /** Folders that the system refused to watch. */
  readonly #refused: Set<Folder> = new Set();
  #events = 0;

  constructor(host: WatchHost, calls: Calls, skips: (path: string) => boolean = () => false) {
    this.#host = host;
    this.#calls = calls;
    this.#skips = (path) => skips(path.slice(host.path.length + 1));
    this.#root = new Folder(host.path);
  }

  async start(): Promise<void> {
    this.#root = new Folder(this.#host.path);
    this.#root.watcher = this.#watch(this.#root);
    await this.#explore([[this.#root, undefined]], false);
  }

  async processEvents(): Promise<void> {
    const events = this.#events;
    this.#events = 0;
    if (events >= LOSS_IS_LIKELY_EVENTS) return this.#host.restart("so much changed at once that events may be lost");
    for (const suspect of this.#suspects) this.#drop(suspect);
    for (const [folder, names] of this.#dirty.take()) this.#hintAt(folder, names);
    this.#suspects.clear();
    const unlisted = this.#unlisted.take().filter(([folder]) => folder.watcher !== undefined);
    await this.#explore(unlisted, true);
  }

  async retry(): Promise<void> {
    for (const folder of this.#refused) {
      if (!this.#tryWatch(folder)) break;
      this.#hintAt(folder);
      await this.#explore([[folder, undefined]], true);
    }
  }

  stop(): void {
    this.#drop(this.#root);
    for (const set of [this.#suspects, this.#refused]) set.clear();
    for (const changed of [this.#dirty, this.#unlisted]) changed.take();
    this.#events = 0;
  }

  #hintAt(folder: Folder, names?: readonly string[]): void {
    if (!folder.isDropped) this.#host.hint({ kind: "dirty", directory: folder.path, ...(names && { names }) });
  }

  /** Finds new folders in folders, among these entries or all, and every folder in them, the most recent finds first. */
  async #explore(pending: (readonly [Folder, names: readonly string[] | undefined])[], hintAtFinds: boolean): Promise<void> {
    while (pending.length > 0) {
      const batch = pending.splice(-this.#calls.width);
      for (const found of await Promise.all(batch.map(([folder, names]) => this.#find(folder, names, hintAtFinds)))) {
        for (const folder of found) {
          if (hintAtFinds) this.#hintAt(folder);
          pending.push([folder, undefined]);
        }
      }
    }
  }

  /**
   * Drops folders that are gone and watches new ones. The hint comes after that, so that later files in them give events.
   * @param among names of the entries to inspect; all by default
   * @param isNews whether the folders that are found were not there before
   * @returns the new folders to explore
   */
  async #find(folder: Folder, among: readonly string[] | undefined, isNews: boolean): Promise<Folder[]> {
    let names: readonly string[];
    try {
      names = among ? await this.#foldersAmong(folder, among) : await this.#foldersIn(folder);
    } catch (error) {
      if (folder === this.#root) throw error;
      if (folder.watcher !== undefined) this.#refuse(folder, error);
      return [];
    }
    if (folder.isDropped) return []; // while it was being listed
    const present = new Set(names);
    for (const child of folder.children?.values() ?? [])
      if (!present.has(child.name) && (among?.includes(child.name) ?? true)) this.#drop(child);
    const found: Folder[] = [];
    for (const name of names) {
      if (folder.children?.has(name)) continue;
      const child = new Folder(name, folder, folder.isSkipped || this.#skips(joinPath(folder.path, name)));
      (folder.children ??= new Map()).set(name, child);
      if (child.isSkipped ? isNews : this.#tryWatch(child)) found.push(child);
    }
    return found;
  }

  async #foldersIn(folder: Folder): Promise<string[]> {
    const entries = await this.#calls.readdir(folder.path);
    return entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map((entry) => entry.name);
  }

  async #foldersAmong(folder: Folder, names: readonly string[]): Promise<string[]> {
    const folders: string[] = [];
    for (const name of names) {
      try {
        if ((await this.#calls.lstat(joinPath(folder.path, name))).isDirectory()) folders.push(name);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    return folders;
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
    // an event about the root itself has the root's own name
    const isOfRoot = folder === this.#root && name === basename(folder.path);
    if (name?.startsWith(".") && !isOfRoot) return;
    this.#events += 1;
    this.#dirty.add(folder, name === null ? undefined : [name]);
    if (type === "rename") {
      this.#unlisted.add(folder, name === null ? undefined : [name]);
      const child = folder.children?.get(name ?? "");
      if (child !== undefined) this.#suspects.add(child);
      // it was moved, deleted or unmounted
      else if (isOfRoot) this.#host.restart("the folder was replaced");
    }
    this.#host.processSoon();
  }

  /** Drops a folder and everything below it. It does not recurse, because nesting may be deep. */
  #drop(folder: Folder): void {
    if (folder.parent?.children?.get(folder.name) === folder) folder.parent.children.delete(folder.name);
    const pending = [folder];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      next.isDropped = true;
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
