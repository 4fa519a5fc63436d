import { joinPath, type FileSystem } from "../fs/file-system.ts";
import { DEFAULT_MIN_OPS, textOfKey, type SnapshotKey, type SnapshotStore } from "./snapshot-store.ts";

/** Snapshots as files of a folder of this device, such as the user's folder for caches. It must not be in the folder of a space. */
export class FolderSnapshots implements SnapshotStore {
  readonly minOps: number;
  readonly #fs: FileSystem;
  readonly #path: string;

  /**
   * @param fs such as a `NodeFileSystem`
   * @param path of the folder, which is made when it is needed, and may be removed at any time
   * @param options `minOps`: see {@link SnapshotStore}; by default 20,000
   */
  constructor(fs: FileSystem, path: string, { minOps = DEFAULT_MIN_OPS }: { readonly minOps?: number } = {}) {
    this.#fs = fs;
    this.#path = path;
    this.minOps = minOps;
  }

  async load(key: SnapshotKey): Promise<Uint8Array | undefined> {
    return await this.#fs.read(this.#fileOf(key));
  }

  async save(key: SnapshotKey, bytes: Uint8Array): Promise<void> {
    await this.#fs.write(this.#fileOf(key), bytes);
  }

  async drop(key: SnapshotKey): Promise<void> {
    await this.#fs.remove(this.#fileOf(key));
  }

  #fileOf(key: SnapshotKey): string {
    return joinPath(this.#path, `${hashOf(textOfKey(key))}.snapshot`);
  }
}

/** 64 bits as hex digits. Two keys with the same one take the same file in turn, as each snapshot says what it is of. */
function hashOf(text: string): string {
  let one = 0x811c9dc5;
  let other = 0x2c1b3c6d;
  for (let at = 0; at < text.length; at++) {
    one = Math.imul(one ^ text.charCodeAt(at), 0x01000193);
    other = Math.imul(other ^ text.charCodeAt(at), 0x297a2d39);
    other ^= other >>> 15;
  }
  return [one, other].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}
