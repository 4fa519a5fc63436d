// oxlint-disable-next-line import/no-unassigned-import -- it puts its globals where a browser has them
import "fake-indexeddb/auto";
import { afterEach, expect, test, vi } from "vitest";
import { asList, asSet, Inbox, TestPeer, until } from "../../testing/layer-bench.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import { IndexedDBPersistenceLayer } from "./indexeddb-layer.ts";

afterEach(() => void vi.unstubAllGlobals());

interface Tab {
  readonly layer: IndexedDBPersistenceLayer;
  readonly inbox: Inbox;
}

async function openTab(databaseName: string, spaceId: string): Promise<Tab> {
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName, flushIntervalMs: 5 });
  await layer.connect({ peerId: newId(), create: true });
  return { layer, inbox: new Inbox() };
}

async function listen({ layer, inbox }: Tab, ...treeIds: string[]): Promise<void> {
  for (const treeId of treeIds) await layer.loadTreeOps(treeId);
  await layer.startListening(inbox.listener);
}

test("tabs see each other's operations live, and only those of their space", async () => {
  const [name, spaceId, otherSpaceId] = [newId(), newId(), newId()];
  const [one, two, other] = [await openTab(name, spaceId), await openTab(name, spaceId), await openTab(name, otherSpaceId)];
  for (const tab of [one, two]) await listen(tab, spaceId);
  await listen(other, otherSpaceId, spaceId);
  const [mine, yours] = [new TestPeer().setMany(20), new TestPeer().setMany(20)];
  await Promise.all([one.layer.saveTreeOps(spaceId, mine), two.layer.saveTreeOps(spaceId, yours)]);
  await until("each has the other's", () => [one, two].every(({ inbox }) => inbox.opsOf(spaceId).length >= 20));
  expect(asList(one.inbox.opsOf(spaceId))).toEqual(asList(yours));
  expect(asList(two.inbox.opsOf(spaceId))).toEqual(asList(mine));
  await other.layer.rescan();
  expect(other.inbox.changes).toEqual([]);
  for (const { layer } of [one, two, other]) await layer.disconnect();
});

test("without messages, a rescan finds what other tabs saved, once", async () => {
  vi.stubGlobal("BroadcastChannel", undefined);
  const [name, spaceId, treeId] = [newId(), newId(), newId()];
  const [one, two] = [await openTab(name, spaceId), await openTab(name, spaceId)];
  for (const tab of [one, two]) await listen(tab, spaceId, treeId);
  const peer = new TestPeer();
  const [ops, treeOps] = [peer.setMany(20), peer.setMany(3)];
  await one.layer.saveTreeOps(spaceId, ops);
  await one.layer.saveTreeOps(treeId, treeOps);
  expect(two.inbox.changes).toEqual([]);
  // on focus, pages get several events at once
  await Promise.all([two.layer.rescan(), two.layer.rescan(), two.layer.rescan()]);
  await two.layer.rescan();
  await one.layer.rescan();
  expect(asList(two.inbox.opsOf(spaceId))).toEqual(asList(ops));
  expect(asList(two.inbox.opsOf(treeId))).toEqual(asList(treeOps));
  expect(one.inbox.changes).toEqual([]);
  for (const { layer } of [one, two]) await layer.disconnect();
});

test("the next listener gets records that were being read when listening ended", async () => {
  vi.stubGlobal("BroadcastChannel", undefined);
  const [name, spaceId] = [newId(), newId()];
  const [one, two] = [await openTab(name, spaceId), await openTab(name, spaceId)];
  await listen(two, spaceId);
  const ops = new TestPeer().setMany(50_000);
  await one.layer.saveTreeOps(spaceId, ops);
  let pauses = 0;
  // what pauses in long work are made of
  class EndingChannel extends MessageChannel {
    constructor() {
      super();
      if (pauses++ === 0) void two.layer.stopListening();
    }
  }
  vi.stubGlobal("MessageChannel", EndingChannel);
  await two.layer.rescan();
  expect(pauses).toBeGreaterThan(0);
  expect(two.inbox.changes).toEqual([]);
  await two.layer.startListening(two.inbox.listener);
  expect(asList(two.inbox.opsOf(spaceId))).toEqual(asList(ops));
  for (const { layer } of [one, two]) await layer.disconnect();
});

