/** The tree and the place that a snapshot belongs to. */
export interface SnapshotKey {
  readonly spaceId: string;
  readonly treeId: string;
  /** The place of the layer that the tree was read from. */
  readonly place: string;
}

/**
 * Keeps trees as they were when they were last read, so that opening them again reads only what has changed since. Everything in it
 * can be made again from the layers: it may be lost at any time.
 */
export interface SnapshotStore {
  /** Trees with fewer operations are not kept, because reading them takes no time. */
  readonly minOps: number;
  /** @returns `undefined` if it has no snapshot of that key. The bytes belong to the caller */
  load(key: SnapshotKey): Promise<Uint8Array | undefined>;
  /** Replaces the snapshot of that key. */
  save(key: SnapshotKey, bytes: Uint8Array): Promise<void>;
  /** Removes the snapshot of that key. Absence is fine. */
  drop(key: SnapshotKey): Promise<void>;
}

/** By default, trees that are read in some 50 ms are not kept. */
export const DEFAULT_MIN_OPS = 20_000;

/** The key as one text, which differs for different keys. */
export function textOfKey({ spaceId, treeId, place }: SnapshotKey): string {
  return JSON.stringify([spaceId, treeId, place]);
}
