import { MAX_COUNTER, MAX_CLOCK } from "../limits.ts";
import { expect, test } from "vitest";
import { MemoryStore } from "../layers/memory-layer.ts";
import { FaultyStore } from "../testing/layer-faults.ts";
import { contentOf, copyInto, layerOn, makeSpace, workOn } from "../testing/space-rig.ts";
import { newId, type VertexOperation } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";

// The effects of one line in a folder whose other lines belong to a space.

function property(counter: number, targetId: string, key: string, value: string): VertexOperation {
  return { id: { counter, peerId: "foreign" }, targetId, key, value, transient: false };
}

test("a layer with the highest counters is merged, and what they have not decided is edited as ever", async () => {
  const [id, fast] = [newId(), new MemoryStore()];
  await makeSpace(id, fast);
  const slow = copyInto(fast, new FaultyStore());
  slow.write(slow, id, [property(MAX_COUNTER, id, "last", "theirs"), property(MAX_CLOCK + 7, id, "text", "theirs")]);
  const slowLayer = layerOn(slow, id, { id: "slow" });
  const release = slowLayer.hang("connect");
  const space = await new SpaceManager().loadSpace({ id }, [layerOn(fast, id, { id: "fast" }), slowLayer]);
  const root = space.tree.root!;
  root.setProperties({ last: "mine", text: "mine" });
  release();
  await space.whenSynced();
  expect(root.getProperties()).toMatchObject({ last: "theirs", text: "mine" });
  expect(() => root.setProperty("last", "mine")).toThrow(expect.objectContaining({ code: "FOLD_COUNTER_EXHAUSTED" }));
  root.newNamedChild("here");
  await space.flush();
  await space.close();
  await workOn(id, [slow, fast], ({ tree }) => {
    expect(tree.root!.getProperty("text")).toBe("mine");
    tree.root!.setProperty("text", "elsewhere");
    tree.root!.newNamedChild("elsewhere");
  });
  await workOn(id, [fast], ({ tree }) => {
    expect(tree.root!.children.map((child) => child.name)).toEqual(expect.arrayContaining(["here", "elsewhere"]));
    expect(tree.root!.getProperty("text")).toBe("elsewhere");
  });
  expect(contentOf(slow)).toEqual(contentOf(fast));
});

test("operations made above the clock, and below it again, come back as our own", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  store.write(store, id, [property(MAX_CLOCK + 7, id, "text", "theirs")]);
  // the other layer reports the operations given to this one
  const mirror = copyInto(store, new MemoryStore());
  store.observe((_writer, treeId, ops) => mirror.write({}, treeId, ops));
  const layers = [layerOn(store, id, { id: "one" }), layerOn(mirror, id, { id: "two" })];
  const space = await new SpaceManager().loadSpace({ id }, layers);
  await space.whenSynced();
  const { peerId } = space.tree;
  const root = space.tree.root!;
  for (let round = 0; round < 5; round++) {
    root.setProperty("text", `${round}`);
    root.setProperty("other", `${round}`);
    await space.flush();
  }
  expect(space.tree.peerId).toBe(peerId);
  expect(space.problems).toEqual([]);
  await space.close();
});
