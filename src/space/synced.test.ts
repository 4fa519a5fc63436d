import { expect, test } from "vitest";
import type { Clock } from "../clock.ts";
import { FoldspaceError } from "../errors.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import type { IncomingChange } from "../layers/persistence-layer.ts";
import { until } from "../testing/layer-bench.ts";
import { FaultyStore } from "../testing/layer-faults.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { contentOf, editElsewhere, layerOn, outcomeOf, spaceInTwoPlaces, workOn } from "../testing/space-rig.ts";
import { SpaceManager } from "./space-manager.ts";

/** A copy of a space without its app trees. */
function withoutTrees(id: string, store: MemoryStore): FaultyStore {
  const copy = new FaultyStore();
  copy.spaceId = id;
  copy.write({}, id, store.read(id));
  return copy;
}

test("whenSynced does not resolve as long as a layer cannot list its trees", async () => {
  const { id, treeId, one } = await spaceInTwoPlaces();
  const other = withoutTrees(id, one);
  const bad = layerOn(one, id, { id: "bad" });
  bad.fail("listTrees");
  const layers = [bad, layerOn(other, id, { id: "other" })];
  const space = await new SpaceManager({ timeoutMs: 100, relayGraceMs: 20 }).loadSpace({ id }, layers);
  await expect(space.whenSynced()).rejects.toMatchObject({
    code: "FOLD_NOT_DURABLE",
    data: { layers: [{ id: "bad", code: "FOLD_IO" }] },
  });
  bad.heal("listTrees");
  await until("it is tried again", () => other.treeIds.includes(treeId));
  await space.whenSynced();
  await space.close();
});

test("whenSynced ends while a user types, also if a layer hangs", async () => {
  const { id, one, two } = await spaceInTwoPlaces();
  const clock = new ManualClock();
  const hanging = layerOn(two, id, { id: "hanging", clock });
  hanging.hang("listTrees");
  const space = await new SpaceManager({ clock }).loadSpace({ id }, [layerOn(one, id, { id: "one", clock }), hanging]);
  await clock.advance(5_000);
  const outcomes: string[] = [];
  void space.whenSynced().then(
    () => outcomes.push("resolved"),
    () => outcomes.push("rejected"),
  );
  for (let edit = 0; edit < 60; edit++) {
    space.tree.root!.setProperty("count", edit);
    await clock.advance(1_000);
  }
  expect(outcomes).toEqual(["rejected"]);
  await space.close();
});

test("a layer that this platform cannot have does not keep a space from being synced", async () => {
  const { id, one, two } = await spaceInTwoPlaces();
  const none = layerOn(two, id, { id: "none" });
  none.fail("connect", new FoldspaceError("FOLD_NO_FILE_SYSTEM", "none here"));
  const layers = [layerOn(one, id, { id: "one" }), none];
  const space = await new SpaceManager({ timeoutMs: 100, relayGraceMs: 20 }).loadSpace({ id }, layers);
  space.tree.root!.newNamedChild("edited");
  await space.whenSynced();
  await space.close();
});

test("operations of an unopened tree that all layers have lost do not block it once it is opened", async () => {
  const { id, treeId, one, two } = await spaceInTwoPlaces();
  const clock = new ManualClock();
  const losing = layerOn(one, id, { id: "losing", clock });
  let tell: ((change: IncomingChange) => void) | undefined;
  const { inner } = losing;
  const [start, load] = [inner.startListening!.bind(inner), inner.loadTreeOps.bind(inner)];
  inner.startListening = async (listener) => await start((tell = listener));
  const space = await new SpaceManager({ clock }).loadSpace({ id }, [losing, layerOn(two, id, { id: "two", clock })]);
  await clock.advance(10_000);
  const kept = one.read(treeId);
  one.write({}, treeId, editElsewhere(one, treeId, "lost soon"));
  inner.loadTreeOps = async (each) => (each === treeId ? kept : await load(each));
  tell!({ treeId, ops: undefined, isLossy: true });
  await clock.advance(100);
  await space.loadAppTree(treeId);
  await clock.advance(60_000);
  await space.whenSynced();
  await space.close();
});

