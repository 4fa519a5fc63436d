// Writes a folder with one tree of many operations: several peers in turn, each with a file per day.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { encodeLine, logFilePath } from "../../dist/log/index.js";
import { seededRandom } from "../harness.mjs";

const DAY_MS = 24 * 60 * 60 * 1000;
const OPS_IN_TURN = 50;

export function writeOneTree(folder, { operations, peers, days, seed }) {
  const random = seededRandom(seed);
  const id = () => Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
  const treeId = id();
  const peerIds = Array.from({ length: peers }, id);
  const vertices = [treeId];
  const pick = () => vertices[vertices.length - 1 - Math.floor(random() * random() * vertices.length)];
  const files = new Map();
  for (let counter = 1; counter <= operations; counter++) {
    const peerId = peerIds[Math.floor(counter / OPS_IN_TURN) % peers];
    const day = new Date(Date.UTC(2024, 0, 1) + Math.floor((counter * days) / (operations + 1)) * DAY_MS);
    const path = join(folder, logFilePath(treeId, peerId, peerId, day));
    if (!files.has(path)) files.set(path, []);
    files.get(path).push(encodeLine({ id: { counter, peerId }, ...contentOf(counter) }));
  }
  for (const [path, lines] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${lines.join("\n")}\n`);
  }
  writeFileSync(join(folder, "space-v1", "space.json"), JSON.stringify({ id: treeId }));

  function contentOf(counter) {
    if (counter === 1) return { targetId: treeId, parentId: null };
    const kind = random();
    if (kind < 0.3) {
      const targetId = id();
      const parentId = pick();
      vertices.push(targetId);
      return { targetId, parentId };
    }
    if (kind < 0.35 && vertices.length > 2)
      return { targetId: vertices[1 + Math.floor(random() * (vertices.length - 1))], parentId: pick() };
    const value = random() < 0.5 ? `item ${counter}` : `a longer text that a person typed into the outliner, revision ${counter}`;
    return { targetId: pick(), key: random() < 0.5 ? "name" : "text", value, transient: false };
  }
}
