// Runs in a page: the measured part of the benchmark of IndexedDB. All arguments and results are plain data.

import { Dexie } from "dexie";
import { deleteDB } from "idb";
import { WebFileSystem } from "../../dist/fs/web/index.js";
import { FileSystemPersistenceLayer } from "../../dist/layers/folder/file-system-layer.js";
import { IndexedDBPersistenceLayer } from "../../dist/layers/indexeddb/index.js";
import { encodeLine, encodeSpaceFile, logFilePath } from "../../dist/log/index.js";
import { SpaceManager } from "../../dist/space/space-manager.js";

const DATABASE = "bench";
const DEXIE_DATABASE = "bench-dexie";
const FOLDER = "bench";
const DAY_MS = 24 * 60 * 60 * 1000;
const PEERS = 3;
const DAYS = 100;

let spaceId;
let ops;

/** Three users of one outline: mostly new vertices with their properties, later edits, some moves. */
function makeOps(count, seed) {
  const random = seededRandom(seed);
  const id = () => Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
  spaceId = id();
  const peers = Array.from({ length: PEERS }, id);
  const vertices = [spaceId];
  ops = [];
  const add = (op) => {
    // on each day, one user works at a time
    const peerId = peers[Math.floor((ops.length * DAYS * PEERS) / count) % PEERS];
    if (ops.length < count) ops.push({ id: { counter: ops.length + 1, peerId }, ...op });
  };
  add({ targetId: "0", parentId: null });
  add({ targetId: spaceId, parentId: null });
  while (ops.length < count) {
    const near = vertices[Math.max(0, vertices.length - 1 - Math.floor(random() * 50))];
    const kind = random();
    const now = new Date(Date.UTC(2026, 0, 1) + ops.length * 1000).toISOString();
    if (kind < 0.7) {
      const targetId = id();
      add({ targetId, parentId: near });
      add({ targetId, key: "_c", value: now, transient: false });
      add({ targetId, key: "name", value: `item ${ops.length}`, transient: false });
      add({ targetId, key: "text", value: `the text written at ${now}, a sentence or so`, transient: false });
      vertices.push(targetId);
    } else if (kind < 0.9) add({ targetId: near, key: "text", value: `rewritten at ${now}, a sentence or so`, transient: false });
    else if (near !== spaceId) add({ targetId: near, parentId: vertices[Math.floor(random() * vertices.length)] });
  }
}

/** The same generator as in the benchmarks for Node (mulberry32). */
function seededRandom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function timed(task) {
  const start = performance.now();
  const result = await task();
  return { ms: performance.now() - start, result };
}

/** Measures the longest time during which no timer and no frame could run while a task runs. */
async function withProbe(task) {
  let isOver = false;
  const gaps = { timer: 0, frame: 0, longTask: 0 };
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) gaps.longTask = Math.max(gaps.longTask, duration);
  });
  observer.observe({ entryTypes: ["longtask"] });
  const watch = (kind, schedule) => {
    let last = performance.now();
    const onTurn = () => {
      const now = performance.now();
      gaps[kind] = Math.max(gaps[kind], now - last);
      last = now;
      if (!isOver) schedule(onTurn);
    };
    schedule(onTurn);
  };
  watch("timer", (onTurn) => setTimeout(() => onTurn()));
  watch("frame", (onTurn) => requestAnimationFrame(() => onTurn()));
  await new Promise((resolve) => setTimeout(resolve, 100));
  gaps.timer = gaps.frame = 0;
  const outcome = await timed(task);
  await new Promise((resolve) => setTimeout(resolve, 100));
  isOver = true;
  observer.disconnect();
  return { ...outcome, gaps };
}

function indexedDbLayer() {
  return new IndexedDBPersistenceLayer(spaceId, { databaseName: DATABASE });
}

async function folderHandle() {
  return await (await navigator.storage.getDirectory()).getDirectoryHandle(FOLDER, { create: true });
}

