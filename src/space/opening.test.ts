import { expect, test } from "vitest";
import { FoldspaceError } from "../errors.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import { until } from "../testing/layer-bench.ts";
import { FaultyStore } from "../testing/layer-faults.ts";
import { contentOf, copyInto, layerOn, makeSpace, workOn } from "../testing/space-rig.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { newId, ReplicatedTree } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";

test("the first layer that has the space opens it; the slower one merges when it arrives", async () => {
  const [id, fast] = [newId(), new MemoryStore()];
  await makeSpace(id, fast);
  const slow = copyInto(fast, new MemoryStore());
  await workOn(id, [fast], (space) => void space.tree.root!.newNamedChild("only in the fast one"));
  await workOn(id, [slow], (space) => void space.tree.root!.newNamedChild("only in the slow one"));
  const [fastLayer, slowLayer] = [layerOn(fast, id, { id: "fast" }), layerOn(slow, id, { id: "slow" })];
  const release = slowLayer.hang("connect");
  const space = await new SpaceManager().loadSpace({ id }, [slowLayer, fastLayer]);
  const names = (): (string | undefined)[] => space.tree.root!.children.map((child) => child.name).sort();
  expect(names()).toEqual(["app-forest", "only in the fast one"]);
  await until("the fast one is read", () => !space.status.layers[1]!.isLoading);
  expect(space.status.layers[0]!.isLoading).toBe(true);
  release();
  await space.whenSynced();
  expect(names()).toEqual(["app-forest", "only in the fast one", "only in the slow one"]);
  expect(contentOf(slow)).toEqual(contentOf(fast));
  expect(space.status.layers).toMatchObject([
    { state: "idle", isLoading: false },
    { state: "idle", isLoading: false },
  ]);
  await space.close();
});

test("empty, failing and hanging layers do not decide", async () => {
  const [id, full, empty] = [newId(), new MemoryStore(), new MemoryStore()];
  await makeSpace(id, full);
  empty.spaceId = id;
  const failing = layerOn(new MemoryStore(), id, { id: "failing" });
  failing.fail("connect");
  const failingLater = layerOn(copyInto(full, new MemoryStore()), id, { id: "failing later" });
  failingLater.fail("loadTreeOps");
  const hanging = layerOn(new MemoryStore(), id, { id: "hanging" });
  hanging.hang("connect");
  const layers = [layerOn(empty, id, { id: "empty" }), failing, failingLater, hanging, layerOn(full, id, { id: "full" })];
  const space = await new SpaceManager({ timeoutMs: 50 }).loadSpace({ id }, layers);
  expect(space.name).toBe("A space");
  await until("the empty one is filled", () => contentOf(empty)[id]?.length === contentOf(full)[id]!.length);
  expect(contentOf(empty)).toEqual(contentOf(full));
  space.tree.root!.setProperty("title", "edited");
  const error: unknown = await space.close().catch((each: unknown) => each);
  expect(error).toMatchObject({ code: "FOLD_NOT_DURABLE" });
  const lacking = (error as FoldspaceError).data["layers"] as { id: string }[];
  expect(lacking.map((each) => each.id)).toEqual(["failing", "failing later", "hanging"]);
});

test("when no layer has the space in time, opening ends with what each of them did", async () => {
  const [id, empty] = [newId(), new MemoryStore()];
  empty.spaceId = id;
  const hanging = layerOn(new MemoryStore(), id, { id: "hanging" });
  hanging.hang("connect");
  const manager = new SpaceManager({ timeoutMs: 20, openTimeoutMs: 50 });
  await expect(manager.loadSpace({ id }, [layerOn(empty, id, { id: "empty" }), hanging])).rejects.toMatchObject({
    code: "FOLD_NO_LAYER",
    data: {
      layers: [
        { id: "empty", code: "FOLD_NO_ROOT" },
        { id: "hanging", code: "FOLD_TIMEOUT" },
      ],
    },
  });
  expect(manager.spaces).toEqual([]);
});

test("asked for as an app tree, the space tree is the one there is", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  const space = await new SpaceManager().loadSpace({ id }, [layerOn(store, id)]);
  for (const treeId of await space.listTrees()) (await space.loadAppTree(treeId)).root.newNamedChild("by its id");
  space.tree.root!.newNamedChild("by its name");
  expect((await space.loadAppTree(id)).tree).toBe(space.tree);
  await space.close();
  await workOn(id, [store], ({ tree }) => {
    expect(tree.root!.children.map(({ name }) => name).sort()).toEqual(["app-forest", "by its id", "by its name"]);
  });
});

