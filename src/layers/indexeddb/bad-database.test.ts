// oxlint-disable-next-line import/no-unassigned-import -- it puts its globals where a browser has them
import "fake-indexeddb/auto";
import { deleteDB, openDB, type IDBPDatabase } from "idb";
import { afterEach, expect, test, vi } from "vitest";
import { FoldspaceError } from "../../errors.ts";
import { encodeLine } from "../../log/line.ts";
import { asList, asSet, Inbox, TestPeer, until } from "../../testing/layer-bench.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { newId } from "../../tree/index.ts";
import { IndexedDBPersistenceLayer } from "./indexeddb-layer.ts";

afterEach(() => void vi.unstubAllGlobals());

async function connected(databaseName: string, spaceId: string): Promise<IndexedDBPersistenceLayer> {
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName, flushIntervalMs: 5 });
  await layer.connect({ peerId: newId(), create: true });
  return layer;
}

test("corrupt records are problems, and the rest is loaded", async () => {
  const [name, spaceId, treeId, peer] = [newId(), newId(), newId(), new TestPeer()];
  const layer = await connected(name, spaceId);
  const ops = peer.setMany(5);
  const cutOff = peer.set("cut off");
  for (const op of [...ops, cutOff]) await Promise.all([layer.saveTreeOps(spaceId, [op]), layer.flush()]);
  await layer.saveTreeOps(treeId, peer.setMany(2));
  const database = await openDB(name);
  const keys = await database.getAllKeys("batches", IDBKeyRange.bound([spaceId, spaceId], [spaceId, spaceId, []]));
  const last = keys.at(-1)!;
  const { lines } = (await database.get("batches", last)) as { lines: Uint8Array };
  await database.put("batches", { peerId: peer.id, lines: lines.subarray(0, lines.length - 4) }, last);
  const wrongShapes = [
    null,
    undefined,
    7,
    "lines",
    [],
    {},
    { peerId: peer.id, lines: "text" },
    { peerId: "another peer", lines },
  ];
  for (const [index, value] of wrongShapes.entries())
    await database.put("batches", value, [spaceId, spaceId, peer.id, "foreign", index]);
  await database.put("batches", { peerId: peer.id, lines: new Uint8Array([255, 254, 10]) }, [spaceId, spaceId, peer.id, "x", 1]);
  database.close();

  const seen: number[] = [];
  const end = layer.observeProblems((problems) => seen.push(problems.length));
  expect(asList(await layer.loadSpaceTreeOps())).toEqual(asList(ops));
  const codes = layer.problems.map(({ code }) => code).sort();
  expect(codes).toEqual([...wrongShapes.map(() => "FOLD_BAD_RECORD"), "FOLD_BAD_UTF8", "FOLD_TORN_LINE"]);
  expect(layer.problems.every((problem) => problem.treeId === spaceId && problem.file?.startsWith("batches/"))).toBe(true);
  expect(seen).toEqual([codes.length]);
  // loading another tree, and this one again, neither hides nor doubles them
  expect(await layer.loadTreeOps(treeId)).toHaveLength(2);
  await layer.loadSpaceTreeOps();
  expect(layer.problems).toHaveLength(codes.length);
  end();

  // and what is saved after that is fine
  await layer.saveTreeOps(spaceId, [cutOff]);
  expect(asSet(await layer.loadSpaceTreeOps())).toEqual(asSet([...ops, cutOff]));
  await layer.disconnect();
});

test("a foreign database of the same name is not changed", async () => {
  for (const version of [1, 30]) {
    const [name, spaceId] = [newId(), newId()];
    const foreign = await openDB(name, version, { upgrade: (database) => void database.createObjectStore("theirs") });
    await foreign.put("theirs", "value", "key");
    foreign.close();
    const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName: name });
    await expect(layer.connect({ peerId: newId(), create: true })).rejects.toMatchObject({ code: "FOLD_FOREIGN_STORAGE" });
    expect(layer.isConnected()).toBe(false);
    expect(layer.status).toMatchObject({ state: "offline", error: { code: "FOLD_FOREIGN_STORAGE" } });
    const again = await openDB(name);
    expect([again.version, [...again.objectStoreNames], await again.get("theirs", "key")]).toEqual([
      version,
      ["theirs"],
      "value",
    ]);
    again.close();
  }
});

async function upgradeToNext(name: string): Promise<IDBPDatabase> {
  return await openDB(name, 2, { upgrade: (database) => void database.createObjectStore("something new") });
}

test("a database of a newer version is left alone", async () => {
  const [name, spaceId] = [newId(), newId()];
  await (await connected(name, spaceId)).disconnect();
  (await upgradeToNext(name)).close();
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName: name });
  await expect(layer.connect({ peerId: newId() })).rejects.toMatchObject({ code: "FOLD_NEWER_FORMAT" });
  expect(layer.status.error?.code).toBe("FOLD_NEWER_FORMAT");
  const again = await openDB(name);
  expect(again.version).toBe(2);
  again.close();
});

