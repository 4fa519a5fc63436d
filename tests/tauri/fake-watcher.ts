import * as fs from "node:fs";
import { join } from "node:path";
import { systemCode } from "../../src/errors.ts";

/** An event in the form of version 2 of the fs plugin. */
export interface PluginEvent {
  readonly type: unknown;
  readonly paths: readonly string[];
  readonly attrs: Record<string, unknown>;
}

/**
 * Watches as the crate `notify` does on Linux: a watch for each folder, and of a folder that is new it tells first and
 * watches it afterwards, so that what came into it meanwhile is never told.
 */
export class FakeWatcher {
  readonly #root: string;
  readonly #emit: (event: PluginEvent) => void;
  readonly #watchers: Map<string, fs.FSWatcher> = new Map();

  constructor(root: string, emit: (event: PluginEvent) => void) {
    this.#root = root;
    this.#emit = emit;
    this.#watch(root);
  }

  close(): void {
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(folder: string): void {
    this.#watchers.get(folder)?.close();
    const watcher = fs.watch(folder, (type, name) => this.#onEvent(folder, type, name ?? ""));
    watcher.on("error", () => this.#unwatch(folder));
    this.#watchers.set(folder, watcher);
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) this.#watch(join(folder, entry.name));
    }
  }

  #unwatch(folder: string): void {
    for (const [path, watcher] of this.#watchers) {
      if (path !== folder && !path.startsWith(`${folder}/`)) continue;
      watcher.close();
      this.#watchers.delete(path);
    }
  }

  #onEvent(folder: string, type: string, name: string): void {
    const path = join(folder, name);
    if (type === "change") return this.#tellOfContent(path);
    const stats = fs.lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) {
      const gone = folder === this.#root && !fs.existsSync(folder) ? folder : path;
      this.#unwatch(gone);
      return this.#tell({ remove: { kind: "file" } }, gone);
    }
    this.#unwatch(path);
    if (!stats.isDirectory()) {
      this.#tell({ modify: { kind: "rename", mode: "to" } }, path);
      return this.#tellOfContent(path);
    }
    this.#tell({ create: { kind: "folder" } }, path);
    try {
      this.#watch(path);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  #tellOfContent(path: string): void {
    this.#tell({ access: { kind: "open", mode: "any" } }, path);
    this.#tell({ modify: { kind: "data", mode: "any" } }, path);
    this.#tell({ access: { kind: "close", mode: "write" } }, path);
  }

  #tell(type: unknown, path: string): void {
    this.#emit({ type, paths: [path], attrs: {} });
  }
}

function isGone(error: unknown): boolean {
  return systemCode(error) === "ENOENT";
}
