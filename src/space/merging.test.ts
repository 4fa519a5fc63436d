import { expect, test } from "vitest";
import { MemoryStore } from "../layers/memory-layer.ts";
import { until } from "../testing/layer-bench.ts";
import { FaultyStore, type FaultyLayer } from "../testing/layer-faults.ts";
import { contentOf, copyInto, layerOn, makeSpace, workOn } from "../testing/space-rig.ts";
import { newId, ReplicatedTree } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";
import type { Space } from "./space.ts";

interface TwoLayers {
  readonly id: string;
  readonly fast: MemoryStore;
  readonly slow: FaultyStore;
}

/** A space in two stores that have both what `common` does. */
async function twoStores(common: (space: Space) => void | Promise<void> = () => undefined): Promise<TwoLayers> {
  const [id, fast] = [newId(), new MemoryStore()];
  await makeSpace(id, fast);
  await workOn(id, [fast], common);
  return { id, fast, slow: copyInto(fast, new FaultyStore()) };
}

interface HalfOpen {
  readonly space: Space;
  readonly slowLayer: FaultyLayer;
  /** Lets the slow layer answer, and waits until everyone has everything. */
  readonly arrive: () => Promise<void>;
}

/** Opens the space from the fast store while the slow one hangs in a step. */
async function openHalf({ id, fast, slow }: TwoLayers, step: "connect" | "loadTreeOps" = "connect"): Promise<HalfOpen> {
  const slowLayer = layerOn(slow, id, { id: "slow" });
  const release = slowLayer.hang(step);
  const space = await new SpaceManager().loadSpace({ id }, [layerOn(fast, id, { id: "fast" }), slowLayer]);
  const arrive = async (): Promise<void> => {
    release();
    await space.whenSynced();
  };
  return { space, slowLayer, arrive };
}

test("edits reach every layer, and operations that one layer reports reach the others, without coming back", async () => {
  const stores = await twoStores();
  const { id, fast, slow } = stores;
  const third = copyInto(fast, new FaultyStore());
  const layers = [layerOn(fast, id, { id: "fast" }), layerOn(slow, id, { id: "slow" }), layerOn(third, id, { id: "third" })];
  const space = await new SpaceManager().loadSpace({ id }, layers);
  await space.whenSynced();
  space.tree.root!.newNamedChild("edited here");
  await space.flush();
  const [slowWritten, thirdWritten] = [slow.written, third.written];
  await workOn(id, [fast], (other) => void other.tree.root!.newNamedChild("edited elsewhere"));
  await until("it has arrived", () => space.tree.root!.children.some((child) => child.name === "edited elsewhere"));
  await space.whenSynced();
  expect(contentOf(slow)).toEqual(contentOf(fast));
  expect(contentOf(third)).toEqual(contentOf(fast));
  const grown = fast.read(id).filter((op) => !("parentId" in op)).length;
  expect(grown).toBeGreaterThan(0);
  expect(slow.written - slowWritten).toBe(third.written - thirdWritten);
  expect(slow.written).toBe(slow.read(id).length);
  await space.close();
});

test("layers that have the same are handed nothing, also where they are merged in turns", async () => {
  const stores = await twoStores();
  await workOn(stores.id, [stores.fast, stores.slow], ({ tree }) => {
    for (let count = 0; count < 5_000; count++) tree.root!.newNamedChild(`vertex ${count}`);
  });
  const fast = copyInto(stores.fast, new FaultyStore());
  const written = (): number[] => [fast.written, stores.slow.written];
  const before = written();
  await workOn(stores.id, [fast, stores.slow], () => undefined);
  expect(written()).toEqual(before);
});

test("an app tree that was loaded before a layer arrived gets what that layer has, and the other way round", async () => {
  let treeId = "";
  const stores = await twoStores((space) => void (treeId = space.newAppTree("notes", "Notes").id));
  await workOn(stores.id, [stores.slow], async (other) => void (await other.loadAppTree(treeId)).root.newNamedChild("slow"));
  const { space, arrive } = await openHalf(stores);
  const notes = await space.loadAppTree(treeId);
  notes.root.newNamedChild("here");
  expect(notes.root.children.map((child) => child.name)).toEqual(["here"]);
  await arrive();
  expect(notes.root.children.map((child) => child.name).sort()).toEqual(["here", "slow"]);
  expect(contentOf(stores.slow)).toEqual(contentOf(stores.fast));
  await space.close();
});

