import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gcm } from "@noble/ciphers/aes.js";
import { argon2id } from "@noble/hashes/argon2.js";
import { hkdf } from "@noble/hashes/hkdf.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { describe, expect, test } from "vitest";
import { openPlainFile, sealPlainFile } from "../../src/secrets/plain-file.ts";
import { FIXTURES } from "./cli-harness.ts";
import { filesOf, SecretsDevice, SPACE_ID } from "./secrets-rig.ts";

// What is here reads the files as FORMAT.md describes them, with nothing of ours but the description.

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const base64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
const jsonOf = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

function openVersion1(spaceId: string, file: string): unknown {
  const bytes = base64(file);
  return jsonOf(gcm(utf8(spaceId), bytes.subarray(0, 12)).decrypt(bytes.subarray(12)));
}

interface Wrap {
  salt: string;
  iv: string;
  key: string;
}
interface Version2 {
  format: string;
  version: number;
  spaceId: string;
  peerId: string;
  keyId: string;
  sequence: number;
  ended: boolean;
  wraps: {
    version: number;
    peerId: string;
    passphrase: Wrap & { kdf: string; memoryKiB: number; iterations: number; parallelism: number };
    recovery: Wrap & { kdf: string };
  };
  iv: string;
  ciphertext: string;
  checksum: string;
}

function keyByPassphrase({ spaceId, keyId, wraps }: Version2, passphrase: string): Uint8Array {
  const { memoryKiB, iterations, parallelism, salt, iv, key } = wraps.passphrase;
  const kek = argon2id(utf8(passphrase), base64(salt), { m: memoryKiB, t: iterations, p: parallelism, dkLen: 32 });
  const data = ["foldspace-secrets", 2, "passphrase", spaceId, keyId, wraps.version, wraps.peerId, memoryKiB, iterations];
  return gcm(kek, base64(iv), utf8(JSON.stringify([...data, parallelism, salt]))).decrypt(base64(key));
}

function keyByRecoveryCode({ spaceId, keyId, wraps }: Version2, code: string): Uint8Array {
  const digits = Array.from(code.replaceAll("-", ""), (digit) => "0123456789ABCDEFGHJKMNPQRSTVWXYZ".indexOf(digit));
  const bits = digits.map((digit) => digit.toString(2).padStart(5, "0")).join("");
  const bytes = Uint8Array.from(bits.match(/.{8}/g)!, (byte) => Number.parseInt(byte, 2));
  const [secret, check] = [bytes.subarray(0, 20), bits.slice(160)];
  const expected = Array.from(sha256(secret), (byte) => byte.toString(2).padStart(8, "0")).join("");
  expect(check).toBe(expected.slice(0, 20));
  const { salt, iv, key } = wraps.recovery;
  const kek = hkdf(sha256, secret, base64(salt), utf8("foldspace-secrets recovery"), 32);
  return gcm(kek, base64(iv), utf8(JSON.stringify(["foldspace-secrets", 2, "recovery", spaceId, keyId, salt]))).decrypt(
    base64(key),
  );
}

function contentOf(file: Version2, key: Uint8Array): unknown {
  const { passphrase, recovery, version, peerId } = file.wraps;
  const data = utf8(
    JSON.stringify([
      ...["foldspace-secrets", 2, "values", file.spaceId, file.peerId, file.keyId, file.sequence, file.ended],
      ...[version, peerId, passphrase.memoryKiB, passphrase.iterations, passphrase.parallelism],
      ...[passphrase.salt, passphrase.iv, passphrase.key, recovery.salt, recovery.iv, recovery.key],
    ]),
  );
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex").slice(0, 32);
  expect(file.checksum).toBe(hex(sha256(new Uint8Array([...data, ...base64(file.iv), ...base64(file.ciphertext)]))));
  expect(file.keyId).toBe(hex(sha256(new Uint8Array([...utf8("foldspace-secrets key id"), ...key]))));
  return jsonOf(gcm(key, base64(file.iv), data).decrypt(base64(file.ciphertext)));
}

