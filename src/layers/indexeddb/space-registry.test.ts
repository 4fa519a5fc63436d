// oxlint-disable-next-line import/no-unassigned-import -- it puts its globals where a browser has them
import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { TestPeer } from "../../testing/layer-bench.ts";
import { newId } from "../../tree/index.ts";
import { IndexedDBPersistenceLayer } from "./indexeddb-layer.ts";
import { SpaceRegistry } from "./space-registry.ts";

test("an empty registry has no spaces", async () => {
  const registry = new SpaceRegistry(newId());
  expect(await registry.list()).toEqual([]);
  expect(await registry.get(newId())).toBeUndefined();
  await registry.delete(newId());
  registry.close();
});

test("spaces are listed with the newest first, and replaced when they are put again", async () => {
  const registry = new SpaceRegistry(newId());
  await registry.put({ id: "b", createdAt: "2026-01-02T00:00:00.000Z", name: "B", uri: "file:///b" });
  await registry.put({ id: "c" });
  await registry.put({ id: "a", createdAt: "2026-01-03T00:00:00.000Z" });
  await registry.put({ id: "d", createdAt: "2026-01-03T00:00:00.000Z" });
  expect((await registry.list()).map(({ id }) => id)).toEqual(["a", "d", "b", "c"]);
  await registry.put({ id: "b", name: "renamed" });
  expect(await registry.get("b")).toEqual({ id: "b", name: "renamed" });
  registry.close();
  await expect(registry.list()).rejects.toMatchObject({ code: "FOLD_CLOSED" });
});

test("a layer enters the space that it makes, and leaves an entry that is there", async () => {
  const [name, spaceId] = [newId(), newId()];
  const registry = new SpaceRegistry(name);
  const pointer = { name: "Notes", uri: "file:///notes", createdAt: "2026-01-02T00:00:00.000Z" };
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName: name, pointer });
  await layer.connect({ peerId: newId() });
  expect(await registry.list()).toEqual([]);
  await layer.disconnect();
  await layer.connect({ peerId: newId(), create: true });
  expect(await registry.list()).toEqual([{ id: spaceId, ...pointer }]);
  await layer.disconnect();
  await registry.put({ id: spaceId, name: "renamed" });
  await layer.connect({ peerId: newId(), create: true });
  expect(await registry.list()).toEqual([{ id: spaceId, name: "renamed" }]);
  await layer.disconnect();
  registry.close();
});

test("deleting a space deletes everything of it, and nothing of another", async () => {
  const [name, spaceId, otherId, peer] = [newId(), newId(), newId(), new TestPeer()];
  const layers = [spaceId, otherId].map((id) => new IndexedDBPersistenceLayer(id, { databaseName: name, flushIntervalMs: 5 }));
  for (const layer of layers) {
    await layer.connect({ peerId: peer.id, create: true });
    await layer.saveTreeOps(layer.spaceId, peer.setMany(3));
    await layer.saveTreeOps(newId(), peer.setMany(3));
    await layer.saveSecrets({ changes: new Map([["key", { from: undefined, to: "value" }]]) });
    await layer.deviceStore.saveSeen(layer.spaceId, "key", { sequences: {}, counter: 1 });
  }
  const registry = new SpaceRegistry(name);
  await registry.delete(spaceId);
  expect((await registry.list()).map(({ id }) => id)).toEqual([otherId]);
  const [deleted, other] = layers as [IndexedDBPersistenceLayer, IndexedDBPersistenceLayer];
  expect(await deleted.listTrees()).toEqual([]);
  expect(await deleted.loadSecrets()).toBeUndefined();
  expect(await deleted.deviceStore.loadSeen(spaceId, "key")).toBeUndefined();
  expect(await other.listTrees()).toHaveLength(2);
  expect(await other.loadSpaceTreeOps()).toHaveLength(3);
  expect(await other.loadSecrets()).toMatchObject({ values: new Map([["key", "value"]]) });
  expect(await other.deviceStore.loadSeen(otherId, "key")).toMatchObject({ counter: 1 });
  for (const layer of layers) await layer.disconnect();
  registry.close();
});

test("a space that was opened from one place is known elsewhere at every other place", async () => {
  const [registry, id] = [new SpaceRegistry(newId()), newId()];
  expect(await registry.checkPlace(id, "/notes")).toBe("unknown");
  // a browser that does not have the space has nothing that could be mixed
  await registry.notePlace(id, "/notes");
  expect(await registry.list()).toEqual([]);
  await registry.put({ id, name: "Notes" });
  expect(await registry.checkPlace(id, "/notes")).toBe("unknown");
  await registry.notePlace(id, "/notes");
  expect(await registry.get(id)).toEqual({ id, name: "Notes", place: "/notes" });
  expect(await registry.checkPlace(id, "/notes")).toBe("same");
  expect(await registry.checkPlace(id, "/backup/notes")).toBe("other");
  await registry.notePlace(id, "/moved");
  expect(await registry.checkPlace(id, "/moved")).toBe("same");
  expect(await registry.checkPlace(id, "/notes")).toBe("other");
  await registry.delete(id);
  expect(await registry.checkPlace(id, "/notes")).toBe("unknown");
  registry.close();
});
