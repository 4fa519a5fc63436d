import { expect, test } from "vitest";
import { testPersistenceLayer } from "../testing/layer-suite.ts";
import { newId } from "../tree/index.ts";
import { MemoryPersistenceLayer, MemoryStore } from "./memory-layer.ts";

testPersistenceLayer("MemoryPersistenceLayer", () => {
  const spaceId = newId();
  const store = new MemoryStore();
  return { spaceId, createLayer: (id = spaceId) => new MemoryPersistenceLayer(id, { store, flushIntervalMs: 10 }) };
});

test("a layer without a given store does not share its operations", async () => {
  const spaceId = newId();
  const [one, other] = [new MemoryPersistenceLayer(spaceId), new MemoryPersistenceLayer(spaceId)];
  for (const layer of [one, other]) await layer.connect({ peerId: newId(), create: true });
  void one.saveTreeOps(spaceId, [{ id: { counter: 1, peerId: "peer" }, targetId: "0", parentId: null }]);
  await one.flush();
  expect(await one.loadSpaceTreeOps()).toHaveLength(1);
  expect(await other.loadSpaceTreeOps()).toEqual([]);
  for (const layer of [one, other]) await layer.disconnect();
});