test("an app tree that no layer gives in time is an error, and can be asked for again", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  let treeId = "";
  await workOn(id, [store], (space) => {
    const tree = space.newAppTree("notes", "Notes");
    treeId = tree.id;
    tree.root.newNamedChild("a note");
  });
  const before = contentOf(store);
  const layer = layerOn(store, id, { id: "hanging" });
  const space = await new SpaceManager({ timeoutMs: 50, openTimeoutMs: 50 }).loadSpace({ id }, [layer]);
  await space.whenSynced();
  const release = layer.hang("loadTreeOps");
  const loading = [space.loadAppTree(treeId), space.loadAppTree(treeId)];
  for (const each of loading) await expect(each).rejects.toMatchObject({ code: "FOLD_TIMEOUT" });
  expect(space.getLoadedTree(treeId)).toBeUndefined();
  release();
  const { root } = await space.loadAppTree(treeId);
  expect(root.children.map(({ name }) => name)).toEqual(["a note"]);
  await space.close();
  expect(contentOf(store)).toEqual(before);
});

test("an app tree whose root comes while it is loading is given, with what was edited in it", async () => {
  const [id, treeId, slow, quick, clock] = [newId(), newId(), new MemoryStore(), new MemoryStore(), new ManualClock()];
  await makeSpace(id, slow);
  copyInto(slow, quick);
  const [slowLayer, quickLayer] = [layerOn(slow, id, { id: "slow" }), layerOn(quick, id, { id: "quick" })];
  const space = await new SpaceManager({ clock, openTimeoutMs: 1_000 }).loadSpace({ id }, [slowLayer, quickLayer]);
  await space.whenSynced();
  const release = slowLayer.hang("loadTreeOps");
  const loading = space.loadAppTree(treeId);
  await until("it is asked for", () => quickLayer.calls.filter((call) => call === "loadTreeOps").length === 2);
  // and has answered that it has no such tree
  await clock.advance(1);
  expect(space.getLoadedTree(treeId)).toBeUndefined();
  const elsewhere = new ReplicatedTree(newId());
  elsewhere.createRoot(treeId);
  quick.write({}, treeId, elsewhere.getAllOps());
  await until("its root has come", () => space.getLoadedTree(treeId) !== undefined);
  space.getLoadedTree(treeId)!.root!.newNamedChild("edited meanwhile");
  await clock.advance(1_000);
  const { root } = await loading;
  expect(root.children.map(({ name }) => name)).toEqual(["edited meanwhile"]);
  release();
  await space.close();
  expect(contentOf(slow)).toEqual(contentOf(quick));
  expect(contentOf(quick)[treeId]!.join()).toContain("edited meanwhile");
});

test("an app tree is loaded from a layer that failed at first, and is saved in it", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  const [elsewhere, unopened] = [copyInto(store, new MemoryStore()), newId()];
  const there = new ReplicatedTree(newId(), [], { rootId: unopened });
  there.createRoot(unopened);
  const late = layerOn(elsewhere, id, { id: "late" });
  late.fail("connect");
  const clock = new ManualClock();
  const space = await new SpaceManager({ clock }).loadSpace({ id }, [layerOn(store, id), late]);
  await until("it has failed", () => space.status.layers[1]!.error !== undefined);
  late.heal("connect");
  await until("it is open", async () => {
    await clock.advance(1_000);
    return space.status.layers[1]!.error === undefined && !space.status.layers[1]!.isLoading;
  });
  // of which the space has heard nothing
  elsewhere.write(late.inner, unopened, there.popLocalOps());
  const { tree } = await space.loadAppTree(unopened);
  tree.root!.setProperty("text", "edited");
  await space.flush();
  expect(elsewhere.read(unopened)).toHaveLength(tree.opCount);
  await space.close();
});

