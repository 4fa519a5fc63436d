import { deleteDB, openDB } from "idb";
import { afterEach, expect, test } from "vitest";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { IndexedDBPersistenceLayer } from "../../src/layers/indexeddb/index.ts";
import { WEAKEST_ARGON2 } from "../../src/secrets/argon2.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import type { Space } from "../../src/space/space.ts";
import { until } from "../../src/testing/layer-bench.ts";
import { newId } from "../../src/tree/index.ts";

const OPTIONS = { secrets: { argon2: WEAKEST_ARGON2 } };
const databaseName = newId();

afterEach(async () => await deleteDB(databaseName));

function databaseOf(id: string): IndexedDBPersistenceLayer {
  return new IndexedDBPersistenceLayer(id, { databaseName });
}

async function open(id: string, fs?: MemoryFileSystem): Promise<Space> {
  const layers = [databaseOf(id), ...(fs ? [new FileSystemPersistenceLayer("", id, { fs })] : [])];
  return await new SpaceManager(OPTIONS).loadSpace({ id }, layers);
}

/** Everything that the database holds of secrets, by key. */
async function recordsIn(name: string): Promise<Map<string, Record<string, unknown>>> {
  const database = await openDB(name);
  const keys = (await database.getAllKeys("secrets")) as string[];
  const values = (await database.getAll("secrets")) as Record<string, unknown>[];
  database.close();
  return new Map(keys.map((key, index) => [key, values[index]!]));
}

test("under a passphrase, the database has nothing in the clear, and keys in it cannot be read out", async () => {
  const id = newId();
  const space = await new SpaceManager(OPTIONS).createSpace({ persistenceLayers: [databaseOf(id)] });
  space.secrets.set("name-of-secret", "hunter2");
  await space.flush();
  expect((await recordsIn(databaseName)).get(id)).toMatchObject({ values: { "name-of-secret": "hunter2" } });
  await space.secrets.protect("correct horse");
  await space.secrets.unlock("correct horse", { remember: true });
  space.secrets.set("later", "hunter3");
  await space.flush();
  await space.close();

  const records = await recordsIn(databaseName);
  expect(records.get(id)).toMatchObject({ values: {}, base: {} });
  const text = JSON.stringify([...records]);
  for (const secret of ["name-of-secret", "hunter", "correct horse"]) expect(text).not.toContain(secret);
  const [{ key }] = records.get(`device:${id}`)!["keys"] as [{ key: CryptoKey }];
  expect(key).toBeInstanceOf(CryptoKey);
  expect(key.extractable).toBe(false);
  await expect(crypto.subtle.exportKey("raw", key)).rejects.toThrow();

  const again = await open(id);
  expect(again.secrets.protection).toBe("unlocked");
  expect(again.secrets.entries()).toEqual([
    ["later", "hunter3"],
    ["name-of-secret", "hunter2"],
  ]);
  await again.secrets.lock();
  await again.close();
  const locked = await open(id);
  expect(locked.secrets.protection).toBe("locked");
  await locked.close();
});

test("the recovery code opens secrets whose passphrase was changed, and the database has no file that the old one opens", async () => {
  const id = newId();
  const space = await new SpaceManager(OPTIONS).createSpace({ persistenceLayers: [databaseOf(id)] });
  space.secrets.set("name", "value");
  const code = await space.secrets.protect("old");
  const before = Object.values((await recordsIn(databaseName)).get(id)!["sealed"] as Record<string, string>);
  expect(await space.secrets.changePassphrase("new")).toBeUndefined();
  await space.close();
  const after = Object.values((await recordsIn(databaseName)).get(id)!["sealed"] as Record<string, string>);
  const keyIdOf = (text: string): unknown => (JSON.parse(text) as Record<string, unknown>)["keyId"];
  expect(after.map(keyIdOf)).not.toContain(keyIdOf(before[0]!));
  const again = await open(id);
  await again.secrets.unlock(code);
  expect(again.secrets.entries()).toEqual([["name", "value"]]);
  await again.close();
});

test("tabs see each other's secrets, with and without a passphrase", async () => {
  const id = newId();
  const one = await new SpaceManager(OPTIONS).createSpace({ persistenceLayers: [databaseOf(id)] });
  const two = await open(id);
  one.secrets.set("one", "1");
  two.secrets.set("two", "2");
  await until("both have both", () => [one, two].every(({ secrets }) => secrets.keys().length === 2));
  await one.secrets.protect("correct horse");
  await until("the other is locked", () => two.secrets.protection === "locked");
  await two.secrets.unlock("correct horse");
  two.secrets.set("three", "3");
  await until("it arrives", () => one.secrets.get("three") === "3");
  for (const space of [one, two]) await space.close();
});

test("an older folder is noticed by a browser that has seen a newer one", async () => {
  const [id, fs] = [newId(), new MemoryFileSystem()];
  const layers = [databaseOf(id), new FileSystemPersistenceLayer("", id, { fs })];
  const space = await new SpaceManager(OPTIONS).createSpace({ persistenceLayers: layers });
  await space.secrets.protect("correct horse");
  await space.flush();
  const [path, older] = Object.entries(fs.dump()).find(([name]) => name.includes("secrets-v2"))!;
  space.secrets.set("key", "1");
  await space.close();
  await fs.write(path, new TextEncoder().encode(older));

  const memory = databaseOf(id).deviceStore;
  const folderOnly = await new SpaceManager({ secrets: { ...OPTIONS.secrets, deviceStore: memory } }).loadSpace({ id }, [
    new FileSystemPersistenceLayer("", id, { fs }),
  ]);
  await expect(folderOnly.secrets.unlock("correct horse")).rejects.toMatchObject({ code: "FOLD_SECRETS_ROLLED_BACK" });
  await folderOnly.close();
  // with the database beside it, nothing is missing, and the folder gets it back
  const both = await open(id, fs);
  await both.secrets.unlock("correct horse");
  expect(both.secrets.get("key")).toBe("1");
  await both.close();
});
