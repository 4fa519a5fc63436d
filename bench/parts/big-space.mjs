// Writes a folder like one after years of use: several trees, a file per peer and day, each session working on its own part.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { encodeLine, logFilePath } from "../../dist/log/index.js";
import { seededRandom } from "../harness.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;

/** @returns number of operations written: a few more than requested, because the last edit of a file is complete */
export function writeBigSpace(folder, { operations, files, trees, seed }) {
  const random = seededRandom(seed);
  const id = () => Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
  const histories = Array.from({ length: trees }, () => newHistory(id));
  const perFile = Math.floor(operations / files);
  let written = 0;
  for (let file = 0; file < files; file++) {
    // the space tree only references the others, if there are any, so it is small
    const history = histories[file % 40 === 0 || trees === 1 ? 0 : 1 + (file % (trees - 1))];
    const peerId = id();
    const ops = [];
    const add = (op) => ops.push({ id: { counter: history.clock++, peerId }, ...op });
    if (history.vertices.length === 0) {
      add({ targetId: "0", parentId: null });
      add({ targetId: history.treeId, parentId: null });
      history.vertices.push(history.treeId);
    }
    while (ops.length < perFile) edit(history, add, random, id);
    written += ops.length;
    const day = new Date(Date.UTC(2024, 0, 1) + Math.floor(file / trees) * DAY_MS);
    const path = join(folder, logFilePath(history.treeId, peerId, peerId, day));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${ops.map(encodeLine).join("\n")}\n`);
  }
  writeFileSync(join(folder, "space-v1", "space.json"), JSON.stringify({ id: histories[0].treeId }));
  return written;
}

function newHistory(id) {
  return { treeId: id(), vertices: [], clock: 1 };
}

/** Mostly new vertices near the last ones, with four properties each; some later edits and a few moves. */
function edit(history, add, random, id) {
  const { vertices } = history;
  const near = vertices[Math.max(0, vertices.length - 1 - Math.floor(random() * 50))];
  const kind = random();
  if (kind < 0.6) {
    const targetId = id();
    add({ targetId, parentId: near });
    add({ targetId, key: "_c", value: new Date(Date.UTC(2024, 0, 1) + history.clock * 1000).toISOString(), transient: false });
    add({ targetId, key: "name", value: `item ${history.clock}`, transient: false });
    add({ targetId, key: "text", value: `the text written at ${history.clock}, a sentence or so`, transient: false });
    add({ targetId, key: "done", value: false, transient: false });
    vertices.push(targetId);
  } else if (kind < 0.95) {
    add({ targetId: near, key: "text", value: `rewritten at ${history.clock}, a sentence or so`, transient: false });
  } else {
    const target = vertices[Math.floor(random() * vertices.length)];
    if (target !== history.treeId) add({ targetId: target, parentId: near });
  }
}
