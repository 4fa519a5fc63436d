import { describe, expect, test } from "vitest";
import { errorCode } from "../../src/errors.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { OperationTally } from "../../src/maintenance/operation-tally.ts";
import { readEntry } from "../../src/maintenance/read-entry.ts";
import { repairFolder } from "../../src/maintenance/repair/repair.ts";
import { undoRepair } from "../../src/maintenance/repair/undo.ts";
import { SpaceFolder } from "../../src/layers/folder/space-folder.ts";
import { Random } from "../../src/testing/random.ts";

/*
 * Device A repairs, and may undo that. A sync service delivers its changes to device B file by file, in any order; B
 * repairs and undoes meanwhile, with what has arrived. In the end everything has arrived, and every operation is read.
 */

/** How many orders of deliveries are gone through for each pair. FOLDSPACE_ALL_DELIVERIES=1: all, up to that many, for half an hour. */
const SAMPLES = process.env["FOLDSPACE_ALL_DELIVERIES"] === "1" ? 4_000 : 25;

const SPACE_ID = "0123456789abcdef0123456789abcdef";
const TREE = `space-v1/ops/01/${SPACE_ID.slice(2)}`;
const [P, Q, OWN] = ["a".repeat(32), "b".repeat(32), "c".repeat(32)] as const;
const NOW = Date.parse("2026-11-23T10:15:30Z");
const DAY_MS = 24 * 60 * 60 * 1000;
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;
const line = (counter: number): string => `["p",${counter},"${SPACE_ID}","k",${counter}]\n`;

type Files = ReadonlyMap<string, string>;
type Action = "repair" | "undo";

const SCENES: Readonly<Record<string, Files>> = {
  "copies, one of which has lines that cannot be read": new Map([
    [`${TREE}/2026/11/21/${P}.jsonl`, ROOT + line(3)],
    [`${TREE}/2026/11/21/${P} (conflicted copy).jsonl`, `${ROOT}${line(4)}garbage\n`],
    [`${TREE}/2026/11/22/${Q} (1).jsonl`, line(5)],
    [`${TREE}/2026/11/22/desktop.ini`, "x"],
  ]),
  "a file of one's own with a torn line, whose operation a copy and a relay file contain": new Map([
    [`${TREE}/2026/11/21/${OWN}.jsonl`, `${ROOT}${line(3).slice(0, 20)}\n${line(4).slice(0, 20)}\n`],
    [`${TREE}/2026/11/21/${OWN} 2.jsonl`, line(3) + line(6)],
    [`${TREE}/2026/11/22/${OWN}.${Q}.jsonl`, line(4)],
  ]),
};

class Device {
  files: Files;
  #minutes: number;

  constructor(files: Files, minutes: number) {
    this.files = files;
    this.#minutes = minutes;
  }

