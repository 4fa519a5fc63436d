import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FoldspaceError } from "../../src/errors.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { OperationTally } from "../../src/maintenance/operation-tally.ts";
import { repairFolder } from "../../src/maintenance/repair/repair.ts";
import { undoRepair } from "../../src/maintenance/repair/undo.ts";
import { SpaceFolder } from "../../src/layers/folder/space-folder.ts";
import { examineFolder } from "../../src/maintenance/verify.ts";
import { LOST_DIR } from "../../src/log/index.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";
import { fuzzing } from "../fuzz/fuzzing.ts";

const SPACE_ID = "0123456789abcdef0123456789abcdef";
const PEERS = ["a".repeat(32), "b".repeat(32)];
const TREE = `space-v1/ops/01/${SPACE_ID.slice(2)}`;
const DAY = `${TREE}/2026/11/22`;
const NOW = new Date("2026-11-23T10:15:30Z");
const HOME = "/home";

type Files = ReadonlyMap<string, string>;

function filesOf(fs: MemoryFileSystem): Files {
  return new Map(Object.entries(fs.dump()).map(([path, text]) => [path.slice(HOME.length), text]));
}

function deviceWith(files: Files): MemoryFileSystem {
  return new MemoryFileSystem(Object.fromEntries(Array.from(files, ([path, text]) => [`${HOME}/${path}`, text])));
}

async function operationsIn(fs: MemoryFileSystem): Promise<OperationTally> {
  const tally = new OperationTally();
  const problems = examineFolder(new SpaceFolder(fs, HOME), { onOperations: (treeId, ops) => tally.add(treeId, ops) });
  while (!(await problems.next()).done);
  return tally;
}

async function copiesIn(fs: MemoryFileSystem): Promise<string[]> {
  const { problems } = await new SpaceFolder(fs, HOME).scan();
  return problems.flatMap(({ code, file }) => (code === "FOLD_CONFLICT_COPY" ? (file ?? []) : []));
}

/** Lets so many calls through, and then none any more, as if the process had been killed there. */
function dyingAfter(inner: MemoryFileSystem, calls: number): FaultyFileSystem {
  const fs = new FaultyFileSystem(inner);
  fs.fault = () => (fs.calls.length > calls ? new FoldspaceError("FOLD_READ_ONLY", "The machine has stopped") : undefined);
  return fs;
}

const line = (counter: number): string => `["p",${counter},"${SPACE_ID}","k",${counter}]\n`;
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;
const TORN_SPACE: Files = new Map([
  ["space-v1/space.json", JSON.stringify({ id: SPACE_ID })],
  [`${DAY}/${PEERS[0]}.jsonl`, `${ROOT}${line(3)}${line(4).slice(0, 20)}`],
  [`${DAY}/${PEERS[0]} (conflicted copy).jsonl`, `${ROOT}${line(3)}${line(4)}garbage\n`],
  [`${TREE}/2026/11/22 2/${PEERS[1]}.jsonl`, line(7)],
  [`${DAY}/${PEERS[1]}.jsonl`, `garbage\n${line(5)}`],
  [`${DAY}/notes.txt`, "hello"],
]);

test("stopped at any call of the file system, it loses nothing, and finishes when it is run again", async () => {
  const whole = await operationsIn(deviceWith(TORN_SPACE));
  for (let calls = 0; ; calls++) {
    const device = deviceWith(TORN_SPACE);
    const options = { now: NOW, ownPeerIds: [PEERS[1]!] };
    const outcome = await repairFolder(new SpaceFolder(dyingAfter(device, calls), HOME), options).catch(
      (error: unknown) => error,
    );
    if (!(outcome instanceof Error)) {
      expect(calls).toBeGreaterThan(50);
      break;
    }
    expect(outcome).toMatchObject({ code: "FOLD_READ_ONLY" });
    expect((await operationsIn(device)).findLacking(whole)).toBeUndefined();
    const { left } = await repairFolder(new SpaceFolder(device, HOME), { ...options, now: new Date(NOW.getTime() + 1_000) });
    expect(left.map(({ code }) => code)).toEqual(["FOLD_TORN_LINE"]);
    expect((await operationsIn(device)).findLacking(whole)).toBeUndefined();
    // every byte that stood there still does
    const all = [...filesOf(device).values()];
    for (const text of TORN_SPACE.values()) expect(all).toContain(text);
    await undoAll(device);
    expect(withoutLost(filesOf(device))).toEqual(TORN_SPACE);
  }
});

