import { afterEach, expect, test } from "vitest";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import type { PersistenceLayer } from "../layers/persistence-layer.ts";
import { contentOf, copyInto, layerOn, makeSpace } from "../testing/space-rig.ts";
import { newId, opIdToString, type ReplicatedTree } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";
import type { Space } from "./space.ts";

const SOON = { timeout: 10_000, interval: 5 };
let spaces: Space[] = [];

afterEach(async () => {
  for (const space of spaces) await space.close();
  spaces = [];
});

async function load(spaceId: string, peerId: string, layer: PersistenceLayer): Promise<Space> {
  const space = await new SpaceManager({ peerId }).loadSpace({ id: spaceId }, [layer]);
  await space.whenSynced();
  spaces.push(space);
  return space;
}

function hasNoticed(space: Space): boolean {
  return space.problems.some((problem) => problem.code === "FOLD_PEER_CLONED");
}

function shown(tree: ReplicatedTree): unknown {
  return tree.root!.children.map((child) => [child.id, child.name, child.getProperty("text")]);
}

test("two with one peer id notice it at the first edit, take new ids, and nothing of what either did is lost", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  const [one, other] = [await load(id, "same", layerOn(store, id)), await load(id, "same", layerOn(store, id))];
  // under the same ids
  one.tree.root!.newNamedChild("of one");
  other.tree.root!.newNamedChild("of the other");
  await Promise.all([one.flush(), other.flush()]);
  await expect.poll(() => hasNoticed(one) && hasNoticed(other), SOON).toBe(true);
  expect(new Set([one.peerId, other.peerId, "same"]).size).toBe(3);
  for (const space of [one, other]) {
    await expect
      .poll(() => space.tree.root!.children.map((child) => child.name).sort(), SOON)
      .toEqual(["app-forest", "of one", "of the other"]);
  }
  const child = one.tree.root!.newNamedChild("later");
  expect(
    one.tree
      .getAllOps()
      .filter((op) => op.targetId === child.id)
      .every((op) => op.id.peerId === one.peerId),
  ).toBe(true);
  expect(one.problems.filter((problem) => problem.code === "FOLD_PEER_CLONED")).toHaveLength(1);
});

test("an edit of a clone is enough where this one has made none", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  const [quiet, busy] = [await load(id, "same", layerOn(store, id)), await load(id, "same", layerOn(store, id))];
  busy.tree.root!.setProperty("text", "by the clone");
  await busy.flush();
  await expect.poll(() => hasNoticed(quiet), SOON).toBe(true);
  expect(quiet.tree.root!.getProperty("text")).toBe("by the clone");
  expect(hasNoticed(busy)).toBe(false);
});

test("an id that an earlier run has used is kept", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  for (let run = 0; run < 3; run++) {
    const space = await new SpaceManager({ peerId: "kept" }).loadSpace({ id }, [layerOn(store, id)]);
    space.tree.root!.setProperty("text", run);
    await space.close();
    expect(space.peerId).toBe("kept");
    expect(hasNoticed(space)).toBe(false);
  }
});

test("a clone on another device is noticed when its layer is added, and both contents of each id are made again", async () => {
  const id = newId();
  const store = new MemoryStore();
  await makeSpace(id, store);
  const elsewhere = copyInto(store, new MemoryStore());
  const [here, there] = [await load(id, "same", layerOn(store, id)), await load(id, "same", layerOn(elsewhere, id))];
  for (const space of [here, there]) {
    const child = space.tree.root!.newNamedChild(space === here ? "here" : "there");
    child.setProperty("text", 1);
    child.setProperty("text", 2);
  }
  await there.close();
  await here.addLayer(layerOn(elsewhere, id, { id: "elsewhere" }));
  await here.whenSynced();
  expect(hasNoticed(here)).toBe(true);
  expect(shown(here.tree)).toEqual(
    expect.arrayContaining([
      [expect.any(String), "here", 2],
      [expect.any(String), "there", 2],
    ]),
  );
  expect(Object.keys(contentOf(store))).toEqual(Object.keys(contentOf(elsewhere)));
  for (const kept of [store, elsewhere]) {
    const later = await load(id, newId(), layerOn(kept, id));
    expect(shown(later.tree)).toEqual(shown(here.tree));
  }
});

