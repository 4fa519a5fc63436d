import { createHash } from "node:crypto";
import { beforeAll, expect, test, vi } from "vitest";
import { sealPlainFile } from "../../src/secrets/plain-file.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";
import { filesOf, folderWith, sealedFilesOf, SecretsDevice, SPACE_ID } from "./secrets-rig.ts";

const PASSPHRASE = "correct horse";
const MAIN = "space-v1/secrets";
const TOO_LARGE: unknown = expect.objectContaining({ code: "FOLD_SECRETS_TOO_LARGE" });

let files: Record<string, string> = {};
/** Devices that have each added what fits by itself, and are too large together. */
let manyNames: Record<string, string> = {};
let manyBytes: Record<string, string> = {};

async function unlocked(content: Record<string, string>): Promise<SecretsDevice> {
  const device = await new SecretsDevice(folderWith(content)).open();
  await device.secrets.unlock(PASSPHRASE);
  return device;
}

async function together(...additions: Record<string, string>[]): Promise<Record<string, string>> {
  const all = { ...files };
  for (const added of additions) {
    const device = await unlocked({ ...files, [MAIN]: await sealPlainFile(SPACE_ID, new Map(Object.entries(added))) });
    await device.save();
    Object.assign(all, Object.fromEntries(filesOf(device.fs)));
    await device.stop();
  }
  return all;
}

function namesOf(prefix: string, count: number, value: string): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, value]));
}

beforeAll(async () => {
  const device = await new SecretsDevice().open();
  await device.secrets.protect(PASSPHRASE);
  files = Object.fromEntries(filesOf(device.fs));
  await device.stop();
  manyNames = await together(namesOf("a", 5_500, "v"), namesOf("b", 5_500, "v"));
  const value = "x".repeat(9_000);
  manyBytes = await together(...["a", "b", "c"].map((prefix) => namesOf(prefix, 100, value)));
}, 60_000);

test.each([
  ["names", () => manyNames, 11_000],
  ["bytes", () => manyBytes, 300],
])(
  "above the limit of %s, secrets can be deleted, which reaches others, and nothing can be added",
  async (_what, content, count) => {
    const device = await unlocked(content());
    expect(device.secrets.keys()).toHaveLength(count);
    expect(() => device.secrets.set("more", "1")).toThrow(TOO_LARGE);
    for (const name of ["a1", "b1"]) expect(device.secrets.delete(name)).toBe(true);
    await device.save();
    expect(device.problems).toEqual([]);
    await device.stop();
    const later = await unlocked(Object.fromEntries(filesOf(device.fs)));
    expect(later.secrets.keys()).toHaveLength(count - 2);
    for (const name of later.secrets.keys().slice(10)) later.secrets.delete(name);
    later.secrets.set("more", "1");
    await later.save();
    await later.stop();
    const last = await unlocked(Object.fromEntries(filesOf(later.fs)));
    expect(last.secrets.keys()).toHaveLength(11);
    await last.secrets.changePassphrase("another");
    await last.secrets.unprotect();
    await last.save();
    expect(last.problems).toEqual([]);
    await last.stop();
  },
);

test("above the limit of names the passphrase can be changed and the protection taken off", async () => {
  const device = await unlocked(manyNames);
  await device.secrets.changePassphrase("another");
  await device.save();
  expect(sealedFilesOf(device.fs)).toHaveLength(1);
  await device.secrets.unprotect();
  await device.save();
  await device.stop();
  const later = await new SecretsDevice(device.fs).open();
  expect(later.secrets.keys()).toHaveLength(11_000);
  expect(later.secrets.delete("a1")).toBe(true);
  await later.save();
  await later.stop();
});

test("deletions use up no room: the earliest are cleaned up, and none of them comes undone", { timeout: 120_000 }, async () => {
  const device = await unlocked(files);
  device.secrets.set("kept", "1");
  for (let index = 0; index < 12_000; index++) {
    device.secrets.set(`token ${index}`, "x".repeat(50));
    device.secrets.delete(`token ${index}`);
  }
  await device.save();
  const [path] = sealedFilesOf(device.fs).sort((a, b) => sizeIn(device, b) - sizeIn(device, a));
  expect(sizeIn(device, path!)).toBeLessThan(2 * 1024 * 1024);
  await device.stop();
  const later = await unlocked(Object.fromEntries(filesOf(device.fs)));
  expect(later.secrets.keys()).toEqual(["kept"]);
  later.secrets.set("more", "1");
  await later.save();
  expect(later.problems).toEqual([]);
  await later.stop();
});

function sizeIn({ fs }: SecretsDevice, path: string): number {
  return filesOf(fs).get(path)!.length;
}

