// oxlint-disable-next-line import/no-unassigned-import -- it puts its globals where a browser has them
import "fake-indexeddb/auto";
import { openDB } from "idb";
import { afterEach, expect, test, vi } from "vitest";
import { asList, asSet, Inbox, TestPeer, until } from "../../testing/layer-bench.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { newId } from "../../tree/index.ts";
import { recordName } from "./batches.ts";
import type { BatchKey } from "./database.ts";
import { IndexedDBPersistenceLayer } from "./indexeddb-layer.ts";

afterEach(() => void vi.restoreAllMocks());

/** Longer than any compaction is put off. */
const LONG_MS = 60_000;

async function connected(
  databaseName: string,
  spaceId: string,
  clock = new ManualClock(),
): Promise<{ layer: IndexedDBPersistenceLayer; clock: ManualClock }> {
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName, clock });
  await layer.connect({ peerId: newId(), create: true });
  return { layer, clock };
}

async function keysOf(databaseName: string): Promise<BatchKey[]> {
  const database = await openDB(databaseName);
  const keys = (await database.getAllKeys("batches")) as unknown as BatchKey[];
  database.close();
  return keys;
}

/** One record for each. */
async function saveOneByOne(
  layer: IndexedDBPersistenceLayer,
  treeId: string,
  ops: ReturnType<TestPeer["setMany"]>,
): Promise<void> {
  for (const op of ops) {
    const saved = layer.saveTreeOps(treeId, [op]);
    await layer.flush();
    await saved;
  }
}

test("many small records are joined into one for each peer, and nothing is lost or doubled", async () => {
  const [name, spaceId, peers] = [newId(), newId(), [new TestPeer(), new TestPeer()] as const];
  const { layer, clock } = await connected(name, spaceId);
  await layer.loadSpaceTreeOps();
  const ops = peers.flatMap((peer) => peer.setMany(60));
  await saveOneByOne(layer, spaceId, ops);
  expect(await keysOf(name)).toHaveLength(120);
  await clock.advance(LONG_MS);
  await until("they are joined", async () => (await keysOf(name)).length === 2);
  expect(asList(await layer.loadSpaceTreeOps())).toEqual(asList(ops));
  await layer.disconnect();
});

