import { describe, expect, test } from "vitest";
import type { SnapshotKey, SnapshotStore } from "../snapshots/snapshot-store.ts";

/** A store of one device. */
export interface SnapshotStoreSetup {
  /** Opens the store, as each start of the app does. */
  readonly openStore: () => SnapshotStore | Promise<SnapshotStore>;
  /** Called after each test. */
  readonly tearDown?: () => void | Promise<void>;
}

const KEY: SnapshotKey = { spaceId: "space", treeId: "tree", place: "/home/someone/a folder" };
const OTHERS: readonly SnapshotKey[] = [
  { ...KEY, spaceId: "other space" },
  { ...KEY, treeId: "../tree" },
  { ...KEY, place: "C:\\a folder" },
  { spaceId: "spacetree", treeId: "", place: KEY.place },
];

/**
 * Tests whether a store does what {@link SnapshotStore} promises.
 * @example
 * testSnapshotStore("FolderSnapshots", () => {
 *   const fs = new MemoryFileSystem();
 *   return { openStore: () => new FolderSnapshots(fs, "/cache") };
 * });
 */
export function testSnapshotStore(name: string, setup: () => SnapshotStoreSetup | Promise<SnapshotStoreSetup>): void {
  const declare = (title: string, body: (bench: SnapshotStoreSetup) => Promise<void>): void => {
    test(title, async () => {
      const bench = await setup();
      try {
        await body(bench);
      } finally {
        await bench.tearDown?.();
      }
    });
  };

  describe(name, () => {
    declare("what was never saved is not there, and can be dropped", async ({ openStore }) => {
      const store = await openStore();
      expect(await store.load(KEY)).toBeUndefined();
      await store.drop(KEY);
      expect(store.minOps).toBeGreaterThan(0);
    });

    declare("the bytes that were saved last are loaded at the next start", async ({ openStore }) => {
      const store = await openStore();
      await store.save(KEY, new Uint8Array(100_000).fill(1));
      await store.save(KEY, new Uint8Array([0, 255, 10, 13]));
      expect([...(await (await openStore()).load(KEY))!]).toEqual([0, 255, 10, 13]);
    });

    declare("each key has a snapshot of its own, and is dropped alone", async ({ openStore }) => {
      const store = await openStore();
      const keys = [KEY, ...OTHERS];
      for (const [index, key] of keys.entries()) await store.save(key, new Uint8Array([index]));
      await store.drop(KEY);
      const loaded = await Promise.all(keys.map(async (key) => await store.load(key)));
      expect(loaded.map((bytes) => bytes?.[0])).toEqual([undefined, 1, 2, 3, 4]);
    });

    declare("bytes that a caller changes are changed for this caller only", async ({ openStore }) => {
      const store = await openStore();
      const bytes = new Uint8Array([1, 2, 3]);
      await store.save(KEY, bytes);
      bytes[0] = 9;
      const loaded = (await store.load(KEY))!;
      loaded[1] = 9;
      expect([...(await store.load(KEY))!]).toEqual([1, 2, 3]);
    });
  });
}