test("a layer with operations but without the root does not open the space", async () => {
  const [id, full] = [newId(), new MemoryStore()];
  await makeSpace(id, full);
  const rootless = new MemoryStore();
  rootless.spaceId = id;
  const orphans = full.read(id).filter((op) => op.targetId !== id);
  rootless.write({}, id, orphans);
  const fullLayer = layerOn(full, id, { id: "full" });
  const release = fullLayer.hang("loadTreeOps");
  let isOpen = false;
  const rootlessLayer = layerOn(rootless, id, { id: "rootless" });
  const opening = new SpaceManager().loadSpace({ id }, [rootlessLayer, fullLayer]).finally(() => (isOpen = true));
  await until("the rootless layer listens", () => rootlessLayer.calls.includes("startListening"));
  expect(isOpen).toBe(false);
  release();
  const space = await opening;
  await space.whenSynced();
  expect(contentOf(rootless)).toEqual(contentOf(full));
  await space.close();
});

test("if no layer has the space, the error gives the reason for each, and all are released", async () => {
  const [id, empty] = [newId(), new MemoryStore()];
  empty.spaceId = id;
  const failing = layerOn(new MemoryStore(), id, { id: "failing" });
  failing.fail("connect", new FoldspaceError("FOLD_PERMISSION", "not allowed"));
  const layers = [layerOn(empty, id, { id: "empty" }), failing, layerOn(new MemoryStore(), id, { id: "nothing" })];
  const manager = new SpaceManager();
  const error: unknown = await manager.loadSpace({ id }, layers).catch((each: unknown) => each);
  expect(error).toMatchObject({ code: "FOLD_NO_LAYER" });
  expect((error as FoldspaceError).data["layers"]).toMatchObject([
    { id: "empty", code: "FOLD_NO_ROOT" },
    { id: "failing", code: "FOLD_PERMISSION" },
    { id: "nothing", code: "FOLD_NOT_A_SPACE" },
  ]);
  expect(layers.map((layer) => layer.isConnected())).toEqual([false, false, false]);
  expect(manager.spaces).toEqual([]);
  expect(contentOf(empty)).toEqual({});
});

test("of a single layer that fails, its own error is thrown", async () => {
  const id = newId();
  const failing = layerOn(new MemoryStore(), id);
  failing.fail("connect", new FoldspaceError("FOLD_PERMISSION", "not allowed"));
  await expect(new SpaceManager().loadSpace({ id }, [failing])).rejects.toMatchObject({ code: "FOLD_PERMISSION" });
});

test("a space is open once, however often it is asked for", async () => {
  const [id, store, manager] = [newId(), new MemoryStore(), new SpaceManager()];
  await makeSpace(id, store);
  const space = await manager.loadSpace({ id }, [layerOn(store, id)]);
  expect(await manager.loadSpace({ id }, [layerOn(store, id)])).toBe(space);
  expect(manager.getSpace(id)).toBe(space);
  await expect(manager.createSpace({ persistenceLayers: [layerOn(store, id)] })).rejects.toMatchObject({
    code: "FOLD_ALREADY_A_SPACE",
  });
  await manager.closeSpace(id);
  await manager.closeSpace(id);
  expect(manager.getSpace(id)).toBeUndefined();
});

test("asked for twice while it is being opened, the space is given when it is open", async () => {
  const [id, store, manager] = [newId(), new MemoryStore(), new SpaceManager()];
  await makeSpace(id, store);
  const layer = layerOn(store, id);
  const release = layer.hang("loadTreeOps");
  const first = manager.loadSpace({ id }, [layer]);
  const second = manager.loadSpace({ id }, [layerOn(store, id)]).then((space) => [space, space.name]);
  await expect(manager.createSpace({ persistenceLayers: [layer] })).rejects.toMatchObject({ code: "FOLD_ALREADY_A_SPACE" });
  release();
  expect(await second).toEqual([await first, "A space"]);
  // one of two holders
  await manager.closeSpace(id);
  expect(manager.spaces).toEqual([await first]);
  await manager.closeSpace(id);
  expect(manager.spaces).toEqual([]);
});

test("a new space is in all its layers", async () => {
  const [id, one, other] = [newId(), new MemoryStore(), new MemoryStore()];
  const space = await new SpaceManager().createSpace({
    persistenceLayers: [layerOn(one, id, { id: "one" }), layerOn(other, id, { id: "other" })],
    name: "New",
  });
  expect(contentOf(one)).toEqual(contentOf(other));
  expect(contentOf(one)[id]!.length).toBeGreaterThan(2);
  expect([space.id, space.name, one.spaceId, other.spaceId]).toEqual([id, "New", id, id]);
  await space.close();
});

