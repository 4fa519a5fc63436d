import { expect, test } from "vitest";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import { SpaceFolder } from "../layers/folder/space-folder.ts";
import { SpaceManager } from "../space/space-manager.ts";
import type { Space } from "../space/space.ts";
import { newId } from "../tree/index.ts";
import { cloneSpace } from "./clone.ts";
import { verifyFolder } from "./verify.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function open(fs: MemoryFileSystem, path: string, id: string): Promise<Space> {
  return await new SpaceManager().loadSpace({ id }, [new FileSystemPersistenceLayer(path, id, { fs })]);
}

async function makeOriginal(fs: MemoryFileSystem): Promise<string> {
  const id = newId();
  const layer = new FileSystemPersistenceLayer("/original", id, { fs });
  const space = await new SpaceManager().createSpace({ id, name: "Notes", persistenceLayers: [layer] });
  space.tree.root!.newNamedChild("a note");
  const deleted = space.tree.root!.newNamedChild("deleted");
  deleted.delete();
  space.newAppTree("outline", "a page").tree.root!.newNamedChild("an item");
  space.secrets.set("key", "value");
  await space.close();
  for (const path of ["attachments/picture.png", ".git/HEAD", "attachments/.hidden", "space-v1/lost+found/repair-1/report.txt"])
    await fs.write(`/original/${path}`, bytes(path));
  return id;
}

test("a clone has all contents and an id of its own, and the original is as before", async () => {
  const fs = new MemoryFileSystem();
  const id = await makeOriginal(fs);
  const before = fs.dump();
  const { spaceId, left } = await cloneSpace(new SpaceFolder(fs, "/original"), new SpaceFolder(fs, "/copy"));
  expect(left).toEqual([]);
  expect(spaceId).not.toBe(id);
  expect(fs.dump()).toMatchObject(before);
  for await (const problem of verifyFolder(new SpaceFolder(fs, "/copy"))) expect(problem).toBeUndefined();
  const space = await open(fs, "/copy", spaceId);
  expect(space.tree.root!.id).toBe(spaceId);
  expect(space.tree.root!.name).toBe("Notes");
  expect(space.tree.root!.children.map(({ name }) => name)).toEqual(["app-forest", "a note"]);
  expect(space.secrets.get("key")).toBe("value");
  const [page] = space.appTrees;
  expect((await space.loadAppTree(page!.treeId!)).root.children.map(({ name }) => name)).toEqual(["an item"]);
  space.tree.root!.newNamedChild("only in the copy");
  await space.close();
  const original = await open(fs, "/original", id);
  expect(original.tree.root!.children.map(({ name }) => name)).toEqual(["app-forest", "a note"]);
  await original.close();
  const copied = Object.keys(fs.dump()).filter((path) => path.startsWith("copy/"));
  expect(copied).toContain("copy/attachments/picture.png");
  expect(copied.filter((path) => /\.git|hidden|lost\+found/.test(path))).toEqual([]);
});

test("a clone says what it did not copy", async () => {
  const fs = new MemoryFileSystem();
  await makeOriginal(fs);
  const log = Object.keys(fs.dump()).find((path) => path.endsWith(".jsonl"))!;
  await fs.write(`/${log}`, bytes(`${fs.dump()[log]}not an operation\n`));
  await fs.write("/original/space-v1/secrets-v2/peer.json", bytes("{}"));
  const { left } = await cloneSpace(new SpaceFolder(fs, "/original"), new SpaceFolder(fs, "/copy"));
  expect(left.map(({ code }) => code).sort()).toContain("FOLD_SECRETS_LOCKED");
});

test("a clone never writes into a folder with contents", async () => {
  const fs = new MemoryFileSystem();
  await makeOriginal(fs);
  await fs.write("/copy/mine.txt", bytes("mine"));
  const cloning = cloneSpace(new SpaceFolder(fs, "/original"), new SpaceFolder(fs, "/copy"));
  await expect(cloning).rejects.toMatchObject({ code: "FOLD_BAD_OPERATION" });
  await expect(cloneSpace(new SpaceFolder(fs, "/original"), new SpaceFolder(fs, "/original"))).rejects.toMatchObject({
    code: "FOLD_BAD_OPERATION",
  });
});
