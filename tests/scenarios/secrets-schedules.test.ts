// oxlint-disable-next-line import/no-unassigned-import -- it puts its globals where a browser has them
import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import type { DeviceStore } from "../../src/secrets/device-store.ts";
import { newId } from "../../src/tree/index.ts";
import { filesOf, folderWith, MapMemory, randomOf, SecretsDevice, SimulatedSync, SteppedClock } from "./secrets-rig.ts";

const SCHEDULES = 500;
const STEPS = 24;
const NAMES = ["a", "b", "c", "d", "e"];

interface Edit {
  readonly device: number;
  readonly name: string;
  readonly value: string | undefined;
}

interface Schedule {
  readonly seed: number;
  /** Files that both devices start with. */
  readonly files: Readonly<Record<string, string>>;
  readonly memory?: () => DeviceStore;
  readonly hasRestarts: boolean;
  readonly hasDatabases: boolean;
}

/** Two devices edit, save, look, sync and start anew in an order that the seed decides, and then come to rest. */
async function run({ seed, files, memory, hasRestarts, hasDatabases }: Schedule): Promise<{
  readonly edits: readonly Edit[];
  readonly ends: readonly Record<string, string>[];
  readonly copies: number;
}> {
  const random = randomOf(seed);
  const clock = new SteppedClock();
  const folders = [folderWith(files), folderWith(files)] as const;
  const devices = folders.map(
    (fs) =>
      new SecretsDevice(fs, {
        clock,
        ...(memory ? { memory: memory() } : {}),
        ...(hasDatabases ? { databaseName: newId() } : {}),
      }),
  );
  const sync = new SimulatedSync(folders, random);
  const edits: Edit[] = [];
  for (const device of devices) await device.open();
  for (let step = 0; step < STEPS; step++) {
    const index = random(2);
    const device = devices[index]!;
    clock.time += random(4) * 1_500;
    const action = random(hasRestarts ? 13 : 12);
    if (action < 5) {
      const name = NAMES[random(NAMES.length)]!;
      const value = random(4) === 0 ? undefined : `value ${step} of ${index}`;
      if (value === undefined && !device.secrets.delete(name)) continue;
      if (value !== undefined) device.secrets.set(name, value);
      edits.push({ device: index, name, value });
    } else if (action < 8) await device.save();
    else if (action < 10) await device.look();
    else if (action < 12) await sync.run();
    else {
      await device.save();
      await device.stop();
      await device.open();
    }
  }
  for (let round = 0, before = ""; ; round++) {
    for (const device of devices) {
      await device.look();
      await device.save();
    }
    await sync.run();
    clock.time += 10_000;
    const state = JSON.stringify(folders.map((fs) => [...filesOf(fs)]));
    if (state === before) break;
    before = state;
    if (round === 20) throw new Error("the devices do not come to rest");
  }
  const ends = devices.map(({ secrets }) => Object.fromEntries(secrets.entries()));
  const late = await new SecretsDevice(folders[0], { clock, ...(memory ? { memory: memory() } : {}), isReadOnly: true }).open();
  ends.push(Object.fromEntries(late.secrets.entries()));
  for (const device of [...devices, late]) await device.stop();
  return { edits, ends, copies: sync.copies };
}

function check(edits: readonly Edit[], ends: readonly Record<string, string>[]): void {
  const [end] = ends;
  for (const other of ends) expect(other).toEqual(end);
  for (const name of NAMES) {
    const ofName = edits.filter((edit) => edit.name === name);
    const values = ofName.map(({ value }) => value);
    if (values.length === 0 || values.includes(undefined)) continue;
    // what nobody has deleted is there, as somebody has set it
    expect(values).toContain(end![name]);
  }
}

/** What one device alone has edited is as it left it. */
function checkSoleEditors(edits: readonly Edit[], end: Record<string, string>): void {
  for (const name of NAMES) {
    const ofName = edits.filter((edit) => edit.name === name);
    if (new Set(ofName.map(({ device }) => device)).size === 1) expect([name, end[name]]).toEqual([name, ofName.at(-1)!.value]);
  }
}

async function onEachSeed(body: (seed: number) => Promise<void>): Promise<void> {
  for (let seed = 1; seed <= SCHEDULES; seed++) {
    try {
      await body(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
}

test(`without a passphrase, two devices lose nothing in ${SCHEDULES} schedules`, { timeout: 300_000 }, async () => {
  let conflicts = 0;
  await onEachSeed(async (seed) => {
    const hasRestarts = seed % 2 === 0;
    const { edits, ends, copies } = await run({ seed, files: {}, hasRestarts, hasDatabases: seed % 5 === 0 });
    check(edits, ends);
    conflicts += copies;
  });
  expect(conflicts).toBeGreaterThan(SCHEDULES / 4);
});

test(`under a passphrase, two devices lose nothing in ${SCHEDULES} schedules`, { timeout: 300_000 }, async () => {
  const first = await new SecretsDevice(folderWith({}), { memory: new MapMemory() }).open();
  const key = new MapMemory();
  await first.secrets.protect("passphrase");
  await first.save();
  const device = await new SecretsDevice(first.fs, { memory: key }).open();
  await device.secrets.unlock("passphrase", { remember: true });
  const files = Object.fromEntries(filesOf(first.fs));
  for (const each of [first, device]) await each.stop();
  await onEachSeed(async (seed) => {
    const memory = (): DeviceStore => {
      const own = new MapMemory();
      own.keys = key.keys;
      return own;
    };
    const { edits, ends } = await run({ seed, files, memory, hasRestarts: true, hasDatabases: seed % 5 === 0 });
    check(edits, ends);
    checkSoleEditors(edits, ends[0]!);
  });
});