test("a newer version in another tab gets the database, and this one keeps its operations and says why", async () => {
  const [name, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const layer = await connected(name, spaceId);
  await layer.saveTreeOps(spaceId, peer.setMany(1));
  const newer = await upgradeToNext(name);
  const saving = layer.saveTreeOps(spaceId, peer.setMany(3)).catch((error: unknown) => error);
  await expect(layer.flush()).rejects.toMatchObject({ code: "FOLD_NEWER_FORMAT" });
  expect(layer.status).toMatchObject({ state: "degraded", pendingOps: 3, error: { code: "FOLD_NEWER_FORMAT" } });
  expect(await newer.count("batches")).toBe(1);
  newer.close();
  await layer.disconnect();
  expect(await saving).toMatchObject({ code: "FOLD_NOT_DURABLE" });
});

test("an opening that waits for another tab reports it, and continues when that tab closes the database", async () => {
  const [name, spaceId, clock] = [newId(), newId(), new ManualClock()];
  const holder = await openDB(name, 1, { upgrade: (database) => void database.createObjectStore("theirs") });
  const deleting = deleteDB(name);
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName: name, clock });
  const connecting = layer.connect({ peerId: newId(), create: true });
  await clock.advance(10_000);
  expect(layer.status).toMatchObject({ state: "offline", error: { code: "FOLD_BUSY" } });
  expect(layer.isConnected()).toBe(false);
  holder.close();
  await Promise.all([deleting, connecting]);
  expect(layer.status).toMatchObject({ state: "idle", error: undefined });
  await layer.disconnect();
});

test("disconnecting while the database cannot be opened ends at once, and later nothing is left open", async () => {
  const [name, clock] = [newId(), new ManualClock()];
  const holder = await openDB(name, 1, { upgrade: (database) => void database.createObjectStore("theirs") });
  const deleting = deleteDB(name);
  const layer = new IndexedDBPersistenceLayer(newId(), { databaseName: name, clock });
  const connecting = layer.connect({ peerId: newId(), create: true });
  await clock.advance(10);
  await layer.disconnect();
  holder.close();
  await expect(connecting).rejects.toMatchObject({ code: "FOLD_CLOSED" });
  await deleting;
  expect(layer.isConnected()).toBe(false);
  await deleteDB(name, { blocked: () => expect.fail("the layer still holds the database") });
});

test("connecting twice at the same time is connecting once", async () => {
  const [name, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName: name, flushIntervalMs: 5 });
  await Promise.all([layer.connect({ peerId: peer.id, create: true }), layer.connect({ peerId: peer.id })]);
  await layer.saveTreeOps(spaceId, peer.setMany(2));
  await layer.disconnect();
  await deleteDB(name, { blocked: () => expect.fail("the layer still holds the database") });
});

test("another tab can delete the database; it is created again, and the loss is reported", async () => {
  const [name, spaceId, treeId, peer] = [newId(), newId(), newId(), new TestPeer()];
  const layer = await connected(name, spaceId);
  const inbox = new Inbox();
  await layer.saveTreeOps(spaceId, peer.setMany(3));
  await layer.loadSpaceTreeOps();
  await layer.loadTreeOps(treeId);
  await layer.startListening(inbox.listener);
  await deleteDB(name, { blocked: () => expect.fail("the layer holds the database") });
  const after = peer.setMany(2);
  await layer.saveTreeOps(spaceId, after);
  expect(asSet(await layer.loadSpaceTreeOps())).toEqual(asSet(after));
  expect(inbox.changes).toEqual([{ treeId: spaceId, ops: undefined, isLossy: true }]);
  await layer.disconnect();
});

test("a loss is also found by a rescan", async () => {
  const [name, spaceId] = [newId(), newId()];
  const layer = await connected(name, spaceId);
  const inbox = new Inbox();
  await layer.saveTreeOps(spaceId, new TestPeer().setMany(3));
  await layer.loadSpaceTreeOps();
  await layer.startListening(inbox.listener);
  await deleteDB(name);
  await layer.rescan();
  await layer.rescan();
  expect(inbox.changes).toEqual([{ treeId: spaceId, ops: undefined, isLossy: true }]);
  await layer.disconnect();
});

test("a space that is saved for the first time without having been made has lost nothing", async () => {
  const [name, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName: name, flushIntervalMs: 5 });
  await layer.connect({ peerId: peer.id });
  const inbox = new Inbox();
  await layer.loadSpaceTreeOps();
  await layer.startListening(inbox.listener);
  await layer.saveTreeOps(spaceId, peer.setMany(3));
  expect(inbox.changes).toEqual([]);
  await layer.disconnect();
});

