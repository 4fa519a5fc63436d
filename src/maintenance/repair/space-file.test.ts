import { expect, test } from "vitest";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import { SpaceFolder } from "../../layers/folder/space-folder.ts";
import { verifyFolder } from "../verify.ts";
import { repairFolder } from "./repair.ts";
import { undoRepair } from "./undo.ts";

const [SPACE, NOTES, OTHER] = ["1".repeat(32), "2".repeat(32), "3".repeat(32)];
const PEER = "a".repeat(32);
const SPACE_FILE = "/home/space-v1/space.json";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const logOf = (treeId: string): string => `/home/space-v1/ops/${treeId.slice(0, 2)}/${treeId.slice(2)}/2026/11/22/${PEER}.jsonl`;
const treeWith = (treeId: string, name: string): string =>
  `["m",1,"${treeId}",null]\n["m",2,"v${treeId}","${treeId}"]\n["p",3,"v${treeId}","_n","${name}"]\n`;

async function folderWith(spaceFile: string | undefined, ...spaces: readonly string[]): Promise<MemoryFileSystem> {
  const fs = new MemoryFileSystem();
  for (const id of spaces) await fs.write(logOf(id), bytes(treeWith(id, "app-forest")));
  await fs.write(logOf(NOTES), bytes(treeWith(NOTES, "a note")));
  if (spaceFile !== undefined) await fs.write(SPACE_FILE, bytes(spaceFile));
  return fs;
}

async function read(fs: MemoryFileSystem, path: string): Promise<string | undefined> {
  const found = await fs.read(path);
  return found && new TextDecoder().decode(found);
}

test.each([
  ["empty", ""],
  ["cut off", '{"id'],
  ["without an id", "{}"],
  ["missing", undefined],
])("verify names the space of a folder whose space.json is %s, and repair writes it", async (_what, content) => {
  const fs = await folderWith(content, SPACE);
  const folder = new SpaceFolder(fs, "/home");
  const reasons: string[] = [];
  for await (const { code, reason } of verifyFolder(folder)) reasons.push(`${code} ${reason}`);
  expect(reasons).toEqual([expect.stringMatching(`^FOLD_BAD_SPACE_FILE .*${SPACE}`)]);
  const planned = await repairFolder(folder, { isDryRun: true });
  expect(planned.steps).toMatchObject([{ kind: "space-file", spaceId: SPACE }]);
  expect(await read(fs, SPACE_FILE)).toBe(content);
  const { id, left } = await repairFolder(folder);
  expect(left).toEqual([]);
  expect(await read(fs, SPACE_FILE)).toBe(`{"id":"${SPACE}"}`);
  expect(await read(fs, `/home/space-v1/lost+found/${id}/space.json`)).toBe(content || undefined);
  for await (const problem of verifyFolder(folder)) expect(problem).toBeUndefined();
  // an undo never takes the file away that says which space this is
  await undoRepair(folder);
  expect((await folder.open()).id).toBe(SPACE);
});

test.each([
  ["no space", []],
  ["several spaces", [SPACE, OTHER]],
])("a damaged space.json stays in a folder with the operations of %s", async (_what, spaces) => {
  const fs = await folderWith("", ...spaces);
  const folder = new SpaceFolder(fs, "/home");
  await expect(repairFolder(folder)).rejects.toMatchObject({ code: "FOLD_BAD_SPACE_FILE" });
  const reasons: string[] = [];
  for await (const { code, reason } of verifyFolder(folder)) if (code === "FOLD_BAD_SPACE_FILE") reasons.push(reason);
  for (const id of spaces) expect(reasons[0]).toContain(id);
  expect(await read(fs, SPACE_FILE)).toBe("");
});
