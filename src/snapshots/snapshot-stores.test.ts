import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { NodeFileSystem } from "../fs/node/node-file-system.ts";
import { MemorySnapshots } from "../testing/memory-snapshots.ts";
import { testSnapshotStore } from "../testing/snapshot-store-suite.ts";
import { FolderSnapshots } from "./folder-snapshots.ts";

testSnapshotStore("MemorySnapshots", () => {
  const store = new MemorySnapshots();
  return { openStore: () => store };
});

testSnapshotStore("FolderSnapshots in memory", () => {
  const fs = new MemoryFileSystem();
  return { openStore: () => new FolderSnapshots(fs, "/cache/snapshots") };
});

testSnapshotStore("FolderSnapshots on a disk", () => {
  const folder = mkdtempSync(join(tmpdir(), "foldspace-snapshots-"));
  return {
    openStore: () => new FolderSnapshots(new NodeFileSystem(), join(folder, "cache")),
    tearDown: () => rmSync(folder, { recursive: true, force: true }),
  };
});

test("a snapshot in a folder is one file, which replaces the former one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "foldspace-snapshots-"));
  try {
    const store = new FolderSnapshots(new NodeFileSystem(), folder);
    const key = { spaceId: "space", treeId: "tree", place: "place" };
    await store.save(key, new Uint8Array(10));
    await store.save(key, new Uint8Array(20));
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.snapshot$/)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
