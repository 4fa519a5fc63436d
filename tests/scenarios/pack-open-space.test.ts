import { afterEach, expect, test } from "vitest";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { SpaceFolder } from "../../src/layers/folder/space-folder.ts";
import { MemoryStore } from "../../src/layers/memory-layer.ts";
import { packFolder } from "../../src/maintenance/pack/pack.ts";
import { repairFolder } from "../../src/maintenance/repair/repair.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { layerOn } from "../../src/testing/space-rig.ts";

/*
 * A space is open on a device. Another device packs the folder, and a sync service delivers that here.
 */

const SPACE_ID = "0123456789abcdef0123456789abcdef";
const [P, Q] = ["a".repeat(32), "b".repeat(32)] as const;
const TREE = `/home/space-v1/ops/01/${SPACE_ID.slice(2)}`;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;
const item = (counter: number): string => `["m",${counter},"item${counter}","${SPACE_ID}"]\n`;

const START: Readonly<Record<string, string>> = {
  "/home/space-v1/space.json": JSON.stringify({ id: SPACE_ID }),
  [`${TREE}/2025/03/02/${P}.jsonl`]: ROOT + item(3),
  [`${TREE}/2025/03/05/${P}.jsonl`]: item(4),
  [`${TREE}/2025/03/05/${Q}.jsonl`]: item(5),
  [`${TREE}/2025/06/01/${P}.${Q}.jsonl`]: item(6) + item(7),
};

let open: Space[] = [];
afterEach(async () => {
  for (const space of open.splice(0)) await space.close();
});

interface Device {
  readonly memory: MemoryFileSystem;
  readonly clock: ManualClock;
  /** Files that the device has written since it opened the space. */
  readonly written: () => string[];
  /** Ids of the items that the space shows. */
  readonly items: () => string[];
  readonly space: Space;
}

async function openDevice(): Promise<Device> {
  const memory = new MemoryFileSystem(START);
  const fs = new FaultyFileSystem(memory);
  const clock = new ManualClock();
  const store = new MemoryStore();
  store.spaceId = SPACE_ID;
  const space = await new SpaceManager({ clock }).loadSpace({ id: SPACE_ID }, [
    new FileSystemPersistenceLayer("/home", SPACE_ID, { fs, clock }),
    layerOn(store, SPACE_ID, { clock }),
  ]);
  open.push(space);
  await clock.advance(2 * MINUTE_MS);
  const written = (): string[] => [...fs.pathsOf("append"), ...fs.pathsOf("write")];
  expect(written()).toEqual([]);
  const items = (): string[] => space.tree.root!.children.map(({ id }) => id).sort();
  expect(items()).toEqual(["item3", "item4", "item5", "item6", "item7"]);
  return { memory, clock, written, items, space };
}

/** The files that a packing elsewhere adds and takes away. */
async function packElsewhere(now: number): Promise<{ readonly added: Map<string, string>; readonly removed: string[] }> {
  const elsewhere = new MemoryFileSystem(START);
  await packFolder(new SpaceFolder(elsewhere, "/home"), { now: new Date(now) });
  const files = new Map(Object.entries(elsewhere.dump()).map(([path, text]) => [`/${path}`, text]));
  const added = new Map([...files].filter(([path]) => !(path in START)));
  const removed = Object.keys(START).filter((path) => !files.has(path));
  expect(removed).toHaveLength(4);
  return { added, removed };
}

async function add(memory: MemoryFileSystem, files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, text] of files) await memory.write(path, new TextEncoder().encode(text));
}

async function remove(memory: MemoryFileSystem, paths: readonly string[]): Promise<void> {
  for (const path of paths) await memory.remove(path);
}

test.each([
  ["the packed files first", 0, 5 * MINUTE_MS],
  ["all at once", 0, 0],
  ["the removals a little earlier", 10_000, 0],
])("delivered with %s, it makes the device write nothing", async (_name, removedEarlierMs, removedLaterMs) => {
  const { memory, clock, written, items, space } = await openDevice();
  const { added, removed } = await packElsewhere(clock.now());
  if (removedEarlierMs > 0) await remove(memory, removed);
  await clock.advance(removedEarlierMs);
  await add(memory, added);
  await clock.advance(removedLaterMs);
  await remove(memory, removed);
  await clock.advance(20 * MINUTE_MS);
  expect(written()).toEqual([]);
  expect(items()).toHaveLength(5);
  expect(space.problems).toEqual([]);

  // the device still writes what is new, and finds what is written elsewhere
  space.tree.root!.newNamedChild("new here");
  await clock.advance(MINUTE_MS);
  expect(new Set(written()).size).toBe(1);
  await add(memory, new Map([[`${TREE}/2026/01/15/${Q}.jsonl`, item(900)]]));
  await clock.advance(MINUTE_MS);
  expect(items()).toContain("item900");
});

test("delivered file by file, each removal before its packed file, it makes the device write nothing", async () => {
  const { memory, clock, written, items } = await openDevice();
  const { added, removed } = await packElsewhere(clock.now());
  for (const path of removed) {
    await remove(memory, [path]);
    await clock.advance(3_000);
  }
  for (const [path, text] of added) await add(memory, new Map([[path, text]]));
  await clock.advance(20 * MINUTE_MS);
  expect(written()).toEqual([]);
  expect(items()).toHaveLength(5);
});

test("if the packed files stay away for long, the device relays; when all is there, a later packing folds that", async () => {
  const { memory, clock, written, items } = await openDevice();
  const { added, removed } = await packElsewhere(clock.now());
  await remove(memory, removed);
  await clock.advance(5 * MINUTE_MS);
  const relays = new Set(written());
  expect(relays.size).toBe(2);
  await add(memory, added);
  await clock.advance(5 * MINUTE_MS);
  expect(new Set(written())).toEqual(relays);
  expect(items()).toHaveLength(5);

  const folder = new SpaceFolder(memory, "/home");
  const later = new Date(clock.now() + 500 * DAY_MS);
  expect((await repairFolder(folder, { now: later })).steps).toEqual([]);
  const { steps } = await packFolder(folder, { now: later, deletes: true });
  expect(steps.filter(({ kind }) => kind === "fold")).toHaveLength(2);
  for (const path of relays) expect(await memory.stat(path)).toBeUndefined();
});

test("packed on this device while the space is open, it changes nothing of what is shown", async () => {
  const { memory, clock, written, items, space } = await openDevice();
  await packFolder(new SpaceFolder(memory, "/home"), { now: new Date(clock.now()) });
  await clock.advance(20 * MINUTE_MS);
  expect(written()).toEqual([]);
  expect(items()).toHaveLength(5);
  expect(space.problems).toEqual([]);
});