test("undoing, stopped at any call of the file system, finishes when it is run again", async () => {
  for (let calls = 0; ; calls++) {
    const device = deviceWith(TORN_SPACE);
    const { id } = await repairFolder(new SpaceFolder(device, HOME), { now: NOW, ownPeerIds: [PEERS[1]!] });
    const outcome = await undoRepair(new SpaceFolder(dyingAfter(device, calls), HOME)).catch((error: unknown) => error);
    if (!(outcome instanceof Error)) break;
    await undoAll(device);
    expect(withoutLost(filesOf(device)), `${calls} calls, ${id}`).toEqual(TORN_SPACE);
  }
});

/** Long after the repairs, so that none of them can be under way on another device. */
async function undoAll(device: MemoryFileSystem): Promise<void> {
  const now = new Date(NOW.getTime() + 7 * 24 * 60 * 60 * 1000);
  for (;;) {
    try {
      await undoRepair(new SpaceFolder(device, HOME), { now });
    } catch (error) {
      expect(error).toMatchObject({ code: "FOLD_NOT_FOUND" });
      return;
    }
  }
}

function withoutLost(files: Files): Files {
  return new Map([...files].filter(([path]) => !path.startsWith(LOST_DIR)));
}

/** A device: what it had when both last agreed, and what it has now. */
interface Device {
  readonly before: Files;
  readonly fs: MemoryFileSystem;
}

/**
 * Carries changes both ways, as sync services do: a change wins against a deletion, a newer version against the deletion
 * of an older one, and of two changes one becomes a copy.
 */
function sync(a: Device, b: Device): Files {
  const [nowA, nowB] = [filesOf(a.fs), filesOf(b.fs)];
  const merged = new Map<string, string>();
  const paths = new Set([...a.before.keys(), ...b.before.keys(), ...nowA.keys(), ...nowB.keys()]);
  for (const path of paths) {
    const [textA, textB] = [nowA.get(path), nowB.get(path)];
    const [hasChangedA, hasChangedB] = [textA !== a.before.get(path), textB !== b.before.get(path)];
    const hadSame = a.before.get(path) === b.before.get(path);
    const winsA = hasChangedA && !hasChangedB && (textA !== undefined || hadSame);
    const winsB = hasChangedB && !hasChangedA && (textB !== undefined || hadSame);
    if (textA === textB || winsA) put(merged, path, textA);
    else if (winsB) put(merged, path, textB);
    else if (textA === undefined || textB === undefined || !hasChangedA) put(merged, path, longer(textA, textB));
    else {
      put(merged, path, textA);
      put(merged, path.replace(/(\.\w+)$/, " (conflicted copy)$1"), textB);
    }
  }
  return merged;
}

function put(files: Map<string, string>, path: string, text: string | undefined): void {
  if (text !== undefined) files.set(path, text);
}

function longer(a = "", b = ""): string {
  return a.length >= b.length ? a : b;
}

const COPY_NAMES = [" (conflicted copy)", " (1)", " 2", ".sync-conflict-20261122-101010-ABCDEFG"];

interface Scene {
  readonly files: Files;
  /** For each device and file, how much of it has arrived: nothing, a part, all. */
  readonly arrived: readonly (readonly number[])[];
}

