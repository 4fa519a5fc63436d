import { expect, test } from "vitest";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { openFolder } from "./open-folder.ts";
import { readSpaceId } from "./read-space-id.ts";

const write = async (fs: MemoryFileSystem, path: string, text: string): Promise<void> =>
  await fs.write(path, new TextEncoder().encode(text));

test("a folder is made at the first run and opened at the next one", async () => {
  const fs = new MemoryFileSystem();
  expect(await readSpaceId("home", fs)).toBeUndefined();
  const first = await openFolder("home", { fs, name: "Home" });
  first.tree.root!.newNamedChild("Milk");
  await first.close();
  const second = await openFolder("home/", { fs, name: "Another name" });
  expect([second.id, second.name]).toEqual([first.id, "Home"]);
  expect(second.tree.getVertexByPath("/Milk")?.name).toBe("Milk");
  await second.close();
  expect(await readSpaceId("home", fs)).toBe(first.id);
});

test("the files of a folder stay, and the root of a file system is a folder, too", async () => {
  const fs = new MemoryFileSystem();
  await write(fs, "notes.txt", "mine");
  const space = await openFolder("", { fs });
  await space.close();
  expect(await readSpaceId("", fs)).toBe(space.id);
  expect(new TextDecoder().decode(await fs.read("notes.txt"))).toBe("mine");
});

test.each([
  ["the path is that of a file", "FOLD_NOT_A_FOLDER", { home: "text" }],
  ["the space has the old format", "FOLD_OLD_FORMAT", { "home/space.json": '{"id":"1"}', "home/ops/1.jsonl": "" }],
  ["space.json is damaged", "FOLD_BAD_SPACE_FILE", { "home/space-v1/space.json": "{" }],
])("if %s, nothing is made", async (_, code, files) => {
  const fs = new MemoryFileSystem();
  for (const [path, text] of Object.entries(files)) await write(fs, path, text);
  await expect(readSpaceId("home", fs)).rejects.toMatchObject({ code });
  await expect(openFolder("home", { fs })).rejects.toMatchObject({ code });
  expect(await fs.stat("home/supa.md").catch(() => undefined)).toBeUndefined();
});

test("the inside of a space does not become a space of its own", async () => {
  const fs = new MemoryFileSystem();
  await (await openFolder("home", { fs })).close();
  expect(await readSpaceId("home/space-v1", fs)).toBeUndefined();
  await expect(openFolder("home/space-v1", { fs })).rejects.toMatchObject({
    code: "FOLD_NOT_FOUND",
    message: expect.stringContaining("give the folder above it"),
  });
});

test.each([{ create: false }, { isReadOnly: true }])("with %o, a missing space is not made", async (options) => {
  const fs = new MemoryFileSystem();
  await expect(openFolder("home", { fs, ...options })).rejects.toMatchObject({ code: "FOLD_NOT_FOUND" });
  expect(await fs.stat("home")).toBeUndefined();
  await write(fs, "home/notes.txt", "mine");
  await expect(openFolder("home", { fs, ...options })).rejects.toMatchObject({ code: "FOLD_NOT_FOUND" });
});

test("a space that is open for reading only is read, and refuses edits", async () => {
  const fs = new MemoryFileSystem();
  await (await openFolder("home", { fs, name: "Home" })).close();
  const space = await openFolder("home", { fs, isReadOnly: true });
  expect(space.name).toBe("Home");
  expect(() => space.tree.root!.newChild()).toThrow(expect.objectContaining({ code: "FOLD_READ_ONLY" }));
  await space.close();
});
