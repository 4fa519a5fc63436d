import { afterEach, expect, test } from "vitest";
import { FoldspaceError, type Problem } from "../../errors.ts";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import { FaultyFileSystem } from "../../testing/faulty-file-system.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import { FileSystemPersistenceLayer } from "./file-system-layer.ts";

const SPACE = "5".repeat(32);
const PEER = "9fae0b1c2d3e4f5061728394a5b6c7d8";
const TREE_DIR = `space-v1/ops/55/${"5".repeat(30)}`;
const DAY = `${TREE_DIR}/2026/11/22`;

const open: FileSystemPersistenceLayer[] = [];

afterEach(async () => {
  for (const layer of open.splice(0)) await layer.disconnect();
});

function line(counter: number): string {
  return `["p",${counter},"vertex","text",${counter}]\n`;
}

function folder(files: Record<string, string>): FaultyFileSystem {
  const all = { "space-v1/space.json": `{"id":"${SPACE}"}`, ...files };
  return new FaultyFileSystem(
    new MemoryFileSystem(Object.fromEntries(Object.entries(all).map(([path, text]) => [`space/${path}`, text]))),
  );
}

async function connect(fs: FaultyFileSystem, spaceId: string = SPACE): Promise<FileSystemPersistenceLayer> {
  const layer = new FileSystemPersistenceLayer("/space", spaceId, { fs });
  open.push(layer);
  await layer.connect({ peerId: newId() });
  return layer;
}

interface Loaded {
  /** Counter and peer of what was read, in order. */
  readonly ops: string[];
  readonly problems: readonly Problem[];
}

async function load(fs: FaultyFileSystem): Promise<Loaded> {
  const layer = await connect(fs);
  const ops = await layer.loadSpaceTreeOps();
  return { ops: outline(ops), problems: layer.problems };
}

function outline(ops: readonly VertexOperation[]): string[] {
  return ops.map((op) => `${op.id.counter}@${op.id.peerId}`).sort();
}

