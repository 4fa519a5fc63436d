import { type FSWatcher, watch } from "node:fs";
import { errorMessage } from "../../errors.ts";
import { joinPath } from "../file-system.ts";
import { systemCode } from "./errors.ts";
import type { Sentries, SentryPost } from "./watch.ts";

/** Lets the system watch all that is below the root; it names the entry of each event. */
export class RecursiveSentry implements Sentries {
  readonly #post: SentryPost;
  #watcher: FSWatcher | undefined;
  readonly #dirty: Set<string> = new Set();
  /** What came or went. A folder that was moved in gives one event, whatever it holds. */
  readonly #renamed: Set<string> = new Set();

  constructor(post: SentryPost) {
    this.#post = post;
  }

  async start(): Promise<void> {
    this.#watcher = watch(this.#post.path, { recursive: true }, (type, name) => this.#onEvent(type, name)).on("error", (error) =>
      this.#post.restart(errorMessage(error)),
    );
  }

  async settle(): Promise<void> {
    const dirty = [...this.#dirty];
    const pending = [...this.#renamed];
    this.#dirty.clear();
    this.#renamed.clear();
    for (const directory of dirty) this.#hintAt(directory);
    for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
      const folders = await this.#foldersIn(path);
      if (folders === undefined) continue;
      this.#hintAt(path);
      for (const folder of folders) pending.push(folder);
    }
  }

  async retry(): Promise<void> {
    // One watch covers everything: it is there or `start` has failed.
  }

  stop(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#dirty.clear();
    this.#renamed.clear();
  }

  #hintAt(directory: string): void {
    this.#post.hint({ kind: "dirty", directory: joinPath(this.#post.path, directory) });
  }

  /** Relative paths of the folders in one; `undefined` where the path is no folder that can be read. */
  async #foldersIn(relative: string): Promise<string[] | undefined> {
    try {
      const path = joinPath(this.#post.path, relative);
      if (!(await this.#post.calls.lstat(path)).isDirectory()) return undefined;
      const entries = await this.#post.calls.readdir(path);
      return entries
        .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
        .map((entry) => joinPath(relative, entry.name));
    } catch (error) {
      if (systemCode(error) !== "ENOENT") this.#post.hint({ kind: "rescan", reason: errorMessage(error) });
      return undefined;
    }
  }

  #onEvent(type: string, name: string | null): void {
    if (name === null) return this.#post.hint({ kind: "rescan", reason: "the system did not say what changed" });
    const parts = name.split(/[\\/]/);
    if (parts.slice(0, -1).some((part) => part.startsWith("."))) return;
    this.#dirty.add(parts.slice(0, -1).join("/"));
    if (type === "rename") this.#renamed.add(parts.join("/"));
    this.#post.settleSoon();
  }
}