test("records that were many before this start are joined after they are loaded", async () => {
  const [name, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const first = await connected(name, spaceId);
  const ops = peer.setMany(100);
  await saveOneByOne(first.layer, spaceId, ops);
  await first.layer.disconnect();

  const { layer, clock } = await connected(name, spaceId);
  await layer.loadSpaceTreeOps();
  await clock.advance(LONG_MS);
  await until("they are joined", async () => (await keysOf(name)).length === 1);
  await layer.disconnect();
  const later = await connected(name, spaceId);
  expect(asList(await later.layer.loadSpaceTreeOps())).toEqual(asList(ops));
  await later.layer.disconnect();
});

test("few records are not joined, nor are those of trees that no caller has loaded", async () => {
  const [name, spaceId, treeId, peer] = [newId(), newId(), newId(), new TestPeer()];
  const { layer, clock } = await connected(name, spaceId);
  await layer.loadSpaceTreeOps();
  await saveOneByOne(layer, spaceId, peer.setMany(20));
  await saveOneByOne(layer, treeId, peer.setMany(100));
  await clock.advance(LONG_MS);
  expect(clock.timerCount).toBe(0);
  expect(await keysOf(name)).toHaveLength(120);
  await layer.disconnect();
});

test("what cannot be joined any further is not tried again with every save", async () => {
  const [name, spaceId, peers] = [newId(), newId(), Array.from({ length: 80 }, () => new TestPeer())];
  const { layer, clock } = await connected(name, spaceId);
  await layer.loadSpaceTreeOps();
  const saved = layer.saveTreeOps(
    spaceId,
    peers.map((peer) => peer.set(1)),
  );
  await layer.flush();
  await saved;
  await clock.advance(LONG_MS);
  await saveOneByOne(layer, spaceId, peers[0]!.setMany(3));
  expect(clock.timerCount).toBe(0);
  await layer.disconnect();
});

test("while one tab joins records, another writes, and nothing is lost", async () => {
  const [name, spaceId, peer, other] = [newId(), newId(), new TestPeer(), new TestPeer()];
  const one = await connected(name, spaceId);
  const two = await connected(name, spaceId);
  await one.layer.loadSpaceTreeOps();
  const ops = peer.setMany(100);
  await saveOneByOne(one.layer, spaceId, ops);
  await two.layer.loadSpaceTreeOps();
  const others = other.setMany(100);
  const writing = saveOneByOne(two.layer, spaceId, others);
  await Promise.all([one.clock.advance(LONG_MS), writing]);
  await two.clock.advance(LONG_MS);
  await until("both have joined what they know", async () => (await keysOf(name)).length < 20);
  const later = await connected(name, spaceId);
  expect(asList(await later.layer.loadSpaceTreeOps())).toEqual(asList([...ops, ...others]));
  for (const { layer } of [one, two, later]) await layer.disconnect();
});

test("what another tab wrote and this one has not read is not joined, and is still found", async () => {
  const [name, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const one = await connected(name, spaceId);
  await one.layer.loadSpaceTreeOps();
  await saveOneByOne(one.layer, spaceId, peer.setMany(100));
  // without a listener, records that the other tab sends are not read
  const two = await connected(name, spaceId);
  const unseen = peer.setMany(5);
  await saveOneByOne(two.layer, spaceId, unseen);
  await one.clock.advance(LONG_MS);
  await until("what is known is joined", async () => (await keysOf(name)).length === 6);
  const inbox = new Inbox();
  await one.layer.startListening(inbox.listener);
  expect(asList(inbox.opsOf(spaceId))).toEqual(asList(unseen));
  for (const { layer } of [one, two]) await layer.disconnect();
});

test("a tab whose records another one has joined continues, and reads them again at worst", async () => {
  const [name, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const one = await connected(name, spaceId);
  const two = await connected(name, spaceId);
  const inbox = new Inbox();
  await two.layer.loadSpaceTreeOps();
  await two.layer.startListening(inbox.listener);
  await one.layer.loadSpaceTreeOps();
  const ops = peer.setMany(100);
  await saveOneByOne(one.layer, spaceId, ops);
  await one.clock.advance(LONG_MS);
  await until("they are joined", async () => (await keysOf(name)).length === 1);
  await two.layer.rescan();
  await until("all have arrived", () => asSet(inbox.opsOf(spaceId)).length === ops.length);
  expect(inbox.changes.every(({ isLossy }) => !isLossy)).toBe(true);
  for (const { layer } of [one, two]) await layer.disconnect();
});

test("a record that was cut off is not joined with others, whose lines would be concatenated to it", async () => {
  const [name, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const first = await connected(name, spaceId);
  const ops = peer.setMany(100);
  await saveOneByOne(first.layer, spaceId, ops);
  await first.layer.disconnect();
  const [key] = await keysOf(name);
  const database = await openDB(name);
  const { lines } = (await database.get("batches", key!)) as { lines: Uint8Array };
  await database.put("batches", { peerId: peer.id, lines: lines.subarray(0, lines.length - 3) }, key);
  database.close();

  const { layer, clock } = await connected(name, spaceId);
  await layer.loadSpaceTreeOps();
  await clock.advance(LONG_MS);
  await until("the others are joined", async () => (await keysOf(name)).length === 2);
  expect(asList(await layer.loadSpaceTreeOps())).toEqual(asList(ops.slice(1)));
  expect(layer.problems).toEqual([expect.objectContaining({ code: "FOLD_TORN_LINE", file: recordName(key!), treeId: spaceId })]);
  await layer.disconnect();
});

test("disconnecting calls a compaction off", async () => {
  const [name, spaceId] = [newId(), newId()];
  const { layer, clock } = await connected(name, spaceId);
  await layer.loadSpaceTreeOps();
  await saveOneByOne(layer, spaceId, new TestPeer().setMany(100));
  await layer.disconnect();
  expect(clock.timerCount).toBe(0);
  expect(await keysOf(name)).toHaveLength(100);
});

test("disconnecting also calls off what comes of its last save", async () => {
  const [name, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const { layer, clock } = await connected(name, spaceId);
  await layer.loadSpaceTreeOps();
  await saveOneByOne(layer, spaceId, peer.setMany(64));
  expect(clock.timerCount).toBe(0);
  const saving = layer.saveTreeOps(spaceId, peer.setMany(1));
  await layer.disconnect();
  await saving;
  expect(clock.timerCount).toBe(0);
});

test("records that are full are not read again to join the others", async () => {
  const [name, spaceId, peer] = [newId(), newId(), new TestPeer()];
  const { layer, clock } = await connected(name, spaceId);
  await layer.loadSpaceTreeOps();
  const full = Array.from({ length: 20 }, () => peer.set("x".repeat(300_000)));
  const some = [...full, ...peer.setMany(70)];
  await saveOneByOne(layer, spaceId, some);
  const [get, getAll] = [vi.spyOn(IDBObjectStore.prototype, "get"), vi.spyOn(IDBObjectStore.prototype, "getAll")];
  await clock.advance(LONG_MS);
  await until("they are joined", async () => (await keysOf(name)).length === 21);
  expect(get).toHaveBeenCalledTimes(70);
  expect(getAll).not.toHaveBeenCalled();
  const more = peer.setMany(70);
  await saveOneByOne(layer, spaceId, more);
  get.mockClear();
  await clock.advance(LONG_MS);
  await until("they are joined", async () => (await keysOf(name)).length === 21);
  expect(get).toHaveBeenCalledTimes(71);
  expect(asList(await layer.loadSpaceTreeOps())).toEqual(asList([...some, ...more]));
  await layer.disconnect();
});
