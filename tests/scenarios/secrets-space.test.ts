// oxlint-disable-next-line import/no-unassigned-import -- it puts its globals where a browser has them
import "fake-indexeddb/auto";
import { expect, test, vi } from "vitest";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer, FoldspaceError, MemoryStore, newId, SpaceManager, type Space } from "../../src/index.ts";
import { IndexedDBPersistenceLayer } from "../../src/layers/indexeddb/index.ts";
import type { PersistenceLayer } from "../../src/layers/persistence-layer.ts";
import { WEAKEST_ARGON2 } from "../../src/secrets/argon2.ts";
import { openPlainFile } from "../../src/secrets/plain-file.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";
import { ManualClock } from "../../src/testing/manual-clock.ts";
import { layerOn } from "../../src/testing/space-rig.ts";

const SOON = { timeout: 25_000, interval: 10 };
const OPTIONS = { secrets: { argon2: WEAKEST_ARGON2 } };

async function create(layers: readonly PersistenceLayer[]): Promise<Space> {
  return await new SpaceManager(OPTIONS).createSpace({ persistenceLayers: layers });
}

async function load(layers: readonly PersistenceLayer[], isReadOnly: boolean = false): Promise<Space> {
  return await new SpaceManager({ ...OPTIONS, isReadOnly }).loadSpace({ id: layers[0]!.spaceId }, layers);
}

function folderLayer(id: string, fs: MemoryFileSystem | FaultyFileSystem): FileSystemPersistenceLayer {
  return new FileSystemPersistenceLayer("", id, { fs, flushIntervalMs: 10, gatherMs: 5 });
}

async function inFolder(id: string, fs: MemoryFileSystem): Promise<Record<string, string>> {
  const text = fs.dump()["space-v1/secrets"];
  return text === undefined ? {} : Object.fromEntries(await openPlainFile(id, text));
}

test("secrets are in every layer after a flush, and there when the space is opened from any of them", async () => {
  const [id, fs, databaseName] = [newId(), new MemoryFileSystem(), newId()];
  const space = await create([new IndexedDBPersistenceLayer(id, { databaseName }), folderLayer(id, fs)]);
  space.secrets.set("key", "1");
  await space.flush();
  expect(await inFolder(id, fs)).toEqual({ key: "1" });
  await space.close();
  for (const layers of [[new IndexedDBPersistenceLayer(id, { databaseName })], [folderLayer(id, fs)]]) {
    const opened = await load(layers);
    expect(opened.secrets.entries()).toEqual([["key", "1"]]);
    await opened.close();
  }
});

test("a change is saved within a second, without being asked", async () => {
  const clock = new ManualClock();
  const [id, store] = [newId(), new MemoryStore()];
  const space = await new SpaceManager({ clock }).createSpace({ persistenceLayers: [layerOn(store, id, { clock })] });
  space.secrets.set("key", "1");
  expect(store.secrets.values.size).toBe(0);
  await clock.advance(999);
  expect(store.secrets.values).toEqual(new Map([["key", "1"]]));
  space.secrets.delete("key");
  await clock.advance(999);
  expect(store.secrets.values.size).toBe(0);
  await space.close();
});

test("two open spaces on one folder see each other's secrets by themselves", async () => {
  const [id, fs] = [newId(), new MemoryFileSystem()];
  const [one, two] = [await create([folderLayer(id, fs)]), await load([folderLayer(id, fs)])];
  const heard: string[] = [];
  two.secrets.observe((names) => heard.push(...names));
  one.secrets.set("one", "1");
  await vi.waitFor(() => expect(two.secrets.get("one")).toBe("1"), SOON);
  two.secrets.set("two", "2");
  await vi.waitFor(() => expect(one.secrets.get("two")).toBe("2"), SOON);
  expect(heard).toEqual(["one", "two"]);
  await one.secrets.protect("passphrase");
  await vi.waitFor(() => expect(two.secrets.protection).toBe("locked"), SOON);
  await two.secrets.unlock("passphrase");
  two.secrets.set("two", "3");
  await vi.waitFor(() => expect(one.secrets.get("two")).toBe("3"), SOON);
  for (const space of [one, two]) await space.close();
});