test("a layer added after another was removed gets all trees, also those that came in between", async () => {
  const { id, treeId, one, two } = await spaceInTwoPlaces();
  const layers = [layerOn(one, id, { id: "one" }), layerOn(two, id, { id: "two" })];
  const space = await new SpaceManager({ relayGraceMs: 20 }).loadSpace({ id }, layers);
  await space.whenSynced();
  await space.removeLayer("two");
  await space.loadAppTree(treeId);
  await space.unloadAppTree(treeId);
  await workOn(id, [one], (other) => void other.newAppTree("notes", "Made elsewhere"));
  const fresh = new MemoryStore();
  await space.addLayer(layerOn(fresh, id, { id: "fresh" }), { create: true });
  await space.whenSynced();
  expect(fresh.treeIds).toEqual(one.treeIds);
  expect(contentOf(fresh)).toEqual(contentOf(one));
  await space.close();
});

test("a tree that only a layer has which was connected at the second try can be loaded", async () => {
  const { id, treeId, one } = await spaceInTwoPlaces();
  const late = layerOn(one, id, { id: "late" });
  late.fail("connect");
  const layers = [layerOn(withoutTrees(id, one), id, { id: "quick" }), late];
  const space = await new SpaceManager().loadSpace({ id }, layers, { isReadOnly: true });
  late.heal("connect");
  await until("it is connected", () => space.status.layers[1]!.state === "idle" && !space.status.layers[1]!.isLoading);
  expect(await outcomeOf(space.loadAppTree(treeId))).toBe("resolved");
  await space.close();
});

test("a layer that refuses operations is asked again with growing delays", async () => {
  const { id, one, two } = await spaceInTwoPlaces();
  const clock = new ManualClock();
  const bad = layerOn(two, id, { id: "bad", clock });
  const space = await new SpaceManager({ clock }).loadSpace({ id }, [layerOn(one, id, { id: "good", clock }), bad]);
  await clock.advance(10_000);
  bad.fail("saveTreeOps");
  space.tree.root!.newNamedChild("refused");
  bad.calls.length = 0;
  await clock.advance(600_000);
  expect(bad.calls.filter((call) => call === "loadTreeOps").length).toBeLessThan(30);
  bad.heal("saveTreeOps");
  await clock.advance(31_000);
  expect(contentOf(two)).toEqual(contentOf(one));
  await space.close();
});

test("a relay does not wait until a clock that was set back has caught up", async () => {
  const { id, one, two } = await spaceInTwoPlaces();
  const manual = new ManualClock();
  let aheadMs = 0;
  const clock: Clock = { now: () => manual.now() + aheadMs, schedule: (delayMs, run) => manual.schedule(delayMs, run) };
  const layers = [layerOn(one, id, { id: "one", clock }), layerOn(two, id, { id: "two", clock })];
  const space = await new SpaceManager({ clock }).loadSpace({ id }, layers);
  await manual.advance(10_000);
  one.write({}, id, editElsewhere(one, id, "before"));
  await manual.advance(100);
  aheadMs = -3_600_000;
  one.write({}, id, editElsewhere(one, id, "after"));
  await manual.advance(10_000);
  expect(contentOf(two)).toEqual(contentOf(one));
  await space.close();
});

test("operations that an observer merges while a layer's operations arrive go to every layer", async () => {
  const { id, one, two } = await spaceInTwoPlaces();
  const layers = [layerOn(one, id, { id: "one" }), layerOn(two, id, { id: "two" })];
  const space = await new SpaceManager().loadSpace({ id }, layers);
  await space.whenSynced();
  const live = editElsewhere(one, id, "from a live peer");
  let isMerged = false;
  space.tree.observeOpApplied(() => {
    if (isMerged) return;
    isMerged = true;
    space.tree.merge(live);
  });
  one.write({}, id, editElsewhere(one, id, "from the layer"));
  await until("it is merged", () => isMerged);
  await space.flush();
  for (const store of [one, two]) expect(contentOf(store)[id]!.join()).toContain("from a live peer");
  await space.close();
});
