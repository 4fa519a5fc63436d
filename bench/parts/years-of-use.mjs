// Writes a folder like one after years of use: each day, several devices start an app several times, and edit some of the trees.

import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { encodeLine, logFilePath } from "../../dist/log/index.js";
import { seededRandom } from "../harness.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;
const START = Date.UTC(2019, 0, 1);

/**
 * @param {boolean} keepsPeers whether a device is one peer for all its time, or a new one at each start
 * @returns number of operations
 */
export function writeYears(folder, { years, devices, sessions, trees, edits, keepsPeers, seed }) {
  const random = seededRandom(seed);
  const id = () => Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
  const histories = Array.from({ length: trees }, () => ({ treeId: id(), vertices: [], clock: 1 }));
  const kept = Array.from({ length: devices }, id);
  const texts = new Map();
  let operations = 0;
  for (let day = 0; day < years * 365; day++) {
    const time = new Date(START + day * DAY_MS);
    for (let session = 0; session < devices * sessions; session++) {
      const peerId = keepsPeers ? kept[session % devices] : id();
      for (const [index, history] of histories.entries()) {
        // the space tree only references the others; of the others, each session edits half
        if ((day > 0 || session > 0) && random() > (index === 0 ? 0.1 : 0.5)) continue;
        const ops = edit(history, peerId, index === 0 ? 2 : edits, random, id);
        operations += ops.length;
        const path = join(folder, logFilePath(history.treeId, peerId, peerId, time));
        texts.set(path, `${texts.get(path) ?? ""}${ops.map(encodeLine).join("\n")}\n`);
      }
    }
  }
  for (const [path, text] of texts) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  writeFileSync(join(folder, "space-v1", "space.json"), JSON.stringify({ id: histories[0].treeId }));
  return operations;
}

function edit(history, peerId, edits, random, id) {
  const { treeId, vertices } = history;
  const ops = [];
  const add = (op) => ops.push({ id: { counter: history.clock++, peerId }, ...op });
  if (vertices.length === 0) {
    add({ targetId: "0", parentId: null });
    add({ targetId: treeId, parentId: null });
    vertices.push(treeId);
  }
  for (let index = 0; index < edits; index++) {
    const near = vertices[Math.max(0, vertices.length - 1 - Math.floor(random() * 40))];
    if (random() < 0.3) {
      const targetId = id();
      add({ targetId, parentId: near });
      vertices.push(targetId);
    } else add({ targetId: near, key: "text", value: `some text that was typed at ${history.clock}`, transient: false });
  }
  return ops;
}

/** Counts files and folders below a folder, which is not counted. */
export function countBelow(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).length;
  return { files: entries.length - folders, folders };
}
