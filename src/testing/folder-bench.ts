import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import type { FileSystem } from "../fs/file-system.ts";
import { FileSystemPersistenceLayer, type FileSystemLayerOptions } from "../layers/folder/file-system-layer.ts";
import type { IncomingChange } from "../layers/persistence-layer.ts";
import type { VertexOperation } from "../tree/index.ts";
import { FaultyFileSystem } from "./faulty-file-system.ts";
import { ManualClock } from "./manual-clock.ts";

export const FOLDER_SPACE: string = "5".repeat(32);
/** Folder of a day's files of the space tree, relative to the space's folder. */
export const FOLDER_DAY: string = `space-v1/ops/55/${"5".repeat(30)}/2026/01/01`;

/** Folder of a day's files of a tree, relative to the space's folder. */
export function dayOf(treeId: string): string {
  return `space-v1/ops/${treeId.slice(0, 2)}/${treeId.slice(2)}/2026/01/01`;
}

export function lines(...counters: number[]): string {
  return counters.map((counter) => `["p",${counter},"vertex","text",${counter}]\n`).join("");
}

export function countersOf(ops: readonly VertexOperation[]): number[] {
  return ops.map((op) => op.id.counter).sort((a, b) => a - b);
}

/** A layer on a folder in memory whose calls can be made to fail or hang. */
export class FolderBench {
  readonly memory: MemoryFileSystem;
  readonly fs: FaultyFileSystem;
  readonly clock: ManualClock = new ManualClock();
  readonly layer: FileSystemPersistenceLayer;
  readonly changes: IncomingChange[] = [];

  /** @param files in addition to `space.json`, relative to the folder */
  constructor(files: Readonly<Record<string, string>> = {}, options: FileSystemLayerOptions = {}) {
    const all = Object.entries({ "space-v1/space.json": `{"id":"${FOLDER_SPACE}"}`, ...files });
    this.memory = new MemoryFileSystem(Object.fromEntries(all.map(([path, text]) => [`/space/${path}`, text])), () =>
      this.clock.now(),
    );
    this.fs = new FaultyFileSystem(this.memory);
    this.layer = new FileSystemPersistenceLayer("/space", FOLDER_SPACE, { fs: this.fs, clock: this.clock, ...options });
  }

  /** Connects, loads trees and listens. */
  async listen(...treeIds: readonly string[]): Promise<void> {
    await this.layer.connect({ peerId: "writer" });
    for (const treeId of treeIds) await this.layer.loadTreeOps(treeId);
    await this.layer.startListening((change) => void this.changes.push(change));
  }

  /** Counters of the operations of a tree that the listener has received. */
  heard(treeId: string): number[] {
    return countersOf(this.changes.flatMap((change) => (change.treeId === treeId ? (change.ops ?? []) : [])));
  }

  /** Appends to a file of the folder, as another device would. */
  async append(path: string, text: string, fs: FileSystem = this.memory): Promise<void> {
    await fs.append(`/space/${path}`, new TextEncoder().encode(text));
  }

  /** Advances the clock until a task has ended. */
  async settle<T>(work: Promise<T>, stepMs = 500): Promise<T> {
    const ended: (() => T)[] = [];
    void work.then(
      (value) => ended.push(() => value),
      (error: unknown) =>
        ended.push(() => {
          throw error;
        }),
    );
    for (let step = 0; ended.length === 0 && step < 2_000; step++) await this.clock.advance(stepMs);
    const [end] = ended;
    if (!end) throw new Error("The task does not end");
    return end();
  }
}
