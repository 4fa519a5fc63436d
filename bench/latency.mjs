// Delays from an edit to the arrival of its line at the other device, with continuous typing, between two instances of Syncthing
// on this machine.
//
// Runs only if it is named: node bench/run.mjs latency. Variables of the environment:
//   LATENCY_S            seconds of typing in each case; 600 by default
//   LATENCY_DELAYS       values of Syncthing's fsWatcherDelayS, with commas; "10,1" by default
//   FOLDSPACE_SYNCTHING  path of Syncthing; the one in PATH by default
//
// The cases of one delay run at the same time, each with a space and two instances of its own.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { FileSystemPersistenceLayer, newId, SpaceManager } from "../dist/index.js";
import { check, seededRandom } from "./harness.mjs";

export const name = "latency with Syncthing: from an edit to the arrival of its line";

const TYPING_MS = Number(process.env.LATENCY_S ?? 600) * 1000;
const DELAYS_S = (process.env.LATENCY_DELAYS ?? "10,1").split(",").map(Number);
const FIRST_MINUTE_MS = 60_000;
const SHORTEST_PAUSE_MS = 150;
const LONGEST_PAUSE_MS = 300;
const POLL_MS = 100;
/** Syncthing holds a change back for at most six times its delay. */
const HELD_AT_MOST = 6;
const CARRYING_MS = 30_000;

/** When typing begins. */
const CASES = [
  { title: "just after the space was made", isSpaceNew: true },
  { title: "in the first minute of a new tree", isTreeNew: true },
  { title: "in the first minute of a day", isDayNew: true },
  { title: "in a tree with files of the day" },
];

export async function run(report) {
  const { Syncthing } = await loadTransport();
  for (const delayS of DELAYS_S) {
    const measured = await Promise.all(CASES.map((each) => measure(Syncthing, delayS, each)));
    for (const [index, { title }] of CASES.entries()) {
      const isEarly = ({ afterMs }) => afterMs < FIRST_MINUTE_MS;
      describe(report, `${title}, delay ${delayS} s`, measured[index].filter(isEarly));
      describe(
        report,
        `  from the second minute on`,
        measured[index].filter((edit) => !isEarly(edit)),
      );
    }
  }
}

function describe(report, label, edits) {
  if (edits.length === 0) return;
  const sorted = edits.map(({ delayMs }) => delayMs).sort((a, b) => a - b);
  report.time(`${label}: median`, sorted[sorted.length >> 1]);
  report.time(`${label}: worst`, sorted.at(-1));
}

