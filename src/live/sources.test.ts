import { expect, test } from "vitest";
import { MemoryStore } from "../layers/memory-layer.ts";
import { layerOn } from "../testing/space-rig.ts";
import { BIN_ID, newId, ReplicatedTree, type Vertex } from "../tree/index.ts";
import { SpaceManager } from "../space/space-manager.ts";
import { secretsSource, statusSource } from "./space-sources.ts";
import { childrenSource, vertexSource } from "./vertex-source.ts";

function twoReplicas(): { here: ReplicatedTree; there: ReplicatedTree; root: Vertex } {
  const here = new ReplicatedTree("here");
  const root = here.createRoot();
  return { here, there: here.replicate("there"), root };
}

test("a snapshot is the same object until something of the vertex changes", () => {
  const { here, root } = twoReplicas();
  const list = root.newNamedChild("List", { tags: ["a"] });
  const source = vertexSource(list);
  const first = source.get();
  expect(first).toEqual({ id: list.id, name: "List", parentId: root.id, properties: list.getProperties() });
  root.newNamedChild("Another");
  list.newNamedChild("Milk");
  list.setProperty("tags", ["a"]);
  expect([source.get(), vertexSource(here.getVertex(list.id)!)]).toEqual([first, source]);
  expect(source.get()).toBe(first);
  list.setProperty("amount", 2);
  expect(source.get()).not.toBe(first);
  expect(first.properties["amount"]).toBeUndefined();
  expect(Object.isFrozen(source.get().properties)).toBe(true);
});

test("an edit made here is noticed during the call, one that arrives in a microtask", async () => {
  const { here, there, root } = twoReplicas();
  const seen: unknown[] = [];
  const source = vertexSource(root);
  const end = source.subscribe(() => seen.push(source.get().properties["title"]));
  root.setProperty("title", "typed");
  expect(seen).toEqual(["typed"]);
  await Promise.resolve();
  there.merge(here.getAllOps());
  there.root!.setProperty("title", "from there");
  const count = seen.length;
  here.merge(there.popLocalOps());
  expect(seen).toHaveLength(count);
  await Promise.resolve();
  expect(seen.at(-1)).toBe("from there");
  end();
  root.setProperty("title", "unheard");
  await Promise.resolve();
  expect(seen.at(-1)).toBe("from there");
});

test("a list of children is noticed during the edit that adds, changes, moves or deletes a child", () => {
  const { root } = twoReplicas();
  const [one, two] = [root.newNamedChild("one"), root.newNamedChild("two")];
  const names = (source: typeof ofOne): (string | undefined)[] => source.get().map(({ name }) => name);
  const [ofOne, ofTwo] = [childrenSource(one), childrenSource(two)];
  const seen: string[] = [];
  for (const [label, source] of [["one", ofOne] as const, ["two", ofTwo] as const]) {
    source.get();
    source.subscribe(() => seen.push(`${label}: ${names(source).join()}`));
  }
  const last = (): string[] => [...new Set(seen.splice(0).slice(-2))].sort();
  const child = one.newNamedChild("a");
  expect(last()).toEqual(["one: a"]);
  child.name = "b";
  expect(last()).toEqual(["one: b"]);
  child.moveTo(two);
  expect(last()).toEqual(["one: ", "two: b"]);
  child.delete();
  expect(last()).toEqual(["two: "]);
  expect(child.parentId).toBe(BIN_ID);
});

test("a tree is observed once for any number of vertices, and not without subscribers", () => {
  const { here, root } = twoReplicas();
  const calls: string[] = [];
  const observeOpApplied = here.observeOpApplied.bind(here);
  here.observeOpApplied = (listener) => {
    calls.push("observed");
    const end = observeOpApplied(listener);
    return () => {
      calls.push("ended");
      end();
    };
  };
  const ends = Array.from({ length: 5 }, () => vertexSource(root.newChild()).subscribe(() => undefined));
  ends.push(childrenSource(root).subscribe(() => undefined));
  expect(calls).toEqual(["observed"]);
  for (const end of [...ends, ...ends]) end();
  expect(calls).toEqual(["observed", "ended"]);
});

test("secrets have one snapshot until they change, and the status is that of the space", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  const space = await new SpaceManager().openOrCreate({ persistenceLayers: [layerOn(store, id)] });
  const source = secretsSource(space.secrets);
  const seen: unknown[] = [];
  source.subscribe(() => seen.push(source.get().values));
  const first = source.get();
  expect(first).toEqual({ protection: "none", values: {} });
  expect(source.get()).toBe(first);
  space.secrets.set("key", "1234");
  expect(seen).toEqual([{ key: "1234" }]);
  expect(statusSource(space).get()).toBe(space.status);
  await space.close();
});

test("in a transaction, listeners are called at its end, when all of it is there", () => {
  const tree = new ReplicatedTree("here");
  const root = tree.createRoot("root");
  const source = childrenSource(root);
  const seen: number[] = [];
  const stop = source.subscribe(() => seen.push(source.get().length));
  tree.transact(() => {
    root.newChild();
    root.newChild();
    expect(seen).toEqual([]);
  });
  expect(new Set(seen)).toEqual(new Set([2]));
  stop();
});
