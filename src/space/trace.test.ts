import { expect, test } from "vitest";
import { FoldspaceError } from "../errors.ts";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import { MemoryStore } from "../layers/memory-layer.ts";
import { until } from "../testing/layer-bench.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { copyInto, editElsewhere, layerOn, makeSpace } from "../testing/space-rig.ts";
import { FaultyStore } from "../testing/layer-faults.ts";
import type { TraceEvent, TraceOptions } from "../trace.ts";
import { newId } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";
import type { Space } from "./space.ts";

interface Folder {
  readonly id: string;
  /** Opens the folder in one more instance. */
  readonly open: (trace?: TraceOptions["listener"] | TraceOptions) => Promise<Space>;
}

async function folderWithSpace(): Promise<Folder> {
  const [id, fs] = [newId(), new MemoryFileSystem()];
  const layer = (): FileSystemPersistenceLayer =>
    new FileSystemPersistenceLayer("/home/space", id, { fs, id: "folder", flushIntervalMs: 5 });
  const maker = await new SpaceManager().createSpace({ id, persistenceLayers: [layer()] });
  await maker.close();
  return { id, open: async (trace) => await new SpaceManager({ trace }).loadSpace({ id }, [layer()]) };
}

/** One operation's hops, each with the instance that it took place in. */
function hopsOf(events: readonly TraceEvent[], opId: string, names: Readonly<Record<string, string>>): string[] {
  return events.filter(({ opIds }) => opIds.includes(opId)).map(({ hop, peerId }) => `${names[peerId]}: ${hop}`);
}

test("an edit is followed from one instance into another by its id", async () => {
  const { id, open } = await folderWithSpace();
  const events: TraceEvent[] = [];
  const [one, two] = [await open((event) => events.push(event)), await open((event) => events.push(event))];
  await Promise.all([one.whenSynced(), two.whenSynced()]);
  const former = events.length;
  one.tree.root!.setProperty("title", "a value that is nobody else's business");
  await until("the edit is shown in the other instance", () => two.tree.root!.getProperty("title") !== undefined);

  const [made] = events.slice(former);
  const [opId] = made!.opIds;
  expect(hopsOf(events, opId!, { [one.peerId]: "one", [two.peerId]: "two" })).toEqual([
    "one: made",
    "one: queued",
    "one: saved",
    "two: read",
    "two: merged",
  ]);
  const saved = events.find(({ hop, opIds }) => hop === "saved" && opIds.includes(opId!));
  const read = events.find(({ hop, opIds }) => hop === "read" && opIds.includes(opId!));
  expect(read).toMatchObject({ spaceId: id, treeId: id, layerId: "folder", file: saved!.file, opCount: 1 });
  expect(read!.file).toMatch(new RegExp(`/${one.peerId}\\.jsonl$`));
  // the file system's hint names the folder of that file, before it is read
  const hint = events.findIndex(({ hop, peerId, treeId }) => hop === "hint" && peerId === two.peerId && treeId === id);
  expect(hint).toBeGreaterThan(-1);
  expect(hint).toBeLessThan(events.indexOf(read!));
  expect(read!.file!.startsWith(`${events[hint]!.file}/`)).toBe(true);
  expect(JSON.stringify(events)).not.toContain("business");
  await Promise.all([one.close(), two.close()]);
});

test("a filter passes one operation only, out of whatever batch it is in", async () => {
  const { id, open } = await folderWithSpace();
  const events: TraceEvent[] = [];
  const one = await open();
  const { opCount } = one.tree;
  const opId = `${opCount + 60}@${one.peerId}`;
  const two = await open({ listener: (event) => events.push(event), treeId: id.slice(0, 8), opId: opId.slice(0, -4) });
  await two.whenSynced();
  for (let edit = 1; edit <= 100; edit++) one.tree.root!.setProperty("count", edit);
  await until("all edits have arrived", () => two.tree.root!.getProperty("count") === 100);
  const ofOps = events.filter(({ opIds }) => opIds.length > 0);
  expect(ofOps.map(({ hop, opIds }) => [hop, ...opIds])).toEqual([
    ["read", opId],
    ["merged", opId],
  ]);
  await Promise.all([one.close(), two.close()]);
});

