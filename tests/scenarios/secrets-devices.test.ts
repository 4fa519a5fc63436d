import { beforeAll, describe, expect, test } from "vitest";
import { openPlainFile, sealPlainFile } from "../../src/secrets/plain-file.ts";
import type { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { filesOf, folderWith, MapMemory, SecretsDevice, SimulatedSync, SPACE_ID, SteppedClock } from "./secrets-rig.ts";

const MAIN = "space-v1/secrets";

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

async function plainOf(fs: MemoryFileSystem): Promise<Record<string, string>> {
  return Object.fromEntries(await openPlainFile(SPACE_ID, filesOf(fs).get(MAIN)!));
}

/** What the existing app does: puts its own secrets over those of the file. */
async function writeAsApp(fs: MemoryFileSystem, secrets: Record<string, string>): Promise<void> {
  await fs.write(MAIN, bytes(await sealPlainFile(SPACE_ID, new Map(Object.entries(secrets)))));
}

function sealedFilesOf(fs: MemoryFileSystem): string[] {
  return [...filesOf(fs).keys()].filter((path) => path.startsWith("space-v1/secrets-v2/"));
}

function keyIdOf(fs: MemoryFileSystem, path: string): string {
  return (JSON.parse(filesOf(fs).get(path)!) as { keyId: string }).keyId;
}

/** Two devices on one folder, as two processes are. */
async function twoOnOneFolder(clock: SteppedClock): Promise<readonly [SecretsDevice, SecretsDevice]> {
  const one = await new SecretsDevice(folderWith({}), { clock }).open();
  return [one, await new SecretsDevice(one.fs, { clock }).open()];
}

describe("without a passphrase", () => {
  test("what two devices write in the same moment both stays", async () => {
    const [one, two] = await twoOnOneFolder(new SteppedClock());
    for (let round = 0; round < 20; round++) {
      one.secrets.set(`one ${round}`, "1");
      two.secrets.set(`two ${round}`, "2");
      await Promise.all([one.save(), two.save()]);
    }
    for (const device of [one, two]) await device.look();
    expect(Object.keys(await plainOf(one.fs))).toHaveLength(40);
    expect(one.secrets.entries()).toEqual(two.secrets.entries());
    for (const device of [one, two]) await device.stop();
  });

  test("what another has written over without having read it is written again, and what was deleted later stays deleted", async () => {
    const clock = new SteppedClock();
    const device = await new SecretsDevice(folderWith({}), { clock }).open();
    device.secrets.set("mine", "1");
    await device.save();
    await writeAsApp(device.fs, { theirs: "2" });
    await device.look();
    expect(device.secrets.keys()).toEqual(["mine", "theirs"]);
    await device.save();
    expect(await plainOf(device.fs)).toEqual({ mine: "1", theirs: "2" });

    clock.time += 60_000;
    await writeAsApp(device.fs, { theirs: "2" });
    await device.look();
    await device.save();
    expect(device.secrets.keys()).toEqual(["theirs"]);
    expect(await plainOf(device.fs)).toEqual({ theirs: "2" });
    await device.stop();
  });

  test("what another has written over, and was deleted right after, is not written again", async () => {
    const device = await new SecretsDevice(folderWith({}), { clock: new SteppedClock() }).open();
    device.secrets.set("mine", "1");
    await device.save();
    await writeAsApp(device.fs, { theirs: "2" });
    device.secrets.delete("mine");
    await device.save();
    await device.look();
    await device.save();
    expect(device.secrets.keys()).toEqual(["theirs"]);
    expect(await plainOf(device.fs)).toEqual({ theirs: "2" });
    await device.stop();
  });

  test("a deletion stays, and an edit made at the same time beats it", async () => {
    const clock = new SteppedClock();
    const [one, two] = await twoOnOneFolder(clock);
    one.secrets.set("gone", "1");
    one.secrets.set("edited", "1");
    await one.save();
    await two.look();
    clock.time += 60_000;
    two.secrets.set("edited", "2");
    await two.save();
    expect(one.secrets.delete("gone")).toBe(true);
    expect(one.secrets.delete("edited")).toBe(true);
    expect(one.secrets.delete("never there")).toBe(false);
    await one.save();
    await two.look();
    for (const device of [one, two]) expect(device.secrets.entries()).toEqual([["edited", "2"]]);
    for (const device of [one, two]) await device.stop();
  });

  test("a secret can be deleted and set again, on either device", async () => {
    const clock = new SteppedClock();
    const [one, two] = await twoOnOneFolder(clock);
    for (const [device, other] of [
      [one, two],
      [two, one],
    ] as const) {
      device.secrets.set("key", "1");
      await device.save();
      clock.time += 60_000;
      await other.look();
      other.secrets.delete("key");
      await other.save();
      clock.time += 60_000;
      await device.look();
      expect(device.secrets.keys()).toEqual([]);
      other.secrets.set("key", "2");
      await other.save();
      clock.time += 60_000;
      await device.look();
      expect(device.secrets.entries()).toEqual([["key", "2"]]);
    }
    for (const device of [one, two]) await device.stop();
  });

  test.each([
    "secrets.sync-conflict-20261122-200032-CC3EXX5",
    "secrets (Ann's conflicted copy 2026-11-22)",
    "secrets (conflict_on_2026-11-22)",
    "secrets (1)",
    "secrets 2",
    "secrets..path1",
    "secrets-PHONE-safeBackup-0001",
    "secrets_conflict-20261122-200032",
    "Copy of secrets",
  ])("the copy %s is read, reported, and put out of the way once it is saved", async (name) => {
    const copy = await sealPlainFile(
      SPACE_ID,
      new Map([
        ["copy", "1"],
        ["both", "copy"],
      ]),
    );
    const main = await sealPlainFile(
      SPACE_ID,
      new Map([
        ["main", "1"],
        ["both", "main"],
      ]),
    );
    const fs = folderWith({ [MAIN]: main, [`space-v1/${name}`]: copy });
    const before = filesOf(fs);
    const reader = await new SecretsDevice(fs, { isReadOnly: true }).open();
    const merged = { both: "main", copy: "1", main: "1" };
    expect(Object.fromEntries(reader.secrets.entries())).toEqual(merged);
    expect(reader.problems).toEqual(["FOLD_CONFLICT_COPY"]);
    await reader.save();
    expect(filesOf(fs)).toEqual(before);
    await reader.stop();

    const device = await new SecretsDevice(fs).open();
    await device.save();
    expect(device.problems).toEqual([]);
    expect(await plainOf(fs)).toEqual(merged);
    expect([...filesOf(fs).keys()].sort()).toEqual([MAIN, expect.stringMatching(/^space-v1\/secrets\.folded-[0-9a-f]{8}$/)]);
    device.secrets.delete("copy");
    await device.save();
    await device.stop();
    const later = await new SecretsDevice(fs).open();
    expect(later.secrets.keys()).toEqual(["both", "main"]);
    await later.stop();
  });

  test("files that are no copies are left alone", async () => {
    const names = ["secretsfile", "my secrets", "space.json.bak", "secrets.tmp", ".secrets.x.tmp", "~secrets"];
    const fs = folderWith(Object.fromEntries(names.map((name) => [`space-v1/${name}`, "anything"])));
    const before = fs.dump();
    const device = await new SecretsDevice(fs).open();
    await device.save();
    expect(device.problems).toEqual([]);
    expect(fs.dump()).toEqual(before);
    await device.stop();
  });

  test("a deletion made here survives a conflict that puts the deleted secret back", async () => {
    const clock = new SteppedClock();
    const main = await sealPlainFile(
      SPACE_ID,
      new Map([
        ["gone", "1"],
        ["kept", "1"],
      ]),
    );
    const folders = [folderWith({ [MAIN]: main }), folderWith({ [MAIN]: main })] as const;
    const [one, two] = [new SecretsDevice(folders[0], { clock }), new SecretsDevice(folders[1], { clock })];
    for (const device of [one, two]) await device.open();
    // the first device's file always loses
    const sync = new SimulatedSync(folders, () => 0);
    await sync.run();
    one.secrets.delete("gone");
    two.secrets.set("new", "2");
    for (const device of [one, two]) await device.save();
    clock.time += 60_000;
    await sync.run();
    for (let round = 0; round < 3; round++) {
      for (const device of [one, two]) {
        await device.look();
        await device.save();
      }
      await sync.run();
      clock.time += 60_000;
    }
    for (const device of [one, two]) expect(device.secrets.keys()).toEqual(["kept", "new"]);
    for (const device of [one, two]) await device.stop();
  });
});

describe("under a passphrase", () => {
  const PASSPHRASE = "correct horse";
  let files: Record<string, string> = {};
  let code = "";
  beforeAll(async () => {
    const device = await new SecretsDevice().open();
    device.secrets.set("key", "1");
    code = await device.secrets.protect(PASSPHRASE);
    files = Object.fromEntries(filesOf(device.fs));
    await device.stop();
  });

  test("nothing can be read in the folder, and everything after unlocking", async () => {
    const device = await new SecretsDevice(folderWith(files)).open();
    expect(device.secrets.protection).toBe("locked");
    expect(JSON.stringify(files)).not.toContain(Buffer.from("key").toString("base64"));
    await device.secrets.unlock(PASSPHRASE);
    expect(device.secrets.entries()).toEqual([["key", "1"]]);
    await device.secrets.lock();
    expect(() => device.secrets.get("key")).toThrow(expect.objectContaining({ code: "FOLD_SECRETS_LOCKED" }));
    await device.stop();
  });

  test("observers hear of unlocking, of changes elsewhere, and of locking", async () => {
    const fs = folderWith(files);
    const [one, two] = [await new SecretsDevice(fs).open(), await new SecretsDevice(fs).open()];
    const heard: (readonly string[])[] = [];
    one.secrets.observe((names) => heard.push(names));
    for (const device of [one, two]) await device.secrets.unlock(PASSPHRASE);
    two.secrets.set("other", "2");
    two.secrets.delete("key");
    await two.save();
    await one.look();
    await one.secrets.lock();
    expect(heard).toEqual([["key"], ["key", "other"], ["other"]].map((names) => expect.arrayContaining(names)));
    for (const device of [one, two]) await device.stop();
  });

  test("what the existing app adds without protection moves under it", async () => {
    const fs = folderWith(files);
    const device = await new SecretsDevice(fs).open();
    await writeAsApp(fs, { app: "4" });
    await device.look();
    expect(device.secrets.protection).toBe("locked");
    await device.save();
    expect(await plainOf(fs)).toEqual({ app: "4" });
    await device.secrets.unlock(PASSPHRASE);
    await device.save();
    expect(await plainOf(fs)).toEqual({});
    expect(Object.fromEntries(device.secrets.entries())).toEqual({ key: "1", app: "4" });
    await device.stop();
  });

  test("protecting leaves no remains of earlier secrets", async () => {
    const text = await sealPlainFile(SPACE_ID, new Map([["key", "1"]]));
    const fs = folderWith({
      [MAIN]: text,
      [`${MAIN}.sync-conflict-20261122-200032-CC3EXX5`]: text,
      [`${MAIN}.folded-01234567`]: text,
      [`${MAIN}.broken-20261122T200032Z`]: "broken",
    });
    const device = await new SecretsDevice(fs).open();
    await device.secrets.protect(PASSPHRASE);
    await device.save();
    expect([...filesOf(fs).keys()].sort()).toEqual([MAIN, ...sealedFilesOf(fs)]);
    expect(device.problems).toEqual([]);
    await device.stop();
  });

  test("a changed passphrase holds everywhere, at once, and the code stays", async () => {
    const fs = folderWith(files);
    const [one, two] = [await new SecretsDevice(fs).open(), await new SecretsDevice(fs).open()];
    for (const device of [one, two]) await device.secrets.unlock(PASSPHRASE);
    const before = sealedFilesOf(fs).map((path) => keyIdOf(fs, path));
    expect(await one.secrets.changePassphrase("new passphrase")).toBeUndefined();
    for (const path of sealedFilesOf(fs)) expect(before).not.toContain(keyIdOf(fs, path));
    await two.look();
    expect(two.secrets.protection).toBe("locked");
    expect(() => two.secrets.set("later", "2")).toThrow(expect.objectContaining({ code: "FOLD_SECRETS_LOCKED" }));
    await two.secrets.unlock("new passphrase");
    two.secrets.set("later", "2");
    await two.save();
    const late = await new SecretsDevice(fs).open();
    await expect(late.secrets.unlock(PASSPHRASE)).rejects.toMatchObject({ code: "FOLD_WRONG_PASSPHRASE" });
    expect(late.secrets.protection).toBe("locked");
    await late.secrets.unlock("new passphrase");
    expect(late.secrets.keys()).toEqual(["key", "later"]);
    await late.secrets.changePassphrase("third");
    await late.secrets.lock();
    await late.secrets.unlock(code);
    expect(late.secrets.keys()).toEqual(["key", "later"]);
    for (const device of [one, two, late]) await device.stop();
  });

  test("of two passphrases set at the same time each opens what its device knew, and both together everything", async () => {
    const folders = [folderWith(files), folderWith(files)] as const;
    const passphrases = ["of one", "of two"] as const;
    for (const [index, fs] of folders.entries()) {
      const device = await new SecretsDevice(fs).open();
      await device.secrets.unlock(PASSPHRASE);
      await device.secrets.changePassphrase(passphrases[index]!);
      device.secrets.set(`of ${index}`, "1");
      await device.save();
      await device.stop();
    }
    const sync = new SimulatedSync(folders, () => 0);
    await sync.run();
    const late = await new SecretsDevice(folders[0]).open();
    await expect(late.secrets.unlock(PASSPHRASE)).rejects.toMatchObject({ code: "FOLD_WRONG_PASSPHRASE" });
    await late.secrets.unlock("of two");
    expect(late.secrets.keys()).toEqual(["key", "of 1"]);
    expect(late.problems).toEqual(["FOLD_SECRETS_LOCKED"]);
    await late.secrets.unlock("of one");
    expect(late.secrets.keys()).toEqual(["key", "of 0", "of 1"]);
    await late.save();
    await late.stop();
    await sync.run();
    const byCode = await new SecretsDevice(folders[1]).open();
    await byCode.secrets.unlock(code);
    expect(byCode.secrets.keys()).toEqual(["key", "of 0", "of 1"]);
    expect(byCode.problems).toEqual([]);
    await byCode.stop();
  });

  test("two devices that protect at the same time lose nothing, once both passphrases were given on one", async () => {
    const folders = [folderWith({}), folderWith({})] as const;
    const devices = [await new SecretsDevice(folders[0]).open(), await new SecretsDevice(folders[1]).open()] as const;
    for (const [index, device] of devices.entries()) {
      device.secrets.set(`of ${index}`, "1");
      await device.secrets.protect(`passphrase ${index}`);
    }
    const sync = new SimulatedSync(folders, () => 0);
    await sync.run();
    for (const device of devices) {
      await device.look();
      expect(device.problems).toContain("FOLD_SECRETS_LOCKED");
      expect(device.secrets.keys()).toHaveLength(1);
      await device.save();
    }
    await devices[0].secrets.unlock("passphrase 1");
    await devices[0].save();
    expect(devices[0].secrets.keys()).toEqual(["of 0", "of 1"]);
    await sync.run();
    const late = await new SecretsDevice(folders[1]).open();
    // the file of the device that has both keys is under the lower of them, and holds the other
    const [lowest] = [...filesOf(folders[1])]
      .filter(([path]) => path.startsWith("space-v1/secrets-v2/"))
      .map(([, text]) => JSON.parse(text) as { keyId: string; wraps: { peerId: string } })
      .sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
    const isOfFirst = filesOf(folders[0]).has(`space-v1/secrets-v2/${lowest!.wraps.peerId}.json`);
    expect(isOfFirst).toBe(true);
    const unlocked = await Promise.allSettled(["passphrase 0", "passphrase 1"].map((each) => late.secrets.unlock(each)));
    expect(unlocked.map(({ status }) => status)).toContain("fulfilled");
    expect(late.secrets.keys()).toEqual(["of 0", "of 1"]);
    for (const device of [...devices, late]) await device.stop();
  });

  test("taking the protection off reaches devices that are unlocked, and those that were away", async () => {
    const folders = [folderWith(files), folderWith(files)] as const;
    const sync = new SimulatedSync(folders, () => 0);
    const [one, two] = [await new SecretsDevice(folders[0]).open(), await new SecretsDevice(folders[1]).open()];
    for (const device of [one, two]) await device.secrets.unlock(PASSPHRASE);
    await sync.run();
    // made while the other takes the protection off
    two.secrets.set("late", "2");
    two.secrets.set("later", "3");
    two.secrets.set("latest", "4");
    await two.save();
    await one.secrets.unprotect();
    expect(one.secrets.protection).toBe("none");
    expect(await plainOf(folders[0])).toEqual({ key: "1" });
    for (let round = 0; round < 3; round++) {
      await sync.run();
      for (const device of [one, two]) {
        await device.look();
        await device.save();
      }
    }
    for (const device of [one, two]) {
      expect(device.secrets.protection).toBe("none");
      expect(device.secrets.keys()).toEqual(["key", "late", "later", "latest"]);
      await device.stop();
    }
    const late = await new SecretsDevice(folders[1]).open();
    expect(late.secrets.protection).toBe("none");
    expect(late.secrets.keys()).toEqual(["key", "late", "later", "latest"]);
    await late.stop();
  });

  test("protected, unprotected and protected again, it is protected", async () => {
    const device = await new SecretsDevice(folderWith(files)).open();
    await device.secrets.unlock(PASSPHRASE);
    await device.secrets.unprotect();
    await expect(device.secrets.unprotect()).rejects.toMatchObject({ code: "FOLD_SECRETS_PROTECTION" });
    await device.secrets.protect("another");
    await device.save();
    await device.stop();
    const later = await new SecretsDevice(device.fs).open();
    await expect(later.secrets.unlock(PASSPHRASE)).rejects.toMatchObject({ code: "FOLD_WRONG_PASSPHRASE" });
    await later.secrets.unlock("another");
    expect(later.secrets.entries()).toEqual([["key", "1"]]);
    await later.stop();
  });

  test("files of peers that are long gone are removed, and no others", async () => {
    const clock = new SteppedClock();
    clock.time = Date.now();
    const fs = folderWith(files);
    const [former] = sealedFilesOf(fs);
    const device = await new SecretsDevice(fs, { clock }).open();
    await device.secrets.unlock(PASSPHRASE);
    device.secrets.set("a", "1");
    await device.save();
    expect(sealedFilesOf(fs)).toHaveLength(2);
    clock.time += 31 * 86_400_000;
    device.secrets.set("b", "1");
    await device.save();
    expect(sealedFilesOf(fs)).toHaveLength(1);
    expect(sealedFilesOf(fs)).not.toContain(former);
    await device.stop();
    const late = await new SecretsDevice(fs).open();
    await late.secrets.unlock(PASSPHRASE);
    expect(late.secrets.keys()).toEqual(["a", "b", "key"]);
    await late.stop();
  });

  test("a device that remembers the key needs no passphrase, cannot change it, and forgets the key when it locks", async () => {
    const memory = new MapMemory();
    const fs = folderWith(files);
    const first = await new SecretsDevice(fs, { memory }).open();
    await first.secrets.unlock(PASSPHRASE, { remember: true });
    await first.stop();
    await expect(crypto.subtle.exportKey("raw", memory.keys[0]!.key)).rejects.toThrow();

    const device = await new SecretsDevice(fs, { memory }).open();
    expect(device.secrets.protection).toBe("unlocked");
    device.secrets.set("more", "2");
    await device.save();
    await expect(device.secrets.changePassphrase("new")).rejects.toMatchObject({ code: "FOLD_SECRETS_LOCKED" });
    await device.secrets.unlock(PASSPHRASE);
    await device.secrets.changePassphrase("new");
    await device.secrets.lock();
    await device.stop();
    const later = await new SecretsDevice(fs, { memory }).open();
    expect(later.secrets.protection).toBe("locked");
    await later.secrets.unlock("new");
    expect(later.secrets.keys()).toEqual(["key", "more"]);
    await later.stop();
  });

  test("where nothing can remember a key, asking for it is an error", async () => {
    const device = await new SecretsDevice(folderWith(files)).open();
    await expect(device.secrets.unlock(PASSPHRASE, { remember: true })).rejects.toMatchObject({ code: "FOLD_UNAVAILABLE" });
    expect(device.secrets.protection).toBe("locked");
    await device.stop();
  });

  test("what is too much is refused at once, and everything else stays", async () => {
    const device = await new SecretsDevice(folderWith(files)).open();
    await device.secrets.unlock(PASSPHRASE);
    expect(() => device.secrets.set("big", "x".repeat(1024 * 1024))).toThrow(
      expect.objectContaining({ code: "FOLD_SECRETS_TOO_LARGE" }),
    );
    expect(device.secrets.keys()).toEqual(["key"]);
    await device.stop();
  });
});