test("of very many bad lines in very many files a bounded number is listed, all are counted, and an edit reports nothing again", async () => {
  const files = Object.fromEntries(
    Array.from({ length: 300 }, (_, index) => [`${DAY}/p${index + 100}.jsonl`, "x\n".repeat(1_500) + line(index + 1)]),
  );
  const fs = folder({ [`${DAY}/one.jsonl`]: `x\n${line(1)}`, ...files });
  const layer = await connect(fs);
  expect(await layer.loadSpaceTreeOps()).toHaveLength(301);
  expect(layer.problemCount).toBe(300 * 1_500 + 1);
  expect(layer.problems.length).toBeLessThan(1_100);
  const ofOneFile = layer.problems.filter(({ file }) => file === `${DAY}/p100.jsonl`);
  expect(ofOneFile.map((problem) => problem.line)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(ofOneFile.at(-1)!.reason).toContain("1,480 more problems of this file");
  expect(layer.problems.at(-1)!.reason).toContain("more problems, of other files, are not listed");

  await layer.startListening(() => undefined);
  const { problems } = layer;
  void layer.saveTreeOps(SPACE, [
    { id: { counter: 9, peerId: PEER }, targetId: "vertex", key: "text", value: 1, transient: false },
  ]);
  await layer.flush();
  await layer.rescan();
  expect(layer.problems).toBe(problems);
  await fs.append(`/space/${DAY}/one.jsonl`, new TextEncoder().encode("y\n"));
  await layer.rescan();
  expect(layer.problemCount).toBe(300 * 1_500 + 2);
});

test("a bad line costs itself, and is reported with its file and number", async () => {
  const { ops, problems } = await load(
    folder({ [`${DAY}/one.jsonl`]: `${line(1)}garbage\n${line(2)}["p",0,"x","y",1]\n`, [`${DAY}/two.jsonl`]: line(3) }),
  );
  expect(ops).toEqual(["1@one", "2@one", "3@two"]);
  expect(problems).toEqual([
    expect.objectContaining({ code: "FOLD_BAD_LINE", file: `${DAY}/one.jsonl`, line: 2, treeId: SPACE }),
    expect.objectContaining({ code: "FOLD_BAD_COUNTER", file: `${DAY}/one.jsonl`, line: 4, treeId: SPACE }),
  ]);
});

test("a file that cannot be read costs itself, is reported, and is read when it can be", async () => {
  const fs = folder({ [`${DAY}/one.jsonl`]: line(1), [`${DAY}/two.jsonl`]: line(2) });
  const denied = new FoldspaceError("FOLD_PERMISSION", "denied");
  fs.fault = ({ action, path }) => (action === "read" && path.endsWith("one.jsonl") ? denied : undefined);
  const layer = await connect(fs);
  expect(outline(await layer.loadSpaceTreeOps())).toEqual(["2@two"]);
  expect(layer.problems).toEqual([
    { code: "FOLD_PERMISSION", reason: "cannot be read: denied", file: `${DAY}/one.jsonl`, treeId: SPACE },
  ]);
  const heard: VertexOperation[] = [];
  await layer.startListening(({ ops }) => heard.push(...(ops ?? [])));
  expect(layer.problems).toHaveLength(1);
  fs.fault = () => undefined;
  await layer.rescan();
  expect(outline(heard)).toEqual(["1@one"]);
  expect(layer.problems).toEqual([]);
});

test("a file that could not be read is no problem any more when it is gone", async () => {
  const fs = folder({ [`${DAY}/one.jsonl`]: line(1), [`${DAY}/two.jsonl`]: line(2) });
  fs.fault = ({ action, path }) =>
    action === "read" && path.endsWith("one.jsonl") ? new FoldspaceError("FOLD_PERMISSION", "denied") : undefined;
  const layer = await connect(fs);
  await layer.loadSpaceTreeOps();
  await layer.startListening(() => undefined);
  expect(layer.problems).toHaveLength(1);
  await fs.remove(`/space/${DAY}/one.jsonl`);
  await layer.rescan();
  expect(layer.problems).toEqual([]);
});

test("an unreadable folder affects no other folder", async () => {
  const otherTree = "space-v1/ops/ab/cdef/2026";
  const fs = folder({
    [`${DAY}/one.jsonl`]: line(1),
    [`${TREE_DIR}/2026/11/23/two.jsonl`]: line(2),
    [`${TREE_DIR} 2/2026/three.jsonl`]: line(3),
    [`${otherTree}/four.jsonl`]: line(4),
  });
  const unreadable = (part: string): void => {
    fs.fault = ({ action, path }) =>
      action === "list" && path.endsWith(part) ? new FoldspaceError("FOLD_PERMISSION", "denied") : undefined;
  };
  unreadable("11/23");
  const day = await load(fs);
  expect(day.ops).toEqual(["1@one", "3@three"]);
  expect(day.problems.map(({ code, file }) => `${code} ${file}`).sort()).toEqual([
    `FOLD_CONFLICT_COPY ${TREE_DIR} 2/2026/three.jsonl`,
    `FOLD_PERMISSION ${TREE_DIR}/2026/11/23`,
  ]);
  unreadable("5 2");
  expect((await load(fs)).ops).toEqual(["1@one", "2@two"]);
  unreadable("ops/ab");
  const layer = await connect(fs);
  expect(outline(await layer.loadSpaceTreeOps())).toEqual(["1@one", "2@two", "3@three"]);
  expect(await layer.listTrees()).toEqual([SPACE]);
  // nothing at all must not pass for an empty tree
  await expect(layer.loadTreeOps("abcdef")).rejects.toMatchObject({ code: "FOLD_PERMISSION" });
});

test("an unreadable folder among changed ones does not hide the others' changes, nor is it taken for lost", async () => {
  const fs = folder({ [`${DAY}/one.jsonl`]: line(1), [`${TREE_DIR}/2026/11/23/two.jsonl`]: line(2) });
  const layer = await connect(fs);
  await layer.loadSpaceTreeOps();
  const heard: VertexOperation[] = [];
  await layer.startListening(({ ops }) => heard.push(...(ops ?? [])));
  fs.fault = ({ action, path }) =>
    action === "list" && path.endsWith("11/22") ? new FoldspaceError("FOLD_PERMISSION", "denied") : undefined;
  await fs.append(`/space/${DAY}/one.jsonl`, new TextEncoder().encode(line(3)));
  await fs.append(`/space/${TREE_DIR}/2026/11/23/two.jsonl`, new TextEncoder().encode(line(4)));
  await expect.poll(() => outline(heard), { timeout: 10_000 }).toEqual(["4@two"]);
  await expect
    .poll(() => layer.problems, { timeout: 10_000 })
    .toEqual([expect.objectContaining({ code: "FOLD_PERMISSION", file: DAY })]);
});

test("conflict copies are read under the right peer, and reported", async () => {
  const names = [
    `${PEER} (conflicted copy 2026-11-22).jsonl`,
    `${PEER}.sync-conflict-20261122-120000-D4LGQYW.jsonl`,
    `${PEER}.jsonl.conflict1`,
  ];
  const files = Object.fromEntries(names.map((name, index) => [`${DAY}/${name}`, line(1) + line(index + 2)]));
  const { ops, problems } = await load(folder({ [`${DAY}/${PEER}.jsonl`]: line(1), ...files }));
  expect([...new Set(ops)]).toEqual([1, 2, 3, 4].map((counter) => `${counter}@${PEER}`));
  expect(problems.map(({ code, file, treeId }) => ({ code, file, treeId }))).toEqual(
    names.map((name) => ({ code: "FOLD_CONFLICT_COPY", file: `${DAY}/${name}`, treeId: SPACE })),
  );
});

test("both layouts and split folders are read as one tree", async () => {
  const { ops } = await load(
    folder({
      [`${DAY}/a-1.jsonl`]: line(1),
      [`space-v1/ops/${SPACE}/2026/11/22/b-1.jsonl`]: line(2),
      [`${TREE_DIR}/2026/11/22 2/c-1.jsonl`]: line(3),
      [`${TREE_DIR} (Case Conflict)/2026/11/22/d-1.jsonl`]: line(4),
      [`space-v1/ops/55 2/${"5".repeat(30)}/2026/11/22/e-1.jsonl`]: line(5),
      [`${TREE_DIR}/2026-11-22/f-1.jsonl`]: line(6),
      [`space-v1/ops/55/${"5".repeat(29)}6/2026/11/22/g-1.jsonl`]: line(7),
    }),
  );
  expect(ops).toEqual(["1@a-1", "2@b-1", "3@c-1", "4@d-1", "5@e-1", "6@f-1"]);
});

test("what is not of the space is reported, what is temporary is not", async () => {
  const { ops, problems } = await load(
    folder({
      [`${DAY}/one.jsonl`]: line(1),
      [`${DAY}/notes.txt`]: "hello",
      [`${DAY}/.${PEER}.jsonl.icloud`]: "stub",
      [`${DAY}/.syncthing.${PEER}.jsonl.tmp`]: line(2),
      [`${DAY}/${PEER}.jsonl.crswap`]: line(3),
      [`${DAY}/.DS_Store`]: "",
    }),
  );
  expect(ops).toEqual(["1@one"]);
  expect(problems.map(({ code, file }) => `${code} ${file}`)).toEqual([
    `FOLD_FOREIGN_FILE ${DAY}/notes.txt`,
    `FOLD_NOT_DOWNLOADED ${DAY}/.${PEER}.jsonl.icloud`,
  ]);
});

test.each<[string, Record<string, string>, string]>([
  ["is missing", {}, "FOLD_NOT_FOUND"],
  ["is a file", { space: "text" }, "FOLD_NOT_A_FOLDER"],
  ["holds no space", { "space/notes.txt": "" }, "FOLD_NOT_A_SPACE"],
  ["holds a space of version 0", { "space/space.json": "{}", "space/ops/ab/cd/2024-01-01/peer.jsonl": "" }, "FOLD_OLD_FORMAT"],
  ["has a space.json that is not JSON", { "space/space-v1/space.json": "{" }, "FOLD_BAD_SPACE_FILE"],
  ["has a space.json without id", { "space/space-v1/space.json": "{}" }, "FOLD_BAD_SPACE_FILE"],
  ["has lost its space.json", { "space/space-v1/ops/ab/cd/peer.jsonl": "" }, "FOLD_BAD_SPACE_FILE"],
  ["has a space.json that is not downloaded", { "space/space-v1/.space.json.icloud": "" }, "FOLD_NOT_DOWNLOADED"],
  ["holds another space", { "space/space-v1/space.json": '{"id":"other"}' }, "FOLD_SPACE_MISMATCH"],
])("a folder that %s is refused, and nothing is written", async (_name, files, code) => {
  const memory = new MemoryFileSystem(files);
  const before = memory.dump();
  const layer = new FileSystemPersistenceLayer("/space", SPACE, { fs: memory });
  await expect(layer.connect({ peerId: newId() })).rejects.toMatchObject({ name: "FoldspaceError", code });
  expect(layer.status).toMatchObject({ state: "offline", error: { code } });
  const isAbsence = ["FOLD_NOT_FOUND", "FOLD_NOT_A_SPACE"].includes(code);
  if (!isAbsence) await expect(layer.connect({ peerId: newId(), create: true })).rejects.toMatchObject({ code });
  expect(memory.dump()).toEqual(before);
});

test("a space id that could lead elsewhere is refused before any file is read", async () => {
  const fs = folder({});
  await expect(connect(fs, "../../x")).rejects.toMatchObject({ code: "FOLD_BAD_ID" });
  expect(fs.calls).toEqual([]);
});