async function folderLayer() {
  return new FileSystemPersistenceLayer("", spaceId, { fs: new WebFileSystem(await folderHandle()) });
}

async function openSpace(layer) {
  const space = await new SpaceManager().loadSpace({ id: spaceId }, [layer], { isReadOnly: true });
  // reading the tree applies the moves
  return { space, children: space.tree.root.children.length };
}

window.bench = {
  prepare(count, seed) {
    makeOps(count, seed);
    return ops.length;
  },

  spaceId: () => spaceId,

  /** Saves batches through the layer. @returns milliseconds until the last one is durable */
  async writeBatches(batchOps, flushEach) {
    await deleteDB(DATABASE);
    const layer = indexedDbLayer();
    await layer.connect({ peerId: "bench", create: true });
    const { ms } = await timed(async () => {
      const saving = [];
      for (let start = 0; start < ops.length; start += batchOps) {
        saving.push(layer.saveTreeOps(spaceId, ops.slice(start, start + batchOps)));
        if (flushEach) await layer.flush();
      }
      await layer.flush();
      await Promise.all(saving);
    });
    const stored = new Set((await layer.loadSpaceTreeOps()).map(({ id }) => `${id.counter}@${id.peerId}`));
    await layer.disconnect();
    return { ms, stored: stored.size };
  },

  /** Writes like the existing app: a row and five indexes for each operation. */
  async writeRows(count) {
    await Dexie.delete(DEXIE_DATABASE);
    const database = new Dexie(DEXIE_DATABASE);
    database.version(1).stores({
      spaces: "&id, uri, name, createdAt",
      config: "&key",
      treeOps: "&[clock+peerId+treeId+spaceId], spaceId, treeId, [spaceId+treeId], [spaceId+treeId+clock]",
      secrets: "&[spaceId+key], spaceId",
    });
    await database.open();
    const rows = ops.slice(0, count).map(({ id, transient: _transient, ...rest }) => {
      return { clock: id.counter, peerId: id.peerId, treeId: spaceId, spaceId, ...rest };
    });
    const { ms } = await timed(async () => await database.treeOps.bulkPut(rows));
    const stored = await database.treeOps.count();
    database.close();
    await Dexie.delete(DEXIE_DATABASE);
    return { ms, stored };
  },

  /** Writes a file per user and day, as the operations would have arrived. @returns number of files */
  async writeFolder() {
    const root = await folderHandle();
    const files = new Map([["space-v1/space.json", encodeSpaceFile({ id: spaceId })]]);
    for (const [index, op] of ops.entries()) {
      const day = new Date(Date.UTC(2026, 0, 1) + Math.floor((index * DAYS) / ops.length) * DAY_MS);
      const path = logFilePath(spaceId, op.id.peerId, op.id.peerId, day);
      files.set(path, `${files.get(path) ?? ""}${encodeLine(op)}\n`);
    }
    for (const [path, text] of files) {
      let folder = root;
      const names = path.split("/");
      for (const name of names.slice(0, -1)) folder = await folder.getDirectoryHandle(name, { create: true });
      const writable = await (await folder.getFileHandle(names.at(-1), { create: true })).createWritable();
      await writable.write(text);
      await writable.close();
    }
    return files.size - 1;
  },

  /** The probe's results in an idle page: the machine's share of the figures. */
  async rest(ms) {
    return (await withProbe(async () => await new Promise((resolve) => setTimeout(resolve, ms)))).gaps;
  },

  /** Opens the space from one layer. @param from `indexeddb` or `folder` */
  async open(from, id) {
    spaceId = id;
    const layer = from === "folder" ? await folderLayer() : indexedDbLayer();
    const { ms, result, gaps } = await withProbe(async () => await openSpace(layer));
    const { tree } = result.space;
    const outcome = { ms, gaps, ops: tree.opCount, vertices: tree.getAllVertices().length, children: result.children };
    await result.space.close();
    return outcome;
  },
};
