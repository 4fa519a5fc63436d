import { expect, test } from "vitest";
import { MemoryStore } from "../layers/memory-layer.ts";
import { outcome } from "./batcher-bench.ts";
import { TestPeer } from "./layer-bench.ts";
import { layerOn } from "./space-rig.ts";

test("a flush waits for hanging saves, because it covers all earlier saves", async () => {
  const store = new MemoryStore();
  const layer = layerOn(store, "space");
  await layer.connect({ peerId: "peer", create: true });
  const release = layer.hang("saveTreeOps");
  const saving = layer.saveTreeOps("tree", [new TestPeer("peer").set(1)]);
  const flushed = outcome(layer.flush());
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([flushed.state, store.read("tree")]).toEqual(["pending", []]);
  release();
  await saving;
  await layer.disconnect();
  expect(store.read("tree")).toHaveLength(1);
});

test("a step whose answer hangs has been executed", async () => {
  const store = new MemoryStore();
  const layer = layerOn(store, "space", { flushIntervalMs: Infinity });
  await layer.connect({ peerId: "peer", create: true });
  const release = layer.hang("flush", "answer");
  const saving = layer.saveTreeOps("tree", [new TestPeer("peer").set(1)]);
  const flushed = outcome(layer.flush());
  await saving;
  expect([flushed.state, store.read("tree").length]).toEqual(["pending", 1]);
  release();
  await expect.poll(() => flushed.state).toBe("resolved");
  await layer.disconnect();
});
