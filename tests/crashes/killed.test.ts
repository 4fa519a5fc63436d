import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { NodeFileSystem } from "../../src/fs/node/index.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import { Random } from "../../src/testing/random.ts";
import { newId } from "../../src/tree/index.ts";
import { missingFrom, type Saved, WritingProcess } from "./writing-process.ts";

/** More of them with `npm run test:crashes`. */
const KILLS = Number(process.env["CRASH_KILLS"] ?? 20);
/** So many sessions share a folder. */
const KILLS_PER_FOLDER = 10;
const figures = { kills: 0, flushes: 0, operations: 0, tornLines: 0 };

afterAll(() => {
  process.stdout.write(`killed while writing ${JSON.stringify(figures)}\n`);
});

test(
  "a process that is killed while it writes has saved what it said, and the next goes on",
  // each wait in it has an end of its own
  { timeout: 0 },
  async () => {
    const random = new Random(Number(process.env["CRASH_SEED"] ?? 1));
    while (figures.kills < KILLS) {
      const folder = await mkdtemp(join(tmpdir(), "foldspace-killed-"));
      try {
        await killInFolder(folder, Math.min(KILLS_PER_FOLDER, KILLS - figures.kills), random);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    }
  },
);

async function killInFolder(folder: string, kills: number, random: Random): Promise<void> {
  const id = newId();
  const layerOn = (): FileSystemPersistenceLayer => new FileSystemPersistenceLayer(folder, id, { fs: new NodeFileSystem() });
  await (await new SpaceManager().createSpace({ id, name: "killed", persistenceLayers: [layerOn()] })).close();
  const saved: Saved[] = [];
  for (let kill = 1; kill <= kills; kill++) {
    const writer = new WritingProcess(folder, id, { mostBytes: random.pick([2_000, 200_000, 2_000_000]) });
    await writer.ready();
    // its first flushes, or some time into them
    await new Promise((resolve) => setTimeout(resolve, random.integer(0, 60)));
    await writer.kill();
    saved.push(...writer.saved);
    figures.kills++;
    figures.flushes += writer.saved.length;

    const layer = layerOn();
    await layer.connect({ peerId: newId(), isReadOnly: true });
    const ops = await layer.loadSpaceTreeOps();
    expect(missingFrom(ops, saved)).toEqual([]);
    // no more than the last line that each of them was writing
    const torn = layer.problems.filter((problem) => problem.code === "FOLD_TORN_LINE" || problem.code === "FOLD_BAD_UTF8");
    expect(layer.problems.filter((problem) => !torn.includes(problem))).toEqual([]);
    expect(new Set(torn.map((problem) => problem.file)).size).toBe(torn.length);
    expect(torn.length).toBeLessThanOrEqual(kill);
    if (kill === kills) figures.tornLines += torn.length;
    await layer.disconnect();
  }
  figures.operations += saved.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}
