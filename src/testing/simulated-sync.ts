import type { FileSystem } from "../fs/file-system.ts";
import { joinPath } from "../fs/file-system.ts";
import { nameOfCopy, placeholderOf, uniteVersions } from "./damage.ts";
import type { Random } from "./random.ts";

/** How a service handles a file that was changed both locally and elsewhere. */
export type ConflictStyle = "copy of ours" | "copies of both" | "union" | "last wins";

/** One version of a file, numbered by the service. */
export interface SyncedVersion {
  readonly bytes: Uint8Array;
  readonly number: number;
}

/** One device's folder, and the service's knowledge of it. */
export interface SyncedFolder {
  readonly fs: FileSystem;
  readonly path: string;
  /** Each file as the service last left it, and its version; 0 for a part of a file. */
  readonly left: Map<string, SyncedVersion>;
}

/**
 * A service that carries a folder between devices as real services do: file by file, in any order, as whole files,
 * sometimes a part of a file first, and with copies or losses if a file was changed on two sides.
 */
export class SimulatedSync {
  /** Descriptions of all steps other than carrying a file. */
  readonly history: string[] = [];
  readonly #random: Random;
  readonly #style: ConflictStyle;
  readonly #files = new Map<string, SyncedVersion>();
  /** An earlier content of each file, which the service may restore by mistake. */
  readonly #earlier = new Map<string, Uint8Array>();
  readonly #folders: SyncedFolder[] = [];
  #versions = 0;

  constructor(random: Random, style: ConflictStyle) {
    this.#random = random;
    this.#style = style;
  }

  /** Adds a folder for the service to carry. */
  add(fs: FileSystem, path: string): SyncedFolder {
    const folder: SyncedFolder = { fs, path, left: new Map() };
    this.#folders.push(folder);
    return folder;
  }

  /** Carries some files to and from a folder. @param share of the waiting files, from 0 to 1 */
  async step(folder: SyncedFolder, share: number): Promise<void> {
    const here = await filesOf(folder);
    const paths = new Set([...here.keys(), ...this.#files.keys()]);
    for (const path of this.#random.shuffle([...paths])) {
      if (share === 1 || this.#random.chance(share)) await this.#carry(folder, path, here.get(path), share < 1);
    }
  }

  /** Carries everything everywhere. */
  async settle(): Promise<void> {
    for (let versions = -1; versions !== this.#versions;) {
      versions = this.#versions;
      for (const folder of this.#folders) await this.step(folder, 1);
    }
    // changes from the last folder must reach the folders before it
    for (const folder of this.#folders) await this.step(folder, 1);
  }

  /** Number of versions of files so far. */
  get versions(): number {
    return this.#versions;
  }

  /** Whether the service has the whole file, so that it may remove the file from the device. @param path below the folder */
  async isCarried(folder: SyncedFolder, path: string): Promise<boolean> {
    const bytes = await folder.fs.read(joinPath(folder.path, path));
    const version = this.#files.get(path);
    return bytes !== undefined && version !== undefined && isEqual(bytes, version.bytes);
  }

  /** Replaces a file by an earlier version, for every device. @returns whether there is an earlier version */
  rollBack(): boolean {
    const earlier = [...this.#earlier];
    if (earlier.length === 0) return false;
    const [path, bytes] = this.#random.pick(earlier);
    this.#store(path, bytes);
    this.history.push(`the service restores ${bytes.length} bytes of ${path}`);
    return true;
  }

  async #carry(folder: SyncedFolder, path: string, ours: Uint8Array | undefined, mayCut: boolean): Promise<void> {
    const left = folder.left.get(path);
    const theirs = this.#files.get(path);
    const isChangedHere = ours !== undefined && (left === undefined || !isEqual(ours, left.bytes));
    const isChangedThere = theirs !== undefined && theirs.number !== left?.number;
    if (isChangedHere && (!isChangedThere || isEqual(ours, theirs.bytes))) {
      folder.left.set(path, theirs && isEqual(ours, theirs.bytes) ? theirs : this.#store(path, ours));
    } else if (isChangedHere && theirs) {
      await this.#resolve(folder, path, ours, theirs);
    } else if (theirs && (isChangedThere || ours === undefined)) {
      await this.#bring(folder, path, theirs, mayCut);
    }
  }

  async #bring(folder: SyncedFolder, path: string, version: SyncedVersion, mayCut: boolean): Promise<void> {
    const isPart = mayCut && this.#random.chance(0.2);
    const bytes = isPart ? version.bytes.slice(0, this.#random.integer(0, version.bytes.length)) : version.bytes;
    const full = joinPath(folder.path, path);
    await folder.fs.write(full, bytes);
    await folder.fs.remove(placeholderOf(full));
    folder.left.set(path, { bytes, number: isPart ? 0 : version.number });
  }

  async #resolve(folder: SyncedFolder, path: string, ours: Uint8Array, theirs: SyncedVersion): Promise<void> {
    const full = joinPath(folder.path, path);
    this.history.push(`conflict over ${path}: ${this.#style}`);
    if (this.#style === "last wins") {
      folder.left.set(path, this.#store(path, ours));
      return;
    }
    if (this.#style === "union") {
      const bytes = uniteVersions(theirs.bytes, ours);
      await folder.fs.write(full, bytes);
      folder.left.set(path, this.#store(path, bytes));
      return;
    }
    if (this.#style === "copies of both") this.#store(nameOfCopy(path, this.#random), theirs.bytes);
    await folder.fs.rename(full, nameOfCopy(full, this.#random));
    await this.#bring(folder, path, theirs, false);
  }

  #store(path: string, bytes: Uint8Array): SyncedVersion {
    const before = this.#files.get(path);
    if (before) this.#earlier.set(path, before.bytes);
    const version = { bytes, number: ++this.#versions };
    this.#files.set(path, version);
    return version;
  }
}

async function filesOf({ fs, path }: SyncedFolder): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const file of (await fs.scan?.(path))?.files ?? []) {
    // services ignore hidden files, including their own placeholders
    const bytes = /(^|\/)\./.test(file.path) ? undefined : await fs.read(joinPath(path, file.path));
    if (bytes) files.set(file.path, bytes);
  }
  return files;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
