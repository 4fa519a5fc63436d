import { expect, test } from "vitest";
import type { Clock } from "../../src/clock.ts";
import { FoldspaceError } from "../../src/errors.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";

import type { AppTree } from "../../src/space/app-tree.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { MemorySnapshots } from "../../src/testing/memory-snapshots.ts";
import { newId } from "../../src/tree/index.ts";

const FOLDER = "/space";
/** Another device, which continues its file each time. */
const OTHER = newId();

interface Use {
  /** Whether there are snapshots. */
  readonly isWarm?: boolean;
  readonly peerId?: string;
  /** Whether the disk refuses to be written to once the tree is open. */
  readonly isFull?: boolean;
}

/** A space with one app tree in a folder. Between its uses, enough time passes for the times of files to be trusted. */
class Rig {
  readonly id: string = newId();
  snapshots = new MemorySnapshots({ minOps: 1 });
  /** Log files that were opened until the tree was open, and the bytes that were read. */
  opened: readonly string[] = [];
  bytesRead = 0;
  #now = Date.parse("2026-03-01T12:00:00Z");
  readonly disk: MemoryFileSystem = new MemoryFileSystem({}, () => this.#now);
  readonly #clock: Clock = {
    now: () => this.#now,
    schedule: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  };
  treeId = "";

