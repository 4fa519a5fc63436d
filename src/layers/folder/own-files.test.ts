import { afterEach, describe, expect, test } from "vitest";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import { FaultyFileSystem } from "../../testing/faulty-file-system.ts";
import { asSet, TestPeer } from "../../testing/layer-bench.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import type { IncomingChange } from "../persistence-layer.ts";
import { FileSystemPersistenceLayer } from "./file-system-layer.ts";

const SPACE = "5".repeat(32);
const DAY = `/space/space-v1/ops/55/${"5".repeat(30)}/2026/01/15`;
const OWN = `${DAY}/writer.jsonl`;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let open: FileSystemPersistenceLayer[] = [];

afterEach(async () => {
  for (const layer of open) await layer.disconnect();
  open = [];
});

interface Rig {
  readonly memory: MemoryFileSystem;
  readonly fs: FaultyFileSystem;
  readonly clock: ManualClock;
  readonly layer: FileSystemPersistenceLayer;
  readonly peer: TestPeer;
  readonly changes: IncomingChange[];
  readonly save: (ops: readonly VertexOperation[]) => Promise<void>;
}

/** A layer that has loaded the space tree and listens. */
async function listen(files: Record<string, string> = {}): Promise<Rig> {
  const memory = new MemoryFileSystem({ "/space/space-v1/space.json": `{"id":"${SPACE}"}`, ...files });
  const fs = new FaultyFileSystem(memory);
  const clock = new ManualClock();
  const layer = new FileSystemPersistenceLayer("/space", SPACE, { fs, clock });
  open.push(layer);
  await layer.connect({ peerId: "writer" });
  await layer.loadSpaceTreeOps();
  const changes: IncomingChange[] = [];
  await layer.startListening((change) => changes.push(change));
  const save = async (ops: readonly VertexOperation[]): Promise<void> => {
    await Promise.all([layer.saveTreeOps(SPACE, ops), layer.flush()]);
  };
  return { memory, fs, clock, layer, peer: new TestPeer("writer"), changes, save };
}

async function load(memory: MemoryFileSystem): Promise<string[]> {
  const layer = new FileSystemPersistenceLayer("/space", SPACE, { fs: memory });
  open.push(layer);
  await layer.connect({ peerId: newId() });
  return asSet(await layer.loadSpaceTreeOps());
}

const counters = (changes: readonly IncomingChange[]): number[] =>
  changes.flatMap((change) => change.ops ?? []).map((op) => op.id.counter);

test("a file of ours that is replaced by another of the same size has lost operations", async () => {
  const { memory, clock, layer, peer, changes, save } = await listen();
  await save(peer.setMany(3));
  await layer.rescan();
  expect(changes).toEqual([]);
  const text = new TextDecoder().decode(await memory.read(OWN));
  await memory.write(OWN, bytes(text.replace('["p",3', '["p",9')));
  await layer.rescan();
  expect(counters(changes)).toContain(9);
  await clock.advance(3_000);
  expect(changes.at(-1)).toEqual({ treeId: SPACE, ops: undefined, isLossy: true });
});

test("lines that another program wrote into a file of ours are read, also if we continued behind them", async () => {
  const { memory, layer, peer, changes, save } = await listen();
  await memory.append(OWN, bytes('["p",101,"vertex","text",1]\n'));
  await save(peer.setMany(1));
  await layer.rescan();
  expect(counters(changes)).toContain(101);
  await memory.append(OWN, bytes('["p",102,"vertex","text",1]\n'));
  await save(peer.setMany(1));
  await layer.rescan();
  expect(counters(changes)).toContain(102);
});