test("an app tree made before a layer arrived reaches it", async () => {
  const stores = await twoStores();
  const { space, arrive } = await openHalf(stores);
  const notes = space.newAppTree("notes", "Notes");
  notes.root.newNamedChild("first");
  await arrive();
  notes.root.newNamedChild("second");
  await space.flush();
  expect(contentOf(stores.slow)).toEqual(contentOf(stores.fast));
  expect(Object.keys(contentOf(stores.slow))).toContain(notes.id);
  await space.close();
});

test("app trees that are not loaded are kept the same in all layers, and stay unloaded", async () => {
  const trees: string[] = [];
  const stores = await twoStores((space) => {
    for (const name of ["a", "b", "c"]) trees.push(space.newAppTree("notes", name).id);
  });
  const edit = async (store: MemoryStore, treeId: string, name: string): Promise<void> =>
    await workOn(stores.id, [store], async (space) => void (await space.loadAppTree(treeId)).root.newNamedChild(name));
  await edit(stores.fast, trees[0]!, "in the fast one");
  await edit(stores.slow, trees[0]!, "in the slow one");
  await edit(stores.slow, trees[1]!, "in the slow one");
  await workOn(stores.id, [stores.fast], (space) => void space.newAppTree("notes", "only in the fast one"));
  await workOn(stores.id, [stores.slow], (space) => void space.newAppTree("notes", "only in the slow one"));
  const { space, arrive } = await openHalf(stores);
  await arrive();
  expect(contentOf(stores.slow)).toEqual(contentOf(stores.fast));
  expect(space.getLoadedTree(trees[0]!)).toBeUndefined();
  // and what comes for them later
  const unloaded: string[] = [];
  space.observeUnloadedTrees((treeId) => unloaded.push(treeId));
  await edit(stores.slow, trees[2]!, "later");
  await until("it was reported", () => unloaded.includes(trees[2]!));
  await space.whenSynced();
  expect(contentOf(stores.slow)).toEqual(contentOf(stores.fast));
  expect(space.getLoadedTree(trees[2]!)).toBeUndefined();
  await space.close();
});

for (const step of ["connect", "loadTreeOps"] as const) {
  test(`an edit made while a slower layer hangs in ${step} stays, whatever that layer holds`, async () => {
    const stores = await twoStores();
    await workOn(stores.id, [stores.slow], (other) => {
      for (let count = 0; count < 30; count++) other.tree.root!.setProperty("title", `older ${count}`);
    });
    const { space, arrive } = await openHalf(stores, step);
    for (const title of ["first", "second", "third"]) space.tree.root!.setProperty("title", title);
    await arrive();
    expect(space.tree.root!.getProperty("title")).toBe("third");
    // once, and only the last
    const titles = stores.slow.read(stores.id).filter((op) => "key" in op && op.key === "title" && op.id.peerId === space.peerId);
    expect(titles.map((op) => "value" in op && op.value).sort()).toEqual(["first", "second", "third", "third"]);
    expect(contentOf(stores.slow)).toEqual(contentOf(stores.fast));
    await space.close();
  });
}

test("a move made before a slower layer arrived stays, and one that would make a cycle now is left out", async () => {
  let ids: string[] = [];
  const stores = await twoStores((space) => {
    ids = ["a", "b", "c", "d", "e"].map((name) => space.tree.root!.newNamedChild(name).id);
  });
  const [a, b, c, d, e] = ids as [string, string, string, string, string];
  await workOn(stores.id, [stores.slow], ({ tree }) => {
    for (let count = 0; count < 30; count++) tree.root!.setProperty("count", count);
    tree.moveVertex(a, b);
    tree.moveVertex(d, e);
    tree.moveVertex(c, d);
  });
  const { space, arrive } = await openHalf(stores);
  space.tree.moveVertex(a, c);
  space.tree.moveVertex(d, c);
  await arrive();
  expect(space.tree.getVertex(a)!.parent!.id).toBe(c);
  expect(space.tree.getVertex(c)!.parent!.id).toBe(d);
  expect(space.tree.getVertex(d)!.parent!.id).toBe(e);
  await space.close();
  await workOn(stores.id, [stores.slow], ({ tree }) => expect(tree.getVertex(a)!.parent!.id).toBe(c));
});

test("a deletion made before a slower layer arrived stays, and what was deleted there stays so", async () => {
  let ids: string[] = [];
  const stores = await twoStores((space) => {
    ids = ["a", "b"].map((name) => space.tree.root!.newNamedChild(name).id);
  });
  const [a, b] = ids as [string, string];
  await workOn(stores.id, [stores.slow], ({ tree }) => {
    for (let count = 0; count < 30; count++) tree.root!.setProperty("count", count);
    tree.moveVertex(a, b);
    tree.deleteVertex(b);
  });
  const { space, arrive } = await openHalf(stores);
  space.tree.deleteVertex(a);
  space.tree.getVertex(b)!.setProperty("text", "edited");
  await arrive();
  expect(space.tree.root!.children.map((child) => child.name)).toEqual(["app-forest"]);
  await space.close();
});

