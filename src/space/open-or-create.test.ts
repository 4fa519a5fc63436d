import { expect, test } from "vitest";
import { errorMessage, FoldspaceError } from "../errors.ts";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import { until } from "../testing/layer-bench.ts";
import { contentOf, layerOn, makeSpace } from "../testing/space-rig.ts";
import { newId } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";

async function failureOf(task: Promise<unknown>): Promise<FoldspaceError> {
  return await task.then(
    () => {
      throw new Error("it succeeds");
    },
    (error: unknown) => error as FoldspaceError,
  );
}

test("the first run makes the space, and the next one opens it", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  for (const name of ["First", "Second"]) {
    const manager = new SpaceManager();
    const space = await manager.openOrCreate({ name, persistenceLayers: [layerOn(store, id)] });
    expect([space.id, space.name]).toEqual([id, "First"]);
    space.tree.root!.newNamedChild(name);
    await manager.closeSpace(id);
  }
  const space = await new SpaceManager().openOrCreate({ persistenceLayers: [layerOn(store, id)] });
  expect(space.tree.root!.children.map((child) => child.name)).toEqual(["app-forest", "First", "Second"]);
  await space.close();
});

test("calls at the same time get one space, and each is a holder", async () => {
  const [id, store, manager] = [newId(), new MemoryStore(), new SpaceManager()];
  const open = async () => await manager.openOrCreate({ persistenceLayers: [layerOn(store, id)] });
  const [one, two, three] = await Promise.all([open(), open(), open()]);
  expect([two, three]).toEqual([one, one]);
  await manager.closeSpace(id);
  await manager.closeSpace(id);
  expect(one.isClosed).toBe(false);
  await manager.closeSpace(id);
  expect(one.isClosed).toBe(true);
});

test("a layer that fails may have the space, so that nothing is made", async () => {
  const [id, store, away] = [newId(), new MemoryStore(), new MemoryStore()];
  const failing = layerOn(away, id, { id: "away" });
  failing.fail("connect", new FoldspaceError("FOLD_FOLDER_LOST", "the disk is away"));
  const opening = new SpaceManager().openOrCreate({ persistenceLayers: [layerOn(store, id), failing] });
  expect(await failureOf(opening)).toMatchObject({ code: "FOLD_NO_LAYER" });
  expect([contentOf(store), contentOf(away), store.spaceId]).toEqual([{}, {}, undefined]);
});

test("if one layer has the space, the storage of the others is made and filled", async () => {
  const [id, full, missing] = [newId(), new MemoryStore(), new MemoryStore()];
  await makeSpace(id, full);
  const layers = [layerOn(full, id, { id: "full" }), layerOn(missing, id, { id: "missing" })];
  const space = await new SpaceManager().openOrCreate({ persistenceLayers: layers });
  await until("the other one is filled", () => contentOf(missing)[id]?.length === contentOf(full)[id]!.length);
  expect(contentOf(missing)).toEqual(contentOf(full));
  await space.close();
});

test("a making that was interrupted after the first file is finished", async () => {
  const id = newId();
  const fs = new MemoryFileSystem();
  await fs.write("home/space-v1/space.json", new TextEncoder().encode(JSON.stringify({ id })));
  const space = await new SpaceManager().openOrCreate({
    name: "Home",
    persistenceLayers: [new FileSystemPersistenceLayer("home", id, { fs })],
  });
  expect(space.name).toBe("Home");
  await space.close();
});

test("devices that make a space of one id before the first sync have one space after it", async () => {
  const id = newId();
  const [one, two] = [new MemoryStore(), new MemoryStore()];
  for (const [name, store] of [["One", one] as const, ["Two", two] as const]) {
    const space = await new SpaceManager().openOrCreate({ name, persistenceLayers: [layerOn(store, id)] });
    space.tree.root!.newNamedChild(`of ${name}`);
    await space.close();
  }
  const layers = [layerOn(one, id, { id: "one" }), layerOn(two, id, { id: "two" })];
  const space = await new SpaceManager().openOrCreate({ persistenceLayers: layers });
  await space.whenSynced();
  expect(contentOf(one)).toEqual(contentOf(two));
  expect(space.tree.root!.children.map(({ name }) => name)).toEqual(expect.arrayContaining(["of One", "of Two"]));
  await space.close();
});

test("a read-only space is not made, and an aborted opening makes nothing", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  const manager = new SpaceManager();
  const readOnly = manager.openOrCreate({ persistenceLayers: [layerOn(store, id)], isReadOnly: true });
  expect(await failureOf(readOnly)).toMatchObject({ code: "FOLD_NOT_FOUND" });
  const aborted = manager.openOrCreate({ persistenceLayers: [layerOn(store, id)], signal: AbortSignal.abort() });
  expect(await failureOf(aborted)).toMatchObject({ name: "AbortError" });
  expect([store.spaceId, contentOf(store), manager.spaces]).toEqual([undefined, {}, []]);
});

test.each([
  ["a folder", (id: string) => [new FileSystemPersistenceLayer("home", id, { fs: new MemoryFileSystem() })], "no folder home"],
  [
    "a folder with another file",
    (id: string) => [new FileSystemPersistenceLayer("", id, { fs: new MemoryFileSystem() })],
    "the root folder of the file system",
  ],
  ["a store", (id: string) => [layerOn(new MemoryStore(), id)], "The store holds no space"],
  [
    "several",
    (id: string) => [layerOn(new MemoryStore(), id), new FileSystemPersistenceLayer("home", id, { fs: new MemoryFileSystem() })],
    "no folder home",
  ],
])("loading a space that is nowhere, kept in %s, has one code and says what to do", async (_, layersFor, place) => {
  const id = newId();
  const error = await failureOf(new SpaceManager().loadSpace({ id }, layersFor(id)));
  expect(error.code).toBe("FOLD_NOT_FOUND");
  expect(errorMessage(error)).toContain(place);
  expect(errorMessage(error)).toContain("openOrCreate");
});

test("errors name a layer in words, whatever its path is", async () => {
  const id = newId();
  const fs = new MemoryFileSystem();
  await fs.write("notes.txt", new Uint8Array());
  const layer = new FileSystemPersistenceLayer("", newId(), { fs });
  expect(errorMessage(await failureOf(layer.connect()))).toBe("the root folder of the file system holds no space");
  const [one, two] = [layerOn(new MemoryStore(), id, { id: "" }), layerOn(new MemoryStore(), id, { id: "nas" })];
  for (const each of [one, two]) each.fail("connect", new FoldspaceError("FOLD_TIMEOUT", `${each.id} fails`));
  const first = new SpaceManager({ openTimeoutMs: 20 });
  for (const each of [one, two]) each.hang("connect");
  const error = await failureOf(first.loadSpace({ id }, [one, two]));
  expect(errorMessage(error)).toContain('the layer "" timed out; the layer nas timed out');
});
