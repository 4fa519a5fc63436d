import { expect, test } from "vitest";
import { MemoryPersistenceLayer, MemoryStore } from "../layers/memory-layer.ts";
import { UndoManager } from "../tree/index.ts";
import { SpaceManager } from "./space-manager.ts";

test("the operations of a transaction, and of its undo, reach a layer in one batch each", async () => {
  const store = new MemoryStore();
  const space = await new SpaceManager().createSpace({
    persistenceLayers: [new MemoryPersistenceLayer("notes", { store, flushIntervalMs: 1 })],
    id: "notes",
  });
  await space.flush();
  const batches: number[] = [];
  store.observe((_writer, _treeId, ops) => batches.push(ops.length));
  const undo = new UndoManager(space.tree);
  const root = space.tree.root!;
  const child = space.tree.transact(() => {
    const made = root.newChild({ text: "Milk" });
    made.moveTo(root, { at: 0 });
    made.setProperty("done", true);
    return made;
  });
  await space.flush();
  // its creation, time, text, place and state
  expect(batches).toHaveLength(1);
  expect(batches[0]).toBeGreaterThanOrEqual(5);
  undo.undo();
  await space.flush();
  expect(batches).toHaveLength(2);
  expect(root.children).not.toContain(child);
  await space.close();
});
