// The replicated tree: late merges, loading, memory, deep trees, many siblings. Needs a build (`npm run build`).

import { RepTree } from "reptree";
import { ReplicatedTree } from "../dist/tree/index.js";
import { check, kept, median, seededRandom } from "./harness.mjs";

export const name = "tree";

const SEED = 20_261_122;

export async function run(report) {
  await lateMerge(report, { known: 75_000, late: 15_000 });
  await lateMergeOfRepTree(report, { known: 7_500, late: 1_500 });
  await load(report, 180_000, { runs: 5, atMost: 3 });
  await load(report, 500_000, { runs: 3 });
  await memory(report, 180_000);
  await editedText(report, { vertices: 20_000, edits: 50_000 });
  await deepMoves(report, 20_000);
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

/** What a tree keeps of each operation; the floor is the operations themselves, as objects. */
async function memory(report, count) {
  const lines = linesInFileOrder(count);
  const objects = await kept(
    () => parseLines(lines),
    (ops) => check(ops.length === count, "operations parsed"),
  );
  const tree = await kept(
    () => openTree(parseLines(lines)),
    ({ opCount }) => check(opCount === count, "operations loaded"),
  );
  report.bytes(`keep ${grouped(count)} operations / the same as objects`, tree, objects, { atMost: 0.75 });
}

/** One text of many vertices is edited all the time; the floor is a tree that has only what is shown. */
async function editedText(report, { vertices, edits }) {
  const ids = Array.from({ length: vertices }, (_, index) => `v${index}`.padEnd(32, "0"));
  let counter = 0;
  const id = () => ({ counter: ++counter, peerId: "editor".padEnd(32, "0") });
  const created = ids.flatMap((targetId, index) => [
    { id: id(), targetId, parentId: index === 0 ? null : ids[0] },
    { id: id(), targetId, key: "name", value: `Vertex ${index}`, transient: false },
  ]);
  const text = "A text of some length. ".repeat(100);
  const setText = (index) => ({ id: id(), targetId: ids[1], key: "text", value: `${text}${index}`, transient: false });
  const isRight = (tree) => check(tree.getVertexProperty(ids[1], "text").startsWith(text), "text edited");
  const shown = await kept(() => openTree([...created, setText(0)]), isRight);
  const edited = await kept(() => {
    const tree = openTree(created);
    for (let index = 0; index < edits; index++) tree.merge([setText(index)]);
    return tree;
  }, isRight);
  report.bytes(`keep ${grouped(vertices)} vertices, one text edited ${grouped(edits)} times / shown`, edited, shown, {
    atMost: 2,
  });
}

/** Moves in a chain, each below the vertex itself, and a late one below all; the floor is the same in a flat tree. */
async function deepMoves(report, depth) {
  const movesIn = (isDeep) => {
    let counter = 0;
    const move = (targetId, parentId) => ({ id: { counter: ++counter, peerId: "mover" }, targetId, parentId });
    const ops = [move("0", null), move("root", null)];
    for (let index = 0; index < depth; index++) ops.push(move(`v${index}`, isDeep && index > 0 ? `v${index - 1}` : "root"));
    for (let index = 0; index < depth; index++) ops.push(move(`v${index % 100}`, `v${depth - 1 - (index % 1_000)}`));
    return ops;
  };
  const [deep, flat] = [movesIn(true), movesIn(false)];
  const vertices = (tree) => check(tree.getAllVertices().length === depth + 2, "moves in a chain");
  const deepMs = await median(9, () => openTree(deep), { check: vertices });
  const flatMs = await median(9, () => openTree(flat), { check: vertices });
  report.ratio(`${grouped(2 * depth)} moves in a chain / in a flat tree`, deepMs, flatMs, { atMost: 3 });
  const late = { id: { counter: 1, peerId: "late" }, targetId: "v1", parentId: "root" };
  const mergeLate = (ops) =>
    median(
      9,
      (tree) => {
        tree.merge([late]);
        return tree.root;
      },
      { setup: () => openTree(ops), check: (_root, tree) => vertices(tree) },
    );
  report.ratio("a late move there / in a flat tree", await mergeLate(deep), await mergeLate(flat), { atMost: 3 });
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
