import { afterEach, expect, test } from "vitest";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import type { FileStat, ScanResult } from "../../fs/file-system.ts";
import { FaultyFileSystem } from "../../testing/faulty-file-system.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import { SpaceManager } from "../../space/space-manager.ts";
import type { IncomingChange } from "../persistence-layer.ts";
import { FileSystemPersistenceLayer } from "./file-system-layer.ts";

const SPACE = "5".repeat(32);
const DAY = `/space/space-v1/ops/55/${"5".repeat(30)}/2026/11/22`;
const FILE = `${DAY}/other.jsonl`;

let open: FileSystemPersistenceLayer[] = [];

afterEach(async () => {
  for (const layer of open) await layer.disconnect();
  open = [];
});

function line(counter: number, value: number = counter): string {
  return `["p",${counter},"vertex","text",${value}]\n`;
}

function lines(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => line(from + index)).join("");
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

interface Listener {
  readonly fs: FaultyFileSystem;
  readonly clock: ManualClock;
  readonly layer: FileSystemPersistenceLayer;
  readonly changes: IncomingChange[];
  /** Counters of what came since the last time this was asked. */
  readonly take: () => number[];
}

/** A layer that has loaded the space tree and listens. */
async function listen(content: string, fs: FaultyFileSystem = new FaultyFileSystem(new MemoryFileSystem())): Promise<Listener> {
  await fs.write("/space/space-v1/space.json", bytes(`{"id":"${SPACE}"}`));
  if (content !== "") await fs.append(FILE, bytes(content));
  const clock = new ManualClock(Date.now());
  const layer = new FileSystemPersistenceLayer("/space", SPACE, { fs, clock });
  open.push(layer);
  await layer.connect({ peerId: newId() });
  await layer.loadSpaceTreeOps();
  const changes: IncomingChange[] = [];
  let taken = 0;
  await layer.startListening((change) => changes.push(change));
  const take = (): number[] =>
    changes
      .slice(taken, (taken = changes.length))
      .flatMap((change) => change.ops ?? [])
      .map((op) => op.id.counter);
  return { fs, clock, layer, changes, take };
}

const isLossy = (changes: readonly IncomingChange[]): boolean => changes.some((change) => change.isLossy);

test("what is appended arrives after the hint has been gathered, and only that", async () => {
  const { fs, clock, take } = await listen(lines(1, 3));
  await fs.append(FILE, bytes(line(4)));
  await clock.advance(24);
  expect(take()).toEqual([]);
  await clock.advance(1);
  expect(take()).toEqual([4]);
  await fs.append(FILE, bytes(lines(5, 6)));
  await clock.advance(25);
  expect(take()).toEqual([5, 6]);
});

test("one operation behind 20,000 costs one read of a small part of the file", async () => {
  const { fs, clock, layer, take } = await listen(lines(1, 20_000));
  // an old file is not read again in case it changed within the resolution of its time
  await clock.advance(60_000);
  await fs.append(FILE, bytes(line(20_001)));
  fs.bytesRead = 0;
  const reads = fs.pathsOf("read").length;
  await layer.rescan();
  expect(take()).toEqual([20_001]);
  expect(fs.pathsOf("read").length - reads).toBe(1);
  expect(fs.bytesRead).toBeLessThanOrEqual(70_000);
});

test("unchanged files are not read", async () => {
  const { fs, clock, layer } = await listen(lines(1, 100));
  await clock.advance(60_000);
  const reads = fs.pathsOf("read").length;
  await layer.rescan();
  await clock.advance(120_000);
  expect(fs.pathsOf("read").length).toBe(reads);
});

test("an unfinished line is read when it is finished, and is no problem any more", async () => {
  const { fs, clock, layer, take } = await listen(lines(1, 2));
  await fs.append(FILE, bytes(line(3).slice(0, 12)));
  await clock.advance(25);
  expect(take()).toEqual([]);
  expect(layer.problems).toEqual([expect.objectContaining({ code: "FOLD_TORN_LINE", line: 3 })]);
  await fs.append(FILE, bytes(line(3).slice(12) + line(4)));
  await clock.advance(25);
  expect(take()).toEqual([3, 4]);
  expect(layer.problems).toEqual([]);
});