/** Two copies of a space, in each of which a run that is over has edited as the same peer. */
async function editedApart(id: string): Promise<[MemoryStore, MemoryStore]> {
  const store = new MemoryStore();
  await makeSpace(id, store);
  const maker = await load(id, newId(), layerOn(store, id));
  const [item, box] = [maker.tree.root!.newNamedChild("item"), maker.tree.root!.newNamedChild("box")];
  await maker.close();
  const elsewhere = copyInto(store, new MemoryStore());
  const here = await load(id, "same", layerOn(store, id));
  here.tree.root!.newNamedChild("here").setProperty("text", 1);
  here.tree.getVertex(item.id)!.setProperty("text", "here");
  const there = await load(id, "same", layerOn(elsewhere, id));
  there.tree.getVertex(item.id)!.setProperty("text", "there");
  there.tree.moveVertex(item.id, box.id);
  there.tree.root!.newNamedChild("there").setProperty("text", 2);
  await Promise.all([here.close(), there.close()]);
  return [store, elsewhere];
}

test("operations that clones have made under the same ids are merged if both are found, also by a device that has made none of them", async () => {
  const id = newId();
  const [store, elsewhere] = await editedApart(id);
  const later = await load(id, newId(), layerOn(store, id));
  await later.addLayer(layerOn(elsewhere, id, { id: "elsewhere" }));
  await later.whenSynced();
  expect(later.tree.root!.children.map((child) => child.name)).toEqual(expect.arrayContaining(["here", "there"]));
  expect(hasNoticed(later)).toBe(false);
  const count = later.tree.opCount;
  await later.close();
  const contents = [contentOf(store), contentOf(elsewhere)].map((content) => Object.values(content).map((ops) => ops.length));
  expect(contents).toEqual([[count], [count]]);
  for (const kept of [store, elsewhere]) {
    const alone = await load(id, newId(), layerOn(kept, id));
    expect(alone.tree.compareStructure(later.tree)).toBe(true);
  }
});

test("one that finds both again makes nothing more", async () => {
  const id = newId();
  const [store, elsewhere] = await editedApart(id);
  const counts = [];
  for (let run = 0; run < 3; run++) {
    const later = await load(id, newId(), layerOn(store, id));
    await later.addLayer(layerOn(elsewhere, id, { id: "elsewhere" }));
    await later.whenSynced();
    counts.push(later.tree.opCount);
    await later.close();
  }
  expect(new Set(counts).size).toBe(1);
});

test("a space that is only read makes nothing, whatever it finds", async () => {
  const id = newId();
  const [store, elsewhere] = await editedApart(id);
  const before = [contentOf(store), contentOf(elsewhere)];
  const reader = await new SpaceManager().loadSpace({ id }, [layerOn(store, id), layerOn(elsewhere, id, { id: "elsewhere" })], {
    isReadOnly: true,
  });
  spaces.push(reader);
  await reader.whenSynced();
  const ids = [store, elsewhere].flatMap((kept) => kept.read(id)).map((op) => opIdToString(op.id));
  expect(reader.tree.opCount).toBe(new Set(ids).size);
  expect([contentOf(store), contentOf(elsewhere)]).toEqual(before);
});

test("in a folder, a new id means new files, and what was waiting under the old one is saved", async () => {
  const [id, fs] = [newId(), new MemoryFileSystem()];
  const folder = (): FileSystemPersistenceLayer =>
    new FileSystemPersistenceLayer("/space", id, { fs, flushIntervalMs: 5, gatherMs: 1 });
  const maker = await new SpaceManager().createSpace({ id, persistenceLayers: [folder()], name: "A space" });
  await maker.close();
  const [one, other] = [await load(id, "same", folder()), await load(id, "same", folder())];
  for (let round = 0; round < 5; round++) {
    for (const space of [one, other]) space.tree.root!.newNamedChild(`${space === one ? "one" : "other"} ${round}`);
    await Promise.all([one.flush(), other.flush()]);
  }
  await expect.poll(() => hasNoticed(one) || hasNoticed(other), SOON).toBe(true);
  for (const space of [one, other]) space.tree.root!.newNamedChild("last");
  await Promise.all([one.flush(), other.flush()]);
  const later = await load(id, newId(), folder());
  const names = later.tree.root!.children.map((child) => child.name);
  for (let round = 0; round < 5; round++) expect(names).toEqual(expect.arrayContaining([`one ${round}`, `other ${round}`]));
  expect(names.filter((name) => name === "last")).toHaveLength(2);
  await expect.poll(() => [shown(one.tree), shown(other.tree)], SOON).toEqual([shown(later.tree), shown(later.tree)]);
  for (const space of [one, other]) {
    // one that notices it when all is made again has made nothing under its new id so far
    space.tree.root!.setProperty("text", "after that");
    await space.flush();
    if (hasNoticed(space)) expect(Object.keys(fs.dump()).some((path) => path.endsWith(`${space.peerId}.jsonl`))).toBe(true);
  }
});