test("what was changed while the folder was away reaches it later, and what changed there comes back", async () => {
  const [id, fs, databaseName] = [newId(), new MemoryFileSystem(), newId()];
  const database = (): IndexedDBPersistenceLayer => new IndexedDBPersistenceLayer(id, { databaseName });
  const first = await create([database(), folderLayer(id, fs)]);
  for (const name of ["kept", "deleted here", "deleted there", "edited here", "edited there"]) first.secrets.set(name, "1");
  await first.close();

  const away = await load([database()]);
  away.secrets.delete("deleted here");
  away.secrets.set("edited here", "2");
  away.secrets.set("added here", "2");
  await away.close();
  const other = await load([folderLayer(id, fs)]);
  other.secrets.delete("deleted there");
  other.secrets.set("edited there", "3");
  other.secrets.set("added there", "3");
  await other.close();

  const expected = { "added here": "2", "added there": "3", "edited here": "2", "edited there": "3", kept: "1" };
  const both = await load([database(), folderLayer(id, fs)]);
  await both.whenSynced();
  expect(Object.fromEntries(both.secrets.entries())).toEqual(expected);
  expect(await inFolder(id, fs)).toEqual(expected);
  await both.close();
  const again = await load([database()]);
  expect(Object.fromEntries(again.secrets.entries())).toEqual(expected);
  await again.close();
});

test("a layer added later gets the secrets, and gives its own", async () => {
  const [id, store, fs] = [newId(), new MemoryStore(), new MemoryFileSystem()];
  const space = await create([layerOn(store, id)]);
  space.secrets.set("here", "1");
  await space.flush();
  const other = await create([folderLayer(id, fs)]);
  other.secrets.set("there", "2");
  await other.close();
  await space.addLayer(folderLayer(id, fs));
  await space.flush();
  expect(space.secrets.keys()).toEqual(["here", "there"]);
  expect(await inFolder(id, fs)).toEqual({ here: "1", there: "2" });
  expect(store.secrets.values.size).toBe(2);
  await space.removeLayer("memory");
  space.secrets.set("later", "3");
  await space.close();
  expect(store.secrets.values.size).toBe(2);
});

test("a read-only session writes nothing, whatever it reads", async () => {
  const [id, fs] = [newId(), new MemoryFileSystem()];
  const space = await create([folderLayer(id, fs)]);
  space.secrets.set("key", "1");
  await space.close();
  await fs.write("space-v1/secrets (1)", (await fs.read("space-v1/secrets"))!);
  const before = fs.dump();
  const reader = await load([folderLayer(id, fs)], true);
  expect(reader.secrets.entries()).toEqual([["key", "1"]]);
  const readOnly: unknown = expect.objectContaining({ code: "FOLD_READ_ONLY" });
  expect(() => reader.secrets.set("key", "2")).toThrow(readOnly);
  expect(() => reader.secrets.delete("key")).toThrow(readOnly);
  await expect(reader.secrets.protect("passphrase")).rejects.toEqual(readOnly);
  await reader.whenSynced();
  await reader.close();
  expect(fs.dump()).toEqual(before);
});

