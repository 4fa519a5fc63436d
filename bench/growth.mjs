// A folder after years of use, before and after it is packed: files, folders, and opening all trees from the folder alone.
// FOLDSPACE_BENCH_YEARS sets the number of years (default 1).

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NodeFileSystem } from "../dist/fs/node/index.js";
import { FileSystemPersistenceLayer, packFolder, ReplicatedTree, SpaceFolder } from "../dist/index.js";
import { check, median } from "./harness.mjs";
import { startsOfDays } from "./parts/starts-of-a-year.mjs";
import { countBelow, writeYears } from "./parts/years-of-use.mjs";

const YEARS = Number(process.env.FOLDSPACE_BENCH_YEARS ?? 1);
const RUNS = 3;

export const name = `growth: ${YEARS} years of 3 devices with 2 sessions a day and 4 trees, packed and unpacked`;

export async function run(report) {
  const shape = { trees: 4, edits: 20, seed: 7 };
  const each = await startsOfDays(365 * YEARS, { ...shape, keepsPeer: false });
  const kept = await startsOfDays(365 * YEARS, { ...shape, keepsPeer: true });
  check(kept.bytes === each.bytes, "the same operations");
  report.count("files of a device's starts: a kept peer / new peers", kept.files, each.files, { atMost: 0.2 });
  for (const keepsPeers of [true, false]) {
    const folder = mkdtempSync(join(tmpdir(), "foldspace-growth-"));
    try {
      await measure(report, folder, keepsPeers);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}

async function measure(report, folder, keepsPeers) {
  const label = keepsPeers ? "a peer per device" : "a peer per session";
  const shape = { years: YEARS, devices: 3, sessions: 2, trees: 4, edits: 20, keepsPeers, seed: 7 };
  const operations = writeYears(folder, shape);
  const ops = join(folder, "space-v1", "ops");
  const open = () => median(RUNS, () => openAll(folder), { check: (found) => check(found === operations, "operations") });
  const before = countBelow(ops);
  const unpackedMs = await open();
  const start = performance.now();
  const pack = await packFolder(new SpaceFolder(new NodeFileSystem({ io: "sync" }), folder), { deletes: true });
  const packMs = performance.now() - start;
  check(pack.left.length === 0 && pack.operations === operations, "packing");
  const after = countBelow(ops);
  // a file is named after its peer, so that each peer keeps one: without kept peers, only the folders become fewer
  const limits = keepsPeers ? { files: 0.1, opening: 0.5 } : {};
  report.count(`files, ${label}: packed / unpacked`, after.files, before.files, { atMost: limits.files });
  report.count(`folders, ${label}: packed / unpacked`, after.folders, before.folders, { atMost: 0.1 });
  report.ratio(`opening all trees, ${label}: packed / unpacked`, await open(), unpackedMs, { atMost: limits.opening });
  report.time(`packing, ${label}`, packMs);
}

/** @returns number of operations, in all trees */
async function openAll(folder) {
  const fs = new NodeFileSystem();
  const { id } = await new SpaceFolder(fs, folder).open();
  const layer = new FileSystemPersistenceLayer(folder, id, { fs });
  await layer.connect();
  let operations = 0;
  for (const treeId of await layer.listTrees()) {
    const ops = await layer.loadTreeOps(treeId);
    const tree = new ReplicatedTree("reader", ops, { rootId: treeId });
    check(tree.root !== undefined, "a tree");
    operations += ops.length;
  }
  await layer.disconnect();
  return operations;
}
