import { afterEach, expect, test, vi } from "vitest";
import { FoldspaceError } from "../errors.ts";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import type { IncomingChange } from "../layers/persistence-layer.ts";
import { KeyedMutex } from "../mutex.ts";
import { FaultyFileSystem } from "../testing/faulty-file-system.ts";
import { until } from "../testing/layer-bench.ts";
import { FaultyStore, type FaultyLayer, type LayerStep } from "../testing/layer-faults.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { contentOf, copyInto, layerOn, makeSpace, outcomeOf, workOn } from "../testing/space-rig.ts";
import { newId, ReplicatedTree } from "../tree/index.ts";
import type { NotDurable } from "./layer-connection.ts";
import { SpaceManager } from "./space-manager.ts";
import type { SpaceOptions } from "./space-options.ts";
import type { Space } from "./space.ts";

afterEach(() => void vi.unstubAllGlobals());

interface Rig {
  readonly id: string;
  readonly space: Space;
  readonly good: MemoryStore;
  readonly bad: FaultyStore;
  readonly badLayer: FaultyLayer;
}

/**
 * A space that is open on two layers and has one app tree, which is loaded.
 * @param before called with the second layer before the space is opened
 */
async function openRig(options: SpaceOptions = {}, before: (layer: FaultyLayer) => void = () => undefined): Promise<Rig> {
  const [id, good] = [newId(), new MemoryStore()];
  await makeSpace(id, good);
  let treeId = "";
  await workOn(id, [good], (space) => void (treeId = space.newAppTree("notes", "Notes").id));
  const bad = copyInto(good, new FaultyStore());
  const layerOptions = options.clock ? { clock: options.clock } : {};
  const badLayer = layerOn(bad, id, { id: "bad", ...layerOptions });
  before(badLayer);
  const space = await new SpaceManager().loadSpace(
    { id },
    [layerOn(good, id, { id: "good", ...layerOptions }), badLayer],
    options,
  );
  await space.loadAppTree(treeId);
  return { id, space, good, bad, badLayer };
}

function edit(space: Space, name: string): void {
  space.tree.root!.newNamedChild(name);
  for (const { treeId } of space.appTrees) space.getLoadedTree(treeId!)?.root!.newNamedChild(name);
}

async function lacking(task: Promise<void>): Promise<readonly NotDurable[]> {
  const error: unknown = await task.then(
    () => undefined,
    (each: unknown) => each,
  );
  if (error === undefined) return [];
  expect(error).toMatchObject({ code: "FOLD_NOT_DURABLE" });
  return (error as FoldspaceError).data["layers"] as NotDurable[];
}

test("a layer that can save nothing for a while gets everything later, and the space continues", async () => {
  const { space, good, bad } = await openRig();
  await space.whenSynced();
  bad.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  const statuses: string[] = [];
  space.observeStatus(({ layers }) => statuses.push(layers.map(({ state }) => state).join()));
  edit(space, "while the disk is full");
  expect(await lacking(space.flush())).toEqual([
    { id: "bad", pendingOps: expect.any(Number) as number, code: "FOLD_DISK_FULL", reason: "no space left" },
  ]);
  expect(space.status.layers).toMatchObject([
    { id: "good", state: "idle", pendingOps: 0 },
    { id: "bad", state: "degraded", error: { code: "FOLD_DISK_FULL" } },
  ]);
  expect(statuses).toContain("idle,degraded");
  edit(space, "more of it");
  expect(await lacking(space.flush())).toHaveLength(1);
  bad.refuseWith = undefined;
  expect(await lacking(space.flush())).toEqual([]);
  await space.whenSynced();
  expect(contentOf(bad)).toEqual(contentOf(good));
  expect(space.status.layers).toMatchObject([{ state: "idle" }, { state: "idle", error: undefined, pendingOps: 0 }]);
  await space.close();
});

test("it gets everything later also by itself, without being asked", async () => {
  const clock = new ManualClock();
  const { space, good, bad } = await openRig({ clock });
  bad.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  edit(space, "while the disk is full");
  await clock.advance(20_000);
  expect(space.status.layers[1]).toMatchObject({ state: "degraded" });
  bad.refuseWith = undefined;
  await clock.advance(60_000);
  expect(contentOf(bad)).toEqual(contentOf(good));
  await space.close();
});

