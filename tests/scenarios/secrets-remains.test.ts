// oxlint-disable-next-line import/no-unassigned-import -- it puts its globals where a browser has them
import "fake-indexeddb/auto";
import { openDB } from "idb";
import { beforeAll, describe, expect, test } from "vitest";
import { FoldspaceError } from "../../src/errors.ts";
import type { FileSystem } from "../../src/fs/file-system.ts";
import type { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { sealPlainFile } from "../../src/secrets/plain-file.ts";
import { FaultyFileSystem, type FileSystemCall } from "../../src/testing/faulty-file-system.ts";
import { newId } from "../../src/tree/index.ts";
import { filesOf, folderWith, SecretsDevice, SPACE_ID } from "./secrets-rig.ts";

const PASSPHRASE = "correct horse";
const VALUE = "sk-in-clear-0123456789";
const MAIN = "space-v1/secrets";
const OLD_VALUE = "sk-of-earlier-times";
/** All variants of what is found. */
const isFull = process.env["SECRETS"] === "full";
const CHANGING = new Set<FileSystemCall["action"]>(["append", "write", "makeDirectory", "rename", "remove"]);

/** Paths of files that have a secret in the clear, or that decrypt under the space's id as far as they go. */
async function readableIn(files: Iterable<readonly [path: string, text: string]>): Promise<string[]> {
  const found: string[] = [];
  for (const [path, text] of files) {
    const texts = [text, await decryptedLoosely(text)];
    if (texts.some((each) => [VALUE, OLD_VALUE].some((value) => each.includes(value)))) found.push(path);
  }
  return found;
}

/** What anybody gets out of a text, whole or cut off, who knows the space's id and needs no tag to fit. */
async function decryptedLoosely(text: string): Promise<string> {
  const sealed = Buffer.from(text, "base64");
  if (sealed.length < 13) return "";
  const key = await crypto.subtle.importKey("raw", Buffer.from(SPACE_ID), "AES-CTR", false, ["decrypt"]);
  const counter = Buffer.concat([sealed.subarray(0, 12), Buffer.from([0, 0, 0, 2])]);
  return Buffer.from(await crypto.subtle.decrypt({ name: "AES-CTR", counter, length: 32 }, key, sealed.subarray(12))).toString();
}

async function databaseText(name: string): Promise<string> {
  const database = await openDB(name);
  const records = database.objectStoreNames.contains("secrets") ? await database.getAll("secrets") : [];
  database.close();
  return JSON.stringify(records);
}

/** A folder reached by a process that is killed at one of its changing calls, before or after that is done. */
class KilledFolder extends FaultyFileSystem {
  calls_ = 0;
  isDead = false;

  constructor(inner: FileSystem, at: number) {
    super(inner);
    this.fault = ({ action }): Error | undefined => {
      if (CHANGING.has(action) && ++this.calls_ === at) this.isDead = true;
      return this.isDead ? new FoldspaceError("FOLD_IO", "the process is gone") : undefined;
    };
  }
}

describe("once the secrets are under a passphrase, nothing of them is readable with the space's id:", () => {
  let whole = "";
  beforeAll(async () => {
    whole = await sealPlainFile(SPACE_ID, new Map([["old", OLD_VALUE], ["other", "x".repeat(100)]])); // prettier-ignore
  });
  const UUID = "022988da-92f5-44d5-94ac-9ba6849adcdf";

  test.each([
    ["the temporary file of a writer that was killed", `space-v1/~secrets.${UUID}.tmp`],
    ["one below that, in Node", `space-v1/.${UUID}.tmp`],
    ["one in Tauri", `space-v1/~${UUID}.tmp`],
    ["one of a browser", `space-v1/~secrets.${UUID}.tmp.crswap`],
    ["what an editor left", "space-v1/.secrets.swp"],
    ["a copy", "space-v1/secrets (conflicted copy)"],
    ["a copy that was taken over", "space-v1/secrets.folded-01234567"],
    ["what was set aside", "space-v1/secrets.broken-20261122T200032Z"],
    ["what a migration kept", "space-v0/secrets"],
    ["what a migration of an early folder kept", "space-v0/secrets.json"],
    ["copies of that", "space-v0/secrets (conflicted copy)"],
    ["what a repair put aside", "space-v1/lost+found/repair-20261122T200032Z-01234567/secrets"],
    ["the same, deeper", "space-v1/lost+found/repair-20261122T200032Z-01234567/made/a/b/anything"],
    ["a file among those under a passphrase", `space-v1/secrets-v2/.${UUID}.tmp`],
    ["a file of any name", "space-v1/backup"],
    ["the file itself", MAIN],
  ])("%s", async (_name, path) => {
    const texts = [whole, whole.slice(0, -12), `\uFEFF${whole}\n`, whole.slice(0, 61), whole + whole];
    for (const text of texts.slice(0, isFull ? texts.length : 2)) {
      const fs = folderWith({ [path]: text });
      const device = await new SecretsDevice(fs).open();
      device.secrets.set("key", VALUE);
      await device.secrets.protect(PASSPHRASE);
      await device.save();
      expect(await readableIn(Object.entries(fs.dump()))).toEqual([]);
      await device.stop();

      // as it may come later, with a device that was away
      await fs.write(path, new TextEncoder().encode(text));
      const later = await new SecretsDevice(fs).open();
      await later.secrets.unlock(PASSPHRASE);
      expect(later.secrets.get("key")).toBe(VALUE);
      await later.save();
      expect(await readableIn(Object.entries(fs.dump()))).toEqual([]);
      await later.stop();
    }
  });

  test("what stands whole in a copy that was cut off is not lost", async () => {
    const copy = "space-v1/secrets (conflicted copy)";
    const device = await new SecretsDevice(folderWith({ [copy]: whole.slice(0, 80) })).open();
    await device.secrets.protect(PASSPHRASE);
    await device.save();
    expect(device.secrets.entries()).toEqual([["old", OLD_VALUE]]);
    await device.stop();
  });

  test("more copies than are read at once", async () => {
    const files: Record<string, string> = {};
    for (let index = 0; index < 150; index++)
      files[`space-v1/secrets (${index})`] = await sealPlainFile(SPACE_ID, new Map([[`of ${index}`, OLD_VALUE]]));
    const device = await new SecretsDevice(folderWith(files)).open();
    await device.secrets.protect(PASSPHRASE);
    await device.save();
    expect(device.secrets.keys()).toHaveLength(150);
    expect(await readableIn(filesOf(device.fs))).toEqual([]);
    await device.stop();
  });

  test("other files, and what stands outside, are left alone", async () => {
    const files = {
      "space-v1/files/secrets": whole,
      "space-v1/notes.txt": "text",
      "space-v0/ops/a/b.jsonl": "[]",
      "secrets.txt": whole,
    };
    const device = await new SecretsDevice(folderWith(files)).open();
    device.secrets.set("key", VALUE);
    await device.secrets.protect(PASSPHRASE);
    expect(device.fs.dump()).toMatchObject(files);
    await device.stop();
  });

  test("what cannot be removed is a problem that names it", async () => {
    const fs = folderWith({ "space-v0/secrets": whole });
    const refusing = new FaultyFileSystem(fs);
    refusing.fault = ({ action, path }) =>
      action === "remove" && path.startsWith("space-v0") ? new FoldspaceError("FOLD_PERMISSION", "not allowed") : undefined;
    const device = await new SecretsDevice(fs, { through: () => refusing }).open();
    device.secrets.set("key", VALUE);
    await device.secrets.protect(PASSPHRASE);
    await device.save();
    expect(device.problems).toEqual(["FOLD_SECRETS_UNPROTECTED"]);
    await device.stop();
  });
});

const ACTIONS: readonly (readonly [name: string, isProtected: boolean, act: (device: SecretsDevice) => Promise<void>])[] = [
  ["protect", false, async ({ secrets }) => void (await secrets.protect(PASSPHRASE))],
  ["change of the passphrase", true, async ({ secrets }) => void (await secrets.changePassphrase("another"))],
  ["edit", true, async (device) => (device.secrets.set("key", VALUE), await device.save())],
  ["end of the protection", true, async ({ secrets }) => await secrets.unprotect()],
];

describe.each([
  ["in a folder", false],
  ["in a folder and a browser's database", true],
])("%s,", (_where, hasDatabase) => {
  // prettier-ignore
  test.each(ACTIONS)(
    "a process that is killed at any call of the %s leaves every secret, and nothing readable once they are unlocked",
    { timeout: 240_000 },
    async (_name, isProtected, act) => {
      let hasEnded = false;
      for (let at = 1; !hasEnded; at++) {
        const databaseName = hasDatabase ? { databaseName: newId() } : {};
        const fs = folderWith({});
        const first = await new SecretsDevice(fs, databaseName).open();
        first.secrets.set("key", VALUE);
        if (isProtected) await first.secrets.protect(PASSPHRASE);
        await first.save();
        await first.stop();

        let killed: KilledFolder | undefined;
        const through = (inner: MemoryFileSystem): FileSystem => (killed = new KilledFolder(inner, at));
        const device = await new SecretsDevice(fs, { ...databaseName, through }).open();
        if (isProtected) await device.secrets.unlock(PASSPHRASE);
        await act(device).catch(() => undefined);
        await device.stop().catch(() => undefined);
        hasEnded = !killed!.isDead;

        const later = await new SecretsDevice(fs, databaseName).open();
        if (later.secrets.protection === "none" && !isProtected) await later.secrets.protect(PASSPHRASE);
        if (later.secrets.protection === "locked")
          await later.secrets.unlock(PASSPHRASE).catch(async () => await later.secrets.unlock("another"));
        await later.save();
        expect(later.secrets.entries()).toEqual([["key", VALUE]]);
        if (later.secrets.protection === "unlocked") {
          expect(await readableIn(Object.entries(fs.dump()))).toEqual([]);
          if (hasDatabase) expect(await databaseText(databaseName.databaseName!)).not.toContain(VALUE);
        }
        await later.stop();
      }
    },
  );
});

test("a browser's database keeps nothing in the clear, whatever other places are attached", async () => {
  for (const detachedAt of ["never", "before", "after"] as const) {
    const databaseName = newId();
    const device = await new SecretsDevice(folderWith({}), { databaseName }).open();
    device.secrets.set("key", VALUE);
    await device.save();
    if (detachedAt === "before") await device.detachFolder();
    await device.secrets.protect(PASSPHRASE);
    await device.save();
    if (detachedAt === "after") await device.detachFolder();
    expect(await databaseText(databaseName)).not.toContain(VALUE);
    await device.stop();
  }
});
