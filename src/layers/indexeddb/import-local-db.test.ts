// oxlint-disable-next-line import/no-unassigned-import -- it puts its globals where a browser has them
import "fake-indexeddb/auto";
import { Dexie, type Table } from "dexie";
import { openDB } from "idb";
import { afterEach, expect, test, vi } from "vitest";
import { newId, ReplicatedTree } from "../../tree/index.ts";
import { LOCAL_DB_NAME, readLocalDb } from "./import-local-db.ts";

afterEach(() => void vi.unstubAllGlobals());

/** The database as the existing app makes it. */
class LocalDb extends Dexie {
  declare spaces: Table;
  declare treeOps: Table;
  declare secrets: Table;

  constructor(name: string) {
    super(name);
    this.version(1).stores({
      spaces: "&id, uri, name, createdAt",
      config: "&key",
      treeOps: "&[clock+peerId+treeId+spaceId], spaceId, treeId, [spaceId+treeId], [spaceId+treeId+clock]",
      secrets: "&[spaceId+key], spaceId",
    });
  }
}

const createdAt = new Date("2025-06-01T12:00:00.000Z");

/** Two spaces, one of them with an app tree and with secrets. */
async function fill(database: LocalDb): Promise<void> {
  await database.spaces.bulkAdd([
    { id: "space", uri: "local:space", name: "Mine", createdAt },
    { id: "other", uri: "local:other", name: null, createdAt: createdAt.getTime() },
  ]);
  const move = (clock: number, treeId: string, targetId: string, parentId: string | null, spaceId = "space"): object => ({
    clock,
    peerId: "peer",
    treeId,
    spaceId,
    targetId,
    parentId,
  });
  const set = (clock: number, treeId: string, targetId: string, key: string, value: unknown): object => ({
    clock,
    peerId: "other-peer",
    treeId,
    spaceId: "space",
    targetId,
    key,
    value,
  });
  await database.treeOps.bulkAdd([
    move(1, "space", "space", null),
    move(2, "space", "child", "space"),
    set(3, "space", "child", "_n", "a child"),
    set(4, "space", "child", "data", { list: [1, null, { deep: true }], "": "" }),
    set(5, "space", "child", "gone", undefined),
    move(1, "app", "app", null),
    set(2, "app", "app", "title", "An app"),
    move(1, "other", "other-root", null, "other"),
  ]);
  await database.secrets.bulkAdd([
    { spaceId: "space", key: "token", value: "abc" },
    { spaceId: "other", key: "token", value: "xyz" },
  ]);
}

/** Everything in a database, to see whether it has changed. */
async function dump(name: string): Promise<unknown> {
  const database = await openDB(name);
  const tables = await Promise.all(
    [...database.objectStoreNames].map(async (table) => [table, await database.getAllKeys(table), await database.getAll(table)]),
  );
  database.close();
  return { version: database.version, tables };
}

test("everything of the existing app's database is read, and nothing is changed there", async () => {
  const name = newId();
  const local = new LocalDb(name);
  await fill(local);
  local.close();
  const before = await dump(name);
  const spaces = await readLocalDb(name);
  expect(await dump(name)).toEqual(before);

  const [other, space] = [...spaces].sort((a, b) => (a.pointer.id < b.pointer.id ? -1 : 1)) as [
    (typeof spaces)[0],
    (typeof spaces)[0],
  ];
  expect(space.pointer).toEqual({ id: "space", uri: "local:space", name: "Mine", createdAt: createdAt.toISOString() });
  expect(space.secrets).toEqual({ token: "abc" });
  expect(space.problems).toEqual([]);
  expect([...space.trees.keys()].sort()).toEqual(["app", "space"]);
  const tree = new ReplicatedTree("reader", space.trees.get("space"), { rootId: "space" });
  expect(tree.opCount).toBe(5);
  const child = tree.root!.children[0]!;
  expect(child.name).toBe("a child");
  expect(child.getProperty("data")).toEqual({ list: [1, null, { deep: true }], "": "" });
  expect(child.getProperty("gone")).toBeUndefined();
  expect(space.trees.get("app")).toHaveLength(2);
  expect(other.pointer).toEqual({ id: "other", uri: "local:other", createdAt: createdAt.toISOString() });
  expect(other.secrets).toEqual({ token: "xyz" });
  expect([...other.trees.keys()]).toEqual(["other"]);
});

test("rows that are no operations are reported, and the rest is read", async () => {
  const name = newId();
  const local = new LocalDb(name);
  await fill(local);
  const base = { peerId: "peer", treeId: "space", spaceId: "space", targetId: "child" };
  await local.treeOps.bulkAdd([
    { ...base, clock: 0, parentId: "root" },
    { ...base, clock: 2 ** 53 - 1, parentId: "root" },
    { ...base, clock: 20 },
    { ...base, clock: 21, parentId: 7 },
    { ...base, clock: 22, targetId: undefined, parentId: "root" },
    { ...base, clock: 23, key: 5, value: 1 },
    { ...base, clock: 24, key: "date", value: createdAt },
    { ...base, clock: 25, peerId: "../peer", parentId: "root" },
    { ...base, clock: "26", parentId: "root" },
  ]);
  await local.spaces.add({ id: "no dates", createdAt: "yesterday or so" });
  await local.secrets.add({ spaceId: "space", key: "number", value: 5 });
  local.close();
  const spaces = await readLocalDb(name);
  const space = spaces.find(({ pointer }) => pointer.id === "space")!;
  expect(space.trees.get("space")).toHaveLength(5);
  expect(space.problems).toHaveLength(10);
  expect(space.problems.at(-1)).toMatchObject({ code: "FOLD_BAD_RECORD", file: "secrets/number" });
  for (const problem of space.problems.slice(0, -1)) {
    expect(problem).toMatchObject({ treeId: "space", code: expect.stringMatching(/^FOLD_/), reason: expect.any(String) });
    expect(problem.file).toMatch(/^treeOps\/space\//);
  }
  expect(space.secrets).toEqual({ token: "abc" });
  expect(spaces.find(({ pointer }) => pointer.id === "no dates")).toMatchObject({ pointer: { id: "no dates" } });
});

test("a missing database has no spaces, and is not created", async () => {
  const name = newId();
  expect(await readLocalDb(name)).toEqual([]);
  expect(await readLocalDb()).toEqual([]);
  const names = (await indexedDB.databases()).map((database) => database.name);
  expect(names).not.toContain(name);
  expect(names).not.toContain(LOCAL_DB_NAME);
});

test("a foreign database is refused", async () => {
  const name = newId();
  (await openDB(name, 3, { upgrade: (database) => void database.createObjectStore("theirs") })).close();
  await expect(readLocalDb(name)).rejects.toMatchObject({ code: "FOLD_FOREIGN_STORAGE" });
});

test("without IndexedDB, that is said", async () => {
  vi.stubGlobal("indexedDB", undefined);
  await expect(readLocalDb()).rejects.toMatchObject({ code: "FOLD_UNAVAILABLE" });
});