test("closing reports exactly which operations are not durable, and in which layer", async () => {
  const { space, good, bad, badLayer } = await openRig();
  await space.whenSynced();
  bad.refuseWith = new FoldspaceError("FOLD_PERMISSION", "not allowed");
  const before = good.read(space.id).length;
  space.tree.root!.setProperty("title", "lost there");
  space.tree.root!.setProperty("subtitle", "also");
  const closing = space.close();
  expect(await lacking(closing)).toEqual([{ id: "bad", pendingOps: 2, code: "FOLD_PERMISSION", reason: "not allowed" }]);
  await expect(closing).rejects.toThrow(/bad \(2 changes waiting\): not allowed/);
  expect(good.read(space.id)).toHaveLength(before + 2);
  expect(badLayer.isConnected()).toBe(false);
  // it is closed all the same
  expect(space.isClosed).toBe(true);
  expect(() => space.newAppTree("notes", "Late")).toThrow(expect.objectContaining({ code: "FOLD_CLOSED" }));
  // and what is lacking there is put right the next time
  bad.refuseWith = undefined;
  await workOn(space.id, [good, bad], () => undefined);
  expect(contentOf(bad)).toEqual(contentOf(good));
});

for (const step of ["connect", "loadTreeOps", "startListening"] as const) {
  test(`a layer that hangs in ${step} for ever keeps neither a flush nor closing from ending`, async () => {
    const { space, good } = await openRig({ timeoutMs: 60 }, (layer) => layer.hang(step));
    edit(space, "edited");
    const count = space.tree.opCount;
    const start = performance.now();
    // a layer that does not say what comes from elsewhere has all that was made here
    const lacks = step === "startListening" ? [] : [{ id: "bad", code: "FOLD_TIMEOUT" }];
    expect(await lacking(space.flush())).toMatchObject(lacks);
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(good.read(space.id)).toHaveLength(count);
    expect(await lacking(space.whenSynced())).toMatchObject([{ id: "bad" }]);
    expect(await lacking(space.close())).toMatchObject(lacks);
    expect(performance.now() - start).toBeLessThan(4_000);
  });
}

for (const step of ["flush", "disconnect"] as const) {
  test(`a layer that comes to hang in ${step} does not keep closing from ending`, async () => {
    const { space, badLayer, good } = await openRig({ timeoutMs: 60 });
    await space.whenSynced();
    badLayer.hang(step);
    edit(space, "edited");
    const count = space.tree.opCount;
    expect(await lacking(space.close())).toMatchObject(step === "flush" ? [{ id: "bad", code: "FOLD_TIMEOUT" }] : []);
    expect(good.read(space.id)).toHaveLength(count);
  });
}

test("patience is counted by the space's clock, once", async () => {
  const clock = new ManualClock();
  const { space } = await openRig({ clock, timeoutMs: 5_000 }, (layer) => layer.hang("connect"));
  let protectionEnded = false;
  const flushing = lacking(space.flush()).finally(() => (protectionEnded = true));
  await clock.advance(4_900);
  expect(protectionEnded).toBe(false);
  await clock.advance(200);
  expect(await flushing).toMatchObject([{ id: "bad", code: "FOLD_TIMEOUT" }]);
  const closing = lacking(space.close());
  await clock.advance(15_000);
  expect(await closing).toHaveLength(1);
});

test("a folder on a slow disk has all the time that it needs, as long as it saves something", async () => {
  const [id, clock] = [newId(), new ManualClock()];
  const fs = new FaultyFileSystem(new MemoryFileSystem());
  const layer = new FileSystemPersistenceLayer("/space", id, { fs, clock });
  const space = await new SpaceManager({ clock, timeoutMs: 10_000 }).createSpace({ id, persistenceLayers: [layer] });
  for (let count = 0; count < 40; count++) space.newAppTree("notes", `Notes ${count}`);
  const disk = new KeyedMutex();
  const writing = async (): Promise<void> => await new Promise((resolve) => void clock.schedule(700, resolve));
  fs.fault = async ({ action }) => void (action === "append" && (await disk.run("", writing)));
  const outcome = outcomeOf(space.flush());
  await clock.advance(60_000);
  expect(await outcome).toBe("resolved");
  const closing = outcomeOf(space.close());
  await clock.advance(20_000);
  expect(await closing).toBe("resolved");
});

test("an app tree that one layer never gives blocks nothing, and is reported", async () => {
  const [id, good] = [newId(), new MemoryStore()];
  await makeSpace(id, good);
  const badLayer = layerOn(copyInto(good, new MemoryStore()), id, { id: "bad" });
  const space = await new SpaceManager({ timeoutMs: 60 }).loadSpace({ id }, [layerOn(good, id, { id: "good" }), badLayer]);
  await space.whenSynced();
  const release = badLayer.hang("loadTreeOps");
  const notes = space.newAppTree("notes", "Notes");
  notes.root.newNamedChild("a note");
  expect(await lacking(space.flush())).toMatchObject([{ id: "bad", code: "FOLD_TIMEOUT" }]);
  expect(good.read(notes.id)).toHaveLength(notes.tree.opCount);
  release();
  await space.whenSynced();
  await space.close();
});

