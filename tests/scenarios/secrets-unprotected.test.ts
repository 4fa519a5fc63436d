import { beforeAll, beforeEach, expect, test } from "vitest";
import type { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { openPlainFile, sealPlainFile } from "../../src/secrets/plain-file.ts";
import { filesOf, folderWith, SecretsDevice, SPACE_ID, SteppedClock } from "./secrets-rig.ts";

const PASSPHRASE = "correct horse";
const MAIN = "space-v1/secrets";
const UNPROTECTED = "FOLD_SECRETS_UNPROTECTED";

let files: Record<string, string> = {};
let fs: MemoryFileSystem;

beforeAll(async () => {
  const device = await new SecretsDevice().open();
  for (const name of ["key", "gone"]) device.secrets.set(name, "1");
  await device.secrets.protect(PASSPHRASE);
  device.secrets.delete("gone");
  await device.save();
  files = Object.fromEntries(filesOf(device.fs));
  await device.stop();
});
beforeEach(() => {
  fs = folderWith(files);
});

/** What anybody can do who has the folder, and what an app does that knows of no protection. */
async function writePlain(secrets: Record<string, string>): Promise<void> {
  const text = await sealPlainFile(SPACE_ID, new Map(Object.entries(secrets)));
  await fs.write(MAIN, new TextEncoder().encode(text));
}

async function plain(): Promise<Record<string, string>> {
  const text = filesOf(fs).get(MAIN);
  return text === undefined ? {} : Object.fromEntries(await openPlainFile(SPACE_ID, text));
}

async function unlocked(isReadOnly: boolean = false): Promise<SecretsDevice> {
  const device = await new SecretsDevice(fs, { isReadOnly }).open();
  await device.secrets.unlock(PASSPHRASE);
  return device;
}

test("whoever has no passphrase changes no protected secret and brings none back, and is reported", async () => {
  await writePlain({ key: "evil", gone: "evil", added: "4" });
  for (const isReadOnly of [true, false, false]) {
    const device = await unlocked(isReadOnly);
    expect(device.secrets.entries()).toEqual([
      ["added", "4"],
      ["key", "1"],
    ]);
    expect(device.problems).toEqual([UNPROTECTED]);
    expect(device.secrets.problems[0]!.reason).toContain('"gone", "key"');
    await device.save();
    await device.stop();
  }
  // what an app has written in good faith is not lost either
  expect(await plain()).toEqual({ key: "evil", gone: "evil" });
});

test("neither does one who writes while they are unlocked", async () => {
  const device = await unlocked();
  await writePlain({ key: "evil" });
  await device.look();
  expect(device.secrets.get("key")).toBe("1");
  expect(device.problems).toEqual([UNPROTECTED]);
  await device.stop();
});

test("the other value goes, and the problem with it, when the secret is set or deleted again", async () => {
  await writePlain({ key: "2", gone: "2" });
  const device = await unlocked();
  device.secrets.set("key", "2");
  expect(device.secrets.delete("gone")).toBe(true);
  await device.save();
  expect(device.problems).toEqual([]);
  expect(await plain()).toEqual({});
  await device.stop();
  const later = await unlocked();
  expect(later.secrets.entries()).toEqual([["key", "2"]]);
  await later.stop();
});

test("the same value without protection is taken away without a word", async () => {
  await writePlain({ key: "1" });
  const device = await unlocked();
  await device.save();
  expect(device.problems).toEqual([]);
  expect(await plain()).toEqual({});
  await device.stop();
});

test("many long names make one short problem", async () => {
  const names = Array.from({ length: 50 }, (_, index) => `${index}${"x".repeat(500)}`);
  await writePlain(Object.fromEntries(names.map((name) => [name, "1"])));
  const first = await unlocked();
  for (const name of names) first.secrets.delete(name);
  await first.save();
  await first.stop();
  await writePlain(Object.fromEntries(names.map((name) => [name, "2"])));
  const device = await unlocked();
  expect(device.problems).toEqual([UNPROTECTED]);
  expect(device.secrets.problems[0]!.reason.length).toBeLessThan(500);
  await device.stop();
});

test("secrets that come back without protection, before it is known that it was taken off, are not lost", async () => {
  const clock = new SteppedClock();
  const folders = [fs, folderWith(files)] as const;
  const [one, two] = [new SecretsDevice(folders[0], { clock }), new SecretsDevice(folders[1], { clock })];
  for (const device of [one, two]) {
    await device.open();
    await device.secrets.unlock(PASSPHRASE);
  }
  const carry = async (from: MemoryFileSystem, to: MemoryFileSystem, which: RegExp): Promise<void> => {
    clock.time += 60_000;
    for (const [path, text] of filesOf(from)) if (which.test(path)) await to.write(path, new TextEncoder().encode(text));
    for (const device of [one, two]) await device.look();
    for (const device of [one, two]) await device.save();
  };
  await one.secrets.unprotect();
  await carry(folders[0], folders[1], /secrets$/);
  // the other device has moved them under the protection again
  await carry(folders[1], folders[0], /secrets$/);
  await carry(folders[0], folders[1], /secrets-v2/);
  await carry(folders[1], folders[0], /secrets/);
  for (const device of [one, two]) {
    expect(device.secrets.protection).toBe("none");
    expect(device.secrets.entries()).toEqual([["key", "1"]]);
    await device.stop();
  }
});

test("what was set here before the protection was known goes under it", async () => {
  const early = await new SecretsDevice(folderWith({})).open();
  early.secrets.set("key", "mine");
  for (const [path, text] of Object.entries(files)) await early.fs.write(path, new TextEncoder().encode(text));
  await early.look();
  expect(early.secrets.protection).toBe("locked");
  await early.secrets.unlock(PASSPHRASE);
  await early.save();
  expect(early.secrets.entries()).toEqual([["key", "mine"]]);
  expect(early.problems).toEqual([]);
  fs = early.fs;
  expect(await plain()).toEqual({});
  await writePlain({ key: "evil" });
  await early.look();
  expect(early.secrets.get("key")).toBe("mine");
  await early.stop();
});
