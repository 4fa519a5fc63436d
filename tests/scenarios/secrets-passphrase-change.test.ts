import { beforeAll, expect, test } from "vitest";
import type { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { UnlockAttempt, wrapByPassphrase } from "../../src/secrets/key-wraps.ts";
import { WEAKEST_ARGON2 } from "../../src/secrets/argon2.ts";
import { newRecoveryPair } from "../../src/secrets/recovery-wrap.ts";
import { openFile, parseSealedFile, sealFile, type SealedFile } from "../../src/secrets/sealed-file.ts";
import type { SpaceKey } from "../../src/secrets/space-key.ts";
import { filesOf, folderWith, MapMemory, readWith, sealedFilesOf, SecretsDevice, SPACE_ID } from "./secrets-rig.ts";

const [OLD, NEW] = ["old passphrase", "new passphrase"];
const DIR = "space-v1/secrets-v2";
/** Each passphrase that is tried takes a while on purpose. */
const LONG = { timeout: 120_000 };

let files: Record<string, string> = {};
let code = "";

beforeAll(async () => {
  const device = await new SecretsDevice().open();
  device.secrets.set("key", "before");
  code = await device.secrets.protect(OLD);
  files = Object.fromEntries(filesOf(device.fs));
  await device.stop();
});

async function unlocked(fs: MemoryFileSystem, passphrase: string): Promise<SecretsDevice> {
  const device = await new SecretsDevice(fs).open();
  await device.secrets.unlock(passphrase);
  return device;
}

async function put(fs: MemoryFileSystem, path: string, text: string | undefined): Promise<void> {
  if (text === undefined) await fs.remove(path);
  else await fs.write(path, new TextEncoder().encode(text));
}

/** Files by their paths; `undefined` for one that was removed. */
type Changes = readonly (readonly [path: string, text: string | undefined])[];

function changesSince(before: Readonly<Record<string, string>>, fs: MemoryFileSystem): Changes {
  const now = filesOf(fs);
  const paths = new Set([...Object.keys(before), ...now.keys()]);
  return [...paths].filter((path) => before[path] !== now.get(path)).map((path) => [path, now.get(path)]);
}

/** What one device changes and then sets, while another, offline, sets something under the old passphrase. */
async function changeApart(): Promise<Changes> {
  const one = await unlocked(folderWith(files), OLD);
  await one.secrets.changePassphrase(NEW);
  one.secrets.set("key", "after");
  await one.save();
  await one.stop();
  const two = await unlocked(folderWith(files), OLD);
  two.secrets.set("late", "by the other");
  await two.save();
  await two.stop();
  return [...changesSince(files, one.fs), ...changesSince(files, two.fs)];
}

function* ordersOf<T>(items: readonly T[]): Generator<readonly T[]> {
  if (items.length === 0) yield [];
  for (const [index, item] of items.entries())
    for (const rest of ordersOf(items.filter((_, other) => other !== index))) yield [item, ...rest];
}

test(
  "whatever arrives in whatever order, the folder and an earlier passphrase read nothing that was set later",
  LONG,
  async () => {
    const changes = await changeApart();
    // the new file, the old one's removal, and the file of the device that was offline
    expect(changes).toHaveLength(3);
    for (const order of ordersOf(changes)) {
      const fs = folderWith(files);
      for (const [path, text] of order) {
        await put(fs, path, text);
        const read = await readWith(OLD, filesOf(fs));
        expect(Object.values(read)).not.toContain("after");
      }
      const device = await unlocked(fs, NEW);
      await device.save();
      expect(device.secrets.entries()).toEqual([
        ["key", "after"],
        ["late", "by the other"],
      ]);
      expect(await readWith(OLD, filesOf(fs))).toEqual({});
      await device.stop();
    }
  },
);

test(
  "a session under the old passphrase that looks at any part of a change loses nothing and writes nothing more",
  LONG,
  async () => {
    const changes = (await changeApart()).slice(0, 2);
    for (const order of ordersOf(changes)) {
      for (let arrived = 0; arrived <= order.length; arrived++) {
        const two = await unlocked(folderWith(files), OLD);
        two.secrets.set("mine", "set a moment ago");
        for (const [path, text] of order.slice(0, arrived)) await put(two.fs, path, text);
        await two.look();
        await two.save();
        for (const [path, text] of order.slice(arrived)) await put(two.fs, path, text);
        await two.look();
        await two.save();
        expect(two.secrets.protection).toBe("locked");
        const before = filesOf(two.fs);
        await two.look();
        await two.save();
        expect(filesOf(two.fs)).toEqual(before);
        await two.secrets.unlock(NEW);
        await two.save();
        expect(two.secrets.entries()).toEqual([
          ["key", "after"],
          ["mine", "set a moment ago"],
        ]);
        expect(await readWith(OLD, filesOf(two.fs))).toEqual({});
        await two.stop();
      }
    }
  },
);

test("what a device took in from a session under the old passphrase does not come back when that session goes on", async () => {
  const fs = folderWith(files);
  const [one, two] = [await unlocked(fs, OLD), await unlocked(fs, OLD)];
  two.secrets.set("mine", "1");
  await two.save();
  await one.look();
  await one.secrets.changePassphrase(NEW);
  expect(sealedFilesOf(fs)).toHaveLength(1);
  for (let round = 0; round < 3; round++) {
    for (const device of [two, one]) {
      await device.look();
      await device.save();
    }
  }
  expect(sealedFilesOf(fs)).toHaveLength(1);
  for (const device of [one, two]) await device.stop();
});

test("copies that a sync service made of files under the old passphrase go as well", async () => {
  const [[path, text]] = Object.entries(files).filter(([name]) => name.startsWith(DIR)) as [[string, string]];
  const copy = path.replace(".json", ".sync-conflict-20261122-200032-CC3EXX5.json");
  const device = await unlocked(folderWith({ ...files, [copy]: text }), OLD);
  await device.secrets.changePassphrase(NEW);
  expect(await readWith(OLD, filesOf(device.fs))).toEqual({});
  expect(device.problems).toEqual([]);
  await device.stop();
});

test("the recovery code outlives any number of changes, also where it is what unlocks them", async () => {
  const fs = folderWith(files);
  for (const passphrase of ["second", "third", "fourth"]) {
    const device = await unlocked(fs, code);
    expect(await device.secrets.changePassphrase(passphrase)).toBeUndefined();
    await device.stop();
  }
  const device = await unlocked(fs, "fourth");
  expect(device.secrets.get("key")).toBe("before");
  await device.stop();
});

/** The one file, and the key that the old passphrase gives. */
async function opened(): Promise<{ readonly file: SealedFile; readonly key: SpaceKey }> {
  const [text] = Object.entries(files).flatMap(([path, each]) => (path.startsWith(DIR) ? each : []));
  const file = await parseSealedFile(text!, SPACE_ID);
  const key = await new UnlockAttempt(OLD).unwrapAsPassphrase({ spaceId: SPACE_ID, keyId: file.keyId }, file.wraps);
  return { file, key: key! };
}

test("files of an earlier version, which wrapped the same key anew, go with what their old passphrase opens", async () => {
  const { file, key } = await opened();
  const { entries, keys } = await openFile(file, key);
  const [first, second] = ["a".repeat(32), "b".repeat(32)] as const;
  const context = { spaceId: SPACE_ID, keyId: key.id };
  const wrap = await wrapByPassphrase(context, key.raw!, NEW, WEAKEST_ARGON2, 2, second);
  const wraps = { ...file.wraps, version: 2, peerId: second, passphrase: wrap };
  const fs = folderWith({
    [`${DIR}/${first}.json`]: await sealFile({ ...file, peerId: first }, { entries, keys }, key),
    [`${DIR}/${second}.json`]: await sealFile({ ...file, peerId: second, wraps }, { entries, keys }, key),
  });
  const device = await unlocked(fs, NEW);
  await device.save();
  expect(device.secrets.get("key")).toBe("before");
  expect(await readWith(OLD, filesOf(fs))).toEqual({});
  // without a pair of keys for it, the code of that time cannot be kept
  const next = await device.secrets.changePassphrase("third");
  expect(next).toMatch(/^[0-9A-Z]{4}(?:-[0-9A-Z]{4}){8}$/);
  await device.stop();
  const later = await unlocked(fs, next!);
  expect(later.secrets.get("key")).toBe("before");
  await later.stop();
});

test("whoever knew the old passphrase and put a pair of keys in a file gets no access to the next key by it", async () => {
  const { file, key } = await opened();
  const content = await openFile(file, key);
  const pair = await newRecoveryPair(SPACE_ID, crypto.getRandomValues(new Uint8Array(20)));
  const intruder = "f".repeat(32);
  const text = await sealFile({ ...file, peerId: intruder }, { ...content, recovery: pair }, key);
  const device = await unlocked(folderWith({ ...files, [`${DIR}/${intruder}.json`]: text }), OLD);
  expect(await device.secrets.changePassphrase(NEW)).toBeDefined();
  await device.stop();
});

test("a claim, by somebody without the key, that it was replaced is not believed", async () => {
  const { file, key } = await opened();
  const content = await openFile(file, key);
  const intruder = "f".repeat(32);
  const proof = { keyId: key.id, iv: new Uint8Array(12), proof: new Uint8Array(16) };
  const other = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const header = { ...file, peerId: intruder, keyId: "0".repeat(32), replaces: [proof] };
  const text = await sealFile(header, content, { id: header.keyId, key: other, raw: undefined });
  const device = await unlocked(folderWith({ ...files, [`${DIR}/${intruder}.json`]: text }), OLD);
  device.secrets.set("key", "2");
  await device.save();
  expect(device.secrets.protection).toBe("unlocked");
  await device.stop();
});

test("a device that remembered the key remembers the new one, and one that did not change it asks for the passphrase", async () => {
  const fs = folderWith(files);
  const [own, other] = [new MapMemory(), new MapMemory()];
  for (const memory of [own, other]) {
    const device = await new SecretsDevice(fs, { memory }).open();
    await device.secrets.unlock(OLD, { remember: true });
    await device.stop();
  }
  const first = await new SecretsDevice(fs, { memory: own }).open();
  const beside = await new SecretsDevice(fs, { memory: own }).open();
  await first.secrets.unlock(OLD);
  await first.secrets.changePassphrase(NEW);
  await beside.look();
  expect(beside.secrets.protection).toBe("unlocked");
  for (const device of [first, beside]) await device.stop();
  const again = await new SecretsDevice(fs, { memory: own }).open();
  expect(again.secrets.get("key")).toBe("before");
  await again.stop();
  const second = await new SecretsDevice(fs, { memory: other }).open();
  expect(second.secrets.protection).toBe("locked");
  await second.secrets.unlock(NEW);
  expect(second.secrets.get("key")).toBe("before");
  await second.stop();
});