test("a layer that fails keeps what is to be saved, says so, and gets it when it is well again", async () => {
  const [id, inner] = [newId(), new MemoryFileSystem()];
  const fs = new FaultyFileSystem(inner);
  const store = new MemoryStore();
  const space = await create([folderLayer(id, fs), layerOn(store, id)]);
  const full = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  fs.fault = ({ action }) => (action === "write" ? full : undefined);
  space.secrets.set("key", "1");
  await expect(space.flush()).rejects.toMatchObject({
    code: "FOLD_NOT_DURABLE",
    data: { layers: [{ id: "folder:", pendingOps: 1, code: "FOLD_DISK_FULL" }] },
  });
  expect(space.problems).toEqual([expect.objectContaining({ code: "FOLD_DISK_FULL" })]);
  expect(store.secrets.values.size).toBe(1);
  expect(await inFolder(id, inner)).toEqual({});
  fs.fault = () => undefined;
  // by itself, after a while
  await vi.waitFor(async () => expect(await inFolder(id, inner)).toEqual({ key: "1" }), SOON);
  await space.flush();
  expect(space.problems).toEqual([]);
  await space.close();
});

test("what no layer has taken is not forgotten by locking", async () => {
  const [id, inner] = [newId(), new MemoryFileSystem()];
  const fs = new FaultyFileSystem(inner);
  const space = await create([folderLayer(id, fs)]);
  await space.secrets.protect("passphrase");
  const full = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  fs.fault = ({ action }) => (action === "write" ? full : undefined);
  space.secrets.set("key", "1");
  await expect(space.secrets.lock()).rejects.toMatchObject({ code: "FOLD_NOT_DURABLE" });
  expect(space.secrets.get("key")).toBe("1");
  fs.fault = () => undefined;
  await space.secrets.lock();
  expect(space.secrets.protection).toBe("locked");
  await space.secrets.unlock("passphrase");
  expect(space.secrets.get("key")).toBe("1");
  await space.close();
});

test("a layer that hangs keeps nobody from protecting them, nor from locking and unlocking them after that", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  const slow = layerOn(new MemoryStore(), id, { id: "slow" });
  const space = await new SpaceManager({ ...OPTIONS, timeoutMs: 200 }).createSpace({
    persistenceLayers: [layerOn(store, id), slow],
  });
  space.secrets.set("key", "1");
  for (const step of ["loadSecrets", "saveSecrets"] as const) {
    const release = slow.hang(step);
    const code = await space.secrets.protect("passphrase");
    await space.secrets.lock();
    expect(space.secrets.protection).toBe("locked");
    await space.secrets.unlock(code);
    expect(space.secrets.get("key")).toBe("1");
    release();
    await space.flush();
    await space.secrets.unprotect();
  }
  await space.close();
});

test("taking the protection off waits for every layer, and leaves it on where one fails", async () => {
  const [id, inner] = [newId(), new MemoryFileSystem()];
  const fs = new FaultyFileSystem(inner);
  const space = await create([folderLayer(id, fs), layerOn(new MemoryStore(), id)]);
  space.secrets.set("key", "1");
  await space.secrets.protect("passphrase");
  const full = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  fs.fault = ({ action }) => (action === "write" ? full : undefined);
  await expect(space.secrets.unprotect()).rejects.toMatchObject({ code: "FOLD_NOT_DURABLE" });
  expect(space.secrets.protection).toBe("unlocked");
  fs.fault = () => undefined;
  await space.flush();
  expect(await inFolder(id, inner)).toEqual({});
  await space.secrets.unprotect();
  await space.flush();
  expect(space.secrets.protection).toBe("none");
  expect(await inFolder(id, inner)).toEqual({ key: "1" });
  await space.close();
});

test("a layer whose secrets cannot be read does not keep the space from opening, nor the other layers from serving", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  const first = await create([layerOn(store, id)]);
  first.secrets.set("key", "1");
  await first.close();
  const empty = new MemoryStore();
  empty.spaceId = id;
  const layers = [layerOn(store, id), layerOn(empty, id, { id: "other" })];
  layers[0]!.fail("loadSecrets");
  const space = await load(layers);
  expect(space.problems).toEqual([expect.objectContaining({ code: "FOLD_IO" })]);
  space.secrets.set("more", "2");
  layers[0]!.heal("loadSecrets");
  await space.flush();
  expect(space.secrets.keys()).toEqual(["key", "more"]);
  expect(store.secrets.values.size).toBe(2);
  expect(space.problems).toEqual([]);
  await space.close();
});

