import { afterEach, expect, test, vi } from "vitest";
import { FoldspaceError } from "../errors.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import { until } from "../testing/layer-bench.ts";
import { FaultyStore } from "../testing/layer-faults.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { contentOf, copyInto, layerOn, makeSpace, workOn } from "../testing/space-rig.ts";
import { newId, ReplicatedTree } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";
import type { Space } from "./space.ts";

afterEach(() => vi.unstubAllGlobals());

interface Browser {
  readonly id: string;
  readonly treeId: string;
  /** As IndexedDB: saved at once. */
  readonly quick: FaultyStore;
  /** As a folder: saved after a while. */
  readonly slow: FaultyStore;
  readonly clock: ManualClock;
  readonly openTab: () => Promise<Space>;
}

/** A space of two layers with one app tree, in a browser that opens it in tabs. */
async function openBrowser(): Promise<Browser> {
  const [id, quick, clock] = [newId(), new FaultyStore(), new ManualClock()];
  await makeSpace(id, quick);
  let treeId = "";
  await workOn(id, [quick], (space) => void (treeId = space.newAppTree("notes", "Notes").id));
  const slow = copyInto(quick, new FaultyStore());
  const openTab = async (): Promise<Space> =>
    await new SpaceManager({ clock }).loadSpace({ id }, [
      layerOn(quick, id, { id: "quick", clock, flushIntervalMs: 50 }),
      layerOn(slow, id, { id: "slow", clock, flushIntervalMs: 2_000 }),
    ]);
  return { id, treeId, quick, slow, clock, openTab };
}

/** An edit of the tree made elsewhere, as operations. */
function editElsewhere(store: MemoryStore, treeId: string, name: string): ReturnType<ReplicatedTree["popLocalOps"]> {
  const elsewhere = new ReplicatedTree(newId(), store.read(treeId), { rootId: treeId });
  elsewhere.popLocalOps();
  elsewhere.root!.newNamedChild(name);
  return elsewhere.popLocalOps();
}

test("the failure of a relay is reported until the relay is no longer needed", async () => {
  const { id, quick, slow, clock } = await openBrowser();
  const failing = layerOn(slow, id, { id: "slow", clock });
  const space = await new SpaceManager({ clock }).loadSpace({ id }, [layerOn(quick, id, { id: "quick", clock }), failing]);
  await clock.advance(1_000);
  failing.fail("rescanTree");
  const ops = editElsewhere(quick, id, "made elsewhere");
  quick.write({}, id, ops);
  await clock.advance(10_000);
  expect(space.status.layers[1]).toMatchObject({ id: "slow", error: { code: "FOLD_IO" } });
  // by their own maker
  slow.write({}, id, ops);
  await clock.advance(100);
  expect(space.status.layers[1]!.error).toBeUndefined();
  await space.close();
});

test("operations of a live peer, except drafts, are saved in every layer", async () => {
  const [id, one] = [newId(), new MemoryStore()];
  await makeSpace(id, one);
  const two = copyInto(one, new MemoryStore());
  const layers = [layerOn(one, id, { id: "one" }), layerOn(two, id, { id: "two" })];
  const space = await new SpaceManager().loadSpace({ id }, layers);
  const peer = new ReplicatedTree(newId(), space.tree.getAllOps(), { rootId: id });
  peer.popLocalOps();
  const child = peer.root!.newNamedChild("made by the live peer");
  child.setTransientProperty("cursor", 3);
  space.tree.merge(peer.popLocalOps());
  await space.flush();
  for (const store of [one, two]) {
    const saved = contentOf(store)[id]!.join();
    expect(saved).toContain("made by the live peer");
    expect(saved).not.toContain("cursor");
  }
  await space.close();
});

for (const tabs of [1, 2, 4, 8]) {
  test(`with ${tabs} tabs, every operation is written to each layer once`, async () => {
    const { treeId, quick, slow, clock, openTab } = await openBrowser();
    const spaces: Space[] = [];
    for (let tab = 0; tab < tabs; tab++) spaces.push(await openTab());
    await clock.advance(10_000);
    const before = [quick.written, slow.written];
    // one tab has opened the tree, and another, if there is one, edits the space tree at the same time
    const notes = await spaces[0]!.loadAppTree(treeId);
    for (let edit = 0; edit < 20; edit++) {
      notes.root.newNamedChild(`line ${edit}`);
      spaces.at(-1)!.tree.root!.setProperty("count", edit);
      await clock.advance(300);
    }
    await clock.advance(30_000);
    expect(quick.written - before[0]!).toBe(20 * 3 + 20);
    expect(slow.written - before[1]!).toBe(20 * 3 + 20);
    expect(contentOf(slow)).toEqual(contentOf(quick));
    for (const space of spaces) await space.close();
    expect([quick.written, slow.written].map((written, index) => written - before[index]!)).toEqual([80, 80]);
  });
}