test("nothing is made again when the slower layer brings nothing newer", async () => {
  const stores = await twoStores((space) => space.tree.root!.setProperty("title", "old"));
  const { space, arrive } = await openHalf(stores);
  space.tree.root!.setProperty("title", "new");
  const count = space.tree.opCount;
  await arrive();
  expect(space.tree.opCount).toBe(count);
  await space.close();
});

test("several slow layers with the same newer operations have an edit made again once", async () => {
  const stores = await twoStores();
  await workOn(stores.id, [stores.slow], (other) => {
    for (let count = 0; count < 30; count++) other.tree.root!.setProperty("title", `older ${count}`);
  });
  const alike = copyInto(stores.slow, new MemoryStore());
  const layers = [stores.slow, alike].map((store, index) => layerOn(store, stores.id, { id: `slow ${index}` }));
  const releases = layers.map((layer) => layer.hang("connect"));
  const space = await new SpaceManager().loadSpace({ id: stores.id }, [layerOn(stores.fast, stores.id), ...layers]);
  space.tree.root!.setProperty("title", "mine");
  const before = space.tree.opCount;
  releases[0]!();
  await until("the first has arrived", () => !space.status.layers[1]!.isLoading);
  expect(space.tree.opCount).toBe(before + 30 + 1);
  releases[1]!();
  await space.whenSynced();
  expect(space.tree.opCount).toBe(before + 30 + 1);
  expect(space.tree.root!.getProperty("title")).toBe("mine");
  expect(contentOf(alike)).toEqual(contentOf(stores.fast));
  await space.close();
});

test("an edit that came after the last layer had answered is not made again", async () => {
  const stores = await twoStores();
  const { space, arrive } = await openHalf(stores);
  await arrive();
  space.tree.root!.setProperty("title", "mine");
  await space.flush();
  await workOn(stores.id, [stores.slow], (other) => other.tree.root!.setProperty("title", "theirs, later"));
  await until("it has arrived", () => space.tree.root!.getProperty("title") === "theirs, later");
  await space.whenSynced();
  expect(space.tree.root!.getProperty("title")).toBe("theirs, later");
  await space.close();
});

test("an edit that lost to an older one is not made again above a later edit by another peer", async () => {
  const stores = await twoStores();
  await workOn(stores.id, [stores.slow], (other) => {
    for (let count = 0; count < 30; count++) other.tree.root!.setProperty("title", `older ${count}`);
  });
  const { space, arrive } = await openHalf(stores);
  space.tree.root!.setProperty("title", "mine");
  const elsewhere = new ReplicatedTree(newId(), stores.slow.read(stores.id), { rootId: stores.id });
  elsewhere.root!.setProperty("title", "theirs, later");
  stores.fast.write({}, stores.id, elsewhere.popLocalOps());
  expect(space.tree.root!.getProperty("title")).toBe("theirs, later");
  await arrive();
  expect(space.tree.root!.getProperty("title")).toBe("theirs, later");
  await space.close();
});

test("a layer that lost everything is filled again, with the trees that are not loaded", async () => {
  let treeId = "";
  const stores = await twoStores((space) => void (treeId = space.newAppTree("notes", "Notes").id));
  const lost = new MemoryStore();
  lost.spaceId = stores.id;
  await workOn(stores.id, [stores.fast, lost], () => undefined);
  expect(Object.keys(contentOf(lost))).toContain(treeId);
  expect(contentOf(lost)).toEqual(contentOf(stores.fast));
});

test("an app tree that no layer has is an error, and can be asked for again", async () => {
  const stores = await twoStores();
  const { space, arrive } = await openHalf(stores);
  await arrive();
  const treeId = newId();
  for (let attempt = 0; attempt < 2; attempt++)
    await expect(space.loadAppTree(treeId)).rejects.toMatchObject({ code: "FOLD_NO_TREE" });
  expect(space.getLoadedTree(treeId)).toBeUndefined();
  await expect(space.loadAppTree("../x")).rejects.toMatchObject({ code: "FOLD_BAD_ID" });
  await space.close();
  await expect(space.loadAppTree(treeId)).rejects.toMatchObject({ code: "FOLD_CLOSED" });
});