const counters = fc.uniqueArray(fc.integer({ min: 3, max: 30 }), { maxLength: 12 });
const lines = counters.map((all) =>
  all
    .sort((a, b) => a - b)
    .map(line)
    .join(""),
);
const logText = fc.tuple(lines, fc.constantFrom("", "", "garbage\n", line(9).slice(0, 22))).map(([text, tail]) => text + tail);
const scene: fc.Arbitrary<Scene> = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...PEERS), logText), { minLength: 1, maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom(...PEERS), fc.constantFrom(...COPY_NAMES), logText), { minLength: 1, maxLength: 4 }),
    fc.array(fc.array(fc.double({ min: 0, max: 1.5, noNaN: true }), { minLength: 10, maxLength: 10 }), {
      minLength: 2,
      maxLength: 2,
    }),
  )
  .map(([own, copies, arrived]) => {
    const files = new Map([["space-v1/space.json", JSON.stringify({ id: SPACE_ID })]]);
    for (const [peer, text] of own) files.set(`${DAY}/${peer}.jsonl`, `${ROOT}${text}`);
    for (const [peer, mark, text] of copies) files.set(`${DAY}/${peer}${mark}.jsonl`, text);
    return { files, arrived };
  });

function deviceOf({ files, arrived }: Scene, index: number): Device {
  const has = new Map<string, string>();
  let at = 0;
  for (const [path, text] of files) {
    const share = path.endsWith("space.json") ? 1 : arrived[index]![at++ % 10]!;
    if (share > 0.2) has.set(path, text.slice(0, Math.ceil(text.length * Math.min(1, share))));
  }
  return { before: has, fs: deviceWith(has) };
}

test(
  "two devices that repair at once, from what has arrived at each, come to the same and lose nothing",
  { timeout: 120_000 },
  async () => {
    let hasRelayed = 0;
    await fc.assert(
      fc.asyncProperty(scene, fc.boolean(), fc.nat({ max: 60 }), async (start, isUndone, dieAfter) => {
        const devices = [deviceOf(start, 0), deviceOf(start, 1)] as const;
        const whole = new OperationTally();
        for (const { fs } of devices) for (const each of await readableIn(fs)) whole.add(...each);

        const [a, b] = devices;
        await Promise.all([
          repairFolder(new SpaceFolder(a.fs, HOME), { now: NOW }),
          // the other may be interrupted
          repairFolder(new SpaceFolder(dyingAfter(b.fs, dieAfter), HOME), { now: NOW }).catch(expectStopped),
        ]);
        if (isUndone) await undoRepair(new SpaceFolder(a.fs, HOME)).catch(expectNothingToUndo);
        const merged = sync(a, b);
        expect((await operationsIn(deviceWith(merged))).findLacking(whole)).toBeUndefined();

        const [c, d] = [merged, merged].map((before): Device => ({ before, fs: deviceWith(before) })) as [Device, Device];
        await Promise.all([c, d].map(({ fs }) => repairFolder(new SpaceFolder(fs, HOME), { now: NOW })));
        const settled = deviceWith(sync(c, d));
        expect((await operationsIn(settled)).findLacking(whole)).toBeUndefined();
        expect(await copiesIn(settled)).toEqual([]);
        const before = filesOf(settled);
        expect((await repairFolder(new SpaceFolder(settled, HOME), { now: NOW })).steps).toEqual([]);
        expect(filesOf(settled)).toEqual(before);
        if ([...before.keys()].some((path) => /2026\/11\/23\//.test(path))) hasRelayed++;
      }),
      fuzzing({ runs: 300, seconds: 20 }),
    );
    // the scenes hold what they are there for
    expect(hasRelayed).toBeGreaterThan(5);
  },
);

async function readableIn(fs: MemoryFileSystem): Promise<Parameters<OperationTally["add"]>[]> {
  const found: Parameters<OperationTally["add"]>[] = [];
  const problems = examineFolder(new SpaceFolder(fs, HOME), { onOperations: (...each) => void found.push(each) });
  while (!(await problems.next()).done);
  return found;
}

function expectStopped(error: unknown): void {
  expect(error).toMatchObject({ code: "FOLD_READ_ONLY" });
}

function expectNothingToUndo(error: unknown): void {
  expect(error).toMatchObject({ code: "FOLD_NOT_FOUND" });
}
