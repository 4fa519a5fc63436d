import { errorMessage } from "../../src/errors.ts";
import { IndexedDBPersistenceLayer, SpaceRegistry } from "../../src/layers/indexeddb/index.ts";
import { Inbox, TestPeer, asList } from "../../src/testing/layer-bench.ts";
import type { VertexOperation } from "../../src/tree/index.ts";
import { newId } from "../../src/tree/index.ts";

// What the test in WebKit has done in a page. It says in words what it found, because there is no test runner in it.

const databaseName = "webkit";
const spaceId = newId();
const peer = new TestPeer();

async function open(create: boolean = false): Promise<IndexedDBPersistenceLayer> {
  const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName, flushIntervalMs: 5 });
  await layer.connect({ peerId: peer.id, create });
  return layer;
}

function assertSame(what: string, found: readonly VertexOperation[], expected: readonly VertexOperation[]): void {
  const [a, b] = [asList(found), asList(expected)];
  if (a.length !== b.length || a.some((line, index) => line !== b[index]))
    throw new Error(`${what}: ${a.length} operations, not the ${b.length} that were expected`);
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await isSo()); waited += 50) {
    if (waited > 20_000) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function countRecords(): Promise<number> {
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(databaseName);
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error ?? new Error("cannot be opened")));
  });
  try {
    return await new Promise((resolve, reject) => {
      const request = database.transaction("batches").objectStore("batches").count();
      request.addEventListener("success", () => resolve(request.result));
      request.addEventListener("error", () => reject(request.error ?? new Error("cannot be counted")));
    });
  } finally {
    database.close();
  }
}

const steps: Record<string, () => Promise<void>> = {
  "saves and loads": async () => {
    const layer = await open(true);
    const ops = peer.setMany(5_000);
    await layer.saveTreeOps(spaceId, ops);
    assertSame("loaded", await layer.loadSpaceTreeOps(), ops);
    await layer.disconnect();
    const again = await open();
    assertSame("loaded after reopening", await again.loadSpaceTreeOps(), ops);
    await again.disconnect();
  },
  "joins small records": async () => {
    const [layer, treeId] = [await open(), newId()];
    await layer.loadTreeOps(treeId);
    const ops = peer.setMany(100);
    const before = await countRecords();
    for (const op of ops) await Promise.all([layer.saveTreeOps(treeId, [op]), layer.flush()]);
    await until("the records are joined", async () => (await countRecords()) < before + 20);
    assertSame("loaded after joining", await layer.loadTreeOps(treeId), ops);
    await layer.disconnect();
  },
  "tells another instance": async () => {
    const [one, two, treeId] = [await open(), await open(), newId()];
    const inbox = new Inbox();
    await two.loadTreeOps(treeId);
    await two.startListening(inbox.listener);
    const ops = peer.setMany(50);
    await one.saveTreeOps(treeId, ops);
    await until("it is told", async () => inbox.opsOf(treeId).length >= ops.length);
    assertSame("reported", inbox.opsOf(treeId), ops);
    for (const layer of [one, two]) await layer.disconnect();
  },
  "keeps a strict save": async () => {
    const strict = new IndexedDBPersistenceLayer(spaceId, { databaseName, durability: "strict", flushIntervalMs: 5 });
    await strict.connect({ peerId: peer.id });
    const [treeId, ops] = [newId(), peer.setMany(10)];
    await strict.saveTreeOps(treeId, ops);
    assertSame("loaded", await strict.loadTreeOps(treeId), ops);
    await strict.disconnect();
  },
  "survives the deletion of the database": async () => {
    const [layer, treeId] = [await open(), newId()];
    const inbox = new Inbox();
    await layer.saveTreeOps(treeId, peer.setMany(10));
    await layer.loadTreeOps(treeId);
    await layer.startListening(inbox.listener);
    await new Promise<void>((resolve, reject) => {
      const request = indexedDB.deleteDatabase(databaseName);
      request.addEventListener("success", () => resolve());
      request.addEventListener("blocked", () => reject(new Error("the layer holds the database")));
    });
    const after = peer.setMany(3);
    await layer.saveTreeOps(treeId, after);
    assertSame("loaded", await layer.loadTreeOps(treeId), after);
    if (!inbox.changes.some((change) => change.isLossy)) throw new Error("the loss was not told");
    await layer.disconnect();
  },
  "lists its spaces": async () => {
    const registry = new SpaceRegistry(databaseName);
    const ids = (await registry.list()).map(({ id }) => id);
    if (ids.join() !== spaceId) throw new Error(`the registry lists ${ids.join()}`);
    await registry.delete(spaceId);
    if ((await registry.list()).length > 0) throw new Error("the space is still listed");
    registry.close();
  },
};

async function runAll(): Promise<Record<string, string>> {
  const outcomes: [string, string][] = [];
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
      outcomes.push([name, "ok"]);
    } catch (error) {
      outcomes.push([name, errorMessage(error)]);
    }
  }
  return Object.fromEntries(outcomes);
}

declare global {
  interface Window {
    outcomes: Promise<Record<string, string>>;
  }
}
globalThis.window.outcomes = runAll();
