import { expect, test } from "vitest";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../layers/folder/file-system-layer.ts";
import { SpaceFolder } from "../layers/folder/space-folder.ts";
import { SpaceManager } from "../space/space-manager.ts";
import type { SpaceOptions } from "../space/space-options.ts";
import type { Space } from "../space/space.ts";
import { FaultyFileSystem } from "../testing/faulty-file-system.ts";
import { newId } from "../tree/index.ts";
import { joinSpaces } from "./join.ts";
import { verifyFolder } from "./verify.ts";

const COPY = "/notes/space-v1/space.sync-conflict-20261130-120000-ABCDEFG.json";

/** Begins a space with a note and an app tree with an item. */
async function begin(fs: MemoryFileSystem, device: string, options: SpaceOptions = {}): Promise<string> {
  const id = newId();
  const layer = new FileSystemPersistenceLayer("/notes", id, { fs });
  const space = await new SpaceManager(options).createSpace({ id, name: device, persistenceLayers: [layer] });
  space.tree.root!.newNamedChild(`note of ${device}`);
  space.newAppTree("outline", `page of ${device}`).tree.root!.newNamedChild(`item of ${device}`);
  await space.close();
  return id;
}

async function copyOps(from: MemoryFileSystem, to: MemoryFileSystem): Promise<void> {
  for (const path of await pathsIn(from, "/notes/space-v1/ops")) await to.write(path, (await from.read(path))!);
}

async function pathsIn(fs: MemoryFileSystem, folder: string): Promise<string[]> {
  return ((await fs.scan(folder))?.files ?? []).map(({ path }) => `${folder}/${path}`).sort();
}

async function contentsOf(fs: MemoryFileSystem): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const path of await pathsIn(fs, "/notes/space-v1/ops")) contents[path] = new TextDecoder().decode(await fs.read(path));
  return contents;
}

/** Two devices that each began a space, and whose folders a sync service united: the space of the laptop stays. */
async function unite(): Promise<{ laptop: MemoryFileSystem; phone: MemoryFileSystem; ids: [laptop: string, phone: string] }> {
  const [laptop, phone] = [new MemoryFileSystem(), new MemoryFileSystem()];
  const ids: [string, string] = [await begin(laptop, "laptop"), await begin(phone, "phone")];
  const [ofLaptop, ofPhone] = [await contentsOf(laptop), await contentsOf(phone)];
  await copyOps(phone, laptop);
  await copyOps(laptop, phone);
  expect(Object.keys(await contentsOf(phone))).toEqual([...Object.keys(ofLaptop), ...Object.keys(ofPhone)].sort());
  for (const fs of [laptop, phone]) await fs.write(COPY, (await phone.read("/notes/space-v1/space.json"))!);
  await phone.write("/notes/space-v1/space.json", (await laptop.read("/notes/space-v1/space.json"))!);
  return { laptop, phone, ids };
}

async function codes(fs: MemoryFileSystem): Promise<string[]> {
  const found: string[] = [];
  for await (const { code } of verifyFolder(new SpaceFolder(fs, "/notes"))) found.push(code);
  return found;
}

async function open(fs: MemoryFileSystem, id: string, options: SpaceOptions = {}): Promise<Space> {
  return await new SpaceManager(options).loadSpace({ id }, [new FileSystemPersistenceLayer("/notes", id, { fs })]);
}

test("spaces that began in one folder are found, and joined without a loss, alike on devices that join at once", async () => {
  const { laptop, phone, ids } = await unite();
  for await (const { code, file, reason } of verifyFolder(new SpaceFolder(laptop, "/notes"))) {
    expect({ code, file }).toEqual({ code: "FOLD_TWO_SPACES", file: COPY.slice("/notes/".length) });
    for (const part of [...ids, '"laptop"', '"phone"', "operations"]) expect(reason).toContain(part);
  }
  const before = await contentsOf(laptop);
  const planned = await joinSpaces(new SpaceFolder(laptop, "/notes"), { isDryRun: true });
  expect(await contentsOf(laptop)).toEqual(before);
  const joined = await joinSpaces(new SpaceFolder(laptop, "/notes"));
  expect(joined).toEqual(planned);
  expect(joined).toMatchObject({ spaceId: ids[0], joined: [{ spaceId: ids[1], name: "phone" }], left: [] });
  await joinSpaces(new SpaceFolder(phone, "/notes"));
  expect(await contentsOf(phone)).toEqual(await contentsOf(laptop));
  expect(await contentsOf(laptop)).toMatchObject(before);
  for (const fs of [laptop, phone]) {
    expect(await codes(fs)).toEqual([]);
    const space = await open(fs, ids[0]);
    const names = space.tree.root!.children.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["note of laptop", "note of phone"]));
    expect(space.tree.root!.name).toBe("laptop");
    expect(space.appTrees.map(({ name }) => name).sort()).toEqual(["page of laptop", "page of phone"]);
    for (const { treeId } of space.appTrees) expect((await space.loadAppTree(treeId!)).root.children).toHaveLength(1);
    await space.close();
  }
  expect((await joinSpaces(new SpaceFolder(laptop, "/notes"))).written).toEqual([]);
});