describe("version 1", () => {
  const fixtures = readdirSync(FIXTURES).filter((name) => existsSync(`${FIXTURES}/${name}/secrets.json`));

  test.each(fixtures)("what the existing app wrote in %s is read", async (name) => {
    const expected = JSON.parse(readFileSync(`${FIXTURES}/${name}/secrets.json`, "utf8")) as Record<string, string>;
    let read = 0;
    for (const folder of ["", "space-v0/", "space-v1/"]) {
      const path = `${FIXTURES}/${name}/space/${folder}`;
      if (!existsSync(`${path}secrets`)) continue;
      const { id } = JSON.parse(readFileSync(`${path}space.json`, "utf8")) as { id: string };
      const file = readFileSync(`${path}secrets`, "utf8");
      expect(Object.fromEntries(await openPlainFile(id, file))).toEqual(expected);
      expect(openVersion1(id, file)).toEqual(expected);
      read++;
    }
    expect(read).toBeGreaterThanOrEqual(Object.keys(expected).length > 0 ? 1 : 0);
  });

  test("what is written here is read by another implementation", async () => {
    const device = await new SecretsDevice().open();
    const secrets = { key: "value", ключ: '🔑 "quoted"\n', __proto__x: "", plain: "x".repeat(10_000) };
    for (const [name, value] of Object.entries(secrets)) device.secrets.set(name, value);
    await device.save();
    const file = filesOf(device.fs).get("space-v1/secrets")!;
    expect(file).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(openVersion1(SPACE_ID, file)).toEqual(secrets);
    await device.stop();
  });

  test("the same secrets give the same bytes, and others another IV", async () => {
    const one = await sealPlainFile(SPACE_ID, new Map([["a", "1"]]));
    expect(await sealPlainFile(SPACE_ID, new Map([["a", "1"]]))).toBe(one);
    expect((await sealPlainFile(SPACE_ID, new Map([["a", "2"]]))).slice(0, 16)).not.toBe(one.slice(0, 16));
  });

  test.each([16, 24, 32])("an id of %i bytes is a key", async (length) => {
    const id = "a".repeat(length);
    expect(openVersion1(id, await sealPlainFile(id, new Map([["a", "1"]])))).toEqual({ a: "1" });
  });

  test("an id of any other length is a typed error", async () => {
    const bad: unknown = expect.objectContaining({ code: "FOLD_BAD_ID" });
    await expect(sealPlainFile("c12b2ea0-1111-4222-8333-444455556666", new Map())).rejects.toEqual(bad);
    await expect(openPlainFile("short", "")).rejects.toEqual(bad);
  });
});

test("version 2 is read by another implementation, by passphrase and by recovery code", async () => {
  const device = await new SecretsDevice().open();
  device.secrets.set("before", "🔑");
  await device.save();
  const code = await device.secrets.protect("correct horse");
  device.secrets.set("later", "2");
  device.secrets.delete("before");
  await device.save();
  const files = [...filesOf(device.fs)];
  expect(openVersion1(SPACE_ID, files.find(([path]) => path === "space-v1/secrets")![1])).toEqual({});
  const [path, text] = files.find(([name]) => name.startsWith("space-v1/secrets-v2/"))!;
  const file = JSON.parse(text) as Version2;
  expect(file).toMatchObject({ format: "foldspace-secrets", version: 2, spaceId: SPACE_ID, ended: false });
  expect(path).toBe(`space-v1/secrets-v2/${file.peerId}.json`);
  const key = keyByPassphrase(file, "correct horse");
  expect(keyByRecoveryCode(file, code)).toEqual(key);
  expect(contentOf(file, key)).toMatchObject({
    entries: [
      { name: "before", counter: 3, peerId: file.peerId },
      { name: "later", value: "2", counter: 2, peerId: file.peerId },
    ],
    keys: {},
  });
  await device.stop();
});