/** The Syncthing of the tests with transports, which is in TypeScript. */
async function loadTransport() {
  const folder = mkdtempSync(join(tmpdir(), "foldspace-latency-"));
  try {
    const outfile = join(folder, "syncthing.mjs");
    const source = fileURLToPath(new URL("../tests/transports/syncthing.ts", import.meta.url));
    await build({ entryPoints: [source], outfile, bundle: true, platform: "node", format: "esm" });
    return await import(pathToFileURL(outfile));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns each edit: how long after the first one it was made, and its delay */
async function measure(Syncthing, delayS, { isSpaceNew, isTreeNew, isDayNew }) {
  const root = mkdtempSync(join(tmpdir(), "foldspace-latency-"));
  const site = { root, one: join(root, "one"), two: join(root, "two") };
  const id = newId();
  let syncthing;
  try {
    mkdirSync(site.one);
    if (!isSpaceNew) await createSpace(site.one, id);
    if (isDayNew) moveToYesterday(site.one);
    syncthing = await Syncthing.start(site, delayS);
    await syncthing.join();
    if (isSpaceNew) await createSpace(site.one, id);
    else await untilCarried(site, delayS);
    const manager = new SpaceManager();
    const space = await manager.loadSpace({ id }, [new FileSystemPersistenceLayer(site.one, id)]);
    if (!isSpaceNew && !isTreeNew && !isDayNew) {
      space.tree.root.setProperty("text", "");
      await delay(HELD_AT_MOST * delayS * 1000);
    }
    const { treeId, tree } = isTreeNew ? newTree(space) : { treeId: id, tree: space.tree };
    const edits = await type(tree, arrivals(site.two, treeId, space.peerId), delayS);
    await manager.closeSpace(id);
    return edits;
  } finally {
    await syncthing?.end();
    rmSync(root, { recursive: true, force: true });
  }
}

async function createSpace(folder, id) {
  const manager = new SpaceManager();
  await manager.createSpace({ id, persistenceLayers: [new FileSystemPersistenceLayer(folder, id)] });
  await manager.closeSpace(id);
}

function newTree(space) {
  const { id, tree } = space.newAppTree("latency", "a tree");
  return { treeId: id, tree };
}

/** Renames the folder of the day to that of the day before, so that the next edit makes one. */
function moveToYesterday(folder) {
  const ops = join(folder, "space-v1/ops");
  const logs = readdirSync(ops, { recursive: true }).filter((path) => path.endsWith(".jsonl"));
  for (const log of logs) {
    const [prefix, rest] = log.split(/[\\/]/);
    const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000).toISOString().slice(0, 10).replaceAll("-", "/");
    const to = join(ops, prefix, rest, yesterday);
    mkdirSync(dirname(to), { recursive: true });
    renameSync(join(ops, dirname(log)), to);
  }
}

/** Waits until the other device has the space, and no write counts as a change of a new folder any more. */
async function untilCarried({ two }, delayS) {
  const deadline = performance.now() + HELD_AT_MOST * delayS * 1000 + CARRYING_MS;
  while (!existsSync(join(two, "space-v1/space.json")) && performance.now() < deadline) await delay(POLL_MS);
  check(existsSync(join(two, "space-v1/space.json")), "the space has not arrived");
  await delay(2 * delayS * 1000);
}

/** @returns reads the counters of the operations of a peer that have arrived since the last call */
function arrivals(folder, treeId, peerId) {
  const seen = new Set();
  const sizes = new Map();
  return () => {
    const arrived = [];
    if (!existsSync(join(folder, "space-v1/ops"))) return arrived;
    const isLog = (path) => path.includes(treeId.slice(2)) && /[\\/](\w+)(?:\.\w+)?\.jsonl$/.exec(path)?.[1] === peerId;
    for (const path of readdirSync(join(folder, "space-v1/ops"), { recursive: true }).filter(isLog)) {
      const text = readIfThere(join(folder, "space-v1/ops", path));
      if (text === undefined || text.length === sizes.get(path)) continue;
      sizes.set(path, text.length);
      for (const [, counter] of text.matchAll(/^\["[mp]",(\d+),/gm)) {
        if (seen.has(counter)) continue;
        seen.add(counter);
        arrived.push(Number(counter));
      }
    }
    return arrived;
  };
}

/** Syncthing removes a file for a moment when it replaces it. */
function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function type(tree, takeArrivals, delayS) {
  const madeAt = new Map();
  const edits = [];
  tree.observeOpApplied(({ id }) => madeAt.set(id.counter, performance.now()));
  takeArrivals();
  const begin = performance.now();
  const note = () => {
    const now = performance.now();
    for (const counter of takeArrivals()) {
      const made = madeAt.get(counter);
      if (made !== undefined) edits.push({ afterMs: made - begin, delayMs: now - made });
    }
  };
  const polling = setInterval(note, POLL_MS);
  try {
    const random = seededRandom(1);
    for (let text = ""; performance.now() - begin < TYPING_MS;) {
      text = `${text}${"etaoin shrdlu"[Math.floor(random() * 13)]}`.slice(-80);
      tree.root.setProperty("text", text);
      await delay(SHORTEST_PAUSE_MS + random() * (LONGEST_PAUSE_MS - SHORTEST_PAUSE_MS));
    }
    const deadline = performance.now() + HELD_AT_MOST * delayS * 1000 + CARRYING_MS;
    while (edits.length < madeAt.size && performance.now() < deadline) await delay(POLL_MS);
  } finally {
    clearInterval(polling);
  }
  check(edits.length === madeAt.size, `${edits.length} of ${madeAt.size} edits have arrived`);
  return edits;
}