  async act(action: Action): Promise<void> {
    const fs = new MemoryFileSystem(Object.fromEntries(Array.from(this.files, ([path, text]) => [`home/${path}`, text])));
    const folder = new SpaceFolder(fs, "/home");
    const now = new Date(NOW + this.#minutes++ * 60_000);
    try {
      if (action === "repair") await repairFolder(folder, { now, ownPeerIds: [OWN] });
      else await undoRepair(folder, { now });
    } catch (error) {
      expect(errorCode(error)).toBe("FOLD_NOT_FOUND");
    }
    this.files = new Map(Object.entries(fs.dump()).map(([path, text]) => [path.slice("home/".length), text]));
  }

  /** Undoes all that can be undone, as somebody does who misses something. */
  async undoAll(): Promise<void> {
    for (let before: Files | undefined; before?.size !== this.files.size || !areEqual(before, this.files);) {
      before = this.files;
      await this.act("undo");
    }
  }
}

function areEqual(a: Files, b: Files): boolean {
  return a.size === b.size && [...a].every(([path, text]) => b.get(path) === text);
}

async function operationsIn(files: Files): Promise<OperationTally> {
  const fs = new MemoryFileSystem(Object.fromEntries(Array.from(files, ([path, text]) => [`home/${path}`, text])));
  const folder = new SpaceFolder(fs, "/home");
  const tally = new OperationTally();
  for (const log of (await folder.scan()).logs) {
    for await (const { ops } of readEntry(folder, log)) tally.add(log.treeId, ops);
  }
  return tally;
}

function apply(files: Files, path: string, text: string | undefined): Files {
  const changed = new Map(files);
  if (text === undefined) changed.delete(path);
  else changed.set(path, text);
  return changed;
}

/** What a path has held, one after the other; a sync service may skip what was replaced since. */
interface History {
  readonly path: string;
  readonly versions: readonly (string | undefined)[];
}

function historiesOf(states: readonly Files[]): History[] {
  const paths = new Set(states.flatMap((files) => [...files.keys()]));
  return [...paths].flatMap((path) => {
    const versions = states.map((files) => files.get(path)).filter((text, index, all) => index === 0 || text !== all[index - 1]);
    return versions.length > 1 ? [{ path, versions }] : [];
  });
}

/** For every path, which version B has at each of its actions; never an older one than before. */
function* deliveries(histories: readonly History[], actions: number): Generator<number[][]> {
  const ways = histories.map(({ versions }) => risingSequences(versions.length, actions));
  const total = ways.reduce((product, { length }) => product * length, 1);
  const random = new Random(total);
  for (let sample = 0; sample < Math.min(total, SAMPLES); sample++) {
    if (total <= SAMPLES) {
      let rest = sample;
      yield ways.map((each) => {
        const way = each[rest % each.length]!;
        rest = Math.floor(rest / each.length);
        return way;
      });
    } else yield ways.map((each) => random.pick(each));
  }
}

function risingSequences(versions: number, length: number): number[][] {
  if (length === 0) return [[]];
  return risingSequences(versions, length - 1).flatMap((start) =>
    Array.from({ length: versions - (start.at(-1) ?? 0) }, (_, index) => [...start, (start.at(-1) ?? 0) + index]),
  );
}

const SEQUENCES: readonly (readonly Action[])[] = [
  ["repair"],
  ["undo"],
  ["repair", "undo"],
  ["undo", "repair"],
  ["undo", "undo"],
  ["repair", "repair"],
];

describe.each(Object.entries(SCENES))("with %s", (_scene, scene) => {
  const start: Files = new Map([["space-v1/space.json", JSON.stringify({ id: SPACE_ID })], ...scene]);

  describe.each([[["repair"]], [["repair", "undo"]], [["repair", "undo", "repair"]]] as [Action[]][])("A does %j", (doneByA) => {
    test.each(SEQUENCES.map((sequence) => [sequence] as const))(
      "and B, with a part of it, does %j",
      { timeout: 3_600_000 },
      async (doneByB) => {
        const whole = await operationsIn(start);
        const a = new Device(start, 0);
        const statesOfA = [start];
        for (const action of doneByA) {
          await a.act(action);
          statesOfA.push(a.files);
        }
        const histories = historiesOf(statesOfA);
        for (const delivered of deliveries(histories, doneByB.length)) {
          const b = new Device(start, 30);
          for (const [turn, action] of doneByB.entries()) {
            for (const [index, { path, versions }] of histories.entries()) {
              const before = versions[turn === 0 ? 0 : delivered[index]![turn - 1]!];
              const now = versions[delivered[index]![turn]!];
              // of what is as it was before, nothing is carried
              if (now !== before) b.files = apply(b.files, path, now);
            }
            await b.act(action);
          }
          // the rest arrives, and goes before what B has done to the same files, or B's goes before
          const arrived = histories.reduce(
            (files, { path, versions }, index) => apply(files, path, versions[delivered[index]!.at(-1)!]),
            start,
          );
          let [settledByA, settledByB] = [b.files, a.files];
          for (const [index, { path, versions }] of histories.entries()) {
            const last = versions.at(-1);
            if (versions[delivered[index]!.at(-1)!] !== last) settledByA = apply(settledByA, path, last);
          }
          for (const path of new Set([...arrived.keys(), ...b.files.keys()])) {
            if (b.files.get(path) !== arrived.get(path)) settledByB = apply(settledByB, path, b.files.get(path));
          }
          for (const settled of [settledByA, settledByB]) {
            const say = (): string => JSON.stringify({ histories: histories.map(({ path }) => path), delivered });
            expect((await operationsIn(settled)).findLacking(whole), say()).toBeUndefined();
            const later = new Device(settled, (10 * DAY_MS) / 60_000);
            await later.undoAll();
            expect((await operationsIn(later.files)).findLacking(whole), `undone: ${say()}`).toBeUndefined();
            await later.act("repair");
            expect((await operationsIn(later.files)).findLacking(whole), `repaired: ${say()}`).toBeUndefined();
          }
        }
      },
    );
  });
});
