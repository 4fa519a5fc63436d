import { expect, test } from "vitest";
import { FoldspaceError } from "../errors.ts";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import { FaultyFileSystem } from "../testing/faulty-file-system.ts";
import { until } from "../testing/layer-bench.ts";
import { FaultyLayer, FaultyStore } from "../testing/layer-faults.ts";
import { contentOf, copyInto, layerOn, makeSpace, workOn } from "../testing/space-rig.ts";
import { newId } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";
import type { Space } from "./space.ts";

async function storeWithSpace(): Promise<{ readonly id: string; readonly store: MemoryStore }> {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  return { id, store };
}

/** Edits one space and expects the edit to reach the other, which has the same store. */
async function expectHears(space: Space, store: MemoryStore): Promise<void> {
  const name = newId();
  await workOn(space.id, [store], (other) => void other.tree.root!.newNamedChild(name));
  await until("it is heard", () => space.tree.root!.children.some((child) => child.name === name));
}

test("a layer of an open space is refused to another, which does not disturb the first", async () => {
  const { id, store } = await storeWithSpace();
  const layer = layerOn(store, id);
  const space = await new SpaceManager().loadSpace({ id }, [layer]);
  await expect(new SpaceManager().loadSpace({ id }, [layer])).rejects.toMatchObject({ code: "FOLD_IN_USE" });
  expect(layer.isConnected()).toBe(true);
  expect(layer.calls.filter((call) => call === "connect" || call === "disconnect")).toEqual(["connect"]);
  await expectHears(space, store);
  await space.close();
  const next = await new SpaceManager().loadSpace({ id }, [layer]);
  await expectHears(next, store);
  await next.close();
});

test("a layer is given to the next space when the one before has released it, also if that is still to be closed", async () => {
  const { id, store } = await storeWithSpace();
  const layer = layerOn(store, id);
  const first = new SpaceManager().loadSpace({ id }, [layer]);
  const closed = first.then(async (space) => await space.close());
  const second = new SpaceManager().loadSpace({ id }, [layer]);
  await closed;
  const space = await second;
  expect(space.isClosed).toBe(false);
  await expectHears(space, store);
  await space.close();
});

test("a late answer of a layer that was given up does not end its next connection", async () => {
  const { id, store } = await storeWithSpace();
  const layer = layerOn(store, id);
  const release = layer.hang("connect");
  const options = { timeoutMs: 20, openTimeoutMs: 40 };
  await expect(new SpaceManager(options).loadSpace({ id }, [layer])).rejects.toMatchObject({ code: "FOLD_TIMEOUT" });
  const next = new SpaceManager().loadSpace({ id }, [layer]);
  release();
  const space = await next;
  expect(layer.isConnected()).toBe(true);
  await expectHears(space, store);
  await space.close();
});

test("a layer that is released late is used by the next space as soon as it is, and that one's report is about its own use", async () => {
  const { id, store } = await storeWithSpace();
  const memory = new MemoryFileSystem();
  const fs = new FaultyFileSystem(memory);
  const folder = new FaultyLayer(new FileSystemPersistenceLayer("/space", id, { fs }));
  const options = { timeoutMs: 50, openTimeoutMs: 1_000 };
  const former = await new SpaceManager(options).loadSpace({ id }, [layerOn(store, id)]);
  await former.addLayer(folder, { create: true });
  const denied = new FoldspaceError("FOLD_PERMISSION", "permission denied");
  fs.fault = () => denied;
  former.tree.root!.newNamedChild("not in the folder yet");
  await former.flush().catch(() => undefined);
  const release = folder.hang("disconnect", "answer");
  await former.close().catch(() => undefined);
  expect(folder.status.error?.code).toBe("FOLD_PERMISSION");

  const space = await new SpaceManager(options).loadSpace({ id }, [layerOn(store, id), folder]);
  const errorOfFolder = (): string | undefined => space.status.layers[1]!.error?.code;
  const seen = new Set<string | undefined>([errorOfFolder()]);
  space.observeStatus(() => seen.add(errorOfFolder()));
  await until("it is given up for the moment", () => errorOfFolder() === "FOLD_TIMEOUT");
  expect(seen).toEqual(new Set([undefined, "FOLD_TIMEOUT"]));
  space.tree.root!.newNamedChild("made meanwhile");
  fs.fault = () => undefined;
  release();
  await until("it is used", () => errorOfFolder() === undefined);
  await space.whenSynced();
  expect(Object.values(memory.dump()).join("")).toContain("made meanwhile");
  await space.close();
});

