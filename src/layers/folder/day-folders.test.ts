import { afterEach, expect, test } from "vitest";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import { FaultyFileSystem } from "../../testing/faulty-file-system.ts";
import { asSet, TestPeer } from "../../testing/layer-bench.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { newId } from "../../tree/index.ts";
import { FileSystemPersistenceLayer } from "./file-system-layer.ts";

const SPACE = "5".repeat(32);
const TREE = `/space/space-v1/ops/55/${"5".repeat(30)}`;
const [TODAY, YESTERDAY, WEEKS_AGO] = [`${TREE}/2026/01/15`, `${TREE}/2026/01/14`, `${TREE}/2025/12/18`];
const LONG_AGO = `${TREE}/2025/12/17`;
const OTHER_LAYOUT = `/space/space-v1/ops/${SPACE}/2026/01/15`;
const ROOT = '["m",1,"0",null]\n';

let open: FileSystemPersistenceLayer[] = [];
afterEach(async () => {
  for (const layer of open.splice(0)) await layer.disconnect();
});

interface Rig {
  readonly memory: MemoryFileSystem;
  readonly layer: FileSystemPersistenceLayer;
  readonly clock: ManualClock;
  /** Saves an operation, and returns the folder to which it was written. */
  readonly save: () => Promise<string>;
}

async function listen(...files: readonly string[]): Promise<Rig> {
  const contents = Object.fromEntries(files.map((file) => [file, ROOT]));
  const memory = new MemoryFileSystem({ "/space/space-v1/space.json": `{"id":"${SPACE}"}`, ...contents });
  const fs = new FaultyFileSystem(memory);
  const clock = new ManualClock();
  const layer = new FileSystemPersistenceLayer("/space", SPACE, { fs, clock });
  open.push(layer);
  await layer.connect({ peerId: "writer" });
  await layer.loadSpaceTreeOps();
  await layer.startListening(() => undefined);
  const peer = new TestPeer("writer");
  const save = async (): Promise<string> => {
    await Promise.all([layer.saveTreeOps(SPACE, peer.setMany(1)), layer.flush()]);
    const path = fs.pathsOf("append").at(-1)!;
    return path.slice(0, path.lastIndexOf("/"));
  };
  return { memory, layer, clock, save };
}

/** Everything that a new reader finds. */
async function countIn(memory: MemoryFileSystem): Promise<number> {
  const reader = new FileSystemPersistenceLayer("/space", SPACE, { fs: memory });
  open.push(reader);
  await reader.connect({ peerId: newId() });
  return asSet(await reader.loadSpaceTreeOps()).length;
}

test.each([
  ["of the day before", [`${YESTERDAY}/other.jsonl`, `${WEEKS_AGO}/other.jsonl`], YESTERDAY],
  ["of another year", [`${WEEKS_AGO}/other.jsonl`, `${TREE}/2025/02/07/other.jsonl`], WEEKS_AGO],
])("while the new folder of a day rests, writing continues in the folder %s", async (_name, files, earlier) => {
  const { memory, clock, save } = await listen(...files);
  const folders: string[] = [];
  for (let second = 0; second < 40; second++) {
    folders.push(await save());
    await clock.advance(1_000);
  }
  expect(new Set(folders.slice(0, 2))).toEqual(new Set([TODAY]));
  expect(new Set(folders.slice(2, 16))).toEqual(new Set([earlier]));
  expect(new Set(folders.slice(16))).toEqual(new Set([TODAY]));
  expect(await countIn(memory)).toBe(41);
});

test("a single save of a day is in the folder of that day", async () => {
  const { memory, clock, save } = await listen(`${YESTERDAY}/other.jsonl`);
  expect(await save()).toBe(TODAY);
  await clock.advance(60_000);
  expect(await save()).toBe(TODAY);
  expect(await memory.list(YESTERDAY)).toHaveLength(1);
});

test("without an earlier folder of recent weeks, and in a folder that was there before, writing needs no other folder", async () => {
  for (const rig of [
    await listen(),
    await listen(`${LONG_AGO}/other.jsonl`),
    await listen(`${TODAY}/other.jsonl`, `${YESTERDAY}/other.jsonl`),
  ]) {
    for (let second = 0; second < 20; second++) {
      expect(await rig.save()).toBe(TODAY);
      await rig.clock.advance(1_000);
    }
  }
});

test("writing that passes midnight continues in the old folder while the new one rests", async () => {
  const { clock, save } = await listen(`${TODAY}/other.jsonl`);
  await clock.advance(Date.UTC(2026, 0, 15, 23, 59, 55) - clock.now());
  const tomorrow = `${TREE}/2026/01/16`;
  const folders: string[] = [];
  for (let second = 0; second < 30; second++) {
    folders.push(await save());
    await clock.advance(1_000);
  }
  expect(folders[4]).toBe(TODAY);
  expect(folders[5]).toBe(tomorrow);
  expect(folders[10]).toBe(TODAY);
  expect(folders[25]).toBe(tomorrow);
});

test.each([
  ["today's folder", [`${TODAY}/other.jsonl`, `${YESTERDAY}/other.jsonl`], TODAY, YESTERDAY],
  ["today's only folder", [`${TODAY}/other.jsonl`], TODAY, OTHER_LAYOUT],
  ["the folder of the month", [`${TODAY}/other.jsonl`, `${WEEKS_AGO}/other.jsonl`], `${TREE}/2026/01`, WEEKS_AGO],
  ["today's folder, long after the others", [`${TODAY}/other.jsonl`, `${LONG_AGO}/other.jsonl`], TODAY, OTHER_LAYOUT],
  ["the folder of the tree", [`${TODAY}/other.jsonl`, `${YESTERDAY}/other.jsonl`], TREE, OTHER_LAYOUT],
])("after %s was removed, it is not made again", async (_name, files, removed, expected) => {
  for (const hasWritten of [false, true]) {
    const { memory, layer, clock, save } = await listen(...files);
    if (hasWritten) expect(await save()).toBe(TODAY);
    await memory.remove(removed);
    expect(await save()).toBe(expected);
    await clock.advance(60_000);
    await layer.rescan();
    expect(await save()).toBe(expected);
    expect(await memory.stat(removed)).toBeUndefined();
    expect(await countIn(memory)).toBeGreaterThanOrEqual(2);
  }
});

test("after both layouts of a tree were removed, it is written all the same", async () => {
  const { memory, save } = await listen(`${TODAY}/other.jsonl`);
  await memory.remove(TREE);
  expect(await save()).toBe(OTHER_LAYOUT);
  await memory.remove(`/space/space-v1/ops/${SPACE}`);
  expect(await save()).toBe(TODAY);
  expect(await countIn(memory)).toBe(1);
});
