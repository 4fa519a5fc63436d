import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { openPlainFile } from "../../src/secrets/plain-file.ts";
import { filesOf, folderWith, MapMemory, SecretsDevice, SPACE_ID } from "./secrets-rig.ts";

const MAIN = "space-v1/secrets";
const PASSPHRASE = "correct horse";

describe("a file without a passphrase that", () => {
  let good = "";
  beforeAll(async () => {
    const device = await new SecretsDevice().open();
    device.secrets.set("kept", "1");
    await device.save();
    good = filesOf(device.fs).get(MAIN)!;
    await device.stop();
  });
  const flipped = (at: number): string => {
    const bytes = Buffer.from(good, "base64");
    bytes[at]! ^= 1;
    return bytes.toString("base64");
  };

  test.each([
    ["was cut off", () => good.slice(0, -8), "FOLD_SECRETS_BROKEN"],
    ["was cut off after four bytes", () => good.slice(0, 4), "FOLD_SECRETS_BROKEN"],
    ["is empty", () => "", "FOLD_SECRETS_BROKEN"],
    ["has a flipped bit in the IV", () => flipped(3), "FOLD_SECRETS_BROKEN"],
    ["has a flipped bit in the text", () => flipped(14), "FOLD_SECRETS_BROKEN"],
    ["has a flipped bit in the tag", () => flipped(Buffer.from(good, "base64").length - 1), "FOLD_SECRETS_BROKEN"],
    ["is no base64", () => "<<<<<<< HEAD", "FOLD_SECRETS_BROKEN"],
    ["is full of NULs", () => "\0".repeat(100), "FOLD_SECRETS_BROKEN"],
    ["is too large", () => "A".repeat(3 * 1024 * 1024), "FOLD_SECRETS_TOO_LARGE"],
  ])("%s is reported, set aside when something is saved, and keeps nothing from being saved", async (_name, make, code) => {
    const text = make();
    const fs = folderWith({ [MAIN]: text });
    const device = await new SecretsDevice(fs).open();
    expect(device.problems).toEqual([code]);
    expect(device.secrets.entries()).toEqual([]);
    await device.save();
    expect(filesOf(fs).get(MAIN)).toBe(text);
    device.secrets.set("new", "2");
    await device.save();
    device.secrets.set("newer", "3");
    await device.save();
    const files = [...filesOf(fs)];
    expect(files.filter(([path]) => path.startsWith(`${MAIN}.broken-`)).map(([, content]) => content)).toEqual([text]);
    expect(Object.fromEntries(await openPlainFile(SPACE_ID, filesOf(fs).get(MAIN)!))).toEqual({ new: "2", newer: "3" });
    await device.stop();
  });

  test("belongs to another space is reported, and not written over", async () => {
    const fs = folderWith({ [MAIN]: good, "space-v1/space.json": JSON.stringify({ id: SPACE_ID }) });
    const other = `f${SPACE_ID.slice(1)}`;
    await expect(openPlainFile(other, good)).rejects.toMatchObject({ code: "FOLD_SECRETS_BROKEN" });
    const device = await new SecretsDevice(fs).open();
    expect(device.secrets.entries()).toEqual([["kept", "1"]]);
    await device.stop();
  });

  test("breaks while it is open loses nothing of what was in it", async () => {
    const fs = folderWith({ [MAIN]: good });
    const device = await new SecretsDevice(fs).open();
    await fs.write(MAIN, new TextEncoder().encode(good.slice(0, 10)));
    await device.look();
    expect(device.problems).toEqual(["FOLD_SECRETS_BROKEN"]);
    device.secrets.set("new", "2");
    await device.save();
    expect(Object.fromEntries(await openPlainFile(SPACE_ID, filesOf(fs).get(MAIN)!))).toEqual({ kept: "1", new: "2" });
    await device.stop();
  });

  test("vanishes does not take the secrets with it", async () => {
    const fs = folderWith({ [MAIN]: good });
    const device = await new SecretsDevice(fs).open();
    await fs.remove(MAIN);
    await device.look();
    device.secrets.set("new", "2");
    await device.save();
    expect(Object.fromEntries(await openPlainFile(SPACE_ID, filesOf(fs).get(MAIN)!))).toEqual({ kept: "1", new: "2" });
    await device.stop();
  });
});