test("what one layer brings and another lacks is traced as relayed, and what is not in memory as unopened", async () => {
  const [id, one, clock] = [newId(), new MemoryStore(), new ManualClock()];
  await makeSpace(id, one);
  const two = copyInto(one, new MemoryStore());
  const events: TraceEvent[] = [];
  const layers = [layerOn(one, id, { id: "one", clock }), layerOn(two, id, { id: "two", clock })];
  const space = await new SpaceManager({ clock, trace: (event) => events.push(event) }).loadSpace({ id }, layers);
  await clock.advance(10_000);
  const ops = editElsewhere(one, id, "made elsewhere");
  const opId = `${ops[0]!.id.counter}@${ops[0]!.id.peerId}`;
  one.write({}, id, ops);
  await clock.advance(30_000);
  const hops = events.filter(({ opIds }) => opIds.includes(opId)).map(({ hop, layerId }) => `${layerId}: ${hop}`);
  expect(hops).toEqual(["one: read", "one: merged", "two: relayed", "two: saved"]);

  const unopened = newId();
  one.write({}, unopened, [{ id: { counter: 1, peerId: newId() }, targetId: unopened, parentId: null }]);
  await clock.advance(0);
  expect(events).toContainEqual(expect.objectContaining({ hop: "unopened", treeId: unopened, layerId: "one" }));
  await space.close();
});

test("what a layer cannot save is traced with the error's code", async () => {
  const [id, store, clock] = [newId(), new FaultyStore(), new ManualClock()];
  await makeSpace(id, store);
  const events: TraceEvent[] = [];
  const space = await new SpaceManager({ clock, trace: (event) => events.push(event) }).loadSpace({ id }, [
    layerOn(store, id, { id: "layer", clock }),
  ]);
  store.refuseWith = new FoldspaceError("FOLD_DISK_FULL", "No space left");
  space.tree.root!.setProperty("title", "new");
  await clock.advance(10);
  const ofHop = (wanted: string): TraceEvent => events.find(({ hop }) => hop === wanted)!;
  const { opIds } = ofHop("made");
  expect(ofHop("failed")).toMatchObject({ treeId: id, layerId: "layer", code: "FOLD_DISK_FULL", opIds, opCount: 1 });
  store.refuseWith = undefined;
  await clock.advance(60_000);
  await space.close();
});

test("a trace function that throws gets no more events, is a problem, and disturbs nothing", async () => {
  const { open } = await folderWithSpace();
  let calls = 0;
  const one = await open(() => {
    calls++;
    throw new Error("the console is gone");
  });
  const two = await open();
  one.tree.root!.setProperty("title", "arrives");
  await until("the edit has arrived", () => two.tree.root!.getProperty("title") === "arrives");
  two.tree.root!.setProperty("title", "answered");
  await until("the answer has arrived", () => one.tree.root!.getProperty("title") === "answered");
  expect(calls).toBe(1);
  expect(one.problems).toEqual([
    { code: "FOLD_IO", reason: "the trace function threw, and gets no more events: the console is gone" },
  ]);
  await Promise.all([one.close(), two.close()]);
});

test("layers are given no trace while tracing is off", async () => {
  const [id, store] = [newId(), new MemoryStore()];
  await makeSpace(id, store);
  const layer = layerOn(store, id);
  const sessions: unknown[] = [];
  const connect = layer.connect.bind(layer);
  layer.connect = async (session) => {
    sessions.push(session?.trace);
    await connect(session);
  };
  const space = await new SpaceManager().loadSpace({ id }, [layer]);
  expect(sessions).toEqual([undefined]);
  await space.close();
});