for (const step of ["connect", "loadTreeOps", "listTrees", "startListening"] satisfies LayerStep[]) {
  test(`a layer that fails in ${step} is tried again with growing delays, and then filled`, async () => {
    const clock = new ManualClock();
    const { space, good, bad, badLayer } = await openRig({ clock }, (layer) => layer.fail(step));
    edit(space, "while it failed");
    await clock.advance(10);
    expect(space.status.layers[1]).toMatchObject({ id: "bad", error: { code: "FOLD_IO" } });
    await clock.advance(60_000);
    const tries = badLayer.calls.filter((call) => call === step).length;
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(12 * (step === "loadTreeOps" ? 2 : 1));
    // only what fails is tried again
    if (step !== "connect") expect(badLayer.calls.filter((call) => call === "connect")).toHaveLength(1);
    const isHanded = step === "listTrees" || step === "startListening";
    expect(await lacking(space.flush())).toMatchObject(isHanded ? [] : [{ id: "bad", code: "FOLD_IO" }]);
    badLayer.heal(step);
    await clock.advance(60_000);
    const syncing = space.whenSynced();
    await clock.advance(5_000);
    await syncing;
    expect(contentOf(bad)).toEqual(contentOf(good));
    expect(space.status.layers[1]).toMatchObject({ error: undefined, isLoading: false, state: "idle" });
    await space.close();
    expect(clock.timerCount).toBe(0);
  });
}

test("a layer that failed while trees that are not loaded were compared does not lack them for ever", async () => {
  const clock = new ManualClock();
  const [id, good] = [newId(), new MemoryStore()];
  await makeSpace(id, good);
  await workOn(id, [good], (space) => void space.newAppTree("notes", "Notes").root.newNamedChild("a note"));
  const bad = new FaultyStore();
  bad.spaceId = id;
  const badLayer = layerOn(bad, id, { id: "bad", clock });
  const space = await new SpaceManager().loadSpace({ id }, [layerOn(good, id, { id: "good", clock }), badLayer], { clock });
  badLayer.fail("loadTreeOps");
  await clock.advance(500);
  badLayer.heal("loadTreeOps");
  await clock.advance(60_000);
  expect(contentOf(bad)).toEqual(contentOf(good));
  expect(space.status.layers[1]!.error).toBeUndefined();
  await space.close();
});

test("operations that wait in a layer that cannot save are not handed to it again when it is read anew", async () => {
  const clock = new ManualClock();
  let tell: ((change: IncomingChange) => void) | undefined;
  const { id, space, good, bad, badLayer } = await openRig({ clock }, (layer) => {
    const listen = layer.startListening.bind(layer);
    layer.startListening = async (listener) => await listen((tell = listener));
  });
  await clock.advance(500);
  bad.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  edit(space, "while the disk is full");
  await clock.advance(500);
  const { pendingOps } = badLayer.status;
  expect(pendingOps).toBeGreaterThan(0);
  const readings = badLayer.calls.filter((call) => call === "loadTreeOps").length;
  tell!({ treeId: id, ops: undefined, isLossy: true });
  await clock.advance(60_000);
  expect(badLayer.calls.filter((call) => call === "loadTreeOps").length).toBeGreaterThan(readings);
  expect(badLayer.status).toMatchObject({ state: "degraded", pendingOps });
  bad.refuseWith = undefined;
  await clock.advance(60_000);
  expect(contentOf(bad)).toEqual(contentOf(good));
  expect(bad.written).toBe(Object.values(contentOf(bad)).flat().length);
  await space.close();
});

test("operations of an unloaded tree are handed once to a layer that cannot save, and the layer is still read", async () => {
  const clock = new ManualClock();
  const [id, good] = [newId(), new MemoryStore()];
  await makeSpace(id, good);
  let treeId = "";
  await workOn(id, [good], (space) => void (treeId = space.newAppTree("notes", "Notes").id));
  const bad = copyInto(good, new FaultyStore());
  const badLayer = layerOn(bad, id, { id: "bad", clock });
  const space = await new SpaceManager({ clock }).loadSpace({ id }, [layerOn(good, id, { id: "good", clock }), badLayer]);
  await clock.advance(500);
  const full = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  bad.refuseWith = full;
  space.tree.root!.newNamedChild("while the disk is full");
  await clock.advance(500);
  const { pendingOps } = badLayer.status;
  const elsewhere = new ReplicatedTree(newId(), good.read(treeId), { rootId: treeId });
  elsewhere.root!.newNamedChild("told by the good one");
  good.write({}, treeId, elsewhere.popLocalOps());
  elsewhere.root!.newNamedChild("told by the bad one");
  bad.refuseWith = undefined;
  bad.write({}, treeId, elsewhere.popLocalOps());
  bad.refuseWith = full;
  await clock.advance(300_000);
  expect(badLayer.status).toMatchObject({ state: "degraded", pendingOps: pendingOps + 3 });
  expect(badLayer.calls.filter((call) => call === "connect")).toHaveLength(1);
  expect(good.read(treeId)).toHaveLength(elsewhere.opCount);
  bad.refuseWith = undefined;
  await clock.advance(60_000);
  expect(contentOf(bad)).toEqual(contentOf(good));
  expect(bad.written).toBe(Object.values(contentOf(bad)).flat().length);
  await space.close();
});

