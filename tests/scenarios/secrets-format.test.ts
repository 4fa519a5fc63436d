import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
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

interface CarriedRecovery extends Wrap {
  kdf: string;
  ephemeralKey: string;
  pair: { publicKey: string; privateKey: Wrap };
}

/** Version 2 under a key that has replaced another, read with nothing of ours but the description. */
function keyByCarriedCode({ spaceId, keyId, wraps }: Version2, code: string): Uint8Array {
  const { salt, iv, key, kdf, ephemeralKey, pair } = wraps.recovery as CarriedRecovery;
  expect(kdf).toBe("ecdh-p256-hkdf-sha256");
  const digits = Array.from(code.replaceAll("-", ""), (digit) => "0123456789ABCDEFGHJKMNPQRSTVWXYZ".indexOf(digit));
  const bits = digits.map((digit) => digit.toString(2).padStart(5, "0")).join("");
  const secret = Uint8Array.from(bits.match(/.{8}/g)!.slice(0, 20), (byte) => Number.parseInt(byte, 2));
  const { privateKey: own } = pair;
  const pairKey = hkdf(sha256, secret, base64(own.salt), utf8("foldspace-secrets recovery pair"), 32);
  const pairData = utf8(JSON.stringify(["foldspace-secrets", 2, "recovery pair", spaceId, pair.publicKey, own.salt]));
  const pkcs8 = gcm(pairKey, base64(own.iv), pairData).decrypt(base64(own.key));
  const privateKey = createPrivateKey({ key: Buffer.from(pkcs8), format: "der", type: "pkcs8" });
  const point = Buffer.from(ephemeralKey, "base64");
  const [x, y] = [point.subarray(1, 33).toString("base64url"), point.subarray(33).toString("base64url")];
  const publicKey = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  const shared = new Uint8Array(diffieHellman({ privateKey, publicKey }));
  const wrappingKey = hkdf(sha256, shared, base64(salt), utf8("foldspace-secrets recovery carried"), 32);
  const fields = [spaceId, keyId, pair.publicKey, ephemeralKey, salt];
  const data = utf8(JSON.stringify(["foldspace-secrets", 2, "recovery carried", ...fields]));
  return gcm(wrappingKey, base64(iv), data).decrypt(base64(key));
}

test("a file under a key that has replaced another is read by another implementation, and proves that it has", async () => {
  const device = await new SecretsDevice().open();
  device.secrets.set("key", "🔑");
  const code = await device.secrets.protect("old");
  const sealed = (): Version2 & { replaces?: { keyId: string; iv: string; proof: string }[] } =>
    JSON.parse([...filesOf(device.fs)].find(([path]) => path.startsWith("space-v1/secrets-v2/"))![1]) as Version2;
  const replaced = sealed();
  await device.secrets.changePassphrase("new");
  const file = sealed();
  const key = keyByPassphrase(file, "new");
  expect(keyByCarriedCode(file, code)).toEqual(key);
  expect(file.wraps.version).toBe(2);
  const [{ keyId, iv, proof }] = file.replaces as [{ keyId: string; iv: string; proof: string }];
  expect(keyId).toBe(replaced.keyId);
  const fields = ["foldspace-secrets", 2, "replaced", SPACE_ID, keyId, file.keyId];
  const proven = gcm(keyByPassphrase(replaced, "old"), base64(iv), utf8(JSON.stringify(fields))).decrypt(base64(proof));
  expect(proven).toHaveLength(0);
  const { passphrase: p, recovery, version, peerId } = file.wraps;
  const r = recovery as CarriedRecovery;
  const own = r.pair.privateKey;
  const data = utf8(
    JSON.stringify([
      ...["foldspace-secrets", 2, "values", file.spaceId, file.peerId, file.keyId, file.sequence, file.ended],
      ...[version, peerId, p.memoryKiB, p.iterations, p.parallelism, p.salt, p.iv, p.key, r.salt, r.iv, r.key],
      ...[r.ephemeralKey, r.pair.publicKey, own.salt, own.iv, own.key, [[keyId, iv, proof]]],
    ]),
  );
  expect(jsonOf(gcm(key, base64(file.iv), data).decrypt(base64(file.ciphertext)))).toMatchObject({
    entries: [{ name: "key", value: "🔑" }],
    keys: { [keyId]: Buffer.from(keyByPassphrase(replaced, "old")).toString("base64") },
    recovery: r.pair,
  });
  await device.stop();
});
