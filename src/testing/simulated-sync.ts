import type { FileSystem } from "../fs/file-system.ts";
import { joinPath } from "../fs/file-system.ts";
import { nameOfCopy, placeholderOf, uniteVersions } from "./damage.ts";
import type { Random } from "./random.ts";

/** What a service does with a file that was changed here and elsewhere. */
export type ConflictStyle = "copy of ours" | "copies of both" | "union" | "last wins";

interface Version {
  readonly bytes: Uint8Array;
  readonly number: number;
}

/** What the service knows of one device's folder. */
export interface SyncedFolder {
  readonly fs: FileSystem;
  readonly path: string;
  /** As the service last left each file, and the version that it is; 0 for a part of one. */
  readonly left: Map<string, Version>;
}

/**
 * A service that carries a folder between devices as such services do: file by file, in any order, as whole files, now
 * and then first a part of one, and with copies or losses where a file was changed on two sides.
 */
export class SimulatedSync {
  /** Everything done that is more than carrying a file, in words. */
  readonly history: string[] = [];
  readonly #random: Random;
  readonly #style: ConflictStyle;
  readonly #files = new Map<string, Version>();
  /** What each file was before, to be put back by mistake. */
  readonly #earlier = new Map<string, Uint8Array>();
  readonly #folders: SyncedFolder[] = [];
  #versions = 0;

  constructor(random: Random, style: ConflictStyle) {
    this.#random = random;
    this.#style = style;
  }

  /** Has the service carry a folder, too. */
  add(fs: FileSystem, path: string): SyncedFolder {
    const folder: SyncedFolder = { fs, path, left: new Map() };
    this.#folders.push(folder);
    return folder;
  }

  /** Carries some files to and from a folder. @param share of those that wait, from 0 to 1 */
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
    // what the last folder gave has to reach those before it
    for (const folder of this.#folders) await this.step(folder, 1);
  }

  /** How many versions of files there have been. */
  get versions(): number {
    return this.#versions;
  }

  /** Whether the service has all of a file, so that it may take the file off the device. @param path below the folder */
  async isCarried(folder: SyncedFolder, path: string): Promise<boolean> {
    const bytes = await folder.fs.read(joinPath(folder.path, path));
    const version = this.#files.get(path);
    return bytes !== undefined && version !== undefined && isEqual(bytes, version.bytes);
  }

  /** Puts an earlier version of some file in the place of the present one, for every device. @returns whether there is one */
  rollBack(): boolean {
    const earlier = [...this.#earlier];
    if (earlier.length === 0) return false;
    const [path, bytes] = this.#random.pick(earlier);
    this.#put(path, bytes);
    this.history.push(`the service goes back to ${bytes.length} bytes of ${path}`);
    return true;
  }

  async #carry(folder: SyncedFolder, path: string, ours: Uint8Array | undefined, mayCut: boolean): Promise<void> {
    const left = folder.left.get(path);
    const theirs = this.#files.get(path);
    const isChangedHere = ours !== undefined && (left === undefined || !isEqual(ours, left.bytes));
    const isChangedThere = theirs !== undefined && theirs.number !== left?.number;
    if (isChangedHere && (!isChangedThere || isEqual(ours, theirs.bytes))) {
      folder.left.set(path, theirs && isEqual(ours, theirs.bytes) ? theirs : this.#put(path, ours));
    } else if (isChangedHere && theirs) {
      await this.#resolve(folder, path, ours, theirs);
    } else if (theirs && (isChangedThere || ours === undefined)) {
      await this.#bring(folder, path, theirs, mayCut);
    }
  }

  async #bring(folder: SyncedFolder, path: string, version: Version, mayCut: boolean): Promise<void> {
    const isPart = mayCut && this.#random.chance(0.2);
    const bytes = isPart ? version.bytes.slice(0, this.#random.integer(0, version.bytes.length)) : version.bytes;
    const full = joinPath(folder.path, path);
    await folder.fs.write(full, bytes);
    await folder.fs.remove(placeholderOf(full));
    folder.left.set(path, { bytes, number: isPart ? 0 : version.number });
  }

  async #resolve(folder: SyncedFolder, path: string, ours: Uint8Array, theirs: Version): Promise<void> {
    const full = joinPath(folder.path, path);
    this.history.push(`conflict over ${path}: ${this.#style}`);
    if (this.#style === "last wins") {
      folder.left.set(path, this.#put(path, ours));
      return;
    }
    if (this.#style === "union") {
      const bytes = uniteVersions(theirs.bytes, ours);
      await folder.fs.write(full, bytes);
      folder.left.set(path, this.#put(path, bytes));
      return;
    }
    if (this.#style === "copies of both") this.#put(nameOfCopy(path, this.#random), theirs.bytes);
    await folder.fs.rename(full, nameOfCopy(full, this.#random));
    await this.#bring(folder, path, theirs, false);
  }

  #put(path: string, bytes: Uint8Array): Version {
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
    // services leave hidden files alone, stubs of their own among them
    const bytes = /(^|\/)\./.test(file.path) ? undefined : await fs.read(joinPath(path, file.path));
    if (bytes) files.set(file.path, bytes);
  }
  return files;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
