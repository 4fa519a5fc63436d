import { expect, test } from "vitest";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { MemoryPersistenceLayer, MemoryStore } from "../../src/layers/memory-layer.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";
import { newId } from "../../src/tree/index.ts";
import { create, createdMemoryLayer, layerOn, load } from "./storage-rig.ts";

// Each test here stands for a fault that people have met in an existing app of this kind.

// Fault: a chat is opened while the folder is still being connected: what the folder has of it never appears.
test("an app tree opened before a slow layer has connected gets that layer's operations", async () => {
  const [fs, id, store] = [new MemoryFileSystem(), newId(), new MemoryStore()];
  const maker = await create(layerOn(fs, id), createdMemoryLayer(id, store));
  const appTree = maker.newAppTree("chat", "Chat");
  await maker.close();
  const elsewhere = await load(layerOn(fs, id));
  (await elsewhere.loadAppTree(appTree.id)).root.newNamedChild("only in the folder");
  await elsewhere.close();

  const slow = new FaultyFileSystem(fs);
  const open = hold(slow);
  const space = await load(new MemoryPersistenceLayer(id, { store, flushIntervalMs: 10 }), layerOn(slow, id));
  const chat = await space.loadAppTree(appTree.id);
  expect(chat.root.children).toEqual([]);
  open();
  await expect.poll(() => chat.root.children.map((child) => child.name), { timeout: 10_000 }).toEqual(["only in the folder"]);
});

// Fault: the space shows from the fast layer, a title is edited, then the slow layer arrives and puts back an older one.
test.each(["reading", "connecting"] as const)(
  "an edit made while a slower layer is still %s is not overwritten when it arrives",
  async (phase) => {
    const [fs, id, store] = [new MemoryFileSystem(), newId(), new MemoryStore()];
    const maker = await create(layerOn(fs, id), createdMemoryLayer(id, store));
    await maker.close();
    const elsewhere = await load(layerOn(fs, id));
    for (let count = 0; count < 50; count++) elsewhere.tree.root!.setProperty("title", `older ${count}`);
    await elsewhere.close();

    const slow = new FaultyFileSystem(fs);
    const open = hold(slow, phase);
    const space = await load(new MemoryPersistenceLayer(id, { store, flushIntervalMs: 10 }), layerOn(slow, id));
    if (phase === "reading") await expect.poll(() => slow.calls.some((call) => call.path.includes("/ops"))).toBe(true);
    space.tree.root!.setProperty("title", "newest");
    open();
    await space.whenSynced();
    expect(space.tree.root!.getProperty("title")).toBe("newest");
    await space.close();
    const reader = await load(layerOn(fs, id));
    expect(reader.tree.root!.getProperty("title")).toBe("newest");
    expect(reader.tree.opCount).toBe(space.tree.opCount);
  },
);

/** Makes a file system wait: with everything, or only when logs are to be read. @returns what lets it go on */
function hold(fs: FaultyFileSystem, phase: "reading" | "connecting" = "connecting"): () => void {
  let open = (): void => undefined;
  const gate = new Promise<undefined>((resolve) => {
    open = () => resolve(undefined);
  });
  fs.fault = ({ path }) => (phase === "connecting" || path.includes("/ops") ? gate : undefined);
  return open;
}