test("a database that was deleted is no deletion of the secrets", async () => {
  const [id, fs, databaseName] = [newId(), new MemoryFileSystem(), newId()];
  const layer = new IndexedDBPersistenceLayer(id, { databaseName });
  const space = await create([layer, folderLayer(id, fs)]);
  space.secrets.set("key", "1");
  await space.flush();
  indexedDB.deleteDatabase(databaseName);
  await vi.waitFor(async () => expect(await layer.loadSecrets()).toBeUndefined(), SOON);
  await space.rescan();
  await space.flush();
  expect(space.secrets.get("key")).toBe("1");
  expect((await layer.loadSecrets())?.values).toEqual(new Map([["key", "1"]]));
  expect(await inFolder(id, fs)).toEqual({ key: "1" });
  await space.close();
});

test("neither the trees nor any error knows a secret, a key or a passphrase", async () => {
  const [id, fs, databaseName] = [newId(), new MemoryFileSystem(), newId()];
  const database = new IndexedDBPersistenceLayer(id, { databaseName });
  const space = await create([database, folderLayer(id, fs)]);
  space.secrets.set("name-of-secret", "hunter2-value");
  const code = await space.secrets.protect("correct-horse");
  await space.flush();
  const errors: string[] = [];
  const wrongCode = code.slice(0, -1) + (code.endsWith("0") ? "1" : "0");
  for (const wrong of ["wrong-horse", wrongCode])
    await space.secrets.unlock(wrong).catch((error: unknown) => errors.push(JSON.stringify(error) + String(error)));
  expect(errors).toHaveLength(2);
  const stored = await database.loadSecrets();
  expect(stored?.values.size).toBe(0);
  expect(stored?.sealed).toHaveLength(1);
  const everything = [
    ...Object.values(fs.dump()),
    ...errors,
    JSON.stringify(stored?.sealed),
    JSON.stringify([...(stored?.values ?? []), ...(stored?.base ?? [])]),
    JSON.stringify(space.tree.getAllOps()),
    JSON.stringify(space.problems),
  ].join("\n");
  for (const text of ["name-of-secret", "hunter2", "correct-horse", "wrong-horse", code, code.replaceAll("-", "")])
    expect(everything).not.toContain(text);
  await space.close();
});

test("in the browser's database alone, secrets under a passphrase can be unlocked and changed, and reach the folder later", async () => {
  const [id, fs, databaseName] = [newId(), new MemoryFileSystem(), newId()];
  const database = (): IndexedDBPersistenceLayer => new IndexedDBPersistenceLayer(id, { databaseName });
  const space = await create([database(), folderLayer(id, fs)]);
  space.secrets.set("key", "1");
  await space.secrets.protect("passphrase");
  await space.close();

  const away = await load([database()]);
  expect(away.secrets.protection).toBe("locked");
  await away.secrets.unlock("passphrase", { remember: true });
  away.secrets.set("more", "2");
  await away.close();

  const both = await load([database(), folderLayer(id, fs)]);
  expect(both.secrets.protection).toBe("unlocked");
  await both.whenSynced();
  await both.close();
  const folderOnly = await load([folderLayer(id, fs)]);
  await folderOnly.secrets.unlock("passphrase");
  expect(folderOnly.secrets.keys()).toEqual(["key", "more"]);
  await folderOnly.close();
  // files of sessions that are over do not pile up where nobody else writes
  expect((await readSecretsOf(database()))?.sealed).toHaveLength(1);
});

async function readSecretsOf(layer: IndexedDBPersistenceLayer): ReturnType<IndexedDBPersistenceLayer["loadSecrets"]> {
  await layer.connect();
  const stored = await layer.loadSecrets();
  await layer.disconnect();
  return stored;
}