test("line numbers stay right, and earlier problems known, while a file grows", async () => {
  const { fs, clock, layer } = await listen(`${line(1)}bad\n`);
  await fs.append(FILE, bytes(`${line(2)}worse\n`));
  await clock.advance(25);
  expect(layer.problems.map((problem) => problem.line)).toEqual([2, 4]);
});

test("a file replaced by one with more is read whole if its start differs", async () => {
  const { fs, clock, take, changes } = await listen(lines(1, 3));
  await fs.write(FILE, bytes(lines(11, 15)));
  await clock.advance(25);
  expect(take()).toEqual([11, 12, 13, 14, 15]);
  await clock.advance(3_000);
  expect(isLossy(changes)).toBe(true);
});

test("a file replaced by its own continuation is read from where reading stopped, and nothing is lost", async () => {
  const { fs, clock, take, changes } = await listen(lines(1, 3));
  await fs.remove(FILE);
  await fs.write(FILE, bytes(lines(1, 5)));
  await clock.advance(25);
  expect(take()).toEqual([4, 5]);
  await clock.advance(60_000);
  expect(isLossy(changes)).toBe(false);
});

test.each([
  ["shorter", lines(1, 2), [1, 2]],
  ["empty", "", []],
  ["cut off in a line", lines(1, 3).slice(0, -5), [1, 2]],
])("a file that becomes %s is read again, and said to have lost operations", async (_name, content, counters) => {
  const { fs, clock, take, changes } = await listen(lines(1, 3));
  await fs.write(FILE, bytes(content));
  await clock.advance(25);
  expect(take()).toEqual(counters);
  expect(isLossy(changes)).toBe(false);
  await clock.advance(3_000);
  expect(changes.at(-1)).toEqual({ treeId: SPACE, ops: undefined, isLossy: true });
});

test("a second change that size and time do not show is found by the next rescan", async () => {
  const frozen = new (class extends FaultyFileSystem {
    modifiedMs = 0;
    override async stat(path: string): Promise<FileStat | undefined> {
      const stat = await super.stat(path);
      return stat && { ...stat, modifiedMs: this.modifiedMs };
    }
    override async scan(path: string): Promise<ScanResult | undefined> {
      const found = await super.scan(path);
      return found && { ...found, files: found.files.map((file) => ({ ...file, modifiedMs: this.modifiedMs })) };
    }
  })(new MemoryFileSystem());
  frozen.modifiedMs = Date.now();
  const { fs, clock, layer, take } = await listen(line(1), frozen);
  await fs.write(FILE, bytes(line(2)));
  await layer.rescan();
  expect(take()).toEqual([2]);
  await fs.write(FILE, bytes(line(3)));
  await layer.rescan();
  expect(take()).toEqual([3]);
  // old enough now: its time would show a change
  await clock.advance(60_000);
  await layer.rescan();
  const reads = fs.pathsOf("read").length;
  await layer.rescan();
  expect(fs.pathsOf("read").length).toBe(reads);
});

test("a file that is away for a moment is not taken for lost", async () => {
  const { fs, clock, layer, take, changes } = await listen(lines(1, 3));
  const content = (await fs.read(FILE))!;
  for (let round = 0; round < 5; round++) {
    await fs.remove(FILE);
    await clock.advance(10_000);
    await layer.rescan();
    await fs.write(FILE, content);
    await clock.advance(30_000);
  }
  expect(take()).toEqual([]);
  expect(changes).toEqual([]);
});

test("a file that stays away is taken for lost, once", async () => {
  const { fs, clock, changes } = await listen(lines(1, 3));
  await fs.remove(FILE);
  await clock.advance(30_000);
  expect(changes).toEqual([]);
  await clock.advance(60_000);
  expect(changes).toEqual([{ treeId: SPACE, ops: undefined, isLossy: true }]);
  await clock.advance(300_000);
  expect(changes).toHaveLength(1);
});

const MINUTE = 60_000;

