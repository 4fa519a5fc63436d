import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { NodeFileSystem } from "../../src/fs/node/index.ts";
import { exportJson, FileSystemPersistenceLayer, newId, SpaceManager, type Space } from "../../src/index.ts";

const SOON = { timeout: 10_000, interval: 10 };
let folder: string;
let spaces: Space[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "foldspace-"));
  spaces = [];
});
afterEach(async () => {
  await Promise.all(spaces.map((space) => space.close()));
  await rm(folder, { recursive: true, force: true });
});

async function openDevice(spaceId: string, how: "create" | "load"): Promise<Space> {
  const layer = new FileSystemPersistenceLayer(folder, spaceId, { fs: new NodeFileSystem(), flushIntervalMs: 20 });
  const manager = new SpaceManager();
  const space = await (how === "create"
    ? manager.createSpace({ persistenceLayers: [layer] })
    : manager.loadSpace({ id: spaceId }, [layer]));
  spaces.push(space);
  return space;
}

function exported(space: Space): string {
  return exportJson(space.id, [[space.id, space.tree]]);
}

test("two devices on one folder see each other's 1,000 edits, made at the same time, and end equal", async () => {
  const id = newId();
  const laptop = await openDevice(id, "create");
  const phone = await openDevice(id, "load");
  const list = laptop.tree.root!.newNamedChild("list");
  await vi.waitFor(() => expect(phone.tree.getVertexByPath("/list")).toBeDefined(), SOON);

  for (let edit = 0; edit < 500; edit++) {
    list.newNamedChild(`laptop ${edit}`);
    const other = phone.tree.getVertexByPath("/list")!;
    other.newNamedChild(`phone ${edit}`);
    if (edit % 7 === 0) laptop.tree.setVertexProperty(list.id, "title", `laptop's ${edit}`);
    if (edit % 5 === 0) phone.tree.setVertexProperty(list.id, "title", `phone's ${edit}`);
    if (edit % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await Promise.all([laptop.flush(), phone.flush()]);
  await vi.waitFor(() => expect(phone.tree.getStateVector()).toEqual(laptop.tree.getStateVector()), SOON);
  expect(list.children).toHaveLength(1_000);
  expect(exported(phone)).toBe(exported(laptop));

  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".jsonl"));
  // nobody has written for another
  const writers = new Set(files.map((path) => path.split("/").at(-1)!.split(".")[0]));
  expect([...writers].sort()).toEqual([laptop.peerId, phone.peerId].sort());
});

test("a device that comes later finds everything, also app trees that it never opened", async () => {
  const id = newId();
  const first = await openDevice(id, "create");
  const notes = first.newAppTree("notes", "Shopping");
  notes.root.newNamedChild("Milk");
  await first.close();

  const second = await openDevice(id, "load");
  expect(second.appTrees.map(({ name, treeId }) => [name, treeId])).toEqual([["Shopping", notes.id]]);
  expect(await second.listTrees()).toEqual([id, notes.id]);
  const loaded = await second.loadAppTree(notes.id);
  expect(loaded.root.name).toBe("app-tree");
  expect(loaded.root.getProperty("appId")).toBe("notes");
  expect(loaded.root.children.map((child) => child.name)).toEqual(["Milk"]);
});

test("an app tree that one device makes while another is open arrives there when it is loaded, and stays live", async () => {
  const id = newId();
  const first = await openDevice(id, "create");
  const second = await openDevice(id, "load");
  const notes = first.newAppTree("notes", "Shopping");
  await first.flush();
  await vi.waitFor(() => expect(second.appTrees).toHaveLength(1), SOON);
  const loaded = await second.loadAppTree(notes.id);
  notes.root.newNamedChild("Milk");
  await vi.waitFor(() => expect(loaded.root.children.map((child) => child.name)).toEqual(["Milk"]), SOON);
  loaded.root.newNamedChild("Bread");
  await vi.waitFor(() => expect(notes.root.children.map((child) => child.name)).toEqual(["Milk", "Bread"]), SOON);
});
