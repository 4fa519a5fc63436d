import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NodeFileSystem } from "../../src/fs/node/index.ts";
import { FileSystemPersistenceLayer, MemoryPersistenceLayer, MemoryStore, newId, SpaceManager } from "../../src/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "foldspace-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("a space that had no folder gets one later: it is filled, with other peers' operations in relay files", async () => {
  const id = newId();
  const store = new MemoryStore();
  const first = await new SpaceManager().createSpace({ persistenceLayers: [new MemoryPersistenceLayer(id, { store })] });
  first.tree.root!.newNamedChild("made before");
  const notes = first.newAppTree("notes", "Notes");
  notes.root.newNamedChild("Milk");
  await first.close();

  const second = await new SpaceManager().loadSpace({ id }, [new MemoryPersistenceLayer(id, { store })]);
  second.tree.root!.newNamedChild("made here");
  const fs = new NodeFileSystem();
  await second.addLayer(new FileSystemPersistenceLayer(folder, id, { fs }), { create: true });
  await second.whenSynced();

  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".jsonl"));
  const inSpaceTree = names.filter((path) => path.includes(id.slice(2))).map((path) => path.split("/").at(-1));
  expect(inSpaceTree.sort()).toEqual([`${first.peerId}.${second.peerId}.jsonl`, `${second.peerId}.jsonl`].sort());
  expect(names.filter((path) => path.includes(notes.id.slice(2)))).toHaveLength(1);
  await second.removeLayer(`folder:${folder}`);
  await second.close();

  const alone = await new SpaceManager().loadSpace({ id }, [new FileSystemPersistenceLayer(folder, id, { fs })]);
  expect(alone.tree.getStateVector()).toEqual(second.tree.getStateVector());
  expect((await alone.loadAppTree(notes.id)).root.children.map((child) => child.name)).toEqual(["Milk"]);
  await alone.close();
});
