// Our watch against chokidar 5, on Linux, where both put a watch on every folder.
//
// Both watchers notify the same reader: for each reported folder, it reads the file in it. So a hint that arrives before
// the bytes does not count, and a change is missed if the reader does not have it after 3 s.

import { fork } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { check } from "./harness.mjs";

export const name = "watching a folder";

const MISSED_AFTER_MS = 3000;
const NEW_FOLDERS = 200;
const REPLACEMENTS = 40;
const APPENDS = 300;
const FOLDERS_FOR_MEMORY = 2000;

/** Each starts to watch a folder; `onDirectory` gets the folder to read, or `undefined` for all of them. */
const WATCHERS = {
  async foldspace(root, onDirectory) {
    const { NodeFileSystem } = await import("../dist/fs/node/index.js");
    return new NodeFileSystem().watch(root, (hint) => onDirectory(hint.kind === "dirty" ? hint.directory : undefined));
  },
  async "chokidar 5"(root, onDirectory) {
    const { watch } = await import("chokidar");
    const watcher = watch(root, { ignoreInitial: true });
    watcher.on("all", (event, path) => onDirectory(event.endsWith("Dir") ? path : dirname(path)));
    await new Promise((resolve) => watcher.once("ready", resolve));
    return () => watcher.close();
  },
};

export async function run(report) {
  if (process.platform !== "linux") return report.heading("Skipped: only Linux offers a choice.");
  const rows = [];
  for (const [watcher, start] of Object.entries(WATCHERS)) {
    rows.push({
      watcher,
      ...(await inFreshFolder((root) => newFolders(root, start))),
      ...(await inFreshFolder((root) => replacements(root, start))),
      ...(await inFreshFolder((root) => appendLatency(root, start))),
      ...(await inFreshFolder((root) => footprint(root, watcher))),
    });
  }
  report.heading(table(rows));
  const [ours, theirs] = rows;
  const missed = Object.entries(ours).filter(([column, value]) => column.includes("missed") && value > 0);
  check(missed.length === 0, `foldspace missed changes: ${missed.map((entry) => entry.join(" ")).join(", ")}`);
  check(ours[MEMORY] <= theirs[MEMORY], `foldspace takes ${ours[MEMORY]} MB, chokidar ${theirs[MEMORY]} MB`);
}

const MEMORY = `${FOLDERS_FOR_MEMORY} folders: MB more`;

/** Files that appear in new folders, six deep, as fast as they can be written; then one append to each. */
async function newFolders(root, start) {
  const files = Array.from({ length: NEW_FOLDERS }, (_, i) => join(root, `${i % 5}/${i % 50}/2026/${i % 12}/${i}/d/peer.jsonl`));
  const reader = new Reader(files);
  const end = await start(root, (directory) => reader.rescan(directory));
  for (const file of files) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, "1\n");
  }
  const first = await reader.missing("1\n");
  for (const file of files) await appendFile(file, "2\n");
  const later = await reader.missing("1\n2\n");
  await end();
  return { [`${NEW_FOLDERS} new folders: missed`]: first, "later appends: missed": later };
}

/** A file that existed before the watch, replaced as Syncthing does: deleted, then renamed into place. */
async function replacements(root, start) {
  const file = join(root, "folder/peer.jsonl");
  const temporary = join(root, "folder/.syncthing.peer.jsonl.tmp");
  await mkdir(dirname(file));
  await writeFile(file, "start");
  const reader = new Reader([file]);
  const end = await start(root, (directory) => reader.rescan(directory));
  let missed = 0;
  for (let version = 0; version < REPLACEMENTS; version++) {
    await writeFile(temporary, `version ${version}`);
    await rm(file);
    await rename(temporary, file);
    missed += await reader.missing(`version ${version}`);
    await delay(60);
  }
  await end();
  return { [`${REPLACEMENTS} replacements: missed`]: missed };
}

