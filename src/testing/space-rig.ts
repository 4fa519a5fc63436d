import { errorCode } from "../errors.ts";
import { MemoryPersistenceLayer, type MemoryStore, type MemoryLayerOptions } from "../layers/memory-layer.ts";
import { SpaceManager } from "../space/space-manager.ts";
import type { Space } from "../space/space.ts";
import { newId, ReplicatedTree, type VertexOperation } from "../tree/index.ts";
import { asSet } from "./layer-bench.ts";
import { FaultyLayer, FaultyStore } from "./layer-faults.ts";

/** A layer of a space on a store that a test can make fail and hang. */
export function layerOn(store: MemoryStore, spaceId: string, options: MemoryLayerOptions = {}): FaultyLayer {
  return new FaultyLayer(new MemoryPersistenceLayer(spaceId, { store, flushIntervalMs: 5, ...options }));
}

/** Opens a space from stores, works on it, and closes it, as another device would. */
export async function workOn(
  spaceId: string,
  stores: readonly MemoryStore[],
  work: (space: Space) => void | Promise<void>,
): Promise<void> {
  const layers = stores.map((store, index) => layerOn(store, spaceId, { id: `other ${index}` }));
  const space = await new SpaceManager().loadSpace({ id: spaceId }, layers);
  await space.whenSynced();
  await work(space);
  await space.close();
}

/** Makes a space in a store. */
export async function makeSpace(spaceId: string, store: MemoryStore): Promise<void> {
  const space = await new SpaceManager().createSpace({ persistenceLayers: [layerOn(store, spaceId)], name: "A space" });
  await space.close();
}

/** Copies a store into another, independent one. */
export function copyInto<S extends MemoryStore>(from: MemoryStore, to: S): S {
  to.spaceId = from.spaceId;
  for (const treeId of from.treeIds) to.write(from, treeId, from.read(treeId));
  return to;
}

/** The content of a store, for comparison. */
export function contentOf(store: MemoryStore): Record<string, string[]> {
  return Object.fromEntries(store.treeIds.map((treeId) => [treeId, asSet(store.read(treeId))]));
}

export interface TwoPlaces {
  readonly id: string;
  readonly treeId: string;
  readonly one: FaultyStore;
  readonly two: FaultyStore;
}

/** A space with one app tree, in two places with the same content. */
export async function spaceInTwoPlaces(): Promise<TwoPlaces> {
  const [id, one] = [newId(), new FaultyStore()];
  await makeSpace(id, one);
  let treeId = "";
  await workOn(id, [one], (space) => void (treeId = space.newAppTree("notes", "Notes").id));
  return { id, treeId, one, two: copyInto(one, new FaultyStore()) };
}

/** The operations of an edit of a tree on another device. */
export function editElsewhere(store: MemoryStore, treeId: string, name: string): VertexOperation[] {
  const elsewhere = new ReplicatedTree(newId(), store.read(treeId), { rootId: treeId });
  elsewhere.popLocalOps();
  elsewhere.root!.newNamedChild(name);
  return elsewhere.popLocalOps();
}

/** The outcome of a promise within a few seconds. */
export async function outcomeOf(task: Promise<unknown>): Promise<string> {
  const settled = task.then(
    () => "resolved",
    (error: unknown) => errorCode(error) ?? String(error),
  );
  return await Promise.race([settled, new Promise<string>((resolve) => void setTimeout(() => resolve("pending"), 4_000))]);
}