test("operations from elsewhere are relayed by one of the tabs after a delay", async () => {
  const { id, treeId, quick, slow, clock, openTab } = await openBrowser();
  const spaces = [await openTab(), await openTab(), await openTab()];
  await clock.advance(10_000);
  const before = quick.written;
  for (const each of [id, treeId]) slow.write({}, each, editElsewhere(slow, each, "from another device"));
  await clock.advance(2_000);
  expect(quick.written).toBe(before);
  await clock.advance(4_000);
  expect(contentOf(quick)).toEqual(contentOf(slow));
  expect(quick.written).toBe(before + 6);
  for (const space of spaces) await space.close();
});

test("a page that is left hands what it read from one layer to the layer that can begin to save in that turn", async () => {
  const window = new EventTarget();
  vi.stubGlobal("document", Object.assign(new EventTarget(), { visibilityState: "visible" }));
  vi.stubGlobal("window", window);
  const { id, treeId, quick, slow, clock } = await openBrowser();
  const quickLayer = layerOn(quick, id, { id: "quick", clock, flushIntervalMs: 50 });
  quickLayer.flushOnPageHide = () => void quickLayer.flush();
  const slowLayer = layerOn(slow, id, { id: "slow", clock, flushIntervalMs: 2_000 });
  const space = await new SpaceManager({ clock }).loadSpace({ id }, [quickLayer, slowLayer]);
  await space.loadAppTree(treeId);
  await clock.advance(10_000);
  for (const each of [id, treeId]) slow.write({}, each, editElsewhere(slow, each, "from another device"));
  quick.write({}, id, editElsewhere(quick, id, "only in the quick one"));
  await clock.advance(1_000);
  const before = slow.written;
  window.dispatchEvent(new Event("pagehide"));
  await clock.advance(0);
  for (const each of [id, treeId]) expect(contentOf(quick)[each]!.join()).toContain("from another device");
  // an ordinary layer would get files that sync services carry
  expect(slow.written).toBe(before);
  await clock.advance(30_000);
  expect(contentOf(quick)).toEqual(contentOf(slow));
  await space.close();
});

test("another tab relays operations that a tab could not save everywhere before it ended", async () => {
  const { treeId, quick, slow, clock, openTab } = await openBrowser();
  const [dying, other] = [await openTab(), await openTab()];
  await clock.advance(10_000);
  slow.refuseWith = new FoldspaceError("FOLD_IO", "its process is gone");
  (await dying.loadAppTree(treeId)).root.newNamedChild("the last words");
  await clock.advance(100);
  expect(contentOf(quick)[treeId]!.join()).toContain("the last words");
  dying.close().catch(() => undefined);
  await clock.advance(100);
  slow.refuseWith = undefined;
  await clock.advance(60_000);
  expect(contentOf(slow)).toEqual(contentOf(quick));
  await other.close();
});

test("tabs do not gather more and more for a layer that cannot save what they relay", async () => {
  const { quick, slow, clock, openTab } = await openBrowser();
  const spaces: Space[] = [];
  for (let tab = 0; tab < 8; tab++) spaces.push(await openTab());
  await clock.advance(10_000);
  const before = slow.written;
  slow.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  for (let edit = 0; edit < 30; edit++) {
    spaces[0]!.tree.root!.setProperty("count", edit);
    await clock.advance(2_000);
  }
  slow.refuseWith = undefined;
  await clock.advance(120_000);
  expect(contentOf(slow)).toEqual(contentOf(quick));
  // the relays that they had begun before they noticed
  expect(slow.written - before).toBeLessThanOrEqual(30 + 7 * 3);
  for (const space of spaces) await space.close();
});

test("operations of a tree that is not open are relayed as they come, without reading the tree", async () => {
  const { id, treeId, quick, slow, clock } = await openBrowser();
  const layers = [layerOn(quick, id, { id: "quick", clock }), layerOn(slow, id, { id: "slow", clock })];
  const space = await new SpaceManager({ clock }).loadSpace({ id }, layers);
  const changed: string[] = [];
  space.observeUnloadedTrees((each) => changed.push(each));
  await clock.advance(10_000);
  const readings = (): number => layers.flatMap(({ calls }) => calls).filter((call) => call === "loadTreeOps").length;
  const before = readings();
  for (let edit = 0; edit < 5; edit++) {
    slow.write({}, treeId, editElsewhere(slow, treeId, `line ${edit}`));
    await clock.advance(10_000);
    expect(contentOf(quick)).toEqual(contentOf(slow));
  }
  expect(readings()).toBe(before);
  expect(changed).toEqual(Array.from({ length: 5 }, () => treeId));
  expect(space.getLoadedTree(treeId)).toBeUndefined();
  await space.close();
});

for (const isOpen of [false, true]) {
  test(`operations that come while a difference of a tree ${isOpen ? "in memory" : "that is not open"} waits to be relayed have their own due time`, async () => {
    const { treeId, quick, slow, clock, openTab } = await openBrowser();
    quick.write({}, treeId, editElsewhere(quick, treeId, "found when the layers are compared"));
    const space = await openTab();
    if (isOpen) await space.loadAppTree(treeId);
    await clock.advance(2_900);
    // its maker, in another tab, is about to write it to the other layer
    quick.write({}, treeId, editElsewhere(quick, treeId, "made a moment ago"));
    await clock.advance(1_600);
    expect(contentOf(slow)[treeId]!.join()).toContain("found when the layers are compared");
    expect(contentOf(slow)[treeId]!.join()).not.toContain("made a moment ago");
    await clock.advance(4_000);
    expect(contentOf(slow)).toEqual(contentOf(quick));
    await space.close();
  });
}