test("the same folder by another name is no second layer of a space", async () => {
  const fs = new MemoryFileSystem();
  const id = newId();
  const folder = (path: string): FileSystemPersistenceLayer => new FileSystemPersistenceLayer(path, id, { fs });
  const space = await new SpaceManager().createSpace({ persistenceLayers: [folder("/home/notes")] });
  await expect(space.addLayer(folder("/home//notes/"))).rejects.toMatchObject({ code: "FOLD_IN_USE" });
  expect(space.status.layers).toHaveLength(1);
  space.tree.root!.newNamedChild("once");
  await space.close();
  const again = await new SpaceManager().loadSpace({ id }, [folder("/home/notes"), folder("/home/./notes")]);
  await until("both have answered", () => again.status.layers.every(({ isLoading }) => !isLoading));
  expect(again.status.layers.map(({ error }) => error?.code).sort()).toEqual(["FOLD_IN_USE", undefined]);
  await again.close().catch(() => undefined);
});

test("a space is closed when the last of its holders closes it", async () => {
  const { id, store } = await storeWithSpace();
  const manager = new SpaceManager();
  const [one, two] = await Promise.all([0, 1].map(async () => await manager.loadSpace({ id }, [layerOn(store, id)])));
  expect(two).toBe(one);
  await manager.closeSpace(id);
  expect(one!.isClosed).toBe(false);
  await expectHears(one!, store);
  await manager.closeSpace(id);
  expect(one!.isClosed).toBe(true);
});

test("asked for again before or while it is being closed, a space is open", async () => {
  const { id, store } = await storeWithSpace();
  const manager = new SpaceManager();
  const load = async (): Promise<Space> => await manager.loadSpace({ id }, [layerOn(store, id)]);
  // as a component that is mounted, unmounted and mounted again in one turn
  const first = load();
  const closing = manager.closeSpace(id);
  const second = load();
  await Promise.all([first, closing]);
  const space = await second;
  expect([space.isClosed, manager.spaces]).toEqual([false, [space]]);
  space.tree.root!.newNamedChild("kept");
  await manager.closeSpace(id);
  expect(contentOf(store)[id]!.join()).toContain("kept");
});

test("further layers for an open space are added to it, or the call is refused", async () => {
  const { id, store } = await storeWithSpace();
  const manager = new SpaceManager();
  const space = await manager.loadSpace({ id }, [layerOn(store, id, { id: "one" })]);
  const fresh = new MemoryStore();
  expect(await manager.loadSpace({ id }, [layerOn(store, id, { id: "one" }), layerOn(fresh, id, { id: "two" })])).toBe(space);
  expect(space.status.layers.map((layer) => layer.id)).toEqual(["one", "two"]);
  await space.whenSynced();
  expect(contentOf(fresh)).toEqual(contentOf(store));
  const failing = layerOn(new MemoryStore(), id, { id: "three" });
  failing.fail("connect");
  await expect(manager.loadSpace({ id }, [failing])).rejects.toMatchObject({ code: "FOLD_IO" });
  expect(space.status.layers).toHaveLength(2);
  // the refused call has made no holder
  await manager.closeSpace(id);
  await manager.closeSpace(id);
  expect(space.isClosed).toBe(true);
});

test("two layers of one id, and another kind of access to an open space, are refused", async () => {
  const { id, store } = await storeWithSpace();
  const other = copyInto(store, new MemoryStore());
  const twins = [layerOn(store, id, { id: "same" }), layerOn(other, id, { id: "same" })];
  await expect(new SpaceManager().loadSpace({ id }, twins)).rejects.toMatchObject({ code: "FOLD_BAD_ID" });
  await expect(new SpaceManager().createSpace({ persistenceLayers: twins })).rejects.toMatchObject({ code: "FOLD_BAD_ID" });
  const manager = new SpaceManager();
  const space = await manager.loadSpace({ id }, [layerOn(store, id)], { isReadOnly: true });
  await expect(manager.loadSpace({ id }, [layerOn(store, id)])).rejects.toMatchObject({ code: "FOLD_READ_ONLY" });
  await space.close();
  await manager.loadSpace({ id }, [layerOn(store, id)]);
  const reading = manager.loadSpace({ id }, [layerOn(store, id)], { isReadOnly: true });
  await expect(reading).rejects.toMatchObject({ code: "FOLD_IN_USE" });
  await manager.closeSpace(id);
});

test("opening can be given up, at once, and for oneself only", async () => {
  const { id, store } = await storeWithSpace();
  const manager = new SpaceManager();
  const layer = layerOn(store, id);
  const release = layer.hang("connect");
  const giveUp = new AbortController();
  const given = manager.loadSpace({ id }, [layer], { signal: giveUp.signal });
  const wanted = manager.loadSpace({ id }, [layerOn(store, id)]);
  giveUp.abort(new Error("not needed any more"));
  await expect(given).rejects.toThrow("not needed any more");
  release();
  expect((await wanted).isClosed).toBe(false);
  await manager.closeSpace(id);
  await expect(manager.loadSpace({ id }, [layer], { signal: giveUp.signal })).rejects.toThrow("not needed any more");
  expect(manager.spaces).toEqual([]);

  const hanging = layerOn(store, id);
  const releaseLate = hanging.hang("connect");
  const alone = new AbortController();
  const nobodys = manager.loadSpace({ id }, [hanging], { signal: alone.signal });
  await until("its layer is being connected", () => hanging.calls.includes("connect"));
  alone.abort();
  await expect(nobodys).rejects.toMatchObject({ name: "AbortError" });
  releaseLate();
  await until("its layer is released", () => hanging.calls.includes("disconnect") && !hanging.isConnected());
});

