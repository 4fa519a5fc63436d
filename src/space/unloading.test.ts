import { expect, test } from "vitest";
import { FoldspaceError } from "../errors.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { contentOf, editElsewhere, layerOn, outcomeOf, spaceInTwoPlaces } from "../testing/space-rig.ts";
import { newId, ReplicatedTree } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";

for (const count of [1, 2]) {
  test(`a tree that is loaded anew at once has what was edited before, with ${count} layers`, async () => {
    const { id, treeId, one, two } = await spaceInTwoPlaces();
    const layers = [one, two].map((store, index) => layerOn(store, id, { id: `layer ${index}`, flushIntervalMs: 300 }));
    const space = await new SpaceManager().loadSpace({ id }, layers.slice(0, count));
    (await space.loadAppTree(treeId)).root.newNamedChild("just before");
    await space.unloadAppTree(treeId);
    const again = await space.loadAppTree(treeId);
    expect(again.root.children.map(({ name }) => name)).toEqual(["just before"]);
    await space.close();
  });
}

test("a tree whose edits no layer can save stays in memory", async () => {
  const { id, treeId, one } = await spaceInTwoPlaces();
  const space = await new SpaceManager().loadSpace({ id }, [layerOn(one, id)]);
  const notes = await space.loadAppTree(treeId);
  one.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  notes.root.newNamedChild("while the disk is full");
  await expect(space.unloadAppTree(treeId)).rejects.toMatchObject({ code: "FOLD_NOT_DURABLE" });
  expect(space.getLoadedTree(treeId)).toBe(notes.tree);
  one.refuseWith = undefined;
  await space.unloadAppTree(treeId);
  expect(space.getLoadedTree(treeId)).toBeUndefined();
  await space.close();
});

test("one layer that has saved its edits is enough to unload a tree", async () => {
  const { id, treeId, one, two } = await spaceInTwoPlaces();
  const layers = [layerOn(one, id, { id: "one" }), layerOn(two, id, { id: "two" })];
  const space = await new SpaceManager().loadSpace({ id }, layers);
  await space.whenSynced();
  const notes = await space.loadAppTree(treeId);
  two.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  notes.root.newNamedChild("kept in one");
  await space.unloadAppTree(treeId);
  expect((await space.loadAppTree(treeId)).root.children.map(({ name }) => name)).toEqual(["kept in one"]);
  two.refuseWith = undefined;
  await space.close();
  expect(contentOf(two)).toEqual(contentOf(one));
});

test("edits of a tree that was unloaded before a layer was connected are saved there, and a flush waits for that", async () => {
  const { id, treeId, one, two } = await spaceInTwoPlaces();
  const clock = new ManualClock();
  const slow = layerOn(two, id, { id: "slow", clock });
  const connect = slow.hang("connect");
  // the trees of the layer are not compared before it listens
  const listen = slow.hang("startListening");
  const space = await new SpaceManager({ clock }).loadSpace({ id }, [layerOn(one, id, { id: "quick", clock }), slow]);
  (await space.loadAppTree(treeId)).root.newNamedChild("in one layer");
  const unloading = space.unloadAppTree(treeId);
  await clock.advance(1_000);
  await unloading;
  connect();
  await clock.advance(1_000);
  const flushing = outcomeOf(space.flush());
  await clock.advance(1_000);
  expect([await flushing, contentOf(two)]).toEqual(["resolved", contentOf(one)]);
  listen();
  const closing = space.close();
  await clock.advance(1_000);
  await closing;
});

test("a caller that loads a tree while it is being unloaded gets one that takes edits", async () => {
  const { id, treeId, one, two } = await spaceInTwoPlaces();
  const layers = [layerOn(one, id, { id: "one" }), layerOn(two, id, { id: "two" })];
  const space = await new SpaceManager().loadSpace({ id }, layers);
  // as a component that is mounted, unmounted and mounted again in one turn, twice
  for (let turn = 0; turn < 2; turn++) {
    const first = space.loadAppTree(treeId);
    const unloading = space.unloadAppTree(treeId);
    const again = space.loadAppTree(treeId);
    await Promise.all([first, unloading]);
    (await again).root.newNamedChild(`turn ${turn}`);
  }
  await space.close();
  expect(contentOf(one)[treeId]!.join()).toContain("turn 1");
});

test("a caller that waits to load a tree when the space is closed is refused, and nothing goes on", async () => {
  const { id, treeId, one, two } = await spaceInTwoPlaces();
  const clock = new ManualClock();
  const layers = [one, two].map((store, index) => layerOn(store, id, { id: `layer ${index}`, clock }));
  const space = await new SpaceManager({ clock }).loadSpace({ id }, layers);
  for (const layer of layers) layer.hang("loadTreeOps");
  const first = outcomeOf(space.loadAppTree(treeId));
  const unloading = outcomeOf(space.unloadAppTree(treeId));
  // loads the tree anew when it has been unloaded
  const second = outcomeOf(space.loadAppTree(treeId));
  const closing = outcomeOf(space.close());
  await clock.advance(60_000);
  expect(await Promise.all([first, unloading, second, closing])).toEqual(["FOLD_CLOSED", "resolved", "FOLD_CLOSED", "resolved"]);
  expect(clock.timerCount).toBe(0);
});

test("a tree that could not be loaded is still kept the same in all layers", async () => {
  const { id, treeId, one, two } = await spaceInTwoPlaces();
  const clock = new ManualClock();
  one.write({}, treeId, editElsewhere(one, treeId, "news"));
  let isFailing = true;
  const layers = [layerOn(one, id, { id: "one", clock }), layerOn(two, id, { id: "two", clock })];
  for (const { inner } of layers) {
    const load = inner.loadTreeOps.bind(inner);
    inner.loadTreeOps = async (each) => {
      if (isFailing && each === treeId) throw new FoldspaceError("FOLD_IO", "fails in this test");
      return await load(each);
    };
  }
  const space = await new SpaceManager({ clock }).loadSpace({ id }, layers);
  await clock.advance(500);
  expect(await outcomeOf(space.loadAppTree(treeId))).toBe("FOLD_IO");
  isFailing = false;
  await clock.advance(120_000);
  expect(contentOf(two)).toEqual(contentOf(one));
  await space.close();
});

test("an edit made before a slow layer has answered wins, also if the tree is loaded for the second time", async () => {
  const { id, treeId, one, two } = await spaceInTwoPlaces();
  const clock = new ManualClock();
  const slow = layerOn(two, id, { id: "slow", clock });
  const layers = [layerOn(one, id, { id: "quick", clock }), slow];
  const space = await new SpaceManager({ clock, relayGraceMs: 10_000_000 }).loadSpace({ id }, layers);
  await clock.advance(10_000);
  await space.loadAppTree(treeId);
  await clock.advance(1_000);
  await space.unloadAppTree(treeId);
  const elsewhere = new ReplicatedTree(newId(), two.read(treeId), { rootId: treeId });
  elsewhere.popLocalOps();
  for (let edit = 0; edit < 30; edit++) elsewhere.root!.setProperty("title", `edit ${edit}`);
  two.write({}, treeId, elsewhere.popLocalOps());
  const release = slow.hang("loadTreeOps");
  const notes = await space.loadAppTree(treeId);
  notes.root.setProperty("title", "typed last");
  await clock.advance(100);
  release();
  await clock.advance(1_000);
  expect(notes.root.getProperty("title")).toBe("typed last");
  const closing = space.close();
  await clock.advance(20_000);
  await closing;
});