/** A listener in whose folder many other devices have written, and that has read all their files. */
async function listenAmongMany(): Promise<Listener & { readonly files: readonly string[] }> {
  const fs = new FaultyFileSystem(new MemoryFileSystem());
  const files = Array.from({ length: 20 }, (_, index) => `${DAY}/device-${index}.jsonl`);
  for (const file of files) await fs.append(file, bytes(lines(1, 3)));
  return { ...(await listen("", fs)), files };
}

test("many files that go away at once are taken for lost only if they stay away for long", async () => {
  const { fs, clock, layer, changes, files } = await listenAmongMany();
  for (const file of files) await fs.remove(file);
  await clock.advance(9 * MINUTE);
  expect(changes).toEqual([]);
  expect(layer.problems).toEqual([{ code: "FOLD_FILES_MISSING", reason: expect.stringContaining("20 log files are missing") }]);
  await clock.advance(25 * MINUTE);
  expect(changes).toEqual([{ treeId: SPACE, ops: undefined, isLossy: true }]);
  expect(layer.problems).toEqual([]);
});

test("many files that come back in time are not taken for lost, and not read again", async () => {
  const { fs, clock, layer, changes, files } = await listenAmongMany();
  const contents = await Promise.all(files.map((file) => fs.read(file)));
  await fs.rename(DAY, "/elsewhere");
  await clock.advance(5 * MINUTE);
  expect(layer.problems).not.toEqual([]);
  await fs.rename("/elsewhere", DAY);
  await clock.advance(30 * MINUTE);
  expect(contents).toEqual(await Promise.all(files.map((file) => fs.read(file))));
  expect(layer.problems).toEqual([]);
  expect(changes).toEqual([]);
});

test("a file whose place a stub has taken, or whose folder cannot be read, is not taken for lost", async () => {
  const { fs, clock, layer, changes } = await listen(lines(1, 3));
  await fs.rename(FILE, `${DAY}/.other.jsonl.icloud`);
  await clock.advance(120_000);
  expect(layer.problems).toEqual([expect.objectContaining({ code: "FOLD_NOT_DOWNLOADED" })]);
  await fs.rename(`${DAY}/.other.jsonl.icloud`, FILE);
  fs.fault = ({ action, path }) => (action === "list" && path.endsWith("2026/11") ? new Error("unreadable") : undefined);
  await clock.advance(120_000);
  expect(layer.problems).toEqual([expect.objectContaining({ code: "FOLD_IO" })]);
  fs.fault = () => undefined;
  await clock.advance(120_000);
  expect(layer.problems).toEqual([]);
  expect(changes).toEqual([]);
});

test("operations for a tree that is not loaded are reported, and not read", async () => {
  const { fs, clock, take, changes } = await listen("");
  const path = "/space/space-v1/ops/ab/cdef/2026/11/22/other.jsonl";
  const reads = fs.pathsOf("read").length;
  await fs.append(path, bytes(lines(1, 3)));
  await clock.advance(25);
  await fs.append(path, bytes(lines(4, 5)));
  await clock.advance(25);
  expect(changes).toEqual([
    { treeId: "abcdef", ops: undefined },
    { treeId: "abcdef", ops: undefined },
  ]);
  expect(fs.pathsOf("read").length).toBe(reads);
  expect(take()).toEqual([]);
});

test("what was there before listening is not news", async () => {
  const fs = new FaultyFileSystem(new MemoryFileSystem());
  await fs.append("/space/space-v1/ops/ab/cdef/2026/11/22/other.jsonl", bytes(lines(1, 3)));
  const { clock, changes } = await listen(lines(1, 3), fs);
  await clock.advance(120_000);
  expect(changes).toEqual([]);
});

test("edits during a full rescan do not bring a device its own operations", async () => {
  const { fs, clock, layer, changes } = await listen(lines(1, 3));
  const own = (counter: number): VertexOperation => ({
    id: { counter, peerId: "own" },
    targetId: "vertex",
    key: "text",
    value: counter,
    transient: false,
  });
  await layer.disconnect();
  await layer.connect({ peerId: "own" });
  await layer.loadSpaceTreeOps();
  await layer.startListening((change) => changes.push(change));
  void layer.saveTreeOps(SPACE, [own(1)]);
  await layer.flush();
  // the rescan has seen the file's size and not read it yet when the next append comes
  const scan = fs.scan.bind(fs);
  fs.scan = async (path) => {
    const found = await scan(path);
    void layer.saveTreeOps(SPACE, [own(2)]);
    await layer.flush();
    return found;
  };
  await layer.rescan();
  await clock.advance(10_000);
  expect(changes).toEqual([]);
});