/** Steady appends to one file. The latency of each ends when the reader has its byte, by whichever hint. */
async function appendLatency(root, start) {
  const file = join(root, "a/b/peer.jsonl");
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, "");
  const begunMs = [];
  const latenciesMs = [];
  const reader = new Reader([file]);
  const end = await start(root, (directory) => {
    reader.rescan(directory);
    while (latenciesMs.length < reader.sizeOf(file)) latenciesMs.push(performance.now() - begunMs[latenciesMs.length]);
  });
  for (let i = 0; i < APPENDS; i++) {
    begunMs.push(performance.now());
    await appendFile(file, "x");
    await delay(10 + (i % 20));
  }
  await reader.missing("x".repeat(APPENDS));
  await end();
  const seenInTimeMs = latenciesMs.filter((latencyMs) => latencyMs <= MISSED_AFTER_MS).sort((a, b) => a - b);
  const at = (part) => Number(seenInTimeMs[Math.floor(seenInTimeMs.length * part)]?.toFixed(1));
  return { "append p50 ms": at(0.5), "append p99 ms": at(0.99), [`${APPENDS} appends: missed`]: APPENDS - seenInTimeMs.length };
}

/** Measures in a separate process, so that nothing else counts. */
async function footprint(root, watcher) {
  for (let i = 0; i < FOLDERS_FOR_MEMORY; i++) {
    const folder = join(root, `${i % 20}/${i}`);
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "peer.jsonl"), "1\n");
  }
  const child = fork(fileURLToPath(import.meta.url), [watcher, root], { execArgv: ["--expose-gc"] });
  const { readyMs, growthBytes, watches } = await new Promise((resolve, reject) => {
    child.once("message", resolve).once("exit", () => reject(new Error(`the process with ${watcher} ended`)));
  });
  return { "ready ms": Math.round(readyMs), [MEMORY]: Number((growthBytes / 2 ** 20).toFixed(1)), "inotify watches": watches };
}

async function measureFootprint(watcher, root) {
  const start = WATCHERS[watcher];
  // Loading the module and the first watch are not measured.
  await inFreshFolder(async (empty) => (await start(empty, () => undefined))());
  globalThis.gc();
  const before = process.memoryUsage.rss();
  const begin = performance.now();
  const end = await start(root, () => undefined);
  const readyMs = performance.now() - begin;
  globalThis.gc();
  const result = { readyMs, growthBytes: process.memoryUsage.rss() - before, watches: await countWatches() };
  await end();
  return result;
}

async function countWatches() {
  const infos = await Promise.all(
    // The folder was listed through a descriptor that is closed by now.
    (await readdir("/proc/self/fdinfo")).map((fd) => readFile(`/proc/self/fdinfo/${fd}`, "utf8").catch(() => "")),
  );
  return infos
    .join("\n")
    .split("\n")
    .filter((line) => line.startsWith("inotify wd:")).length;
}

/** Keeps each file's content as of its last rescan. */
class Reader {
  #contents;
  #wake = () => undefined;

  constructor(files) {
    this.#contents = new Map(files.map((file) => [file, undefined]));
  }

  rescan(directory) {
    for (const file of this.#contents.keys()) {
      if (directory === undefined || dirname(file) === directory) this.#contents.set(file, contentOf(file));
    }
    this.#wake();
  }

  sizeOf(file) {
    return this.#contents.get(file)?.length ?? 0;
  }

  /** How many files the reader does not know in their current state, after 3 s at the latest. */
  async missing(content) {
    const count = () => [...this.#contents.values()].filter((known) => known !== content).length;
    const deadline = performance.now() + MISSED_AFTER_MS;
    while (count() > 0 && performance.now() < deadline) {
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, deadline - performance.now());
        this.#wake = () => (clearTimeout(timer), resolve());
      });
    }
    return count();
  }
}

function contentOf(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

async function inFreshFolder(use) {
  const root = await mkdtemp(join(tmpdir(), "foldspace-bench-"));
  try {
    return await use(root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

function table([...rows]) {
  return Object.keys(rows[0])
    .map((column) => column.padEnd(30) + rows.map((row) => String(row[column]).padStart(14)).join(""))
    .join("\n");
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  process.send(await measureFootprint(process.argv[2], process.argv[3]));
  process.disconnect();
}
