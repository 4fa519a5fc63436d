import { expect, test } from "vitest";
import { WEAKEST_ARGON2 } from "./argon2.ts";
import { parseSealedFile, sealFile } from "./sealed-file.ts";
import type { SpaceKey } from "./space-key.ts";
import { findKeys } from "./unlocking.ts";
import { VaultFile, type StoredSealedFile } from "./vault-file.ts";
import { Vault } from "./vault.ts";

const SPACE_ID = "0123456789abcdef0123456789abcdef";
const PASSPHRASE = "correct horse";
const [OWN, OTHER, HOSTILE] = ["a", "b", "c"].map((digit) => digit.repeat(32)) as [string, string, string];
const HIGHEST = 2 ** 48;

async function vaultOf(peerId: string, ...files: StoredSealedFile[]): Promise<Vault> {
  const vault = new Vault(SPACE_ID, peerId, { argon2: WEAKEST_ARGON2 });
  await vault.read({}, files);
  if (files.length > 0) await vault.unlock(PASSPHRASE, false);
  return vault;
}

async function fileOf(vault: Vault): Promise<StoredSealedFile> {
  const { peerId, text } = await vault.seal();
  return { peerId, content: text };
}

async function keyOf(file: StoredSealedFile): Promise<SpaceKey> {
  const [key] = await findKeys(SPACE_ID, PASSPHRASE, [await VaultFile.parse(file, SPACE_ID)]);
  return key!;
}

/** A file by a holder of the passphrase, with the highest counters that are read. */
async function exhausting(file: StoredSealedFile): Promise<StoredSealedFile> {
  const header = await parseSealedFile(file.content as string, SPACE_ID);
  const entries = new Map([["key", { value: "2", counter: HIGHEST, peerId: HOSTILE }]]);
  const key = await keyOf(file);
  const text = await sealFile({ ...header, peerId: HOSTILE, sequence: HIGHEST }, { entries, keys: new Map() }, key);
  return { peerId: HOSTILE, content: text };
}

test("secrets that are set together have one counter, above all others", async () => {
  const vault = await vaultOf(OWN);
  await vault.protect(PASSPHRASE, new Map([["a", "1"], ["b", "1"]])); // prettier-ignore
  vault.setAll(new Map([["a", "2"], ["c", undefined]])); // prettier-ignore
  const file = await VaultFile.parse(await fileOf(vault), SPACE_ID);
  await file.open(await keyOf(file.stored));
  expect(Array.from(file.content!.entries, ([name, { counter }]) => [name, counter])).toEqual([
    ["a", 2],
    ["b", 1],
    ["c", 2],
  ]);
});

test("too much at once changes nothing", async () => {
  const vault = await vaultOf(OWN);
  await vault.protect(PASSPHRASE, new Map([["a", "1"]]));
  const many = new Map(Array.from({ length: 10_000 }, (_, index) => [`${index}`, "1"]));
  expect(() => vault.setAll(many)).toThrow(expect.objectContaining({ code: "FOLD_SECRETS_TOO_LARGE" }));
  expect(vault.secrets).toEqual(new Map([["a", "1"]]));
});

test("with the highest counter, changes are refused, and the written file can be read", async () => {
  const first = await vaultOf(OWN);
  await first.protect(PASSPHRASE, new Map([["key", "1"]]));
  const file = await fileOf(first);
  const vault = await vaultOf(OTHER, file, await exhausting(file));
  const exhausted = expect.objectContaining({ code: "FOLD_COUNTER_EXHAUSTED" }) as unknown;
  expect(() => vault.setAll(new Map([["new", "1"]]))).toThrow(exhausted);
  expect(vault.secrets).toEqual(new Map([["key", "2"]]));
  const reader = await vaultOf(HOSTILE, await fileOf(vault));
  expect(reader.secrets).toEqual(new Map([["key", "2"]]));
  expect(reader.problems).toEqual([]);
});