test("a closed space refuses every change, and a read-only one all but drafts", async () => {
  const { id, store } = await storeWithSpace();
  const space = await new SpaceManager().loadSpace({ id }, [layerOn(store, id)]);
  const notes = space.newAppTree("notes", "Notes");
  await space.close();
  const before = contentOf(store);
  const closed = expect.objectContaining({ code: "FOLD_CLOSED" }) as Error;
  for (const { root } of [{ root: space.tree.root! }, notes]) {
    expect(() => root.newNamedChild("late")).toThrow(closed);
    expect(() => root.setProperty("text", "late")).toThrow(closed);
    expect(() => root.setTransientProperty("text", "late")).toThrow(closed);
    expect(() => root.commitTransients()).toThrow(closed);
  }
  expect(() => space.tree.merge(notes.tree.getAllOps())).toThrow(closed);
  expect(() => space.newAppTree("notes", "Late")).toThrow(closed);
  for (const call of [
    async () => await space.flush(),
    async () => await space.whenSynced(),
    async () => await space.rescan(),
    async () => await space.listTrees(),
    async () => await space.loadAppTree(notes.id),
    async () => await space.unloadAppTree(notes.id),
    async () => await space.removeLayer("memory"),
  ])
    await expect(call()).rejects.toMatchObject({ code: "FOLD_CLOSED" });
  // loaded contents can still be read
  expect(notes.root.name).toBe("app-tree");

  const reading = await new SpaceManager().loadSpace({ id }, [layerOn(store, id)], { isReadOnly: true });
  const readOnly = expect.objectContaining({ code: "FOLD_READ_ONLY" }) as Error;
  const { root } = await reading.loadAppTree(notes.id);
  expect(() => root.newNamedChild("kept nowhere")).toThrow(readOnly);
  root.setTransientProperty("text", "a draft");
  expect(root.getProperty("text")).toBe("a draft");
  expect(() => root.commitTransients()).toThrow(readOnly);
  await expect(reading.flush()).rejects.toThrow(readOnly);
  await reading.close();
  expect(contentOf(store)).toEqual(before);
});

test("an app tree that was unloaded is kept by the layers, takes no edits any more, and can be loaded anew", async () => {
  const { id, store } = await storeWithSpace();
  const other = copyInto(store, new MemoryStore());
  const layers = [layerOn(store, id, { id: "one" }), layerOn(other, id, { id: "two" })];
  const space = await new SpaceManager().loadSpace({ id }, layers);
  const notes = space.newAppTree("notes", "Notes");
  notes.root.newNamedChild("made just before");
  await space.unloadAppTree(notes.id);
  expect(space.getLoadedTree(notes.id)).toBeUndefined();
  expect(() => notes.root.newNamedChild("late")).toThrow(expect.objectContaining({ code: "FOLD_CLOSED" }));
  await space.flush();
  expect(contentOf(other)).toEqual(contentOf(store));
  const again = await space.loadAppTree(notes.id);
  expect(again.tree).not.toBe(notes.tree);
  expect(again.root.children.map(({ name }) => name)).toEqual(["made just before"]);
  await space.unloadAppTree(id);
  space.tree.root!.newNamedChild("the space tree stays");
  await space.close();
});

test("an app tree that is loaded anew from a layer that lacks its edits gives no id twice", async () => {
  const { id, store } = await storeWithSpace();
  const full = copyInto(store, new FaultyStore());
  const layers = [layerOn(full, id, { id: "full" }), layerOn(store, id, { id: "good" })] as const;
  const space = await new SpaceManager().loadSpace({ id }, layers);
  const notes = space.newAppTree("notes", "Notes");
  await space.flush();
  full.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "The quota is used up");
  notes.root.newNamedChild("not saved everywhere");
  await space.unloadAppTree(notes.id);
  // the layer that has the edits answers later
  const release = layers[1].hang("loadTreeOps");
  const again = await space.loadAppTree(notes.id);
  again.root.newNamedChild("made at once");
  full.refuseWith = undefined;
  release();
  await space.whenSynced();
  expect(again.root.children.map(({ name }) => name).sort()).toEqual(["made at once", "not saved everywhere"]);
  const ids = store.read(notes.id).map((op) => `${op.id.counter}@${op.id.peerId}`);
  expect(new Set(ids).size).toBe(again.tree.opCount);
  expect(contentOf(full)).toEqual(contentOf(store));
  await space.close();
});
