import { beforeEach, describe, expect, test } from "vitest";
import type { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { sealFile, parseSealedFile, type SealedFile } from "../../src/secrets/sealed-file.ts";
import { newSpaceKey } from "../../src/secrets/space-key.ts";
import { filesOf, folderWith, MapMemory, sealedFilesOf, SecretsDevice, SPACE_ID } from "./secrets-rig.ts";

const PASSPHRASE = "correct horse";
const ROLLED_BACK: unknown = expect.objectContaining({ code: "FOLD_SECRETS_ROLLED_BACK" });

let fs: MemoryFileSystem;
let memory: MapMemory;

async function unlocked(passphrase: string = PASSPHRASE, own?: MapMemory): Promise<SecretsDevice> {
  const device = await new SecretsDevice(fs, own ? { memory: own } : {}).open();
  await device.secrets.unlock(passphrase);
  return device;
}

async function put(path: string, text: string | undefined): Promise<void> {
  if (text === undefined) await fs.remove(path);
  else await fs.write(path, new TextEncoder().encode(text));
}

async function putBack(files: ReadonlyMap<string, string>): Promise<void> {
  for (const path of filesOf(fs).keys()) if (!files.has(path)) await fs.remove(path);
  for (const [path, text] of files) await put(path, text);
}

/** A session of another device that sets one secret. */
async function setElsewhere(name: string, value: string | undefined, passphrase?: string): Promise<void> {
  const device = await unlocked(passphrase);
  if (value === undefined) device.secrets.delete(name);
  else device.secrets.set(name, value);
  await device.save();
  await device.stop();
}

/** The device with the memory sees what is there. */
async function see(passphrase?: string): Promise<void> {
  const device = await unlocked(passphrase, memory);
  await device.stop();
}

beforeEach(async () => {
  fs = folderWith({});
  memory = new MapMemory();
  const device = await new SecretsDevice(fs).open();
  device.secrets.set("first", "1");
  await device.secrets.protect(PASSPHRASE);
  await device.stop();
});

describe("a device that has seen secrets under a passphrase notices that", () => {
  test("any file vanishes that held something others do not, whichever was written last", async () => {
    for (const name of ["a", "b", "c"]) await setElsewhere(name, "1");
    await see();
    const whole = filesOf(fs);
    // the file of the latest session has all that stands in the others
    let refused = 0;
    for (const path of sealedFilesOf(fs)) {
      await putBack(new Map([...whole].filter(([other]) => other !== path)));
      const device = await new SecretsDevice(fs, { memory }).open();
      const error = await device.secrets.unlock(PASSPHRASE).catch((caught: unknown) => caught);
      if (error) {
        expect(error).toEqual(ROLLED_BACK);
        refused++;
      } else expect(device.secrets.keys()).toEqual(["a", "b", "c", "first"]);
      await device.stop();
      await putBack(whole);
    }
    expect(refused).toBe(1);
  });

  test("an entry goes back while another, with a higher counter, stays", async () => {
    const apart = folderWith(Object.fromEntries(filesOf(fs)));
    // two devices that do not know of each other's edits
    await setElsewhere("mine", "1");
    const other = await new SecretsDevice(apart).open();
    await other.secrets.unlock(PASSPHRASE);
    for (const value of ["1", "2", "3"]) other.secrets.set("theirs", value);
    await other.save();
    await other.stop();
    const without = filesOf(apart);
    for (const [path, text] of without) await put(path, text);
    await see();
    await putBack(without);
    await expect(unlocked(PASSPHRASE, memory)).rejects.toEqual(ROLLED_BACK);
  });

  test.each([
    ["a deleted secret comes back", undefined],
    ["an old value comes back", "2"],
  ])("%s", async (_name, later) => {
    const before = filesOf(fs);
    await setElsewhere("first", later);
    await see();
    await putBack(before);
    await expect(unlocked(PASSPHRASE, memory)).rejects.toEqual(ROLLED_BACK);
  });

  test("an old passphrase comes back, with the files of its time or with what was set under it meanwhile", async () => {
    const before = filesOf(fs);
    const device = await unlocked();
    await device.secrets.changePassphrase("second");
    await device.stop();
    await see("second");
    await putBack(before);
    const again = await new SecretsDevice(fs, { memory }).open();
    for (const passphrase of [PASSPHRASE, "second"]) await expect(again.secrets.unlock(passphrase)).rejects.toEqual(ROLLED_BACK);
    expect(again.secrets.protection).toBe("locked");
    await again.secrets.unlock(PASSPHRASE, { acceptOlder: true });
    expect(again.secrets.get("first")).toBe("1");
    await again.stop();
    await see();
  });

  test("all files vanish: nothing is set in the clear until that is accepted", async () => {
    await see();
    for (const path of sealedFilesOf(fs)) await fs.remove(path);
    const device = await new SecretsDevice(fs, { memory }).open();
    expect(device.secrets.protection).toBe("locked");
    expect(device.problems).toEqual(["FOLD_SECRETS_ROLLED_BACK"]);
    expect(() => device.secrets.set("new", "1")).toThrow(expect.objectContaining({ code: "FOLD_SECRETS_LOCKED" }));
    await expect(device.secrets.unlock(PASSPHRASE)).rejects.toEqual(ROLLED_BACK);
    await expect(device.secrets.protect(PASSPHRASE)).rejects.toMatchObject({ code: "FOLD_SECRETS_PROTECTION" });
    await device.secrets.unlock(PASSPHRASE, { acceptOlder: true });
    expect(device.secrets.protection).toBe("none");
    expect(device.problems).toEqual([]);
    device.secrets.set("new", "1");
    await device.stop();
    const later = await new SecretsDevice(fs, { memory }).open();
    expect(later.secrets.protection).toBe("none");
    await later.stop();
  });

  test("all files vanish while it remembers the key", async () => {
    const device = await new SecretsDevice(fs, { memory }).open();
    await device.secrets.unlock(PASSPHRASE, { remember: true });
    await device.stop();
    memory.seen.clear();
    const whole = filesOf(fs);
    for (const path of sealedFilesOf(fs)) await fs.remove(path);
    const later = await new SecretsDevice(fs, { memory }).open();
    expect(later.secrets.protection).toBe("locked");
    expect(later.problems).toEqual(["FOLD_SECRETS_ROLLED_BACK"]);
    for (const [path, text] of whole) await put(path, text);
    await later.look();
    expect(later.secrets.get("first")).toBe("1");
    expect(later.problems).toEqual([]);
    await later.stop();
  });

  test("they arrive after all, and goes on without a word", async () => {
    await setElsewhere("late", "1");
    await see();
    const whole = filesOf(fs);
    for (const path of sealedFilesOf(fs)) await fs.remove(path);
    const device = await new SecretsDevice(fs, { memory }).open();
    for (const [path, text] of whole) await put(path, text);
    await device.look();
    await device.secrets.unlock(PASSPHRASE);
    expect(device.secrets.keys()).toEqual(["first", "late"]);
    expect(device.problems).toEqual([]);
    await device.stop();
  });
});

test("a file that vanishes while they are unlocked is written again, with all that was in it", async () => {
  await setElsewhere("second", "2");
  const device = await unlocked(PASSPHRASE, memory);
  for (const path of sealedFilesOf(fs)) await fs.remove(path);
  await device.look();
  await device.save();
  await device.stop();
  const later = await unlocked(PASSPHRASE, memory);
  expect(later.secrets.keys()).toEqual(["first", "second"]);
  await later.stop();
});

test("what was set and came to be in no file is nothing that could vanish", async () => {
  const device = await unlocked(PASSPHRASE, memory);
  device.secrets.set("never saved", "1");
  await device.look();
  await device.stop();
  const later = await unlocked(PASSPHRASE, memory);
  expect(later.secrets.keys()).toEqual(["first"]);
  await later.stop();
});

test("what a device remembers has no name, value or key in it", async () => {
  await see();
  const text = JSON.stringify([...memory.seen]);
  for (const word of ["first", PASSPHRASE, Buffer.from("first").toString("base64")]) expect(text).not.toContain(word);
});

describe("an end of the protection", () => {
  async function claimEnd(forge: (file: SealedFile) => Promise<string>): Promise<void> {
    for (const path of sealedFilesOf(fs)) await put(path, await forge(await parseSealedFile(filesOf(fs).get(path)!, SPACE_ID)));
  }

  /** What anybody can write who has the folder: all of it fits but the tag. */
  async function forged(file: SealedFile): Promise<string> {
    const { key } = await newSpaceKey();
    return await sealFile(
      { ...file, isEnded: true },
      { entries: new Map(), keys: new Map() },
      { id: file.keyId, key, raw: undefined },
    );
  }

  test("that nobody with the key has made counts for no device that knows of the protection", async () => {
    await see();
    const open = await unlocked();
    await claimEnd(forged);
    await open.look();
    expect(open.secrets.protection).toBe("unlocked");
    open.secrets.set("later", "1");
    await open.save();
    expect(JSON.stringify([...filesOf(fs)])).not.toContain("later");
    await open.stop();
    for (const path of sealedFilesOf(fs)) await fs.remove(path);
    fs = folderWith({});
    await setUpForgedOnly();
    const device = await new SecretsDevice(fs, { memory }).open();
    expect(device.secrets.protection).toBe("locked");
    expect(device.problems).toEqual(["FOLD_SECRETS_ROLLED_BACK"]);
    expect(() => device.secrets.set("new", "1")).toThrow(expect.objectContaining({ code: "FOLD_SECRETS_LOCKED" }));
    await device.stop();
  });

  /** Another folder of the space, in which this device has seen the protection before its end was claimed. */
  async function setUpForgedOnly(): Promise<void> {
    const device = await new SecretsDevice(fs).open();
    await device.secrets.protect(PASSPHRASE);
    await device.stop();
    memory = new MapMemory();
    await see();
    await claimEnd(forged);
  }

  test("that is genuine has to be opened once by a device that knows of the protection, and by no other", async () => {
    await see();
    const device = await unlocked();
    await device.secrets.unprotect();
    await device.stop();
    const unaware = await new SecretsDevice(fs, { memory: new MapMemory() }).open();
    expect(unaware.secrets.protection).toBe("none");
    await unaware.stop();
    const aware = await new SecretsDevice(fs, { memory }).open();
    expect(aware.secrets.protection).toBe("locked");
    await aware.secrets.unlock(PASSPHRASE);
    expect(aware.secrets.protection).toBe("none");
    expect(aware.secrets.entries()).toEqual([["first", "1"]]);
    expect(aware.problems).toEqual([]);
    await aware.stop();
    const later = await new SecretsDevice(fs, { memory }).open();
    expect(later.secrets.protection).toBe("none");
    expect(later.problems).toEqual([]);
    await later.stop();
  });
});
