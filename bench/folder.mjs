// A space in a folder: opening it for the first time, and saving. Needs a build (`npm run build`).

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { appendFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileSystemPersistenceLayer, newId, SpaceManager } from "../dist/index.js";
import { NodeFileSystem } from "../dist/fs/node/index.js";
import { check, median } from "./harness.mjs";
import { writeOneTree } from "./parts/one-tree.mjs";

export const name = "folder";

const COMMAND = join(import.meta.dirname, "..", "dist", "cli", "main.js");
const part = (file) => join(import.meta.dirname, "parts", file);

export async function run(report) {
  const folder = mkdtempSync(join(tmpdir(), "foldspace-bench-"));
  try {
    await load(report, join(folder, "load"), 300_000);
    await reopen(report, join(folder, "reopen"), join(folder, "cache"), 1_300_000);
    await save(report, join(folder, "save"), { edits: 20_000, batch: 100 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whole processes; the floor only reads and parses the same lines. */
async function load(report, folder, operations) {
  writeOneTree(folder, { operations, peers: 4, days: 60, seed: 20_261_130 });
  const isAll = { check: (text) => check(Number(text) === operations, "operations read") };
  const parseMs = await median(5, () => output(part("read-and-parse.mjs"), folder), isAll);
  const loadMs = await median(5, () => output(part("load-space.mjs"), folder), isAll);
  const label = `${operations.toLocaleString("en-US")} operations of one tree in 240 files`;
  report.ratio(`open a space, ${label} / read and parse`, loadMs, parseMs, { atMost: 10 });
  const infoMs = await median(5, () => output(COMMAND, "info", folder, "--json"), {
    check: (text) => check(JSON.parse(text).trees[0].operations === operations, "operations counted"),
  });
  report.ratio(`foldspace info, ${label} / read and parse`, infoMs, parseMs, { atMost: 8 });
}

/** Whole processes; the floor opens the same space without a snapshot. */
async function reopen(report, folder, cache, operations) {
  writeOneTree(folder, { operations, peers: 1, days: 3, seed: 20_261_201 });
  const isAll = { check: (text) => check(Number(text) === operations, "operations read") };
  const coldMs = await median(3, () => output(part("load-space.mjs"), folder), isAll);
  output(part("load-space.mjs"), folder, cache, "keep");
  const warmMs = await median(5, () => output(part("load-space.mjs"), folder, cache), isAll);
  const label = `${operations.toLocaleString("en-US")} operations of one tree in 3 files`;
  report.ratio(`open a space again from a snapshot, ${label} / without one`, warmMs, coldMs, { atMost: 0.5 });
}

function output(...args) {
  const { stdout, status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  check(status === 0, `${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** Edits, each batch saved before the next one; the floor appends the same lines to a plain file, batch by batch. */
async function save(report, folder, { edits, batch }) {
  const spaceId = newId();
  const layer = new FileSystemPersistenceLayer(folder, spaceId, { fs: new NodeFileSystem() });
  const space = await new SpaceManager().createSpace({ id: spaceId, persistenceLayers: [layer] });
  const vertices = Array.from({ length: batch }, (_, index) => space.tree.root.newChild({ text: `item ${index}` }));
  await layer.flush();
  let edit = 0;
  const saveAll = async () => {
    for (let start = 0; start < edits; start += batch) {
      for (const vertex of vertices) vertex.setProperty("text", `what was typed at edit ${++edit}`);
      await Promise.resolve();
      await layer.flush();
    }
  };
  const saveMs = await median(3, saveAll, { check: () => check(layer.status.pendingOps === 0, "edits saved") });
  await space.close();
  const logs = readdirSync(folder, { recursive: true }).filter((path) => path.endsWith(".jsonl"));
  const lines = logs.flatMap((path) => readFileSync(join(folder, path), "utf8").trim().split("\n")).slice(0, edits);
  const plain = join(folder, "plain.txt");
  const floorMs = await median(3, async () => {
    for (let start = 0; start < edits; start += batch)
      await appendFile(plain, `${lines.slice(start, start + batch).join("\n")}\n`);
  });
  report.ratio(`save ${edits.toLocaleString("en-US")} edits in batches of ${batch} / append the lines`, saveMs, floorMs);
}