test("messages and rescans together deliver all operations", async () => {
  const [name, spaceId] = [newId(), newId()];
  const [one, two] = [await openTab(name, spaceId), await openTab(name, spaceId)];
  for (const tab of [one, two]) await listen(tab, spaceId);
  const ops = new TestPeer().setMany(300);
  const saving = ops.map((op) => one.layer.saveTreeOps(spaceId, [op]));
  for (let round = 0; round < 20; round++) {
    await one.layer.flush();
    await two.layer.rescan();
  }
  await Promise.all(saving);
  await two.layer.rescan();
  expect(asList(two.inbox.opsOf(spaceId))).toEqual(asList(ops));
  for (const { layer } of [one, two]) await layer.disconnect();
});

test("a rescan ends when the listener has the records that another tab sent, also in a page that yields to other tasks", async () => {
  vi.stubGlobal("document", { visibilityState: "visible" });
  // a turn of others that takes its time
  class SlowChannel extends MessageChannel {
    constructor() {
      super();
      const { port2 } = this;
      const post = port2.postMessage.bind(port2);
      port2.postMessage = (message: unknown) => void setTimeout(() => post(message), 50);
    }
  }
  vi.stubGlobal("MessageChannel", SlowChannel);
  const [name, spaceId] = [newId(), newId()];
  const [one, two] = [await openTab(name, spaceId), await openTab(name, spaceId)];
  await listen(two, spaceId);
  const witness = new BroadcastChannel(`foldspace:${name}:${spaceId}`);
  const told = new Promise((resolve) => witness.addEventListener("message", resolve));
  const ops = new TestPeer().setMany(3);
  await one.layer.saveTreeOps(spaceId, ops);
  await told;
  await two.layer.rescanTree(spaceId);
  expect(asList(two.inbox.opsOf(spaceId))).toEqual(asList(ops));
  witness.close();
  for (const { layer } of [one, two]) await layer.disconnect();
});

test("records sent while a tree is being loaded for the first time are not lost", async () => {
  const [name, spaceId, treeId] = [newId(), newId(), newId()];
  const [one, two] = [await openTab(name, spaceId), await openTab(name, spaceId)];
  await listen(two, spaceId);
  const ops = new TestPeer().setMany(200);
  const loaded: VertexOperation[] = [];
  for (let round = 0; round < 20; round++) {
    const saving = ops.slice(round * 10, round * 10 + 10).map((op) => one.layer.saveTreeOps(treeId, [op]));
    const flushing = one.layer.flush();
    loaded.push(...(await two.layer.loadTreeOps(treeId)));
    await Promise.all([flushing, ...saving]);
    if (round < 19) two.layer.releaseTree(treeId);
  }
  await two.layer.rescan();
  const all = asSet(ops);
  await until("it has everything", () => asSet([...loaded, ...two.inbox.opsOf(treeId)]).length === all.length);
  for (const { layer } of [one, two]) await layer.disconnect();
});

test("a tree that was released is only named", async () => {
  const [name, spaceId, treeId] = [newId(), newId(), newId()];
  const [one, two] = [await openTab(name, spaceId), await openTab(name, spaceId)];
  await listen(two, spaceId, treeId);
  two.layer.releaseTree(treeId);
  await one.layer.saveTreeOps(treeId, new TestPeer().setMany(3));
  await until("it is named", () => two.inbox.unloaded.includes(treeId));
  await two.layer.rescan();
  expect(two.inbox.opsOf(treeId)).toEqual([]);
  for (const { layer } of [one, two]) await layer.disconnect();
});

test("two tabs that write all the time lose nothing, though their keys grow side by side", async () => {
  const [name, spaceId] = [newId(), newId()];
  const tabs = await Promise.all(Array.from({ length: 4 }, async () => await openTab(name, spaceId)));
  const written = await Promise.all(
    tabs.map(async ({ layer }) => {
      // also the same peer's operations may come through several tabs
      const ops = new TestPeer("peer", Math.floor(Math.random() * 1_000_000)).setMany(100);
      for (const op of ops) await Promise.all([layer.saveTreeOps(spaceId, [op]), layer.flush()]);
      return ops;
    }),
  );
  const reader = await openTab(name, spaceId);
  expect(asSet(await reader.layer.loadSpaceTreeOps())).toEqual(asSet(written.flat()));
  for (const { layer } of [...tabs, reader]) await layer.disconnect();
});