test("what others' files have lost, a space writes again in files of its own", async () => {
  const memory = new MemoryFileSystem();
  const clock = new ManualClock(Date.now());
  const peers = ["first-peer", "second-peer"];
  const path = "/space";
  const maker = new SpaceManager({ peerId: peers[0]! });
  const made = await maker.createSpace({
    id: SPACE,
    name: "ours",
    persistenceLayers: [new FileSystemPersistenceLayer(path, SPACE, { fs: memory })],
  });
  made.tree.root!.newNamedChild("kept");
  await maker.closeSpace(SPACE);
  const lost = Object.keys(memory.dump()).find((file) => file.endsWith("first-peer.jsonl"));

  const reader = new SpaceManager({ peerId: peers[1]!, clock });
  const space = await reader.loadSpace({ id: SPACE }, [new FileSystemPersistenceLayer(path, SPACE, { fs: memory, clock })]);
  const opCount = space.tree.opCount;
  await memory.remove(lost!);
  await clock.advance(120_000);
  await clock.advance(10_000);
  const rewritten = lost!.replace("first-peer.jsonl", "first-peer.second-peer.jsonl");
  expect(Object.keys(memory.dump()).filter((file) => file.endsWith(".jsonl"))).toEqual([rewritten]);
  await reader.closeSpace(SPACE);

  const later = await new SpaceManager().loadSpace({ id: SPACE }, [new FileSystemPersistenceLayer(path, SPACE, { fs: memory })]);
  expect(later.tree.opCount).toBe(opCount);
  expect(later.tree.root!.children.map((child) => child.name)).toContain("kept");
  await later.close();
});

test("what something else has taken from a space's own file is written again, however often", async () => {
  const memory = new MemoryFileSystem();
  const clock = new ManualClock(Date.now());
  const layer = new FileSystemPersistenceLayer("/space", SPACE, { fs: memory, clock });
  const space = await new SpaceManager().createSpace({ id: SPACE, name: "ours", persistenceLayers: [layer] });
  for (const name of ["first", "second", "third"]) {
    const [[own, before]] = Object.entries(memory.dump()).filter(([file]) => file.endsWith(".jsonl")) as [[string, string]];
    space.tree.root!.newNamedChild(name);
    await space.flush();
    await memory.write(own, bytes(before));
    await clock.advance(10_000);
    expect(Object.values(memory.dump()).join("")).toContain(name);
  }
  await space.close();
});

test("of several devices in whose folders much stays away, one writes it again for all", async () => {
  const memory = new MemoryFileSystem();
  const clock = new ManualClock(Date.now());
  const maker = new SpaceManager();
  const layerThere = (): FileSystemPersistenceLayer => new FileSystemPersistenceLayer("/space", SPACE, { fs: memory, clock });
  await maker.createSpace({
    id: SPACE,
    name: "ours",
    persistenceLayers: [new FileSystemPersistenceLayer("/space", SPACE, { fs: memory })],
  });
  await maker.closeSpace(SPACE);
  const files = Array.from({ length: 20 }, (_, index) => `${DAY}/device-${index}.jsonl`);
  for (const file of files) await memory.append(file, bytes(lines(1, 3)));

  const spaces = await Promise.all(
    ["first-device", "second-device", "third-device"].map((peerId) =>
      new SpaceManager({ peerId, clock }).loadSpace({ id: SPACE }, [layerThere()]),
    ),
  );
  for (const file of files) await memory.remove(file);
  await clock.advance(9 * MINUTE);
  expect(Object.keys(memory.dump()).filter((file) => file.includes("/device-"))).toEqual([]);
  await clock.advance(25 * MINUTE);
  const relays = Object.keys(memory.dump()).filter((file) => file.includes("/device-"));
  expect(relays).toHaveLength(files.length);
  expect(new Set(relays.map((file) => file.split(".").at(-2))).size).toBe(1);
  for (const space of spaces) await space.close();
});