test("if a sync service has removed a file of ours, a new one is begun, and the service's file is not overwritten", async () => {
  const { memory, peer, save } = await listen();
  const ops = peer.setMany(6);
  await save(ops.slice(0, 2));
  const stub = `${DAY}/.writer.jsonl.icloud`;
  await memory.rename(OWN, stub);
  await save(ops.slice(2, 4));
  await save(ops.slice(4));
  const logs = (await memory.list(DAY))!.map((entry) => entry.name).sort();
  expect(logs).toEqual([".writer.jsonl.icloud", expect.stringMatching(/^writer\.[0-9a-f]{32}\.jsonl$/)]);
  await memory.rename(stub, OWN);
  expect(await load(memory)).toEqual(asSet(ops));
});

test("if a sync service removes a file of ours just when it is appended to, a new one is begun as well", async () => {
  const { memory, fs, peer, save } = await listen();
  const ops = peer.setMany(4);
  await save(ops.slice(0, 2));
  const stub = `${DAY}/.writer.jsonl.icloud`;
  let isRemoved = false;
  fs.fault = async ({ action }) => {
    if (action === "append" && !isRemoved) {
      isRemoved = true;
      await memory.rename(OWN, stub);
    }
    return undefined;
  };
  await save(ops.slice(2));
  const logs = (await memory.list(DAY))!.map((entry) => entry.name).sort();
  expect(logs).toEqual([".writer.jsonl.icloud", expect.stringMatching(/^writer\.[0-9a-f]{32}\.jsonl$/)]);
  await memory.rename(stub, OWN);
  expect(await load(memory)).toEqual(asSet(ops));
});

test.each([
  ["unmounted", false],
  ["unmounted, and mounted again before that shows", true],
])("what is written while the folder is %s is not said to be saved", async (_name, isMountedAgain) => {
  const { memory, fs, clock, layer, peer, save } = await listen();
  const before = peer.setMany(2);
  await save(before);
  const ops = peer.setMany(2);
  let mounting: Promise<void> | undefined;
  let hasAppended = false;
  fs.fault = async ({ action }) => {
    // between the check and the append
    if (action === "append") {
      await memory.rename("/space", "/unmounted");
      hasAppended = true;
    } else if (hasAppended && isMountedAgain) await (mounting ??= mountAgain(memory));
    return undefined;
  };
  let isSaved = false;
  const saving = layer.saveTreeOps(SPACE, ops).then(() => (isSaved = true));
  await expect(layer.flush()).rejects.toMatchObject({ code: "FOLD_FOLDER_LOST" });
  expect(isSaved).toBe(false);
  fs.fault = () => undefined;
  await mountAgain(memory);
  await clock.advance(30_000);
  await saving;
  expect(await load(memory)).toEqual(asSet([...before, ...ops]));
});

async function mountAgain(memory: MemoryFileSystem): Promise<void> {
  if (!(await memory.stat("/unmounted"))) return;
  await memory.remove("/space");
  await memory.rename("/unmounted", "/space");
}

test("a line that is being written while the tree is loaded is no problem once it is whole", async () => {
  const { memory, layer, peer, save } = await listen();
  await save(peer.setMany(1));
  let finish: (() => void) | undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const append = memory.append.bind(memory);
  memory.append = async (path, content) => {
    await append(path, content.subarray(0, 9));
    await finished;
    await append(path, content.subarray(9));
  };
  const saving = save(peer.setMany(1));
  await expect.poll(() => memory.dump()[OWN.slice(1)]).toContain("\n[");
  await layer.loadSpaceTreeOps();
  expect(layer.problems).toEqual([expect.objectContaining({ code: "FOLD_TORN_LINE" })]);
  finish!();
  await saving;
  await layer.rescan();
  expect(layer.problems).toEqual([]);
});

test("a loss that was just found is reported before the layer is disposed", async () => {
  const { memory, layer, peer, changes, save } = await listen();
  await save(peer.setMany(3));
  await memory.write(OWN, bytes(""));
  await layer.rescan();
  expect(changes).toEqual([]);
  await layer.disconnect();
  expect(changes).toEqual([{ treeId: SPACE, ops: undefined, isLossy: true }]);
});