test("operations above the limit of a tree that is not open are read again when they are relayed", async () => {
  const { id, treeId, quick, slow, clock } = await openBrowser();
  const layers = [layerOn(quick, id, { id: "quick", clock }), layerOn(slow, id, { id: "slow", clock })];
  const space = await new SpaceManager({ clock }).loadSpace({ id }, layers);
  await clock.advance(10_000);
  const elsewhere = new ReplicatedTree(newId(), slow.read(treeId), { rootId: treeId });
  elsewhere.popLocalOps();
  for (let vertex = 0; vertex < 1_500; vertex++) elsewhere.root!.newNamedChild(`vertex ${vertex}`);
  slow.write({}, treeId, elsewhere.popLocalOps());
  await clock.advance(30_000);
  expect(contentOf(quick)).toEqual(contentOf(slow));
  await space.close();
});

test("a tree that a layer cannot read costs tries of that tree, and of nothing else", async () => {
  const { id, treeId, quick, slow, clock } = await openBrowser();
  const layer = layerOn(slow, id, { id: "slow", clock });
  const space = await new SpaceManager({ clock }).loadSpace({ id }, [layerOn(quick, id, { id: "quick", clock }), layer]);
  await clock.advance(10_000);
  await space.close();
  const load = layer.inner.loadTreeOps.bind(layer.inner);
  const loaded: string[] = [];
  layer.inner.loadTreeOps = async (each) => {
    loaded.push(each);
    if (each === treeId) throw new FoldspaceError("FOLD_PERMISSION", "may not be read");
    return await load(each);
  };
  layer.calls.length = 0;
  const again = await new SpaceManager({ clock }).loadSpace({ id }, [layerOn(quick, id, { id: "quick", clock }), layer]);
  await clock.advance(600_000);
  expect(again.status.layers).toMatchObject([{ error: undefined }, { error: { code: "FOLD_PERMISSION" }, isLoading: false }]);
  expect(loaded.filter((each) => each === id)).toHaveLength(1);
  expect(loaded.length).toBeGreaterThan(10);
  expect(layer.calls.filter((call) => call === "connect" || call === "listTrees" || call === "startListening")).toHaveLength(3);
  // nothing that was made here is lacking
  again.tree.root!.newNamedChild("saved all the same");
  const flushing = again.flush();
  await clock.advance(5_000);
  await flushing;
  layer.inner.loadTreeOps = load;
  await clock.advance(60_000);
  expect(again.status.layers[1]!.error).toBeUndefined();
  const closing = again.close();
  await clock.advance(5_000);
  await closing;
});

test("whenSynced waits for what there was when it was called, and not for what is edited meanwhile", async () => {
  const { treeId, quick, slow, clock, openTab } = await openBrowser();
  const space = await openTab();
  slow.write({}, treeId, editElsewhere(slow, treeId, "before"));
  const ends: number[] = [];
  const syncing = space.whenSynced().then(() => ends.push(clock.now()));
  for (let edit = 0; edit < 20; edit++) {
    slow.write({}, treeId, editElsewhere(slow, treeId, `typed ${edit}`));
    await clock.advance(500);
  }
  expect(ends).toHaveLength(1);
  await syncing;
  expect(contentOf(quick)[treeId]!.join()).toContain("before");
  await space.close();
});

test("a short run leaves no layer behind what it found in another", async () => {
  const { id, quick, slow } = await openBrowser();
  slow.write({}, id, editElsewhere(slow, id, "from another device"));
  const layers = [layerOn(quick, id, { id: "quick" }), layerOn(slow, id, { id: "slow" })];
  const space = await new SpaceManager().loadSpace({ id }, layers);
  await until("both are read", () => space.status.layers.every(({ isLoading }) => !isLoading));
  await space.close();
  expect(contentOf(quick)[id]).toEqual(contentOf(slow)[id]);
});

test("a layer that is used for the first time is filled at once, including the trees that are not open", async () => {
  const { id, treeId, slow } = await openBrowser();
  const fresh = new FaultyStore();
  fresh.spaceId = id;
  // it has answered, and holds nothing, before the one that has the space
  const full = layerOn(slow, id, { id: "full" });
  const release = full.hang("connect");
  const opening = new SpaceManager({ relayGraceMs: 3_600_000 }).loadSpace({ id }, [layerOn(fresh, id, { id: "fresh" }), full]);
  await until("the empty one has been read", () => true);
  release();
  const space = await opening;
  await until("it is filled", () => JSON.stringify(contentOf(fresh)) === JSON.stringify(contentOf(slow)));
  expect(Object.keys(contentOf(fresh))).toContain(treeId);
  expect(fresh.written).toBe(Object.values(contentOf(fresh)).flat().length);
  await space.close();
});
