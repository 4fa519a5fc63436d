import { deleteDB } from "idb";
import { WebFileSystem } from "../../src/fs/web/index.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { DATABASE_NAME, IndexedDBPersistenceLayer } from "../../src/layers/indexeddb/index.ts";
import type { PersistenceLayer } from "../../src/layers/persistence-layer.ts";
import { errorCode, FoldspaceError } from "../../src/errors.ts";
import type { LayerReport } from "../../src/space/layer-connection.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";
import { asSet } from "../../src/testing/layer-bench.ts";
import { FaultyLayer } from "../../src/testing/layer-faults.ts";
import type { JsonValue, Vertex } from "../../src/tree/index.ts";

// What a page offers to the tests that drive it from outside: everything in and out is plain data.

export type LayerName = "indexeddb" | "folder";

export interface OpenOptions {
  readonly layers: readonly LayerName[];
  readonly create?: boolean;
  /** A layer that does not answer until it is told to. */
  readonly hang?: LayerName;
  readonly timeoutMs?: number;
}

/** A tree, to be compared: its vertices with their properties. */
export interface Snapshot {
  readonly properties: Record<string, JsonValue>;
  readonly children: readonly Snapshot[];
}

const FOLDER_NAME = "folder";

export class Device {
  #space: Space | undefined;
  #layers = new Map<LayerName, FaultyLayer>();
  #folderFs: FaultyFileSystem | undefined;
  #release: () => void = () => undefined;
  #isLocking = false;

  get #open(): Space {
    if (!this.#space) throw new Error("The page has no open space");
    return this.#space;
  }

