import { expect } from "vitest";
import { errorCode } from "../../src/errors.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { SpaceFolder } from "../../src/layers/folder/space-folder.ts";
import { OperationTally } from "../../src/maintenance/operation-tally.ts";
import { readEntry } from "../../src/maintenance/read-entry.ts";
import { packFolder, undoPack } from "../../src/maintenance/pack/pack.ts";
import { repairFolder } from "../../src/maintenance/repair/repair.ts";
import { undoRepair } from "../../src/maintenance/repair/undo.ts";
import { Random } from "../../src/testing/random.ts";

/*
 * Device A repairs or packs, and may undo that. A sync service delivers its changes to device B file by file, in any order; B
 * does the same meanwhile, with what has arrived. In the end everything has arrived, and every operation is read.
 */

/** How many orders of deliveries are gone through for each pair. FOLDSPACE_ALL_DELIVERIES=1: all, up to that many, for half an hour. */
const SAMPLES = process.env["FOLDSPACE_ALL_DELIVERIES"] === "1" ? 4_000 : 25;

const NOW = Date.parse("2026-11-23T10:15:30Z");
const DAY_MS = 24 * 60 * 60 * 1000;
/** The peer whose files both devices may write. */
export const OWN: string = "c".repeat(32);

export type Files = ReadonlyMap<string, string>;
/** `pack early` packs with a longer wait, as a device does whose clock is behind: so it packs months, and not the year. */
export type Action = "repair" | "undo" | "pack" | "pack early" | "pack and delete" | "undo pack";

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
      await perform(action, folder, now);
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
      await this.act("undo pack");
    }
  }
}

async function perform(action: Action, folder: SpaceFolder, now: Date): Promise<void> {
  switch (action) {
    case "repair":
      await repairFolder(folder, { now, ownPeerIds: [OWN] });
      return;
    case "undo":
      await undoRepair(folder, { now });
      return;
    case "pack":
    case "pack and delete":
      await packFolder(folder, { now, deletes: action !== "pack" });
      return;
    case "pack early":
      await packFolder(folder, { now, olderThanMs: 400 * DAY_MS });
      return;
    case "undo pack":
      await undoPack(folder, { now });
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

/** Goes through orders in which B gets what A does, and checks that every operation is read in the end. */
export async function checkDeliveries(start: Files, doneByA: readonly Action[], doneByB: readonly Action[]): Promise<void> {
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
      for (const action of ["repair", "pack"] as const) await later.act(action);
      expect((await operationsIn(later.files)).findLacking(whole), `put in order: ${say()}`).toBeUndefined();
    }
  }
}
