import { expect, test } from "vitest";
import { FoldspaceError } from "../errors.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import { until } from "../testing/layer-bench.ts";
import type { FaultyLayer } from "../testing/layer-faults.ts";
import { layerOn, outcomeOf, spaceInTwoPlaces } from "../testing/space-rig.ts";
import { SpaceManager } from "./space-manager.ts";

/** Has a layer fail to connect, but only when that is asked for. @returns asks for it */
function failWhenAsked(layer: FaultyLayer): () => void {
  let fail: (() => void) | undefined;
  const asked = new Promise<void>((resolve) => (fail = resolve));
  layer.inner.connect = async () => {
    await asked;
    throw new FoldspaceError("FOLD_IO", "fails in this test");
  };
  return () => fail?.();
}

test("a space is closed when the last call that might hold it fails", async () => {
  const { id, one, two } = await spaceInTwoPlaces();
  const manager = new SpaceManager();
  const space = await manager.loadSpace({ id }, [layerOn(one, id, { id: "one" })]);
  const bad = layerOn(two, id, { id: "two" });
  const fail = failWhenAsked(bad);
  const further = manager.loadSpace({ id }, [bad]);
  await until("it is being added", () => bad.calls.includes("connect"));
  await manager.closeSpace(id);
  expect(space.isClosed).toBe(false);
  fail();
  await expect(further).rejects.toMatchObject({ code: "FOLD_IO" });
  await until("it is closed", () => space.isClosed && manager.spaces.length === 0);
});

test("a call given up while its layer is being added leaves no layer behind, and no holder", async () => {
  const { id, one, two } = await spaceInTwoPlaces();
  const manager = new SpaceManager();
  const space = await manager.loadSpace({ id }, [layerOn(one, id, { id: "one" })]);
  const hanging = layerOn(two, id, { id: "two" });
  const release = hanging.hang("connect");
  const giveUp = new AbortController();
  const further = manager.loadSpace({ id }, [hanging], { signal: giveUp.signal });
  await until("it is being added", () => hanging.calls.includes("connect"));
  giveUp.abort();
  await expect(further).rejects.toMatchObject({ name: "AbortError" });
  release();
  await until("the layer is gone", () => !space.hasLayer("two") && !hanging.isConnected());
  await manager.closeSpace(id);
  expect(space.isClosed).toBe(true);
});

test("a call whose own layers have the space gets it, also if it came while other layers failed to open it", async () => {
  const { id, one } = await spaceInTwoPlaces();
  const manager = new SpaceManager();
  const first = manager.loadSpace({ id }, [layerOn(new MemoryStore(), id, { id: "empty" })]);
  const second = manager.loadSpace({ id }, [layerOn(one, id, { id: "one" })]);
  await expect(first).rejects.toMatchObject({ code: "FOLD_NOT_FOUND" });
  expect((await second).isClosed).toBe(false);
  await manager.closeSpace(id);
  expect(manager.spaces).toEqual([]);
});

test("a further layer that another call fails to add is not dropped without a word", async () => {
  const { id, one, two } = await spaceInTwoPlaces();
  const manager = new SpaceManager();
  const space = await manager.loadSpace({ id }, [layerOn(one, id, { id: "one" })]);
  const bad = layerOn(two, id, { id: "two" });
  bad.fail("connect");
  const failing = manager.loadSpace({ id }, [bad]);
  const working = manager.loadSpace({ id }, [layerOn(two, id, { id: "two" })]);
  expect(await outcomeOf(failing)).toBe("FOLD_IO");
  expect(await working).toBe(space);
  expect(space.status.layers.map((layer) => layer.id)).toEqual(["one", "two"]);
  await space.close();
});