  async open(spaceId: string, options: OpenOptions): Promise<void> {
    this.#layers = new Map();
    for (const name of options.layers) this.#layers.set(name, new FaultyLayer(await this.#makeLayer(name, spaceId)));
    if (options.hang) this.#release = this.#layers.get(options.hang)!.hang("connect");
    const layers = [...this.#layers.values()];
    const manager = new SpaceManager({ timeoutMs: options.timeoutMs ?? 10_000, peerPool: "device" });
    this.#space = options.create
      ? await manager.createSpace({ persistenceLayers: layers, name: "Space" })
      : await manager.loadSpace({ id: spaceId }, layers);
  }

  /** Lets the layer answer that hangs. */
  release(): void {
    this.#release();
  }

  /** @returns ids of the layers that do not have everything */
  async close(): Promise<readonly string[]> {
    return await notDurableIn(this.#open.close());
  }

  /** @returns ids of the layers that do not have everything */
  async flush(): Promise<readonly string[]> {
    return await notDurableIn(this.#open.flush());
  }

  async whenSynced(): Promise<void> {
    await this.#open.whenSynced();
  }

  async rescan(): Promise<void> {
    await this.#open.rescan();
  }

  status(): readonly (Pick<LayerReport, "id" | "state" | "pendingOps"> & { readonly error: string | undefined })[] {
    return this.#open.status.layers.map(({ id, state, pendingOps, error }) => ({ id, state, pendingOps, error: error?.code }));
  }

  setTitle(title: string): void {
    this.#open.tree.root!.setProperty("title", title);
  }

  title(): JsonValue | undefined {
    return this.#open.tree.root!.getProperty("title");
  }

  /** Adds notes to the space tree. @param text of each, besides its name */
  addNotes(name: string, count: number = 1, text: string = ""): void {
    for (let index = 0; index < count; index++) this.#open.tree.root!.newNamedChild(`${name} ${index}`, { text });
  }

  /**
   * Loads the page anew while much is being saved, and makes an edit at the very last, as a field does that is left.
   * @param delayMs from the beginning of the save
   */
  reloadWhileSaving(delayMs: number): void {
    this.addNotes("much", 2_000, "x".repeat(2_000));
    void this.#open.flush();
    addEventListener("pagehide", () => this.addNotes("at the last"), true);
    setTimeout(() => location.reload(), delayMs);
  }

  /** Keeps every other transaction on the operations waiting. */
  async lockDatabase(): Promise<void> {
    const database = await new Promise<IDBDatabase>((resolve) => {
      const request = indexedDB.open("foldspace");
      request.addEventListener("success", () => resolve(request.result));
    });
    const store = database.transaction("batches", "readwrite").objectStore("batches");
    this.#isLocking = true;
    const hold = (): void => {
      if (this.#isLocking) store.count().addEventListener("success", hold);
      else database.close();
    };
    hold();
  }

  unlockDatabase(): void {
    this.#isLocking = false;
  }

  countNotes(): number {
    return this.#open.tree.root!.children.length;
  }

  /** @returns the tree's id */
  newAppTree(name: string): string {
    return this.#open.newAppTree("notes", name).id;
  }

  async addToAppTree(treeId: string, name: string): Promise<void> {
    (await this.#open.loadAppTree(treeId)).root.newNamedChild(name);
  }

  async snapshots(): Promise<Record<string, Snapshot>> {
    const trees: [string, Snapshot][] = [[this.#open.id, snapshot(this.#open.tree.root!)]];
    for (const { treeId } of this.#open.appTrees) trees.push([treeId!, snapshot((await this.#open.loadAppTree(treeId!)).root)]);
    return Object.fromEntries(trees.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Everything that a layer holds, as a new instance finds it. */
  async stored(spaceId: string, name: LayerName): Promise<Record<string, string[]>> {
    const layer = await this.#makeLayer(name, spaceId);
    await layer.connect();
    const trees: [string, string[]][] = [];
    for (const treeId of (await layer.listTrees()).sort()) trees.push([treeId, asSet(await layer.loadTreeOps(treeId))]);
    await layer.disconnect();
    return Object.fromEntries(trees);
  }

  /** How many operations a layer holds, each as often as it was written. */
  async countStored(spaceId: string, name: LayerName): Promise<number> {
    const layer = await this.#makeLayer(name, spaceId);
    await layer.connect();
    let count = 0;
    for (const treeId of await layer.listTrees()) count += (await layer.loadTreeOps(treeId)).length;
    await layer.disconnect();
    return count;
  }

  /** Has the folder refuse all writing, or take it again. @param writtenBefore how much of a refused append is written all the same */
  refuseWriting(isRefusing: boolean, writtenBefore: number = 0): void {
    const fs = this.#folderFs!;
    fs.writtenBeforeFailing = writtenBefore;
    const error = new FoldspaceError("FOLD_DISK_FULL", "no space left");
    fs.fault = ({ action }) => (isRefusing && (action === "append" || action === "write") ? error : undefined);
  }

  async wipe(name: LayerName): Promise<void> {
    if (name === "indexeddb") await deleteDB(DATABASE_NAME);
    else for (const path of Object.keys(await this.readFolder())) await removeFile(path);
  }

  /** All files of the folder. */
  async readFolder(): Promise<Record<string, string>> {
    const files: [string, string][] = [];
    await walk(await folderHandle(), "", files);
    return Object.fromEntries(files);
  }

  /** Puts files into the folder, as a sync service does. */
  async writeFolder(files: Record<string, string>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      const writable = await (await fileHandle(path)).createWritable();
      await writable.write(text);
      await writable.close();
    }
  }

  /** Tries to open a layer on IndexedDB. @returns `"connected"` or the code of the error */
  async tryIndexedDb(spaceId: string): Promise<string> {
    const layer = new IndexedDBPersistenceLayer(spaceId);
    const outcome = await layer.connect().then(
      () => "connected",
      (error: unknown) => errorCode(error) ?? String(error),
    );
    await layer.disconnect();
    return outcome;
  }

  async #makeLayer(name: LayerName, spaceId: string): Promise<PersistenceLayer> {
    if (name === "indexeddb") return new IndexedDBPersistenceLayer(spaceId, { id: name });
    this.#folderFs = new FaultyFileSystem(new WebFileSystem(await folderHandle()));
    return new FileSystemPersistenceLayer("", spaceId, { id: name, fs: this.#folderFs, worker: false, flushIntervalMs: 100 });
  }
}

async function notDurableIn(task: Promise<void>): Promise<readonly string[]> {
  try {
    await task;
    return [];
  } catch (error) {
    if (errorCode(error) !== "FOLD_NOT_DURABLE") throw error;
    return ((error as FoldspaceError).data["layers"] as { id: string }[]).map(({ id }) => id);
  }
}

function snapshot(vertex: Vertex): Snapshot {
  const properties = Object.entries(vertex.getProperties()).sort(([a], [b]) => (a < b ? -1 : 1));
  return { properties: Object.fromEntries(properties) as Record<string, JsonValue>, children: vertex.children.map(snapshot) };
}

async function folderHandle(): Promise<FileSystemDirectoryHandle> {
  return await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER_NAME, { create: true });
}

async function fileHandle(path: string): Promise<FileSystemFileHandle> {
  let folder = await folderHandle();
  const names = path.split("/");
  for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name, { create: true });
  return await folder.getFileHandle(names.at(-1)!, { create: true });
}

async function removeFile(path: string): Promise<void> {
  let folder = await folderHandle();
  const names = path.split("/");
  for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name);
  await folder.removeEntry(names.at(-1)!);
}

/** Leaves out what goes while it is read, such as a temporary file that another tab has just renamed. */
async function walk(folder: FileSystemDirectoryHandle, path: string, files: [string, string][]): Promise<void> {
  for await (const [name, handle] of folder.entries()) {
    if (handle.kind === "directory") {
      await walk(handle, `${path}${name}/`, files);
      continue;
    }
    const text = await readIfThere(handle);
    if (text !== undefined) files.push([`${path}${name}`, text]);
  }
}

async function readIfThere(handle: FileSystemFileHandle): Promise<string | undefined> {
  try {
    return await (await handle.getFile()).text();
  } catch (error) {
    if ((error as DOMException).name === "NotFoundError") return undefined;
    throw error;
  }
}

declare global {
  interface Window {
    device: Device;
  }
}
globalThis.window.device = new Device();
