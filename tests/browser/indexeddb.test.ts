import { deleteDB } from "idb";
import { afterEach, expect, test, vi } from "vitest";
import { IndexedDBPersistenceLayer, SpaceRegistry } from "../../src/layers/indexeddb/index.ts";
import { asList, Inbox, TestPeer } from "../../src/testing/layer-bench.ts";
import { testPersistenceLayer } from "../../src/testing/layer-suite.ts";
import { newId } from "../../src/tree/index.ts";

afterEach(() => vi.restoreAllMocks());

for (const durability of ["relaxed", "strict"] as const) {
  testPersistenceLayer(`IndexedDBPersistenceLayer (${durability}) in a browser`, () => {
    const spaceId = newId();
    const databaseName = newId();
    return {
      spaceId,
      isAlwaysThere: true,
      createLayer: (id = spaceId) => new IndexedDBPersistenceLayer(id, { databaseName, durability, flushIntervalMs: 5 }),
      wipe: async () => await deleteDB(databaseName),
      teardown: async () => await deleteDB(databaseName),
    };
  });
}

test("a database that is deleted while it is open is made again, and the loss is told", async () => {
  const [databaseName, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName, flushIntervalMs: 5 });
  await layer.connect({ peerId: peer.id, create: true });
  await layer.saveTreeOps(spaceId, peer.setMany(3));
  await layer.loadSpaceTreeOps();
  const inbox = new Inbox();
  await layer.startListening(inbox.listener);
  await deleteDB(databaseName, { blocked: () => expect.fail("the layer holds the database") });
  const after = peer.setMany(2);
  await layer.saveTreeOps(spaceId, after);
  expect(asList(await layer.loadSpaceTreeOps())).toEqual(asList(after));
  expect(inbox.changes).toEqual([{ treeId: spaceId, ops: undefined, isLossy: true }]);
  await layer.disconnect();
  await deleteDB(databaseName);
});

test("the registry lists what the layers made", async () => {
  const [databaseName, spaceId] = [newId(), newId()];
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName, pointer: { name: "Notes" } });
  await layer.connect({ peerId: newId(), create: true });
  const registry = new SpaceRegistry(databaseName);
  expect(await registry.list()).toEqual([expect.objectContaining({ id: spaceId, name: "Notes" })]);
  await layer.disconnect();
  registry.close();
  await deleteDB(databaseName);
});

test("the status says whether the browser promises to keep the storage, which a layer asks for only if it is told to", async () => {
  const persist = vi.spyOn(StorageManager.prototype, "persist").mockResolvedValue(true);
  vi.spyOn(StorageManager.prototype, "persisted").mockResolvedValue(false);
  const [databaseName, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const open = async (isAsking: boolean, create: boolean): Promise<IndexedDBPersistenceLayer> => {
    const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName, persist: isAsking, flushIntervalMs: 5 });
    await layer.connect({ peerId: peer.id, create });
    await expect.poll(() => layer.status.isPersistent).toBeDefined();
    return layer;
  };
  const silent = await open(false, false);
  expect(silent.status.isPersistent).toBe(false);
  await silent.disconnect();
  const asking = await open(true, false);
  // nothing is stored yet
  expect(persist).not.toHaveBeenCalled();
  await asking.saveTreeOps(spaceId, peer.setMany(3));
  await asking.saveTreeOps(spaceId, peer.setMany(3));
  await expect.poll(() => asking.status).toMatchObject({ state: "idle", pendingOps: 0, isPersistent: true });
  expect(persist).toHaveBeenCalledTimes(1);
  await asking.disconnect();
  persist.mockRejectedValue(new TypeError("not in this frame"));
  const refused = await open(true, false);
  await expect.poll(() => refused.status.isPersistent).toBe(false);
  await refused.disconnect();
  await deleteDB(databaseName);
});

test("the browser itself answers whether it keeps the storage", async () => {
  const [databaseName, spaceId] = [newId(), newId()];
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName, persist: true });
  await layer.connect({ peerId: newId(), create: true });
  await expect.poll(() => layer.status.isPersistent).toBe(await navigator.storage.persisted());
  await layer.disconnect();
  await deleteDB(databaseName);
});

test("a folder that the user picked is the place of a space, and its copy is another one", async () => {
  const [databaseName, spaceId, root] = [newId(), newId(), await navigator.storage.getDirectory()];
  const pick = async (name: string): Promise<FileSystemDirectoryHandle> => await root.getDirectoryHandle(name, { create: true });
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName, pointer: { place: await pick(`${spaceId} a`) } });
  await layer.connect({ peerId: newId(), create: true });
  await layer.disconnect();
  const registry = new SpaceRegistry(databaseName);
  expect(await registry.checkPlace(spaceId, await pick(`${spaceId} a`))).toBe("same");
  expect(await registry.checkPlace(spaceId, await pick(`${spaceId} b`))).toBe("other");
  expect(await registry.checkPlace(spaceId, `${spaceId} a`)).toBe("other");
  await registry.notePlace(spaceId, await pick(`${spaceId} b`));
  expect(await registry.checkPlace(spaceId, await pick(`${spaceId} b`))).toBe("same");
  registry.close();
  for (const name of ["a", "b"]) await root.removeEntry(`${spaceId} ${name}`);
  await deleteDB(databaseName);
});
