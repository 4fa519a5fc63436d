import { expect, test } from "vitest";
import { FoldspaceError } from "../errors.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import { until } from "../testing/layer-bench.ts";
import { FaultyStore, type FaultyLayer } from "../testing/layer-faults.ts";
import { contentOf, copyInto, layerOn, makeSpace } from "../testing/space-rig.ts";
import { newId } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";
import type { Space } from "./space.ts";

interface Rig {
  readonly id: string;
  readonly store: FaultyStore;
  readonly layer: FaultyLayer;
  readonly manager: SpaceManager;
  readonly space: Space;
}

async function openRig(): Promise<Rig> {
  const [id, store, manager] = [newId(), new FaultyStore(), new SpaceManager()];
  await makeSpace(id, store);
  const layer = layerOn(store, id);
  const space = await manager.loadSpace({ id }, [layer]);
  await space.whenSynced();
  return { id, store, layer, manager, space };
}

/** Edits a space and expects the edit to be saved, now and by closing it. */
async function expectSaves(space: Space, store: MemoryStore): Promise<void> {
  space.tree.root!.newNamedChild("after opening anew");
  await space.flush();
  expect(store.read(space.id)).toHaveLength(space.tree.opCount);
  await space.close();
}

test("a space that was closed by itself is opened anew", async () => {
  const { id, store, manager, space } = await openRig();
  await space.close();
  expect([space.isClosed, manager.getSpace(id), manager.spaces]).toEqual([true, undefined, []]);
  const again = await manager.loadSpace({ id }, [layerOn(store, id)]);
  expect(again).not.toBe(space);
  await expectSaves(again, store);
});

test("asked for while it is being closed, a space is opened anew after that, also from the same layers", async () => {
  const { id, store, layer, manager, space } = await openRig();
  space.tree.root!.newNamedChild("saved while it is closed");
  const release = layer.hang("flush");
  const closing = manager.closeSpace(id);
  const loading = [manager.loadSpace({ id }, [layer]), manager.loadSpace({ id }, [layerOn(store, id)])];
  expect([manager.getSpace(id), manager.spaces]).toEqual([undefined, []]);
  release();
  await closing;
  const [again, alike] = await Promise.all(loading);
  expect(alike).toBe(again);
  expect(again).not.toBe(space);
  expect(again!.tree.root!.children.map(({ name }) => name)).toContain("saved while it is closed");
  await expectSaves(again!, store);
});

test("a space that could not save everything when it was closed is opened anew all the same", async () => {
  const { id, store, manager, space } = await openRig();
  store.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  space.tree.root!.newNamedChild("lost");
  const closing = space.close();
  const loading = manager.loadSpace({ id }, [layerOn(store, id)]);
  await expect(closing).rejects.toMatchObject({ code: "FOLD_NOT_DURABLE" });
  store.refuseWith = undefined;
  await expectSaves(await loading, store);
});

test("a second call to close a space waits for the same closing, and gets the same error", async () => {
  const { store, layer, manager, space } = await openRig();
  space.tree.root!.newNamedChild("not saved yet");
  store.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "no space left");
  const release = layer.hang("flush");
  const ends: string[] = [];
  const closings = [space.close(), space.close(), manager.closeSpace(space.id)];
  const ending = closings.map((closing) => closing.catch(({ code }: FoldspaceError) => void ends.push(code)));
  await new Promise((resolve) => setTimeout(resolve));
  expect(ends).toEqual([]);
  release();
  await Promise.all(ending);
  expect(ends).toEqual(["FOLD_NOT_DURABLE", "FOLD_NOT_DURABLE", "FOLD_NOT_DURABLE"]);
  expect(layer.isConnected()).toBe(false);
});

test("a layer that connects after opening was given up is released again", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  const layer = layerOn(store, id);
  const release = layer.hang("connect");
  const manager = new SpaceManager({ timeoutMs: 20, openTimeoutMs: 20 });
  await expect(manager.loadSpace({ id }, [layer])).rejects.toMatchObject({ code: "FOLD_TIMEOUT" });
  release();
  await until("it is released", () => layer.calls.filter((call) => call === "disconnect").length === 2);
  expect(layer.isConnected()).toBe(false);
  expect(layer.calls).not.toContain("loadTreeOps");
});

for (const step of ["connect", "loadTreeOps", "loadSecrets"] as const) {
  test(`a layer that was removed while it hung in ${step} gets nothing when it answers after all`, async () => {
    const [id, one] = [newId(), new MemoryStore()];
    await makeSpace(id, one);
    const two = copyInto(one, new FaultyStore());
    const before = contentOf(two);
    const slow = layerOn(two, id, { id: "slow" });
    const release = slow.hang(step);
    const space = await new SpaceManager({ timeoutMs: 20 }).loadSpace({ id }, [layerOn(one, id, { id: "one" }), slow]);
    await expect(space.removeLayer("slow")).rejects.toMatchObject({ code: "FOLD_NOT_DURABLE" });
    release();
    await until("it is released", () => !slow.isConnected());
    space.tree.root!.newNamedChild("not for it");
    await space.whenSynced();
    expect(space.status.layers.map((layer) => layer.id)).toEqual(["one"]);
    // its trees do not wait for its secrets
    if (step !== "loadSecrets") expect(slow.calls).not.toContain("startListening");
    expect(slow.calls).not.toContain("saveTreeOps");
    expect(contentOf(two)).toEqual(before);
    await space.close();
  });
}
