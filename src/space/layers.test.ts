import { expect, test, vi } from "vitest";
import { FoldspaceError, type Problem } from "../errors.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import { Observable } from "../observable.ts";
import { until } from "../testing/layer-bench.ts";
import { FaultyLayer, FaultyStore } from "../testing/layer-faults.ts";
import { contentOf, copyInto, layerOn, makeSpace, workOn } from "../testing/space-rig.ts";
import { newId } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";

test("a layer that is added gets everything, also of trees that are not loaded, and gives what it has", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  let treeId = "";
  await workOn(id, [store], (space) => void (treeId = space.newAppTree("notes", "Notes").id));
  const elsewhere = copyInto(store, new MemoryStore());
  await workOn(id, [elsewhere], async (space) => {
    space.tree.root!.setProperty("title", "from elsewhere");
    (await space.loadAppTree(treeId)).root.newNamedChild("from elsewhere");
  });
  const space = await new SpaceManager().loadSpace({ id }, [layerOn(store, id, { id: "first" })]);
  await space.addLayer(layerOn(elsewhere, id, { id: "second" }));
  expect(space.tree.root!.getProperty("title")).toBe("from elsewhere");
  const fresh = new MemoryStore();
  await space.addLayer(layerOn(fresh, id, { id: "third" }), { create: true });
  await space.whenSynced();
  expect(contentOf(elsewhere)).toEqual(contentOf(store));
  expect(contentOf(fresh)).toEqual(contentOf(store));
  expect(space.status.layers.map((layer) => layer.id)).toEqual(["first", "second", "third"]);
  space.tree.root!.newNamedChild("later");
  await space.flush();
  expect(contentOf(fresh)).toEqual(contentOf(store));
  await space.close();
});

test("a layer that cannot be used is not added", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  const space = await new SpaceManager().loadSpace({ id }, [layerOn(store, id, { id: "first" })]);
  const other = newId();
  await expect(space.addLayer(layerOn(new MemoryStore(), other, { id: "other" }))).rejects.toMatchObject({
    code: "FOLD_SPACE_MISMATCH",
  });
  await expect(space.addLayer(layerOn(store, id, { id: "first" }))).rejects.toMatchObject({ code: "FOLD_BAD_ID" });
  const absent = layerOn(new MemoryStore(), id, { id: "absent" });
  await expect(space.addLayer(absent)).rejects.toMatchObject({ code: "FOLD_NOT_A_SPACE" });
  const failing = layerOn(copyInto(store, new MemoryStore()), id, { id: "failing" });
  failing.fail("loadTreeOps");
  await expect(space.addLayer(failing)).rejects.toMatchObject({ code: "FOLD_IO" });
  expect([absent.isConnected(), failing.isConnected()]).toEqual([false, false]);
  expect(space.status.layers.map((layer) => layer.id)).toEqual(["first"]);
  await space.whenSynced();
  await space.close();
  await expect(space.addLayer(layerOn(store, id, { id: "late" }))).rejects.toMatchObject({ code: "FOLD_CLOSED" });
});

test("a layer that is removed keeps what it has and gets nothing more", async () => {
  const [id, one] = [newId(), new MemoryStore()];
  await makeSpace(id, one);
  const two = copyInto(one, new MemoryStore());
  const layers = [layerOn(one, id, { id: "one" }), layerOn(two, id, { id: "two" })];
  const space = await new SpaceManager().loadSpace({ id }, layers);
  await space.whenSynced();
  space.tree.root!.newNamedChild("saved before it goes");
  await space.removeLayer("two");
  await space.removeLayer("two");
  const before = contentOf(two);
  await space.flush();
  expect(before).toEqual(contentOf(one));
  expect(layers[1]!.isConnected()).toBe(false);
  space.tree.root!.newNamedChild("not for it");
  await space.whenSynced();
  expect(contentOf(two)).toEqual(before);
  await workOn(id, [two], (other) => void other.tree.root!.newNamedChild("not heard"));
  expect(space.tree.root!.children.map((child) => child.name)).not.toContain("not heard");
  await space.addLayer(layerOn(two, id, { id: "two" }));
  await space.whenSynced();
  expect(contentOf(two)).toEqual(contentOf(one));
  await space.close();
});