test("what arrives for the other space later is found and joined, too", async () => {
  const { laptop, phone, ids } = await unite();
  await joinSpaces(new SpaceFolder(laptop, "/notes"));
  await phone.write("/notes/space-v1/space.json", (await phone.read(COPY))!);
  await phone.remove(COPY);
  const late = await open(phone, ids[1]);
  late.tree.root!.newNamedChild("late note of phone");
  await late.close();
  await copyOps(phone, laptop);
  expect(await codes(laptop)).toEqual(["FOLD_TWO_SPACES"]);
  await joinSpaces(new SpaceFolder(laptop, "/notes"));
  expect(await codes(laptop)).toEqual([]);
  const space = await open(laptop, ids[0]);
  expect(space.tree.root!.children.map(({ name }) => name)).toContain("late note of phone");
  await space.close();
});

test("an open space says that another space began in its folder", async () => {
  const { laptop, ids } = await unite();
  const space = await open(laptop, ids[0]);
  await expect
    .poll(() => space.problems.map(({ code, file }) => [code, file]))
    .toEqual([["FOLD_TWO_SPACES", COPY.slice("/notes/".length)]]);
  await space.close();
});

test("a peer that wrote in both spaces under the same ids loses nothing", async () => {
  const [laptop, phone] = [new MemoryFileSystem(), new MemoryFileSystem()];
  const kept = { peerId: "kept-peer" };
  const ids = [await begin(laptop, "laptop"), await begin(phone, "phone", kept)];
  await phone.write(COPY, (await phone.read("/notes/space-v1/space.json"))!);
  await phone.write("/notes/space-v1/space.json", (await laptop.read("/notes/space-v1/space.json"))!);
  await copyOps(laptop, phone);
  const space = await open(phone, ids[0]!, kept);
  for (let count = 0; count < 9; count++) space.tree.root!.newNamedChild(`later ${count}`);
  await space.close();
  await joinSpaces(new SpaceFolder(phone, "/notes"));
  const joined = await open(phone, ids[0]!);
  const names = joined.tree.root!.children.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(["note of phone", "note of laptop", "later 0", "later 8"]));
  await joined.close();
});

test("an app tree with a vertex app-forest is no space", async () => {
  const fs = new MemoryFileSystem();
  const id = await begin(fs, "laptop");
  const space = await open(fs, id);
  const { root } = await space.loadAppTree(space.appTrees[0]!.treeId!);
  root.newNamedChild("app-forest").newNamedChild("deeper").newNamedChild("app-forest");
  await space.close();
  expect(await codes(fs)).toEqual([]);
  expect(await joinSpaces(new SpaceFolder(fs, "/notes"))).toMatchObject({ joined: [], written: [] });
});

test("an unreadable log or copy of space.json is named, stops nothing else, and moves nothing", async () => {
  const { laptop, ids } = await unite();
  await laptop.write(`/notes/space-v1/ops/aa/${"b".repeat(30)}/2026/11/22/${"c".repeat(32)}.jsonl.cloud`, new Uint8Array(1));
  const { left, moved } = await joinSpaces(new SpaceFolder(laptop, "/notes"));
  expect(left.map(({ code }) => code)).toEqual(["FOLD_NOT_DOWNLOADED"]);
  expect(moved).toEqual([]);
  const faulty = new FaultyFileSystem(laptop);
  faulty.fault = ({ action, path }) => {
    if (action === "read" && path === COPY) throw new Error("a bad disk");
    return undefined;
  };
  const problems: string[] = [];
  for await (const { file, reason } of verifyFolder(new SpaceFolder(faulty, "/notes")))
    if (file === COPY.slice(7)) problems.push(reason);
  expect(problems).toEqual([expect.stringContaining("a bad disk")]);
  const layer = new FileSystemPersistenceLayer("/notes", ids[0], { fs: faulty });
  const space = await new SpaceManager().loadSpace({ id: ids[0] }, [layer]);
  await expect.poll(() => space.problems.map(({ file }) => file)).toContain(COPY.slice(7));
  await space.close();
});
