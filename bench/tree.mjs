// The replicated tree: late merges, loading, many siblings. Needs a build (`npm run build`).

import { RepTree } from "reptree";
import { ReplicatedTree } from "../dist/tree/index.js";
import { check, median, seededRandom } from "./harness.mjs";

export const name = "tree";

const SEED = 20_261_122;

export async function run(report) {
  await lateMerge(report, { known: 75_000, late: 15_000 });
  await lateMergeOfRepTree(report, { known: 7_500, late: 1_500 });
  await load(report, 180_000, { runs: 5, atMost: 3 });
  await load(report, 500_000, { runs: 3 });
  await siblings(report, { created: 20_000, deleted: 2_000 });
}

/** One device comes back online: its edits since the middle of the others' history merge into all of it. */
async function lateMerge(report, { known, late }) {
  const { knownLines, lateLines } = lateLinesOf(known, late);
  const knownOps = parseLines(knownLines);
  const lateOps = parseLines(lateLines);
  const reference = new ReplicatedTree("reference", [...lateOps, ...knownOps]);
  const floorMs = await median(9, () => parseOnly(lateLines), { check: (count) => check(count === late, "lines parsed") });
  const mergeMs = await median(
    9,
    (tree) => {
      const added = tree.merge(lateOps);
      // reading the tree applies the moves
      return { added: added.length, root: tree.root };
    },
    {
      setup: () => openTree(knownOps),
      check: ({ added }, tree) =>
        check(added === late && tree.compareStructure(reference) && tree.opCount === known + late, "late merge"),
    },
  );
  report.ratio(`late merge of ${grouped(late)} operations into ${grouped(known)} / JSON.parse`, mergeMs, floorMs, { atMost: 10 });
}

/** The same with `reptree`, but smaller, because its time grows with the product of both numbers. */
async function lateMergeOfRepTree(report, { known, late }) {
  const { knownLines, lateLines } = lateLinesOf(known, late);
  const knownOps = parseLines(knownLines).sort(compareOps);
  const lateOps = parseLines(lateLines);
  const floorMs = await median(9, () => parseOnly(lateLines));
  const moves = [...knownOps, ...lateOps].filter((op) => "parentId" in op).length;
  const theirsMs = await median(1, (tree) => tree.merge(lateOps), {
    setup: () => new RepTree("reader", knownOps),
    check: (_result, tree) => {
      check(tree.getMoveOps().length === moves, "late merge with reptree");
      // every tree of `reptree` starts a timer
      tree.state.dispose();
    },
  });
  const oursMs = await median(
    9,
    (tree) => {
      tree.merge(lateOps);
      return tree.root;
    },
    { setup: () => openTree(knownOps), check: (root) => check(root !== undefined, "late merge") },
  );
  const label = `late merge of ${grouped(late)} operations into ${grouped(known)} / JSON.parse`;
  report.ratio(`${label}, ours`, oursMs, floorMs);
  report.ratio(`${label}, reptree`, theirsMs, floorMs);
}

/** Loads everything at once, in the order in which files are read: by peer, then by day. */
async function load(report, count, { runs, atMost }) {
  const lines = linesInFileOrder(count);
  const ops = parseLines(lines);
  const reference = new ReplicatedTree("reference", ops.toSorted(compareOps));
  const expected = { opCount: count, vertices: reference.getAllVertices().length };
  const isRight = (tree) => {
    check(tree.opCount === expected.opCount && tree.getAllVertices().length === expected.vertices, "operations loaded");
    check(tree.compareStructure(reference), "tree loaded");
  };
  const floorMs = await median(runs, () => parseOnly(lines), { check: (parsed) => check(parsed === count, "lines parsed") });
  const opsFloorMs = await median(runs, () => parseLines(lines), {
    check: (parsed) => check(parsed.length === count, "operations parsed"),
  });
  const mergeMs = await median(runs, () => openTree(ops), { check: isRight });
  const bothMs = await median(runs, () => openTree(parseLines(lines)), { check: isRight });
  const label = `load ${grouped(count)} operations in file order`;
  report.ratio(`${label}: merge / parse to operations`, mergeMs, opsFloorMs);
  report.ratio(`${label}: parse, merge / parse to operations`, bothMs, opsFloorMs, { atMost });
  report.ratio(`${label}: parse, merge / JSON.parse alone`, bothMs, floorMs);
}

/** Creates, lists and deletes many children of one vertex; the floor is the simplest data structure that can do it. */
async function siblings(report, { created, deleted }) {
  const isRight = (ids) => check(ids.length === created - deleted && new Set(ids).size === ids.length, "children left");
  const floorMs = await median(5, () => plainSiblings(created, deleted), { check: isRight });
  const treeMs = await median(5, () => treeSiblings(created, deleted), { check: isRight });
  const label = `create ${grouped(created)} siblings, delete ${grouped(deleted)}, list`;
  report.ratio(`${label} / Map and array`, treeMs, floorMs);
  report.time(label, treeMs, { atMostMs: 1_000 });
}

const LIST_EVERY = 100;

function treeSiblings(created, deleted) {
  const tree = new ReplicatedTree("peer");
  const root = tree.createRoot();
  const vertices = [];
  for (let index = 0; index < created; index++) vertices.push(root.newChild({ text: index }));
  let ids = root.childrenIds;
  for (let index = 0; index < deleted; index++) {
    vertices[Math.floor((index * created) / deleted)].delete();
    if (index % LIST_EVERY === LIST_EVERY - 1) ids = root.childrenIds;
  }
  return ids;
}