describe("under a passphrase,", () => {
  let path = "";
  /** The file as it was first, with one secret. */
  let older = "";
  /** The same, with two. */
  let good = "";
  let code = "";
  beforeAll(async () => {
    const device = await new SecretsDevice().open();
    device.secrets.set("kept", "1");
    code = await device.secrets.protect(PASSPHRASE);
    path = [...filesOf(device.fs).keys()].find((name) => name.startsWith("space-v1/secrets-v2/"))!;
    older = filesOf(device.fs).get(path)!;
    device.secrets.set("second", "2");
    await device.save();
    good = filesOf(device.fs).get(path)!;
    await device.stop();
  });
  type Json = Record<string, unknown> & { wraps: { passphrase: Record<string, unknown> } };
  const changed = (change: (file: Json) => void): string => {
    const file = JSON.parse(good) as Json;
    change(file);
    return JSON.stringify(file);
  };
  const withFlippedBit = (member: "iv" | "ciphertext"): string =>
    changed((file) => {
      const bytes = Buffer.from(file[member] as string, "base64");
      bytes[5]! ^= 1;
      file[member] = bytes.toString("base64");
    });

  test.each([
    ["a file that was cut off", () => good.slice(0, -40), "FOLD_SECRETS_BROKEN"],
    ["an empty file", () => "", "FOLD_SECRETS_BROKEN"],
    ["a flipped bit in the ciphertext", () => withFlippedBit("ciphertext"), "FOLD_SECRETS_BROKEN"],
    ["a flipped bit in the IV", () => withFlippedBit("iv"), "FOLD_SECRETS_BROKEN"],
    ["another sequence", () => changed((file) => (file["sequence"] = 9)), "FOLD_SECRETS_BROKEN"],
    ["a file of another space", () => good.replaceAll(SPACE_ID, `f${SPACE_ID.slice(1)}`), "FOLD_SECRETS_BROKEN"],
    ["a file of another peer", () => changed((file) => (file["peerId"] = "f".repeat(32))), "FOLD_SECRETS_BROKEN"],
    ["weaker parameters", () => weakened({ memoryKiB: 8 }), "FOLD_SECRETS_PARAMETERS"],
    ["fewer iterations", () => weakened({ iterations: 1 }), "FOLD_SECRETS_PARAMETERS"],
    ["endless parameters", () => weakened({ iterations: 4_000_000_000 }), "FOLD_SECRETS_PARAMETERS"],
    ["parameters that take all memory", () => weakened({ memoryKiB: 64 * 1024 * 1024 }), "FOLD_SECRETS_PARAMETERS"],
    ["an unknown derivation", () => weakened({ kdf: "md5" }), "FOLD_SECRETS_PARAMETERS"],
    ["a newer version", () => changed((file) => (file["version"] = 3)), "FOLD_NEWER_FORMAT"],
    ["a file that is too large", () => " ".repeat(3 * 1024 * 1024) + good, "FOLD_SECRETS_TOO_LARGE"],
    ["deep nesting", () => "[".repeat(200_000), "FOLD_SECRETS_BROKEN"],
  ])("%s is a typed error, and nothing is written over it", async (_name, make, expected) => {
    const text = make();
    const fs = folderWith({ [path]: text });
    const before = filesOf(fs);
    const device = await new SecretsDevice(fs).open();
    expect(device.secrets.protection).toBe("locked");
    expect(device.problems).toEqual([expected]);
    await expect(device.secrets.unlock(PASSPHRASE)).rejects.toMatchObject({ code: expected });
    expect(() => device.secrets.set("name", "value")).toThrow(expect.objectContaining({ code: "FOLD_SECRETS_LOCKED" }));
    expect(() => device.secrets.keys()).toThrow(expect.objectContaining({ code: "FOLD_SECRETS_LOCKED" }));
    await expect(device.secrets.protect("another")).rejects.toMatchObject({ code: "FOLD_SECRETS_PROTECTION" });
    await device.save();
    expect(filesOf(fs)).toEqual(before);
    await device.stop();
  });

  /** As somebody would who knows the format: the checksum fits. */
  function weakened(change: Record<string, unknown>): string {
    const file = JSON.parse(good) as Json;
    Object.assign(file.wraps.passphrase, change);
    return forged(file);
  }

  test("a wrong passphrase, a wrong code and a mistyped code change nothing", async () => {
    const fs = folderWith({ [path]: good });
    const before = filesOf(fs);
    const device = await new SecretsDevice(fs).open();
    const wrongCode = code.startsWith("0") ? `1${code.slice(1)}` : `0${code.slice(1)}`;
    for (const wrong of ["wrong", "", "Correct horse", wrongCode])
      await expect(device.secrets.unlock(wrong)).rejects.toMatchObject({ code: "FOLD_WRONG_PASSPHRASE" });
    expect(device.secrets.protection).toBe("locked");
    await device.secrets.unlock(code);
    expect(device.secrets.entries()).toEqual([
      ["kept", "1"],
      ["second", "2"],
    ]);
    await device.save();
    expect(filesOf(fs)).toEqual(before);
    await device.stop();
  });

  test("what somebody without the key has changed, with a checksum that fits, is not believed", async () => {
    const file = JSON.parse(good) as Json;
    file["sequence"] = 1_000;
    const device = await new SecretsDevice(folderWith({ [path]: forged(file) })).open();
    expect(device.problems).toEqual([]);
    await expect(device.secrets.unlock(PASSPHRASE)).rejects.toMatchObject({ code: "FOLD_SECRETS_BROKEN" });
    await device.stop();
  });

  test("a forged later wrap keeps nobody out", async () => {
    const file = JSON.parse(good) as Json & { wraps: { version: number } };
    const peerId = "f".repeat(32);
    file.wraps.version = 7;
    file["peerId"] = peerId;
    const forgedPath = `space-v1/secrets-v2/${peerId}.json`;
    const device = await new SecretsDevice(folderWith({ [path]: good, [forgedPath]: forged(file) })).open();
    await device.secrets.unlock(PASSPHRASE);
    expect(device.secrets.get("kept")).toBe("1");
    expect(device.problems).toEqual(["FOLD_SECRETS_BROKEN"]);
    await device.stop();
  });

  test("older files are refused by a device that has seen newer ones, until it is told to take them", async () => {
    const memory = new MapMemory();
    const first = await new SecretsDevice(folderWith({ [path]: good }), { memory }).open();
    await first.secrets.unlock(PASSPHRASE);
    await first.stop();

    const fs = folderWith({ [path]: older });
    const before = filesOf(fs);
    const device = await new SecretsDevice(fs, { memory }).open();
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(device.secrets.unlock(PASSPHRASE)).rejects.toMatchObject({ code: "FOLD_SECRETS_ROLLED_BACK" });
      expect(device.secrets.protection).toBe("locked");
    }
    await device.save();
    expect(filesOf(fs)).toEqual(before);
    await device.secrets.unlock(PASSPHRASE, { acceptOlder: true });
    expect(device.secrets.keys()).toEqual(["kept"]);
    expect(device.problems).toEqual([]);
    await device.stop();
    const later = await new SecretsDevice(fs, { memory }).open();
    await later.secrets.unlock(PASSPHRASE);
    await later.stop();
  });

  test("the latest file cannot be taken away without notice either", async () => {
    const memory = new MapMemory();
    const fs = folderWith({ [path]: older });
    const device = await new SecretsDevice(fs, { memory }).open();
    await device.secrets.unlock(PASSPHRASE);
    device.secrets.set("mine", "3");
    await device.save();
    await device.stop();
    for (const name of filesOf(fs).keys()) if (name !== path) await fs.remove(name);
    const later = await new SecretsDevice(fs, { memory }).open();
    await expect(later.secrets.unlock(PASSPHRASE)).rejects.toMatchObject({ code: "FOLD_SECRETS_ROLLED_BACK" });
    await later.stop();
  });

  test("an older file that comes while they are unlocked is reported and not used, and what is known stays", async () => {
    const fs = folderWith({ [path]: good });
    const device = await new SecretsDevice(fs).open();
    await device.secrets.unlock(PASSPHRASE);
    await fs.write(path, new TextEncoder().encode(older));
    await device.look();
    expect(device.problems).toEqual(["FOLD_SECRETS_ROLLED_BACK"]);
    expect(device.secrets.keys()).toEqual(["kept", "second"]);
    await device.save();
    expect(filesOf(fs).get(path)).toBe(older);
    await device.stop();
  });

  test("of too many files the latest are read, and the rest is reported", async () => {
    const files: Record<string, string> = {};
    for (let index = 0; index < 300; index++) {
      const peerId = index.toString(16).padStart(32, "0");
      files[`space-v1/secrets-v2/${peerId}.json`] = "{}";
    }
    const device = await new SecretsDevice(folderWith({ ...files, [path]: good })).open();
    expect(device.problems.filter((problem) => problem === "FOLD_SECRETS_TOO_LARGE")).toHaveLength(45);
    await device.secrets.unlock(PASSPHRASE);
    expect(device.secrets.get("kept")).toBe("1");
    await device.stop();
  });

  test("of many wraps only the latest are tried, as each takes a while, and the recovery code needs no trying", async () => {
    const files: Record<string, string> = { [path]: good };
    for (let index = 2; index <= 60; index++) {
      const file = JSON.parse(good) as Json & { wraps: { version: number } };
      const peerId = index.toString(16).padStart(32, "0");
      file.wraps.version = index;
      file["peerId"] = peerId;
      files[`space-v1/secrets-v2/${peerId}.json`] = forged(file);
    }
    const device = await new SecretsDevice(folderWith(files)).open();
    await expect(device.secrets.unlock(PASSPHRASE)).rejects.toMatchObject({ code: "FOLD_WRONG_PASSPHRASE" });
    await device.secrets.unlock(code);
    expect(device.secrets.get("kept")).toBe("1");
    await device.stop();
  });
});

/** The file with a checksum that fits: what anyone can do who can write into the folder. */
function forged(file: Record<string, unknown>): string {
  const {
    passphrase: p,
    recovery: r,
    version,
    peerId,
  } = file["wraps"] as {
    version: number;
    peerId: string;
    passphrase: Record<string, unknown>;
    recovery: Record<string, unknown>;
  };
  const data = [
    ...["foldspace-secrets", 2, "values", file["spaceId"], file["peerId"], file["keyId"], file["sequence"], file["ended"]],
    ...[version, peerId, p["memoryKiB"], p["iterations"], p["parallelism"], p["salt"], p["iv"], p["key"]],
    ...[r["salt"], r["iv"], r["key"]],
  ];
  const parts = [Buffer.from(JSON.stringify(data)), Buffer.from(file["iv"] as string, "base64")];
  const whole = Buffer.concat([...parts, Buffer.from(file["ciphertext"] as string, "base64")]);
  return JSON.stringify({ ...file, checksum: createHash("sha256").update(whole).digest("hex").slice(0, 32) });
}
