import { expect, test } from "vitest";
import { MemoryStore } from "../layers/memory-layer.ts";
import { until } from "../testing/layer-bench.ts";
import { contentOf, layerOn, outcomeOf, spaceInTwoPlaces } from "../testing/space-rig.ts";
import { newId } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";

const STEPS = ["disconnect", "stopListening", "listTrees", "flush", "rescan", "rescanTree", "saveTreeOps"] as const;

for (const step of STEPS) {
  test(`a layer that throws in ${step} instead of rejecting is released, and disturbs no other`, async () => {
    const { id, one, two } = await spaceInTwoPlaces();
    const manager = new SpaceManager({ timeoutMs: 300, relayGraceMs: 20 });
    const bad = layerOn(two, id, { id: "bad" });
    const space = await manager.loadSpace({ id }, [layerOn(one, id, { id: "good" }), bad]);
    await space.whenSynced();
    Object.defineProperty(bad, step, {
      configurable: true,
      value: () => {
        throw new TypeError("thrown in this test");
      },
    });
    await space.rescan();
    space.tree.root!.newNamedChild("kept in the other");
    expect(["resolved", "FOLD_NOT_DURABLE"]).toContain(await outcomeOf(manager.closeSpace(id)));
    expect(manager.spaces).toEqual([]);
    expect(contentOf(one)[id]!.join()).toContain("kept in the other");
    Reflect.deleteProperty(bad, step);
    const again = await manager.loadSpace({ id }, [bad]);
    await again.close();
  });
}

test("secrets that do not come keep a space from opening for no longer than any layer is waited for", async () => {
  const { id, one } = await spaceInTwoPlaces();
  const layer = layerOn(one, id);
  layer.hang("loadSecrets");
  const space = await new SpaceManager({ timeoutMs: 100, openTimeoutMs: 3_000 }).loadSpace({ id }, [layer]);
  space.tree.root!.newNamedChild("edited");
  await outcomeOf(space.close());
  expect(contentOf(one)[id]!.join()).toContain("edited");
});

test("making a space in a layer that hangs ends", async () => {
  const [id, manager] = [newId(), new SpaceManager({ timeoutMs: 50, openTimeoutMs: 100 })];
  const layer = layerOn(new MemoryStore(), id);
  layer.hang("connect");
  expect(await outcomeOf(manager.createSpace({ persistenceLayers: [layer] }))).toBe("FOLD_TIMEOUT");
  expect(manager.spaces).toEqual([]);
});

for (const step of ["connect", "loadTreeOps", "startListening"] as const) {
  test(`adding a layer that hangs in ${step} ends when it is removed, or the space is closed`, async () => {
    for (const end of ["removeLayer", "close"] as const) {
      const { id, one, two } = await spaceInTwoPlaces();
      const space = await new SpaceManager({ timeoutMs: 50 }).loadSpace({ id }, [layerOn(one, id, { id: "one" })]);
      const hanging = layerOn(two, id, { id: "two" });
      hanging.hang(step);
      const adding = outcomeOf(space.addLayer(hanging));
      await until("it hangs", () => hanging.calls.includes(step));
      await (end === "close" ? space.close() : space.removeLayer("two")).catch(() => undefined);
      expect(await adding).toBe("FOLD_CLOSED");
      await space.close().catch(() => undefined);
    }
  });
}

test("a layer that hangs delays neither a rescan nor the list of trees", async () => {
  const { id, treeId, one, two } = await spaceInTwoPlaces();
  const bad = layerOn(two, id, { id: "bad" });
  const space = await new SpaceManager({ timeoutMs: 100 }).loadSpace({ id }, [bad, layerOn(one, id, { id: "good" })]);
  await space.whenSynced();
  let release: (() => void) | undefined;
  bad.rescan = async () => await new Promise<void>((resolve) => (release = resolve));
  bad.hang("listTrees");
  expect(await outcomeOf(space.rescan())).toBe("resolved");
  expect(space.status.layers[0]!.error).toMatchObject({ code: "FOLD_TIMEOUT" });
  release?.();
  await until("it has looked", () => space.status.layers[0]!.error === undefined);
  expect(await space.listTrees()).toEqual([id, treeId]);
  await space.close();
});

test("a tree that is made while a removed layer is being disconnected does not wait for that layer", async () => {
  const { id, one, two } = await spaceInTwoPlaces();
  const bad = layerOn(two, id, { id: "bad" });
  const space = await new SpaceManager({ timeoutMs: 300 }).loadSpace({ id }, [layerOn(one, id, { id: "good" }), bad]);
  await space.whenSynced();
  bad.hang("disconnect");
  const removing = space.removeLayer("bad");
  await until("it is being disconnected", () => bad.calls.includes("disconnect"));
  expect(space.hasLayer("bad")).toBe(false);
  const { id: treeId } = space.newAppTree("notes", "More notes");
  await space.whenSynced();
  await removing;
  expect(one.treeIds).toContain(treeId);
  await space.close();
});