test("of all sealed files together only so much is read, the latest first, and the rest is reported", async () => {
  const [[path, good]] = Object.entries(files).filter(([name]) => name.includes("secrets-v2/")) as [[string, string]];
  const content: Record<string, string> = {};
  for (let index = 0; index < 60; index++) {
    const peerId = index.toString(16).padStart(32, "0");
    content[`space-v1/secrets-v2/${peerId}.json`] = large(good, peerId);
  }
  const fs = new FaultyFileSystem(folderWith({ ...content, [path]: good }));
  const device = await new SecretsDevice(folderWith({}), { through: () => fs }).open();
  expect(fs.bytesRead).toBeLessThan(20 * 1024 * 1024);
  expect(device.problems.filter((code) => code === "FOLD_SECRETS_TOO_LARGE").length).toBeGreaterThan(50);
  await device.secrets.unlock(PASSPHRASE);
  await device.stop();
});

/** A file of 1.9 MB that nobody with the key has made, in which everything but the tag fits. */
function large(text: string, peerId: string): string {
  const file = JSON.parse(text) as Record<string, string>;
  const w = file["wraps"] as unknown as Record<"passphrase" | "recovery", Record<string, unknown>> & Record<string, unknown>;
  const { passphrase: p, recovery: r } = w;
  const ciphertext = Buffer.alloc(1_400_000, 7);
  const data = [
    ...["foldspace-secrets", 2, "values", file["spaceId"], peerId, file["keyId"], file["sequence"], file["ended"]],
    ...[w["version"], w["peerId"], p["memoryKiB"], p["iterations"], p["parallelism"], p["salt"], p["iv"], p["key"]],
    ...[r["salt"], r["iv"], r["key"]],
  ];
  const parts = [Buffer.from(JSON.stringify(data)), Buffer.from(file["iv"]!, "base64"), ciphertext];
  const checksum = createHash("sha256").update(Buffer.concat(parts)).digest("hex").slice(0, 32);
  return JSON.stringify({ ...file, peerId, ciphertext: ciphertext.toString("base64"), checksum });
}

test("in a space that is closed or read-only, secrets are neither set nor deleted", async () => {
  for (const content of [{}, files]) {
    const device = await new SecretsDevice(folderWith(content)).open();
    await device.stop();
    const closed: unknown = expect.objectContaining({ code: "FOLD_CLOSED" });
    expect(() => device.secrets.set("key", "1")).toThrow(closed);
    expect(() => device.secrets.delete("key")).toThrow(closed);
    await expect(device.secrets.changePassphrase("another")).rejects.toEqual(closed);
    await expect(device.secrets.unprotect()).rejects.toEqual(closed);
    const reader = await new SecretsDevice(folderWith(content), { isReadOnly: true }).open();
    expect(() => reader.secrets.set("key", "1")).toThrow(expect.objectContaining({ code: "FOLD_READ_ONLY" }));
    await reader.stop();
  }
});

test("neither the file nor the folder of the secrets is followed where it is a link", async () => {
  for (const [linked, code] of [
    ["secrets-v2", "FOLD_IO"],
    ["secrets", "FOLD_LINKED_FILE"],
  ] as const) {
    const inner = folderWith({ ...files, [MAIN]: await sealPlainFile(SPACE_ID, new Map([["key", "1"]])) });
    const fs = new FaultyFileSystem(inner);
    const list = fs.list.bind(fs);
    fs.list = async (path) =>
      (await list(path))?.map((entry) =>
        path === "space-v1" && entry.name === linked ? { name: linked, kind: "other" } : entry,
      );
    const before = inner.dump();
    const device = await new SecretsDevice(inner, { through: () => fs }).open();
    expect(device.problems).toContain(code);
    await device.secrets.flush();
    expect(inner.dump()).toEqual(before);
    await device.stop();
  }
});

test.each([
  ["without a passphrase", () => ({})],
  ["under one", () => files],
])("%s, to set many secrets one after another encodes each of them a few times, and not all each time", async (_how, content) => {
  const encodedFor = async (count: number): Promise<number> => {
    const device = await new SecretsDevice(folderWith(content())).open();
    if (device.secrets.protection === "locked") await device.secrets.unlock(PASSPHRASE);
    const stringify = vi.spyOn(JSON, "stringify");
    for (let index = 0; index < count; index++) device.secrets.set(`name ${index}`, "value ".repeat(10));
    const characters = stringify.mock.results.reduce((sum, { value }) => sum + String(value).length, 0);
    stringify.mockRestore();
    await device.stop();
    return characters;
  };
  expect(await encodedFor(2_000)).toBeLessThan(5 * (await encodedFor(500)));
});