test("layers of different spaces are refused before anything is written", async () => {
  const [id, one, other] = [newId(), new MemoryStore(), new MemoryStore()];
  const layers = [layerOn(one, id), layerOn(other, newId())];
  for (const options of [{}, { id }]) {
    await expect(new SpaceManager().createSpace({ ...options, persistenceLayers: layers })).rejects.toMatchObject({
      code: "FOLD_SPACE_MISMATCH",
    });
  }
  await expect(new SpaceManager().loadSpace({ id }, layers)).rejects.toMatchObject({ code: "FOLD_SPACE_MISMATCH" });
  expect([one.spaceId, other.spaceId, layers.flatMap((layer) => layer.calls)]).toEqual([undefined, undefined, []]);
});

test("a second layer whose storage is of another space keeps a new one from being made anywhere", async () => {
  const [id, otherId, one, other] = [newId(), newId(), new MemoryStore(), new MemoryStore()];
  await makeSpace(otherId, other);
  const before = contentOf(other);
  const layers = [layerOn(one, id, { id: "one" }), layerOn(other, id, { id: "other" })];
  const manager = new SpaceManager();
  await expect(manager.createSpace({ persistenceLayers: layers })).rejects.toMatchObject({ code: "FOLD_SPACE_MISMATCH" });
  expect([one.spaceId, contentOf(one), contentOf(other)]).toEqual([undefined, {}, before]);
  expect(layers.some((layer) => layer.isConnected())).toBe(false);
  expect(manager.spaces).toEqual([]);
});

test("a space that is in one of the layers already is not made anew", async () => {
  const [id, one, other] = [newId(), new MemoryStore(), new MemoryStore()];
  await makeSpace(id, other);
  const before = contentOf(other);
  const layers = [layerOn(one, id, { id: "one" }), layerOn(other, id, { id: "other" })];
  await expect(new SpaceManager().createSpace({ persistenceLayers: layers })).rejects.toMatchObject({
    code: "FOLD_ALREADY_A_SPACE",
  });
  expect([one.spaceId, contentOf(one), contentOf(other)]).toEqual([undefined, {}, before]);
  expect(layers.some((layer) => layer.isConnected())).toBe(false);
});

test("a new space that one layer cannot save is released, and can be opened from the others", async () => {
  const [id, good, bad, manager] = [newId(), new MemoryStore(), new FaultyStore(), new SpaceManager()];
  bad.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  const layers = [layerOn(good, id, { id: "good" }), layerOn(bad, id, { id: "bad" })];
  await expect(manager.createSpace({ persistenceLayers: layers, name: "New" })).rejects.toMatchObject({
    code: "FOLD_NOT_DURABLE",
    data: { layers: [{ id: "bad", code: "FOLD_DISK_FULL" }] },
  });
  expect([manager.spaces, layers.map((layer) => layer.isConnected())]).toEqual([[], [false, false]]);
  bad.refuseWith = undefined;
  const space = await manager.loadSpace({ id }, layers);
  await space.whenSynced();
  expect(space.name).toBe("New");
  expect(contentOf(bad)).toEqual(contentOf(good));
  await space.close();
});

test("a space that nothing may be written to is not made anew", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  const layer = layerOn(store, id);
  await expect(new SpaceManager({ isReadOnly: true }).createSpace({ persistenceLayers: [layer] })).rejects.toMatchObject({
    code: "FOLD_READ_ONLY",
  });
  expect([store.spaceId, layer.calls]).toEqual([undefined, []]);
});

test("ids that cannot be part of a path, and spaces without layers, are refused", async () => {
  const manager = new SpaceManager();
  await expect(manager.createSpace({ persistenceLayers: [] })).rejects.toMatchObject({ code: "FOLD_NO_LAYER" });
  await expect(manager.loadSpace({ id: newId() }, [])).rejects.toMatchObject({ code: "FOLD_NO_LAYER" });
  await expect(manager.loadSpace({ id: "../x" }, [layerOn(new MemoryStore(), "../x")])).rejects.toMatchObject({
    code: "FOLD_BAD_ID",
  });
});