function plainSiblings(created, deleted) {
  const byId = new Map();
  const children = [];
  for (let index = 0; index < created; index++) {
    const child = { id: crypto.randomUUID().replaceAll("-", ""), createdAt: new Date().toISOString(), text: index };
    byId.set(child.id, child);
    children.push(child);
  }
  const all = [...children];
  let ids = children.map((child) => child.id);
  for (let index = 0; index < deleted; index++) {
    const child = all[Math.floor((index * created) / deleted)];
    byId.delete(child.id);
    children.splice(children.indexOf(child), 1);
    if (index % LIST_EVERY === LIST_EVERY - 1) ids = children.map((left) => left.id);
  }
  return ids;
}

function openTree(ops) {
  const tree = new ReplicatedTree("reader", ops);
  check(tree.root !== undefined, "a tree has a root");
  return tree;
}

// ---- lines as in files: [peer id, text of the line] ----

function parseOnly(lines) {
  let count = 0;
  for (const [, text] of lines) if (Array.isArray(JSON.parse(text))) count++;
  return count;
}

function parseLines(lines) {
  const ops = [];
  for (const [peerId, text] of lines) {
    const line = JSON.parse(text);
    const id = { counter: line[1], peerId };
    if (line[0] === "m") ops.push({ id, targetId: line[2], parentId: line[3] });
    else ops.push({ id, targetId: line[2], key: line[3], value: line[4], transient: false });
  }
  return ops;
}

function compareOps(a, b) {
  return a.id.counter - b.id.counter || (a.id.peerId < b.id.peerId ? -1 : 1);
}

/** Four peers that write on the same days. Each knows the others' edits of a day on the next day. */
function linesInFileOrder(count) {
  const peers = 4;
  const days = 60;
  const world = new World(SEED);
  const files = new Map();
  for (let day = 0; day < days; day++) {
    const dayStart = world.clock;
    for (let peer = 0; peer < peers; peer++) {
      const written = day * peers + peer;
      const length = Math.floor(((written + 1) * count) / (days * peers)) - Math.floor((written * count) / (days * peers));
      files.set(peer * days + day, world.session(`peer${peer}`.padEnd(32, "0"), dayStart, length));
    }
    world.endDay();
  }
  return [...files.keys()].sort((a, b) => a - b).flatMap((file) => files.get(file));
}

/** A history by three peers, and that of a fourth, which went offline in the middle of it. */
function lateLinesOf(known, late) {
  const world = new World(SEED);
  const days = 40;
  const length = known / days;
  const knownLines = [];
  let lateLines = [];
  for (let day = 0; day < days; day++) {
    knownLines.push(...world.session(`online${day % 3}`.padEnd(32, "0"), world.clock, length));
    if (day === days / 2) lateLines = world.session("offline".padEnd(32, "0"), world.clock, late, { isOffline: true });
    world.endDay();
  }
  return { knownLines, lateLines };
}

/** Makes up the work of people on one tree: each session stays in a neighbourhood of it. */
class World {
  clock = 1;
  #random;
  /** Ids that all peers know, in order of creation. */
  #vertices = [];
  #newToday = [];
  #latestToday = 1;

  constructor(seed) {
    this.#random = seededRandom(seed);
  }

  session(peerId, startCounter, length, { isOffline = false } = {}) {
    let counter = startCounter;
    const lines = [];
    const write = (kind, ...rest) => {
      if (lines.length < length) lines.push([peerId, JSON.stringify([kind, counter++, ...rest])]);
    };
    if (this.#vertices.length === 0) this.#begin(write);
    const near = this.#neighbourhood();
    while (lines.length < length) {
      const dice = this.#random();
      if (dice < 0.2) this.#create(write, near, isOffline);
      else if (dice < 0.28) write("m", this.#pick(near.slice(1)) ?? near[0], near[0]);
      else if (dice < 0.3) write("m", this.#pick(near), "0");
      else
        write(
          "p",
          this.#pick(near),
          this.#pick(["text", "updatedAt", "state"]),
          `value ${Math.floor(this.#random() * 1e9)} of some length`,
        );
    }
    if (!isOffline) this.#latestToday = Math.max(this.#latestToday, counter);
    return lines;
  }

  endDay() {
    this.#vertices.push(...this.#newToday);
    this.#newToday = [];
    this.clock = this.#latestToday;
  }

  #begin(write) {
    const rootId = this.#id();
    write("m", "0", null);
    write("m", rootId, null);
    this.#vertices.push(rootId);
  }

  #create(write, near, isOffline) {
    const id = this.#id();
    write("m", id, this.#random() < 0.5 ? near[0] : this.#pick(near));
    write("p", id, "_c", new Date(Date.UTC(2026, 0, 1) + this.clock * 1000 + near.length).toISOString());
    write("p", id, "name", `Vertex ${id.slice(0, 6)}`);
    near.push(id);
    if (!isOffline) this.#newToday.push(id);
  }

  /** Vertices that were created at about the same time. */
  #neighbourhood() {
    const start = Math.floor(this.#random() * this.#vertices.length);
    return this.#vertices.slice(start, start + 30);
  }

  #pick(items) {
    return items[Math.floor(this.#random() * items.length)];
  }

  #id() {
    let id = "";
    while (id.length < 32)
      id += Math.floor(this.#random() * 2 ** 32)
        .toString(16)
        .padStart(8, "0");
    return id;
  }
}

function grouped(count) {
  return count.toLocaleString("en-US");
}