  async create(): Promise<void> {
    const layer = new FileSystemPersistenceLayer(FOLDER, this.id, { fs: this.disk, clock: this.#clock });
    const space = await new SpaceManager({ clock: this.#clock }).createSpace({ id: this.id, persistenceLayers: [layer] });
    const tree = space.newAppTree("notes", "Notes");
    for (let count = 0; count < 40; count++) tree.root.newNamedChild(`item ${count}`);
    this.treeId = tree.id;
    await space.close();
    this.passTime();
  }

  /** Opens the space, works on the tree, and closes the space. */
  async use(work: (tree: AppTree) => void = () => undefined, { isWarm = true, peerId, isFull }: Use = {}): Promise<void> {
    const fs = new FaultyFileSystem(this.disk);
    const layer = new FileSystemPersistenceLayer(FOLDER, this.id, { fs, clock: this.#clock });
    const options = { ...(isWarm && { snapshots: this.snapshots }), ...(peerId !== undefined && { peerId }), timeoutMs: 100 };
    const space = await new SpaceManager({ clock: this.#clock }).loadSpace({ id: this.id }, [layer], options);
    const tree = await space.loadAppTree(this.treeId);
    await space.rescan();
    this.opened = fs.calls.filter(({ action, path }) => action === "read" && path.endsWith(".jsonl")).map(({ path }) => path);
    this.bytesRead = fs.bytesRead;
    if (isFull) fs.fault = ({ action }) => (action === "append" ? new FoldspaceError("FOLD_DISK_FULL", "full") : undefined);
    work(tree);
    await space.close().catch((error: unknown) => {
      if (!isFull) throw error;
    });
    this.passTime();
  }

  /** Opens the space with snapshots, uses it, and closes it. */
  async open(work: (space: Space) => Promise<void>): Promise<void> {
    const layer = new FileSystemPersistenceLayer(FOLDER, this.id, { fs: this.disk, clock: this.#clock });
    const manager = new SpaceManager({ clock: this.#clock });
    const space = await manager.loadSpace({ id: this.id }, [layer], { snapshots: this.snapshots });
    await work(space);
    await space.close();
    this.passTime();
  }

  passTime(): void {
    this.#now += 60_000;
  }

  /** The operations of the tree. */
  async ops(use: Use): Promise<string[]> {
    let ops: string[] = [];
    await this.use(({ tree }) => void (ops = tree.getAllOps().map((op) => JSON.stringify(op))), use);
    return ops.sort();
  }

  async names(use: Use): Promise<(string | undefined)[]> {
    let names: (string | undefined)[] = [];
    await this.use(({ root }) => void (names = root.children.map(({ name }) => name)), use);
    return names;
  }

  /** The paths of the log files of the tree. */
  async logs(): Promise<string[]> {
    const { files } = (await this.disk.scan(FOLDER))!;
    const paths = files.map(({ path }) => `${FOLDER}/${path}`);
    return paths.filter((path) => path.endsWith(".jsonl") && path.includes(this.treeId.slice(2)));
  }
}

async function newRig(): Promise<Rig> {
  const rig = new Rig();
  await rig.create();
  return rig;
}

test("a tree is opened again without opening a log file, and is the same", async () => {
  const rig = await newRig();
  const cold = await rig.ops({ isWarm: false });
  await rig.use();
  expect(rig.opened).toHaveLength(2);
  expect(rig.snapshots.size).toBe(2);
  expect(await rig.ops({})).toEqual(cold);
  expect(rig.opened).toEqual([]);
});

test("of a file that has grown, only the end is read", async () => {
  const rig = await newRig();
  await rig.use(({ root }) => void root.newNamedChild("of another device"), { isWarm: false, peerId: OTHER });
  await rig.use();
  await rig.use(({ root }) => void root.newNamedChild("appended"), { isWarm: false, peerId: OTHER });
  const names = await rig.names({});
  expect(rig.opened).toEqual((await rig.logs()).filter((path) => path.includes(OTHER)));
  expect(rig.bytesRead).toBeLessThan(3_000);
  expect(names).toEqual(expect.arrayContaining(["of another device", "appended"]));
  expect(names).toHaveLength(42);
});

test("of files that are new, all is read, and nothing of the others", async () => {
  const rig = await newRig();
  await rig.use();
  await rig.use(({ root }) => void root.newNamedChild("new"), { isWarm: false, peerId: OTHER });
  expect(await rig.names({})).toContain("new");
  expect(rig.opened).toEqual((await rig.logs()).filter((path) => path.includes(OTHER)));
});

test("what was made with snapshots is in the files, and is shown again", async () => {
  const rig = await newRig();
  for (let count = 0; count < 6; count++) {
    await rig.use(({ root }) => void root.newNamedChild(`later ${count}`), count % 2 === 0 ? { peerId: OTHER } : {});
    const cold = await rig.ops({ isWarm: false });
    expect(await rig.ops({})).toEqual(cold);
  }
  expect(await rig.names({})).toHaveLength(46);
});

const CHANGES: Readonly<Record<string, (rig: Rig, log: string, bytes: Uint8Array) => Promise<void>>> = {
  "is missing": async ({ disk }, log) => await disk.remove(log),
  "is shorter": async ({ disk }, log, bytes) => await disk.write(log, bytes.slice(0, 2_000)),
  "is empty": async ({ disk }, log) => await disk.write(log, new Uint8Array()),
  "has the same size": async ({ disk }, log, bytes) => await disk.write(log, renamed(bytes)),
  "is longer": async ({ disk }, log, bytes) => await disk.write(log, new Uint8Array([...renamed(bytes), 10, 10])),
  "has nothing that was there": async ({ disk }, log, bytes) => await disk.write(log, new Uint8Array(2 * bytes.length).fill(32)),
};

for (const [what, change] of Object.entries(CHANGES)) {
  test(`a tree is read anew if a file with other contents ${what}`, async () => {
    const rig = await newRig();
    await rig.use(({ root }) => void root.newNamedChild("of another device"), { isWarm: false, peerId: OTHER });
    await rig.use();
    const log = (await rig.logs()).find((path) => !path.includes(OTHER))!;
    await change(rig, log, (await rig.disk.read(log))!);
    rig.passTime();
    const warm = await outcomeOf(rig.ops({}));
    expect(rig.opened).toEqual(expect.arrayContaining((await rig.logs()).filter((path) => path.includes(OTHER))));
    expect(warm).toEqual(await outcomeOf(rig.ops({ isWarm: false })));
    expect(warm).not.toEqual([]);
  });
}

/** Another name in the last line, of the same length. */
function renamed(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes);
  const at = text.lastIndexOf("item 39");
  return new TextEncoder().encode(`${text.slice(0, at)}ITEM 39${text.slice(at + 7)}`);
}

/** What a tree shows, or the reason why it could not be opened. */
async function outcomeOf(ops: Promise<string[]>): Promise<string[]> {
  return await ops.catch((error: unknown) => [String(error instanceof FoldspaceError ? error.code : error)]);
}

test("a folder that was put back from a backup shows what is in the backup", async () => {
  const rig = await newRig();
  const backup = new Map<string, Uint8Array>();
  for (const log of await rig.logs()) backup.set(log, (await rig.disk.read(log))!);
  await rig.use(({ root }) => void root.newNamedChild("after the backup"));
  expect(await rig.names({})).toContain("after the backup");
  for (const log of await rig.logs()) await rig.disk.remove(log);
  for (const [log, bytes] of backup) await rig.disk.write(log, bytes);
  rig.passTime();
  expect(await rig.names({})).not.toContain("after the backup");
});

test("a snapshot that is damaged, cut, of another format or of another tree does no harm, and is replaced", async () => {
  const rig = await newRig();
  const cold = await rig.ops({ isWarm: false });
  const damages: ((bytes: Uint8Array) => Uint8Array)[] = [
    (bytes) => bytes.slice(0, 100),
    () => new Uint8Array(),
    (bytes) => bytes.map((byte, at) => (at === 4 ? byte + 1 : byte)),
    (bytes) => bytes.map((byte, at) => (at === bytes.length - 9 ? byte ^ 4 : byte)),
  ];
  for (const damage of damages) {
    await rig.use();
    await rig.use();
    expect(rig.opened).toEqual([]);
    rig.snapshots.change(damage);
    expect(await rig.ops({})).toEqual(cold);
    expect(rig.opened).toHaveLength(2);
  }
  rig.snapshots.rotate();
  expect(await rig.ops({})).toEqual(cold);
  expect(rig.opened).toHaveLength(2);
});

test("edits that could not be saved are in no snapshot", async () => {
  const rig = await newRig();
  await rig.use();
  await rig.use(({ root }) => void root.newNamedChild("not saved"), { isFull: true });
  expect(await rig.names({})).toHaveLength(40);
  await rig.use(({ root }) => void root.newNamedChild("not saved either"), { isFull: true, peerId: OTHER });
  expect(await rig.names({})).toEqual(await rig.names({ isWarm: false }));
});

test("a tree that is loaded again in an open space has what came into new files since the snapshot", async () => {
  const rig = await newRig();
  await rig.use();
  const names: (string | undefined)[][] = [];
  await rig.open(async (space) => {
    await rig.use(({ root }) => void root.newNamedChild("new"), { isWarm: false, peerId: OTHER });
    for (let time = 0; time < 3; time++) {
      names.push((await space.loadAppTree(rig.treeId)).root.children.map(({ name }) => name));
      await space.unloadAppTree(rig.treeId);
      await space.rescan();
    }
  });
  for (const each of names) expect(each).toContain("new");
});

test("a space that stays open keeps a snapshot once it is idle", async () => {
  const rig = await newRig();
  const clock = new ManualClock(Date.now());
  const layer = new FileSystemPersistenceLayer(FOLDER, rig.id, { fs: rig.disk, clock });
  const space = await new SpaceManager({ clock }).loadSpace({ id: rig.id }, [layer], { snapshots: rig.snapshots });
  await space.loadAppTree(rig.treeId);
  await clock.advance(5_000);
  expect(rig.snapshots.size).toBe(0);
  await clock.advance(10_000);
  expect(rig.snapshots.size).toBe(2);
  const closing = space.close();
  await clock.advance(1_000);
  await closing;
});

test("a store that fails is as good as none", async () => {
  const rig = await newRig();
  const cold = await rig.ops({ isWarm: false });
  const fail = async (): Promise<never> => await Promise.reject(new FoldspaceError("FOLD_IO", "no cache"));
  Object.assign(rig.snapshots, { load: fail, save: fail, drop: fail });
  expect(await rig.ops({})).toEqual(cold);
  expect(await rig.ops({})).toEqual(cold);
});

test("trees with few operations are not kept", async () => {
  const rig = await newRig();
  rig.snapshots = new MemorySnapshots({ minOps: 100 });
  await rig.use();
  expect(rig.snapshots.size).toBe(1);
});