test("what cannot be saved stays and is saved when that is possible again", async () => {
  const [name, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const layer = await connected(name, spaceId);
  const ops = peer.setMany(4);
  // oxlint-disable-next-line typescript/unbound-method -- it is called on the store that it replaces it on
  const { put } = IDBObjectStore.prototype;
  const refuse = vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function abort(this: IDBObjectStore, ...value) {
    const request = put.apply(this, value);
    this.transaction.abort();
    return request;
  });
  const saving = layer.saveTreeOps(spaceId, ops);
  await expect(layer.flush()).rejects.toBeInstanceOf(FoldspaceError);
  expect(layer.status).toMatchObject({ state: "degraded", pendingOps: 4 });
  refuse.mockRestore();
  await layer.flush();
  await saving;
  expect(layer.status).toMatchObject({ state: "idle", pendingOps: 0, error: undefined });
  expect(asList(await layer.loadSpaceTreeOps())).toEqual(asList(ops));
  await layer.disconnect();
});

for (const nothing of [undefined, null]) {
  test(`an indexedDB that is ${nothing} is reported`, async () => {
    vi.stubGlobal("indexedDB", nothing);
    const layer = new IndexedDBPersistenceLayer(newId());
    await expect(layer.connect({ peerId: newId(), create: true })).rejects.toMatchObject({ code: "FOLD_UNAVAILABLE" });
    expect(layer.status).toMatchObject({ state: "offline", error: { code: "FOLD_UNAVAILABLE" } });
    await layer.disconnect();
  });
}

for (const [name, code] of [
  ["SecurityError", "FOLD_UNAVAILABLE"],
  ["InvalidStateError", "FOLD_UNAVAILABLE"],
  ["UnknownError", "FOLD_IO"],
  ["QuotaExceededError", "FOLD_DISK_FULL"],
]) {
  test(`a database that cannot be opened with ${name} is ${code}`, async () => {
    vi.stubGlobal("indexedDB", {
      open() {
        throw new DOMException("not here", name);
      },
    });
    const layer = new IndexedDBPersistenceLayer(newId());
    await expect(layer.connect({ peerId: newId() })).rejects.toMatchObject({ code });
  });
}

test("secrets are kept for each space", async () => {
  const [name, spaceId] = [newId(), newId()];
  const [layer, other] = [await connected(name, spaceId), await connected(name, newId())];
  expect(await layer.loadSecrets()).toBeUndefined();
  await layer.saveSecrets({ changes: new Map([["token", { from: undefined, to: "t" }]]) });
  expect(await layer.loadSecrets()).toMatchObject({ values: new Map([["token", "t"]]) });
  expect(await other.loadSecrets()).toBeUndefined();
  for (const each of [layer, other]) await each.disconnect();
  await until("it is closed", () => !layer.isConnected());
  await expect(layer.loadSecrets()).rejects.toMatchObject({ code: "FOLD_CLOSED" });
});

test("a line of which everything was read is said to be safe", async () => {
  const [name, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const layer = await connected(name, spaceId);
  const ops = peer.setMany(2);
  const database = await openDB(name);
  const lines = new TextEncoder().encode(`${ops.map(encodeLine).join("")}\n`);
  await database.put("batches", { peerId: peer.id, lines }, [spaceId, spaceId, peer.id, "x", 1]);
  database.close();
  expect(asList(await layer.loadSpaceTreeOps())).toEqual(asList(ops));
  expect(layer.problems).toMatchObject([{ code: "FOLD_TORN_LINE", isLossless: true, line: 1 }]);
  await layer.disconnect();
});

test("a layer that waits for another tab to close the database is disconnected at once, and can be connected again", async () => {
  const [name, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const other = await openDB(name);
  const deleting = deleteDB(name);
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName: name, flushIntervalMs: 5 });
  const connecting = layer.connect({ peerId: peer.id, create: true });
  const refused = expect(connecting).rejects.toMatchObject({ code: "FOLD_CLOSED" });
  await layer.disconnect();
  await refused;
  const again = layer.connect({ peerId: peer.id, create: true });
  other.close();
  await Promise.all([deleting, again]);
  const ops = peer.setMany(2);
  await layer.saveTreeOps(spaceId, ops);
  expect(asList(await layer.loadSpaceTreeOps())).toEqual(asList(ops));
  await layer.disconnect();
  // nothing keeps the database open
  await deleteDB(name);
});

test("secrets that the browser takes back while they are saved are saved again", async () => {
  const [name, spaceId] = [newId(), newId()];
  const layer = await connected(name, spaceId);
  const memory = layer.deviceStore;
  // oxlint-disable-next-line typescript/unbound-method -- it is called on what it is asked of
  const original = IDBObjectStore.prototype.get;
  let aborts = 0;
  const abortOnce = vi.spyOn(IDBObjectStore.prototype, "get").mockImplementation(function (this: IDBObjectStore, key) {
    const request = original.call(this, key);
    if (aborts++ % 2 === 0) this.transaction.abort();
    return request;
  });
  await layer.saveSecrets({ changes: new Map([["name", { from: undefined, to: "value" }]]) });
  await memory.saveKeys!(spaceId, []);
  expect(aborts).toBe(4);
  abortOnce.mockRestore();
  expect((await layer.loadSecrets())?.values).toEqual(new Map([["name", "value"]]));
  expect(await memory.loadKeys!(spaceId)).toEqual([]);
  await layer.disconnect();
});
