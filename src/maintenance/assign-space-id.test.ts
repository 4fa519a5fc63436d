import { expect, test } from "vitest";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import { SpaceFolder } from "../layers/folder/space-folder.ts";
import { SpaceManager } from "../space/space-manager.ts";
import type { Space } from "../space/space.ts";
import { newId } from "../tree/index.ts";
import { assignSpaceId } from "./assign-space-id.ts";
import { verifyFolder } from "./verify.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function open(fs: MemoryFileSystem, id: string): Promise<Space> {
  return await new SpaceManager().loadSpace({ id }, [new FileSystemPersistenceLayer("/copy", id, { fs })]);
}

async function makeCopy(fs: MemoryFileSystem): Promise<string> {
  const id = newId();
  const layer = new FileSystemPersistenceLayer("/copy", id, { fs });
  const space = await new SpaceManager().createSpace({ id, name: "Notes", persistenceLayers: [layer] });
  space.tree.root!.newNamedChild("a note");
  space.newAppTree("outline", "a page").tree.root!.newNamedChild("an item");
  space.secrets.set("key", "value");
  await space.close();
  return id;
}

async function expectWhole(fs: MemoryFileSystem, id: string, original: string): Promise<void> {
  for await (const problem of verifyFolder(new SpaceFolder(fs, "/copy"))) expect(problem).toBeUndefined();
  const space = await open(fs, id);
  expect(space.id).not.toBe(original);
  expect(space.tree.root!.name).toBe("Notes");
  expect(space.tree.root!.children.map(({ name }) => name)).toEqual(["app-forest", "a note"]);
  expect(space.secrets.get("key")).toBe("value");
  const [page] = space.appTrees;
  expect((await space.loadAppTree(page!.treeId!)).root.children.map(({ name }) => name)).toEqual(["an item"]);
  await space.close();
}

test("a folder gets an id of its own in place, with all contents, and keeps the former files in lost+found", async () => {
  const fs = new MemoryFileSystem();
  const original = await makeCopy(fs);
  const before = fs.dump();
  const { spaceId, left, ...rest } = await assignSpaceId(new SpaceFolder(fs, "/copy"));
  expect([left, rest.original]).toEqual([[], original]);
  await expectWhole(fs, spaceId, original);
  const after = fs.dump();
  const kept = Object.keys(after).filter((path) => path.includes(`lost+found/was-${original}/before/ops/`));
  expect(kept.length).toBeGreaterThan(0);
  for (const path of kept) expect(after[path]).toBe(before[path.replace(`lost+found/was-${original}/before/`, "")]);
});

test("an exchange of ids that was interrupted anywhere is completed with the same id", async () => {
  const whole = new MemoryFileSystem();
  await makeCopy(whole);
  let changes = 0;
  const counting = (fs: MemoryFileSystem, limit: number): MemoryFileSystem => {
    changes = 0;
    return new Proxy(fs, {
      get(target, name) {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          if (["write", "rename", "remove", "append"].includes(String(name)) && ++changes > limit) throw new Error("interrupted");
          return (member as (...all: unknown[]) => unknown).apply(target, args);
        };
      },
    });
  };
  await assignSpaceId(new SpaceFolder(counting(whole, Infinity), "/copy"));
  const all = changes;
  expect(all).toBeGreaterThan(5);
  for (let limit = 0; limit < all; limit++) {
    const fs = new MemoryFileSystem();
    const original = await makeCopy(fs);
    await expect(assignSpaceId(new SpaceFolder(counting(fs, limit), "/copy"))).rejects.toThrow("interrupted");
    const plan = fs.dump()["copy/space-v1/new-id.json"];
    const { spaceId } = await assignSpaceId(new SpaceFolder(fs, "/copy"));
    if (plan !== undefined) expect(JSON.parse(plan)).toEqual({ original, spaceId });
    expect(fs.dump()).not.toHaveProperty(["copy/space-v1/new-id.json"]);
    await expectWhole(fs, spaceId, original);
  }
});

test("a folder that is not all downloaded keeps its id", async () => {
  const fs = new MemoryFileSystem();
  const original = await makeCopy(fs);
  const log = `/${Object.keys(fs.dump()).find((path) => path.endsWith(".jsonl"))!}`;
  await fs.remove(log);
  await fs.write(`${log}.nextcloud`, bytes(" "));
  const before = fs.dump();
  await expect(assignSpaceId(new SpaceFolder(fs, "/copy"))).rejects.toMatchObject({ code: "FOLD_NOT_DOWNLOADED" });
  expect(fs.dump()).toEqual(before);
  expect((await new SpaceFolder(fs, "/copy").open()).id).toBe(original);
});
