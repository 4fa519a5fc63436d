import { expect, test } from "vitest";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { addReference } from "../space/app-forest.ts";
import { ManualClock } from "../testing/index.ts";
import { ReplicatedTree } from "../tree/index.ts";
import { CopyKeeper } from "./copy-keeper.ts";
import { MANIFEST_FILE } from "./manifest.ts";
import { ReadableCopy } from "./readable-copy.ts";
import { TakenTrees } from "./taken-trees.ts";

const COPY = "/readable";

/** A space with pages, and what keeps a copy of it. */
async function setUp(): Promise<{
  fs: MemoryFileSystem;
  clock: ManualClock;
  keeper: CopyKeeper;
  failures: unknown[];
  spaceTree: ReplicatedTree;
  addPage: (title: string) => ReplicatedTree;
  take: (...trees: ReplicatedTree[]) => void;
  files: () => Promise<string[]>;
}> {
  const [fs, clock, failures] = [new MemoryFileSystem(), new ManualClock(), [] as unknown[]];
  const spaceTree = new ReplicatedTree("peer");
  const spaceId = spaceTree.createRoot().id;
  const copy = await ReadableCopy.open(fs, COPY, spaceId, "/notes");
  const trees = new TakenTrees();
  const keeper = new CopyKeeper({
    copy,
    source: { spaceId, treeOf: (treeId) => trees.get(treeId) },
    clock,
    onUpdated: () => undefined,
    onFailed: (error) => failures.push(error),
  });
  return {
    fs,
    clock,
    keeper,
    failures,
    spaceTree,
    addPage: (title) => {
      const tree = new ReplicatedTree("peer");
      tree.createRoot().setProperty("appId", "outline");
      addReference(spaceTree, tree.root!.id, title);
      return tree;
    },
    take: (...given) => {
      for (const tree of given) {
        trees.take(tree.root!.id, tree.getAllOps());
        keeper.noteChange(tree.root!.id);
      }
    },
    files: async () =>
      ((await fs.list(COPY)) ?? [])
        .map(({ name }) => name)
        .filter((name) => name !== MANIFEST_FILE)
        .sort(),
  };
}

test("pages become files once all is read, and follow with a pause", async () => {
  const { fs, clock, keeper, spaceTree, addPage, take, files } = await setUp();
  const page = addPage("Page");
  take(spaceTree, page);
  expect(await files()).toEqual([]);
  await keeper.begin();
  expect(await files()).toEqual(["Page.md"]);
  page.root!.newChild({ text: "a line" });
  take(page);
  await clock.advance(900);
  expect(new TextDecoder().decode(await fs.read(`${COPY}/Page.md`))).toBe("# Page\n\n");
  await clock.advance(200);
  await expect.poll(async () => new TextDecoder().decode(await fs.read(`${COPY}/Page.md`))).toBe("# Page\n\n- a line\n");
  await keeper.close();
});

test("a page that has only its name gets its file when it arrives; one that is deleted loses it", async () => {
  const { keeper, spaceTree, addPage, take, files } = await setUp();
  const [late, other] = [addPage("Late"), addPage("Other")];
  take(spaceTree, other);
  await keeper.begin();
  expect(await files()).toEqual(["Other.md"]);
  take(late);
  spaceTree.deleteVertex(spaceTree.root!.children[0]!.children[1]!.id);
  take(spaceTree);
  await keeper.close();
  expect(await files()).toEqual(["Late.md"]);
});

test("without the list of pages nothing is taken away", async () => {
  const { keeper, fs, spaceTree, addPage, take, files } = await setUp();
  const page = addPage("Page");
  take(spaceTree, page);
  await keeper.begin();
  await keeper.close();
  const copy = await ReadableCopy.open(fs, COPY, spaceTree.root!.id, "/notes");
  const trees = new TakenTrees();
  trees.take(page.root!.id, page.getAllOps());
  const again = new CopyKeeper({
    copy,
    source: { spaceId: spaceTree.root!.id, treeOf: (treeId) => trees.get(treeId) },
    onUpdated: () => undefined,
    onFailed: () => undefined,
  });
  await again.begin();
  expect(await files()).toEqual(["Page.md"]);
});

test("what fails is told once, and tried again", async () => {
  const { fs, clock, keeper, failures, spaceTree, addPage, take, files } = await setUp();
  take(spaceTree, addPage("Page"));
  await fs.remove(COPY);
  await keeper.begin();
  await clock.advance(10_000);
  await clock.advance(10_000);
  expect(failures).toMatchObject([{ code: "FOLD_FOLDER_LOST" }]);
  await fs.makeDirectory(COPY);
  await clock.advance(10_000);
  await expect.poll(files).toEqual(["Page.md"]);
  await keeper.close();
});
