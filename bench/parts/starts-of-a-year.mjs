// The starts of an app on one device, with the layer's own code, in a file system in memory and a time of its own.

import { FileSystemPersistenceLayer, MemoryFileSystem } from "../../dist/index.js";
import { ManualClock } from "../../dist/testing/index.js";
import { seededRandom } from "../harness.mjs";

const HOUR_MS = 60 * 60 * 1000;

/**
 * Each day has two starts, of which each edits about half of the trees.
 * @param {boolean} keepsPeer whether all starts continue one peer, or each is a new one
 * @returns number of log files, and of their bytes
 */
export async function startsOfDays(days, { trees, edits, keepsPeer, seed }) {
  const random = seededRandom(seed);
  const randomOfIds = seededRandom(seed + 1);
  const id = () => Array.from({ length: 32 }, () => Math.floor(randomOfIds() * 16).toString(16)).join("");
  const treeIds = Array.from({ length: trees }, id);
  const fs = new MemoryFileSystem({ "/space/space-v1/space.json": JSON.stringify({ id: treeIds[0] }) });
  const clock = new ManualClock(Date.UTC(2019, 0, 1, 8));
  const peer = id();
  let counter = 0;
  for (let start = 0; start < 2 * days; start++) {
    const peerId = keepsPeer ? peer : id();
    const layer = new FileSystemPersistenceLayer("/space", treeIds[0], { fs, clock });
    await layer.connect({ peerId, isPeerContinued: keepsPeer && start > 0 });
    for (const treeId of treeIds) {
      if (start > 0 && random() > 0.5) continue;
      const ops = Array.from({ length: edits }, () => ({
        id: { counter: ++counter, peerId },
        targetId: treeId,
        key: "text",
        value: `some text that was typed at ${counter}`,
      }));
      await Promise.all([layer.saveTreeOps(treeId, ops), layer.flush()]);
    }
    await layer.disconnect();
    await clock.advance(12 * HOUR_MS);
  }
  const logs = Object.entries(fs.dump()).filter(([path]) => path.endsWith(".jsonl"));
  return { files: logs.length, bytes: logs.reduce((sum, [, text]) => sum + text.length, 0) };
}
