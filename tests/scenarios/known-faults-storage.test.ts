import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FoldspaceError } from "../../src/errors.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { NodeFileSystem } from "../../src/fs/node/node-file-system.ts";
import { MemoryPersistenceLayer, MemoryStore } from "../../src/layers/memory-layer.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";
import { newId } from "../../src/tree/index.ts";
import { create, createdMemoryLayer, layerOn, load, names, temporaryFolder } from "./storage-rig.ts";

// Each test here stands for a fault that people have met in an existing app of this kind.

const diskFull = new FoldspaceError("FOLD_DISK_FULL", "No space left on the device");

// Fault: after Dropbox made a conflict copy, every entry of that device counts twice, for a device that does not exist.
test("a conflict copy adds the operations that only it has, and no peer", async () => {
  const [fs, id] = [new MemoryFileSystem(), newId()];
  const space = await create(layerOn(fs, id));
  space.tree.root!.newNamedChild("in both");
  await space.close();
  const [log] = Object.entries(fs.dump()).find(([path]) => path.endsWith(".jsonl"))!;
  const copy = `${log.slice(0, -".jsonl".length)} (Ann's conflicted copy 2026-11-22).jsonl`;
  await fs.write(copy, (await fs.read(log))!);
  const highest = space.tree.getAllOps().reduce((most, op) => Math.max(most, op.id.counter), 0);
  await fs.append(copy, new TextEncoder().encode(`["m",${highest + 1},"only-in-copy","${space.tree.root!.id}"]\n`));

  const reader = await load(layerOn(fs, id));
  expect(reader.tree.opCount).toBe(space.tree.opCount + 1);
  expect(Object.keys(reader.tree.getStateVector())).toEqual([space.peerId]);
  expect(reader.tree.getVertex("only-in-copy")).toBeDefined();
  expect(reader.problems).toEqual([expect.objectContaining({ code: "FOLD_CONFLICT_COPY" })]);
});