test.each([
  ["git-annex", `/annex/objects/SHA256E-s60--${"2b".repeat(32)}.jsonl\n`],
  ["Git LFS", `version https://git-lfs.github.com/spec/v1\noid sha256:${"2b".repeat(32)}\nsize 60\n`],
])(
  "a pointer of %s in the place of a file of ours is not appended to, and its operations are not written again",
  async (_, pointer) => {
    const { memory, fs, clock, layer, peer, changes, save } = await listen();
    await save(peer.setMany(3));
    const contents = (await memory.read(OWN))!;
    await memory.write(OWN, bytes(pointer));
    await layer.rescan();
    await clock.advance(60_000);
    expect(layer.problems).toMatchObject([{ code: "FOLD_NOT_DOWNLOADED", file: OWN.slice("/space/".length) }]);
    expect([...layer.peersNotDownloaded(SPACE)]).toEqual(["writer"]);
    await save(peer.setMany(2));
    expect(fs.pathsOf("append").at(-1)).not.toBe(OWN);
    expect(new TextDecoder().decode(await memory.read(OWN))).toBe(pointer);
    await memory.write(OWN, contents);
    await clock.advance(120_000);
    expect(layer.problems).toEqual([]);
    expect(changes.flatMap(({ ops }) => ops ?? []).length).toBeGreaterThanOrEqual(3);
    expect(await load(memory)).toHaveLength(5);
  },
);

describe("while edits go on and on", () => {
  const SECONDS = 300;
  /** Syncthing's default interval of checks for files that have rested for half that time. */
  const LOOK_EVERY_S = 10;

  /** Saves at once, and then every so many seconds. @returns by second, names of the files that were appended to */
  async function saveEvery(intervalS: number, { fs, clock, peer, save }: Rig, seconds: number): Promise<(string | undefined)[]> {
    const names: (string | undefined)[] = [];
    for (let second = 0; second < seconds; second++) {
      const isDue = second % intervalS === 0;
      if (isDue) await save(peer.setMany(1));
      const path = isDue ? fs.pathsOf("append").at(-1) : undefined;
      names.push(path?.slice(DAY.length + 1));
      await clock.advance(1_000);
    }
    return names;
  }

  test.each([1, 9, 15])("with saves every %d s, files rest for long enough to be carried", async (intervalS) => {
    const rig = await listen();
    const names = await saveEvery(intervalS, rig, SECONDS);
    for (let phase = 0; phase < LOOK_EVERY_S; phase++) {
      const waits = names.slice(0, -30).map((name, second) => {
        if (name === undefined) return 0;
        for (let look = second + 1; ; look++) {
          const hasRested = !names.slice(look - LOOK_EVERY_S / 2, look).includes(name);
          if (look % LOOK_EVERY_S === phase && hasRested) return look - second;
        }
      });
      expect(Math.max(...waits)).toBeLessThan(25);
    }
    expect(await load(rig.memory)).toHaveLength(Math.ceil(SECONDS / intervalS));
  });

  test("three files take turns", async () => {
    const names = await saveEvery(1, await listen(), SECONDS);
    expect(new Set(names).size).toBe(3);
    expect(names[0]).toBe("writer.jsonl");
    for (const name of new Set(names)) expect(name).toMatch(/^writer(\.[0-9a-f]{32})?\.jsonl$/);
  });

  test("pauses of 16 s need only one file", async () => {
    const rig = await listen();
    for (let round = 0; round < 5; round++) {
      expect(new Set(await saveEvery(1, rig, 7))).toEqual(new Set(["writer.jsonl"]));
      await rig.clock.advance(15_000);
    }
  });
});

