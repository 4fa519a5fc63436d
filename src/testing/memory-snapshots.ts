import { DEFAULT_MIN_OPS, textOfKey, type SnapshotKey, type SnapshotStore } from "../snapshots/snapshot-store.ts";

/** Snapshots in memory, for tests. */
export class MemorySnapshots implements SnapshotStore {
  readonly minOps: number;
  readonly #snapshots = new Map<string, Uint8Array>();

  /** @param options `minOps`: see {@link SnapshotStore} */
  constructor({ minOps = DEFAULT_MIN_OPS }: { readonly minOps?: number } = {}) {
    this.minOps = minOps;
  }

  /** Number of snapshots. */
  get size(): number {
    return this.#snapshots.size;
  }

  load(key: SnapshotKey): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#snapshots.get(textOfKey(key))?.slice());
  }

  save(key: SnapshotKey, bytes: Uint8Array): Promise<void> {
    this.#snapshots.set(textOfKey(key), bytes.slice());
    return Promise.resolve();
  }

  drop(key: SnapshotKey): Promise<void> {
    this.#snapshots.delete(textOfKey(key));
    return Promise.resolve();
  }

  /** An independent copy, as a backup of a profile has it. */
  copy(): MemorySnapshots {
    const copy = new MemorySnapshots(this);
    for (const [key, bytes] of this.#snapshots) copy.#snapshots.set(key, bytes);
    return copy;
  }

  /** Changes the bytes of every snapshot. @param change gets a copy */
  change(change: (bytes: Uint8Array) => Uint8Array): void {
    for (const [key, bytes] of this.#snapshots) this.#snapshots.set(key, change(bytes.slice()));
  }

  /** Gives each snapshot to the next key. */
  rotate(): void {
    const all = [...this.#snapshots.values()];
    for (const [index, key] of [...this.#snapshots.keys()].entries()) this.#snapshots.set(key, all[(index + 1) % all.length]!);
  }
}