// Fault: a demonstration space is built at once; afterwards 145 of its 1,011 operations are missing, and all 31 chats
// with them, as nothing in the space names them.
test("a burst that goes on while writes run loses nothing: 31 app trees, all referenced and whole", async () => {
  const folder = await temporaryFolder();
  const id = newId();
  const space = await create(layerOn(new NodeFileSystem(), id, folder));
  const made = new Map<string, number>();
  for (let chat = 0; chat < 31; chat++) {
    const appTree = space.newAppTree("chat", `Chat ${chat}`);
    for (let message = 0; message < 13; message++) {
      appTree.root.newNamedChild(`Message ${message}`, { text: `of chat ${chat}` });
      // some writes begin and end in the middle
      if (message % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    made.set(appTree.id, appTree.tree.opCount);
  }
  const spaceOps = space.tree.opCount;
  expect([...made.values()].reduce((sum, count) => sum + count, spaceOps)).toBeGreaterThan(1_011);
  await space.flush();

  const reader = await load(layerOn(new NodeFileSystem(), id, folder));
  expect(reader.tree.opCount).toBe(spaceOps);
  expect(reader.appTrees.map((entry) => entry.treeId).sort()).toEqual([...made.keys()].sort());
  for (const [treeId, opCount] of made) {
    const appTree = await reader.loadAppTree(treeId);
    expect(appTree.tree.opCount).toBe(opCount);
    expect(appTree.root.children).toHaveLength(13);
  }
});

// Fault: a line is half written when the disk fails; the next try is concatenated behind it, and both are unreadable for good.
test("an append that fails half-way and is tried again leaves every operation readable", async () => {
  const [memory, id] = [new MemoryFileSystem(), newId()];
  const fs = new FaultyFileSystem(memory);
  const space = await create(layerOn(fs, id));
  fs.writtenBeforeFailing = 0.5;
  let failuresLeft = 3;
  fs.fault = ({ action }) => (action === "append" && failuresLeft-- > 0 ? new FoldspaceError("FOLD_IO", "I/O error") : undefined);
  for (let count = 0; count < 10; count++) {
    space.tree.root!.newNamedChild(`entry ${count}`);
    await space.flush().catch((error: unknown) => expect(error).toMatchObject({ code: "FOLD_NOT_DURABLE" }));
  }
  await space.flush();
  const reader = await load(layerOn(memory, id));
  expect(reader.tree.opCount).toBe(space.tree.opCount);
  expect(reader.problems.length).toBeGreaterThan(0);
  expect(reader.problems.every((problem) => problem.code === "FOLD_TORN_LINE")).toBe(true);
});

// Fault: the disk is full, the app says nothing, and the day's work is gone after the next start.
test("a full disk is said, keeps everything queued, and is over when there is room again", async () => {
  const [memory, id] = [new MemoryFileSystem(), newId()];
  const fs = new FaultyFileSystem(memory);
  const space = await create(layerOn(fs, id));
  fs.writtenBeforeFailing = 0.9;
  fs.fault = ({ action }) => (action === "append" ? diskFull : undefined);
  for (let count = 0; count < 20; count++) space.tree.root!.newNamedChild(`entry ${count}`);
  await expect(space.flush()).rejects.toMatchObject({
    code: "FOLD_NOT_DURABLE",
    data: { layers: [expect.objectContaining({ code: "FOLD_DISK_FULL" })] },
  });
  const [report] = space.status.layers;
  expect(report).toMatchObject({ state: "degraded", error: diskFull });
  expect(report!.pendingOps).toBeGreaterThanOrEqual(20);
  // the space stays usable meanwhile
  space.tree.root!.newNamedChild("while full");
  fs.fault = () => undefined;
  await space.flush();
  expect(space.status.layers[0]).toMatchObject({ state: "idle", pendingOps: 0, error: undefined });
  expect(names(await load(layerOn(memory, id)))).toEqual(names(space));
});

// Fault: the window is closed right after typing, and up to 19 of 20 entries are not there the next day.
test("closing right after edits keeps all of them", async () => {
  const folder = await temporaryFolder();
  const id = newId();
  await (await create(layerOn(new NodeFileSystem(), id, folder))).close();
  for (let round = 1; round <= 5; round++) {
    const space = await load(layerOn(new NodeFileSystem(), id, folder));
    for (let count = 0; count < 20; count++) space.tree.root!.newNamedChild(`entry ${round}-${count}`);
    await space.close();
    const reader = await load(layerOn(new NodeFileSystem(), id, folder));
    expect(names(reader).filter((name) => name?.startsWith("entry"))).toHaveLength(round * 20);
    await reader.close();
  }
});

// Fault: a space from a foreignOp names a tree "../../…", and opening it reads and writes files outside the space's folder.
test("a tree id with ../ reads nothing and writes nothing", async () => {
  const folder = await temporaryFolder();
  const id = newId();
  await writeFile(join(folder, "outside.jsonl"), '["m",1,"0",null]\n');
  const space = await create(layerOn(new NodeFileSystem(), id, join(folder, "space")));
  for (const treeId of ["../../../..", "ab/../../../../..", "..\\..\\x", "/etc"]) {
    await expect(space.loadAppTree(treeId)).rejects.toMatchObject({ code: "FOLD_BAD_ID" });
    const [layer] = [layerOn(new NodeFileSystem(), id, join(folder, "space"))];
    await layer.connect({ peerId: newId() });
    await layer.saveTreeOps(treeId, space.tree.getAllOps());
    expect(await layer.loadTreeOps(treeId)).toEqual([]);
    expect(layer.problems).toEqual([expect.objectContaining({ code: "FOLD_BAD_ID", treeId })]);
    await layer.flush();
    await layer.disconnect();
  }
  await space.flush();
  expect((await readdir(folder)).sort()).toEqual(["outside.jsonl", "space"]);
  expect(await readFile(join(folder, "outside.jsonl"), "utf8")).toBe('["m",1,"0",null]\n');
});

// Fault: one folder belongs to another user after a restore, and the whole space does not open.
test("one unreadable folder leaves the rest of the space open", async () => {
  const [memory, id] = [new MemoryFileSystem(), newId()];
  const space = await create(layerOn(memory, id));
  const [good, bad] = [space.newAppTree("notes", "Good"), space.newAppTree("notes", "Bad")];
  await space.close();
  const fs = new FaultyFileSystem(memory);
  fs.fault = ({ action, path }) =>
    action === "list" && path.includes(bad.id.slice(2)) ? new FoldspaceError("FOLD_PERMISSION", "denied") : undefined;
  const reader = await load(layerOn(fs, id));
  expect(reader.appTrees.map((entry) => entry.name).sort()).toEqual(["Bad", "Good"]);
  expect((await reader.loadAppTree(good.id)).tree.opCount).toBe(good.tree.opCount);
  await expect(reader.loadAppTree(bad.id)).rejects.toMatchObject({ code: "FOLD_PERMISSION" });
  await reader.rescan();
  expect(reader.problems).toEqual([expect.objectContaining({ code: "FOLD_PERMISSION" })]);
});

// Fault: this device once wrote down what another had made; from then on it is deaf to the other.
test("a device is heard whose operations this one has once written", async () => {
  const [fs, id] = [new MemoryFileSystem(), newId()];
  const other = await create(layerOn(fs, id));
  const store = new MemoryStore();
  const first = await load(layerOn(fs, id), createdMemoryLayer(id, store));
  await first.whenSynced();
  await first.close();

  // a new folder for what the other store holds: the other's operations are written to it by us
  const second = new MemoryFileSystem();
  const bridge = layerOn(second, id);
  await bridge.connect({ peerId: newId(), create: true });
  await bridge.disconnect();
  const writer = await load(new MemoryPersistenceLayer(id, { store, flushIntervalMs: 10 }), layerOn(second, id));
  await writer.whenSynced();
  expect(Object.keys(second.dump()).some((path) => path.includes(`${other.peerId}.${writer.peerId}.jsonl`))).toBe(true);

  const elsewhere = layerOn(second, id);
  await elsewhere.connect({ peerId: other.peerId });
  const child = other.tree.root!.newNamedChild("heard");
  await elsewhere.saveTreeOps(
    id,
    other.tree.getAllOps().filter((op) => op.targetId === child.id),
  );
  await elsewhere.disconnect();
  await expect.poll(() => names(writer), { timeout: 10_000 }).toContain("heard");
});

// Fault: two quick changes from another device: the second shows only after a restart.
test("a second change right behind the first arrives", async () => {
  const folder = await temporaryFolder();
  const id = newId();
  const writer = await create(layerOn(new NodeFileSystem(), id, folder));
  const reader = await load(layerOn(new NodeFileSystem(), id, folder));
  for (let round = 0; round < 12; round++) {
    writer.tree.root!.newNamedChild(`first ${round}`);
    await writer.flush();
    await new Promise((resolve) => setTimeout(resolve, 10 + round * 3));
    writer.tree.root!.newNamedChild(`second ${round}`);
    await writer.flush();
    await expect.poll(() => names(reader), { timeout: 10_000 }).toEqual(names(writer));
  }
});

// Fault: every keystroke on another device makes this one read the whole file again, half a second each time.
test("one operation behind 20,000 is read without them", async () => {
  const [memory, id] = [new MemoryFileSystem(), newId()];
  const writer = await create(layerOn(memory, id));
  for (let count = 0; count < 10_000; count++) writer.tree.root!.setProperty("text", count);
  for (let count = 0; count < 10_000; count++) writer.tree.root!.setProperty("other", count);
  await writer.flush();
  const fs = new FaultyFileSystem(memory);
  const reader = await load(layerOn(fs, id));
  await reader.whenSynced();
  fs.bytesRead = 0;
  writer.tree.root!.setProperty("text", "last");
  await writer.flush();
  await expect.poll(() => reader.tree.root!.getProperty("text"), { timeout: 10_000 }).toBe("last");
  expect(fs.bytesRead).toBeLessThan(3 * 70_000);
});

// Fault: a sync service takes half of the files away; the app goes on without what stood in them, on every device.
test("what a folder has lost is written again from what another layer has", async () => {
  const folder = await temporaryFolder();
  const [id, store] = [newId(), new MemoryStore()];
  const space = await create(layerOn(new NodeFileSystem(), id, folder), createdMemoryLayer(id, store));
  space.tree.root!.newNamedChild("kept");
  const { opCount } = space.tree;
  await space.close();
  for (const log of await logsIn(folder)) await rm(log);
  const again = await load(
    layerOn(new NodeFileSystem(), id, folder),
    new MemoryPersistenceLayer(id, { store, flushIntervalMs: 10 }),
  );
  await again.whenSynced();
  expect((await load(layerOn(new NodeFileSystem(), id, folder))).tree.opCount).toBe(opCount);
});

test("what a folder has just been found to have lost is written again before the space is closed", async () => {
  const [id, memory] = [newId(), new MemoryFileSystem()];
  const space = await create(layerOn(memory, id));
  space.tree.root!.newNamedChild("kept");
  await space.flush();
  const log = Object.keys(memory.dump()).find((path) => path.endsWith(".jsonl"))!;
  await memory.write(log, (await memory.read(log))!.subarray(0, 50));
  await space.rescan();
  await space.close();
  expect(names(await load(layerOn(memory, id)))).toContain("kept");
});

async function logsIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true });
  return entries.filter((name) => name.endsWith(".jsonl")).map((name) => join(folder, name));
}