test("removing a layer that cannot save reports what it lacks, and removes it", async () => {
  const [id, one] = [newId(), new MemoryStore()];
  await makeSpace(id, one);
  const two = copyInto(one, new FaultyStore());
  const hanging = layerOn(copyInto(one, new MemoryStore()), id, { id: "hanging" });
  hanging.hang("connect");
  const layers = [layerOn(one, id, { id: "one" }), layerOn(two, id, { id: "two" }), hanging];
  const space = await new SpaceManager({ timeoutMs: 60 }).loadSpace({ id }, layers);
  await until("two is read", () => !space.status.layers[1]!.isLoading);
  two.refuseWith = new FoldspaceError("FOLD_READ_ONLY", "read only");
  space.tree.root!.setProperty("title", "lost there");
  await expect(space.removeLayer("two")).rejects.toMatchObject({
    code: "FOLD_NOT_DURABLE",
    data: { layers: [{ id: "two", pendingOps: 1, code: "FOLD_READ_ONLY" }] },
  });
  await expect(space.removeLayer("hanging")).rejects.toMatchObject({ code: "FOLD_NOT_DURABLE" });
  expect(space.status.layers.map((layer) => layer.id)).toEqual(["one"]);
  await space.whenSynced();
  await space.close();
});

test("a layer that fails affects neither the lists nor the rescans of the others", async () => {
  const [id, one] = [newId(), new MemoryStore()];
  await makeSpace(id, one);
  let treeId = "";
  await workOn(id, [one], (space) => void (treeId = space.newAppTree("notes", "Notes").id));
  const layers = [layerOn(copyInto(one, new MemoryStore()), id, { id: "failing" }), layerOn(one, id, { id: "one" })] as const;
  const space = await new SpaceManager().loadSpace({ id }, layers);
  await space.whenSynced();
  layers[0].fail("listTrees");
  vi.spyOn(layers[0], "rescan").mockRejectedValue(new FoldspaceError("FOLD_FOLDER_LOST", "gone"));
  expect(await space.listTrees()).toEqual([id, treeId]);
  expect(space.status.layers).toMatchObject([
    { id: "failing", error: { code: "FOLD_IO" } },
    { id: "one", error: undefined },
  ]);
  await space.rescan();
  expect(space.status.layers[0]).toMatchObject({ id: "failing", error: { code: "FOLD_FOLDER_LOST" } });
  layers[1].fail("listTrees", new FoldspaceError("FOLD_PERMISSION", "not allowed"));
  await expect(space.listTrees()).rejects.toMatchObject({ code: "FOLD_IO" });
  // all that was made here is there
  await space.close();
});

/** A layer with problems that a test makes up. */
class TroubledLayer extends FaultyLayer {
  readonly made = new Observable<readonly Problem[]>([]);

  override get problems(): readonly Problem[] {
    return this.made.value;
  }

  override observeProblems(listener: (problems: readonly Problem[]) => void): () => void {
    return this.made.observe(listener);
  }
}

test("problems of all layers are reported, in the order of the layers", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  const stores = { one: store, two: copyInto(store, new MemoryStore()) };
  const [one, two] = Object.entries(stores).map(([name, each]) => new TroubledLayer(layerOn(each, id, { id: name }))) as [
    TroubledLayer,
    TroubledLayer,
  ];
  const space = await new SpaceManager().loadSpace({ id }, [one, two]);
  await space.whenSynced();
  const told: number[] = [];
  const end = space.observeProblems((problems) => told.push(problems.length));
  const problem = (file: string): Problem => ({ code: "FOLD_BAD_LINE", reason: "no operation", file });
  two.made.value = [problem("c"), problem("d")];
  one.made.value = [problem("a")];
  one.made.value = [problem("a"), problem("b")];
  const files = (): (string | undefined)[] => space.problems.map(({ file }) => file);
  expect(files()).toEqual(["a", "b", "c", "d"]);
  const before = space.problems;
  space.tree.root!.setProperty("title", "changes no problem");
  await space.flush();
  expect(space.problems).toBe(before);
  expect(told).toEqual([2, 3, 4]);
  await space.removeLayer("one");
  expect(files()).toEqual(["c", "d"]);
  end();
  await space.close();
});
