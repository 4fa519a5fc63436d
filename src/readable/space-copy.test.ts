import { expect, test } from "vitest";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { MemoryPersistenceLayer, MemoryStore } from "../layers/memory-layer.ts";
import { addReference } from "../space/app-forest.ts";
import type { Space } from "../space/space.ts";
import { SpaceManager } from "../space/space-manager.ts";
import { ManualClock } from "../testing/index.ts";
import { workOn } from "../testing/space-rig.ts";
import { newId, ReplicatedTree } from "../tree/index.ts";
import { MANIFEST_FILE } from "./manifest.ts";
import { SpaceCopy, type SpaceCopyOptions } from "./space-copy.ts";

const COPY = "/readable";

interface Rig {
  readonly space: Space;
  readonly clock: ManualClock;
  readonly store: MemoryStore;
  readonly addPage: (title: string, ...lines: readonly string[]) => ReplicatedTree;
  readonly keep: (options?: Partial<SpaceCopyOptions>) => Promise<SpaceCopy>;
  readonly files: () => Promise<Record<string, string>>;
}

async function setUp(): Promise<Rig> {
  const [fs, clock, store] = [new MemoryFileSystem(), new ManualClock(), new MemoryStore()];
  const id = newId();
  const space = await new SpaceManager().createSpace({ id, persistenceLayers: [new MemoryPersistenceLayer(id, { store })] });
  return {
    space,
    clock,
    store,
    addPage: (title, ...lines) => {
      const { tree, root } = space.newAppTree("outline", title);
      for (const text of lines) root.newChild({ text });
      return tree;
    },
    keep: async (options) => {
      const copy = await SpaceCopy.open(space, { fs, path: COPY, clock, ...options });
      await copy.begin();
      return copy;
    },
    files: async () => {
      const found: Record<string, string> = {};
      for (const { name } of (await fs.list(COPY)) ?? [])
        if (name !== MANIFEST_FILE) found[name] = new TextDecoder().decode(await fs.read(`${COPY}/${name}`));
      return found;
    },
  };
}

test("all pages become files, also those that are not loaded, and follow edits, new pages, titles and deletions", async () => {
  const { space, clock, store, addPage, keep, files } = await setUp();
  const one = addPage("One", "a line");
  addPage("Two", "another");
  await space.flush();
  await space.unloadAppTree(one.root!.id);
  const copy = await keep();
  expect(await files()).toEqual({ "One.md": "# One\n\n- a line\n", "Two.md": "# Two\n\n- another\n" });
  const { root } = await space.loadAppTree(one.root!.id);
  root.newChild({ text: "typed" });
  addPage("Three");
  const two = space.appTrees.find(({ name }) => name === "Two")!;
  space.tree.getVertex(two.vertexId)!.name = "Zwei";
  await clock.advance(1_000);
  await expect
    .poll(files)
    .toEqual({ "One.md": "# One\n\n- a line\n- typed\n", "Three.md": "# Three\n\n", "Zwei.md": "# Zwei\n\n- another\n" });
  space.tree.deleteVertex(two.vertexId);

  await workOn(space.id, [store], async (elsewhere) => {
    (await elsewhere.loadAppTree(one.root!.id)).root.newChild({ text: "arrived" });
  });
  await expect.poll(() => root.children.length).toBe(3);
  await copy.close();
  expect(await files()).toEqual({ "One.md": "# One\n\n- a line\n- typed\n- arrived\n", "Three.md": "# Three\n\n" });
  root.newChild({ text: "after the end" });
  await clock.advance(100_000);
  expect((await files())["One.md"]).not.toContain("after the end");
  await space.close();
});

test("a page that has not arrived gets its file when it does", async () => {
  const { space, clock, store, addPage, keep, files } = await setUp();
  addPage("Here");
  const late = new ReplicatedTree("elsewhere");
  late.createRoot().setProperty("appId", "outline");
  addReference(space.tree, late.root!.id, "Late");
  const copy = await keep();
  expect(Object.keys(await files())).toEqual(["Here.md"]);
  late.root!.newChild({ text: "arrived" });
  store.write({}, late.root!.id, late.getAllOps());
  await clock.advance(10_000);
  await expect.poll(files).toEqual({ "Here.md": "# Here\n\n", "Late.md": "# Late\n\n- arrived\n" });
  await copy.close();
  await space.close();
});

test("a long page is read in steps, and a text of two moments is never written", async () => {
  const { space, clock, addPage, keep, files } = await setUp();
  const lines = Array.from({ length: 2_000 }, (_, index) => `line ${index}`);
  const tree = addPage("Long", ...lines);
  let pauses = 0;
  const copy = await keep({
    pause: async () => {
      if (pauses++ === 1) tree.root!.newChild({ text: "typed meanwhile" });
      await Promise.resolve();
    },
  });
  expect(pauses).toBe(2);
  expect(await files()).toEqual({});
  await clock.advance(1_000);
  await expect
    .poll(files)
    .toEqual({ "Long.md": `# Long\n\n${[...lines, "typed meanwhile"].map((line) => `- ${line}\n`).join("")}` });
  expect(pauses).toBe(6);
  await copy.close();
  await space.close();
});