test("a layer of another space, or one that must be migrated, is not retried", async () => {
  const clock = new ManualClock();
  const mismatch = new FoldspaceError("FOLD_SPACE_MISMATCH", "of another space");
  const { space, badLayer } = await openRig({ clock }, (layer) => layer.fail("connect", mismatch));
  await clock.advance(120_000);
  expect(badLayer.calls.filter((call) => call === "connect")).toHaveLength(1);
  expect(space.status.layers[1]).toMatchObject({ error: { code: "FOLD_SPACE_MISMATCH" } });
  expect(await lacking(space.close())).toMatchObject([{ id: "bad", code: "FOLD_SPACE_MISMATCH" }]);
});

test("a read-only space writes nothing, not even what a layer lacks", async () => {
  const [id, full, poor] = [newId(), new FaultyStore(), new FaultyStore()];
  await makeSpace(id, full);
  poor.spaceId = id;
  await workOn(id, [full], (space) => void space.newAppTree("notes", "Notes"));
  const written = full.written;
  const layers = [layerOn(full, id, { id: "full" }), layerOn(poor, id, { id: "poor" })];
  const space = await new SpaceManager().loadSpace({ id }, layers, { isReadOnly: true });
  expect(space.isReadOnly).toBe(true);
  await space.loadAppTree(space.appTrees[0]!.treeId!);
  expect(() => edit(space, "refused")).toThrow(expect.objectContaining({ code: "FOLD_READ_ONLY" }));
  space.tree.root!.setTransientProperty("title", "a draft");
  await space.whenSynced();
  await space.close();
  expect([full.written, poor.written]).toEqual([written, 0]);
});

test("a read-only space is synced when every layer has answered", async () => {
  const [id, one] = [newId(), new MemoryStore()];
  await makeSpace(id, one);
  const other = copyInto(one, new MemoryStore());
  await workOn(id, [other], (space) => void space.tree.root!.newNamedChild("only in the other"));
  const slow = layerOn(other, id, { id: "slow" });
  const release = slow.hang("loadTreeOps");
  const layers = [layerOn(one, id, { id: "one" }), slow];
  const space = await new SpaceManager({ isReadOnly: true, timeoutMs: 20 }).loadSpace({ id }, layers);
  expect(await lacking(space.whenSynced())).toMatchObject([{ id: "slow", code: "FOLD_TIMEOUT" }]);
  await expect(space.flush()).rejects.toMatchObject({ code: "FOLD_READ_ONLY" });
  release();
  await space.whenSynced();
  expect(space.tree.root!.children.map(({ name }) => name)).toContain("only in the other");
  await space.close();
});

test("when the page is left, pending operations are saved without waiting for a layer that hangs", async () => {
  const page = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const window = new EventTarget();
  vi.stubGlobal("document", page);
  vi.stubGlobal("window", window);
  const clock = new ManualClock();
  const { space, good } = await openRig({ clock }, (layer) => layer.hang("connect"));
  for (const leave of [
    () => window.dispatchEvent(new Event("pagehide")),
    () => {
      page.visibilityState = "hidden";
      page.dispatchEvent(new Event("visibilitychange"));
    },
  ]) {
    edit(space, "just before leaving");
    leave();
    await new Promise((resolve) => setTimeout(resolve));
    expect(good.read(space.id)).toHaveLength(space.tree.opCount);
  }
  const closing = lacking(space.close());
  await clock.advance(60_000);
  await closing;
});

test("when the page is shown again, the space asks its layers for unreported changes", async () => {
  const window = new EventTarget();
  vi.stubGlobal("document", Object.assign(new EventTarget(), { visibilityState: "visible" }));
  vi.stubGlobal("window", window);
  const { space, badLayer } = await openRig();
  await space.whenSynced();
  const rescan = vi.spyOn(badLayer, "rescan");
  for (const type of ["focus", "online"]) window.dispatchEvent(new Event(type));
  await until("it was asked", () => rescan.mock.calls.length === 2);
  await space.close();
  window.dispatchEvent(new Event("focus"));
  expect(rescan).toHaveBeenCalledTimes(2);
});