describe("an instance whose peer earlier instances have been", () => {
  const DAY_MS = 24 * 60 * 60 * 1000;
  const PEER = "a1b2c3d4e5f60718293a4b5c6d7e8f90";
  const continued = async (
    files: Record<string, string>,
    {
      peerId = "writer",
      memory = new MemoryFileSystem({ "/space/space-v1/space.json": `{"id":"${SPACE}"}`, ...files }),
      days = 0,
    } = {},
  ): Promise<{ memory: MemoryFileSystem; clock: ManualClock; save: () => Promise<void> }> => {
    const clock = new ManualClock();
    await clock.advance(days * DAY_MS);
    const layer = new FileSystemPersistenceLayer("/space", SPACE, { fs: memory, clock });
    open.push(layer);
    await layer.connect({ peerId, isPeerContinued: true });
    const ops = new TestPeer(peerId).setMany(2);
    return { memory, clock, save: async () => void (await Promise.all([layer.saveTreeOps(SPACE, ops), layer.flush()])) };
  };
  const filesOf = (memory: MemoryFileSystem): Record<string, string> =>
    Object.fromEntries(Object.entries(memory.dump()).filter(([path]) => path.endsWith(".jsonl")));
  const logsIn = (memory: MemoryFileSystem): string[] =>
    Object.keys(memory.dump()).filter((path) => path.endsWith(".jsonl") && path.includes("writer"));

  test("appends to the peer's file of the day", async () => {
    const { memory, save } = await continued({ [OWN]: '["p",1,"vertex","text",0]\n' });
    await save();
    expect(logsIn(memory)).toEqual([OWN.slice(1)]);
  });

  test("makes no file that may have been there before, which a service could put in the place of the other", async () => {
    const { memory, save } = await continued({});
    await save();
    expect(logsIn(memory)).toEqual([expect.stringMatching(/\/writer\.[0-9a-f]{32}\.jsonl$/)]);
    await save();
    expect(logsIn(memory)).toHaveLength(1);
  });

  test("appends to the peer's file of the days before, as long as it is small", async () => {
    const { memory, save } = await continued({ [OWN]: '["p",1,"vertex","text",0]\n' }, { days: 6 });
    await save();
    expect(Object.values(filesOf(memory)).map((text) => text.trim().split("\n").length)).toEqual([3]);
    const large = `["p",1,"vertex","text","${"x".repeat(300_000)}"]\n`;
    for (const [text, days] of [
      [large, 6],
      ['["p",1,"vertex","text",0]\n', 8],
    ] as const) {
      const later = await continued({ [OWN]: text }, { days });
      await later.save();
      expect(filesOf(later.memory)).toMatchObject({ [OWN.slice(1)]: text });
      expect(logsIn(later.memory)).toHaveLength(2);
    }
  });

  test("appends to a file that an instance before it began under another name, and to nobody else's", async () => {
    const relay = `${DAY}/${PEER}.${"7".repeat(32)}.jsonl`;
    const { memory, save } = await continued({ [relay]: '["p",1,"vertex","text",0]\n' }, { peerId: PEER, days: 1 });
    await save();
    const made = Object.keys(filesOf(memory)).filter((path) => !relay.endsWith(path));
    expect(made).toEqual([
      expect.stringMatching(/\/01\/16\/a1b2c3d4e5f60718293a4b5c6d7e8f90\.a1b2c3d4e5f60718[0-9a-f]{16}\.jsonl$/),
    ]);
    const later = await continued({}, { memory, peerId: PEER, days: 3 });
    await later.save();
    expect(Object.keys(filesOf(memory))).toHaveLength(2);
    expect(memory.dump()[made[0]!]!.trim().split("\n")).toHaveLength(4);
  });

  test("leaves a file that is gone, and makes no other of its name", async () => {
    const { memory, save } = await continued({ [OWN]: '["p",1,"vertex","text",0]\n' }, { days: 2 });
    await save();
    await memory.remove(OWN);
    await save();
    expect(logsIn(memory)).toEqual([expect.stringMatching(/\/01\/17\/writer\.[0-9a-f]{32}\.jsonl$/)]);
  });
});
