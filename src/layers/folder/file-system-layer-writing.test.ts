import { afterEach, expect, test } from "vitest";
import { FoldspaceError } from "../../errors.ts";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import { FaultyFileSystem } from "../../testing/faulty-file-system.ts";
import { asSet, TestPeer } from "../../testing/layer-bench.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { newId, type VertexOperation } from "../../tree/index.ts";
import { FileSystemPersistenceLayer, type FileSystemLayerOptions } from "./file-system-layer.ts";

const SPACE = "5".repeat(32);
const OPS = `space-v1/ops/55/${"5".repeat(30)}`;
const LATE = Date.UTC(2026, 10, 22, 23, 59, 58);
const diskFull = new FoldspaceError("FOLD_DISK_FULL", "No space left on the device");

interface Rig {
  readonly memory: MemoryFileSystem;
  readonly fs: FaultyFileSystem;
  readonly clock: ManualClock;
  readonly layer: FileSystemPersistenceLayer;
}

let open: FileSystemPersistenceLayer[] = [];

afterEach(async () => {
  for (const layer of open) await layer.disconnect();
  open = [];
});

async function connect(peerId: string, files: Record<string, string> = {}, options: FileSystemLayerOptions = {}): Promise<Rig> {
  const memory = new MemoryFileSystem(
    Object.fromEntries(Object.entries(files).map(([path, content]) => [`space/${path}`, content])),
  );
  const fs = new FaultyFileSystem(memory);
  const clock = new ManualClock(LATE);
  const layer = new FileSystemPersistenceLayer("/space", SPACE, { fs, clock, ...options });
  open.push(layer);
  await layer.connect({ peerId, create: true });
  return { memory, fs, clock, layer };
}

/** Content of a file in the space's folder. */
function text(memory: MemoryFileSystem, path: string): string | undefined {
  return memory.dump()[`space/${path}`];
}

function logs(memory: MemoryFileSystem): string[] {
  return Object.keys(memory.dump()).filter((path) => path.endsWith(".jsonl"));
}

async function load(memory: MemoryFileSystem): Promise<VertexOperation[]> {
  const layer = new FileSystemPersistenceLayer("/space", SPACE, { fs: memory });
  open.push(layer);
  await layer.connect({ peerId: newId() });
  return await layer.loadSpaceTreeOps();
}

test("a new space has a marker, a space file and a folder for operations", async () => {
  const { memory } = await connect("writer");
  expect(Object.keys(memory.dump())).toEqual(["space/space-v1/space.json", "space/supa.md"]);
  expect(text(memory, "space-v1/space.json")).toBe(`{"id":"${SPACE}"}`);
});

test.each(["README.md", "sila.md", "supa.md"])(
  "a folder that has a %s gets no other marker, and keeps what is in it",
  async (marker) => {
    const { memory } = await connect("writer", { [marker]: "mine", "notes.txt": "kept" });
    expect(Object.keys(memory.dump()).sort()).toEqual([`space/${marker}`, "space/notes.txt", "space/space-v1/space.json"].sort());
    expect(text(memory, marker)).toBe("mine");
  },
);

test("an existing space.json is kept to the byte, with its unknown members", async () => {
  const spaceFile = `{ "newer": [1, 2],\r\n "id": "${SPACE}" }\n`;
  const { memory, layer } = await connect("writer", { "space-v1/space.json": spaceFile });
  await Promise.all([layer.saveTreeOps(SPACE, new TestPeer("writer").setMany(1)), layer.flush()]);
  expect(text(memory, "space-v1/space.json")).toBe(spaceFile);
  expect(Object.keys(memory.dump())).not.toContain("space/supa.md");
});

test("opening and reading write nothing, not even a folder", async () => {
  const { memory, fs, layer } = await connect("reader", { "space-v1/space.json": `{"id":"${SPACE}"}` });
  await layer.loadSpaceTreeOps();
  await layer.listTrees();
  await layer.startListening(() => undefined);
  await layer.rescan();
  await layer.disconnect();
  expect(
    ["append", "write", "makeDirectory", "rename", "remove"].flatMap((action) =>
      fs.calls.filter((call) => call.action === action),
    ),
  ).toEqual([]);
  expect(await memory.list("space/space-v1")).toEqual([{ name: "space.json", kind: "file" }]);
});

test("operations go to the writer's own file of the UTC day, others' to relay files", async () => {
  const { memory, clock, layer } = await connect("writer");
  const [own, other] = [new TestPeer("writer"), new TestPeer("other")];
  void layer.saveTreeOps(SPACE, [own.set(1), other.set(2)]);
  void layer.saveTreeOps("tree-1", [own.set(3)]);
  await clock.advance(500);
  expect(logs(memory)).toEqual([
    `space/${OPS}/2026/11/22/other.writer.jsonl`,
    `space/${OPS}/2026/11/22/writer.jsonl`,
    "space/space-v1/ops/tr/ee-1/2026/11/22/writer.jsonl",
  ]);
  expect(text(memory, `${OPS}/2026/11/22/writer.jsonl`)).toBe('["p",1,"vertex","text",1]\n');
  await clock.advance(2_000);
  void layer.saveTreeOps(SPACE, [own.set(4)]);
  await clock.advance(500);
  expect(text(memory, `${OPS}/2026/11/23/writer.jsonl`)).toBe('["p",3,"vertex","text",4]\n');
});

test("one flush is one append for each file", async () => {
  const { fs, layer } = await connect("writer");
  const [own, other] = [new TestPeer("writer"), new TestPeer("other")];
  for (let count = 0; count < 100; count++) void layer.saveTreeOps(SPACE, [own.set(count), other.set(count)]);
  await layer.flush();
  expect(fs.pathsOf("append")).toHaveLength(2);
  void layer.saveTreeOps(SPACE, own.setMany(3));
  await layer.flush();
  expect(fs.pathsOf("append")).toHaveLength(3);
});

test.each([
  ["torn", '["p",1,"vertex","te', '["p",1,"vertex","te\n'],
  ["whole but for its newline", '["p",1,"vertex","text",1]', '["p",1,"vertex","text",1]\n'],
  ["whole", '["p",1,"vertex","text",1]\n', '["p",1,"vertex","text",1]\n'],
  ["of zeros", "\0\0\0", "\0\0\0\n"],
  ["missing", "", ""],
])("before the first append to an existing file, a last line that is %s is checked", async (_name, before, start) => {
  const path = `${OPS}/2026/11/22/writer.jsonl`;
  const { memory, fs, layer } = await connect("writer", { "space-v1/space.json": `{"id":"${SPACE}"}`, [path]: before });
  const peer = new TestPeer("writer", 10);
  for (let round = 0; round < 3; round++) {
    void layer.saveTreeOps(SPACE, [peer.set(round)]);
    await layer.flush();
  }
  expect(text(memory, path)).toBe(`${start}["p",11,"vertex","text",0]\n["p",12,"vertex","text",1]\n["p",13,"vertex","text",2]\n`);
  expect(fs.pathsOf("read").filter((read) => read.endsWith("writer.jsonl"))).toHaveLength(before === "" ? 0 : 1);
});

test.each([0, 0.3, 0.99, 1])(
  "an append that fails after writing %d of its bytes loses nothing and glues nothing",
  async (written) => {
    const { memory, fs, clock, layer } = await connect("writer");
    const peer = new TestPeer("writer");
    const first = peer.setMany(5);
    void layer.saveTreeOps(SPACE, first);
    await layer.flush();
    fs.writtenBeforeFailing = written;
    fs.fault = ({ action }) => (action === "append" ? diskFull : undefined);
    const second = [peer.set("some text that is long enough to be torn"), ...peer.setMany(5)];
    const saving = layer.saveTreeOps(SPACE, second);
    await expect(layer.flush()).rejects.toBe(diskFull);
    expect(layer.status).toMatchObject({ state: "degraded", pendingOps: 6, error: diskFull });
    fs.fault = () => undefined;
    await clock.advance(1_000);
    await saving;
    expect(layer.status).toMatchObject({ state: "idle", pendingOps: 0, error: undefined });
    const third = peer.setMany(2);
    void layer.saveTreeOps(SPACE, third);
    await layer.flush();
    expect(asSet(await load(memory))).toEqual(asSet([...first, ...second, ...third]));
  },
);

test("one file that cannot be written does not keep the others from being", async () => {
  const { memory, fs, layer } = await connect("writer");
  const [own, other] = [new TestPeer("writer"), new TestPeer("other")];
  fs.fault = ({ action, path }) => (action === "append" && path.endsWith("other.writer.jsonl") ? diskFull : undefined);
  void layer.saveTreeOps(SPACE, [other.set(1)]);
  void layer.saveTreeOps(SPACE, own.setMany(3));
  await expect(layer.flush()).rejects.toBe(diskFull);
  expect(logs(memory)).toEqual([`space/${OPS}/2026/11/22/writer.jsonl`]);
  fs.fault = () => undefined;
  await layer.flush();
  expect(logs(memory)).toHaveLength(2);
});

test("a folder that vanishes is not made anew: operations wait until it is back", async () => {
  const { memory, clock, layer } = await connect("writer");
  const peer = new TestPeer("writer");
  const ops = peer.setMany(3);
  await Promise.all([layer.saveTreeOps(SPACE, ops.slice(0, 1)), layer.flush()]);
  await memory.rename("/space", "/unmounted");
  const saving = layer.saveTreeOps(SPACE, ops.slice(1));
  await clock.advance(60_000);
  expect(layer.status).toMatchObject({
    state: "degraded",
    pendingOps: 2,
    error: { code: "FOLD_FOLDER_LOST", data: { path: "/space" } },
  });
  expect(await memory.stat("/space")).toBeUndefined();
  await memory.rename("/unmounted", "/space");
  await clock.advance(30_000);
  await saving;
  expect(layer.status.state).toBe("idle");
  expect(asSet(await load(memory))).toEqual(asSet(ops));
});

test("the reported problem of a lost folder ends when it is back", async () => {
  const { memory, layer } = await connect("writer");
  await layer.startListening(() => undefined);
  await memory.rename("/space", "/unmounted");
  await layer.rescan();
  expect(layer.problems).toEqual([expect.objectContaining({ code: "FOLD_FOLDER_LOST" })]);
  await memory.rename("/unmounted", "/space");
  await layer.rescan();
  expect(layer.problems).toEqual([]);
});

test("disconnecting from a lost folder reports the operations that were not saved", async () => {
  const { memory, layer } = await connect("writer");
  await memory.remove("/space");
  const saving = layer.saveTreeOps(SPACE, new TestPeer("writer").setMany(4));
  await Promise.all([expect(saving).rejects.toMatchObject({ code: "FOLD_NOT_DURABLE" }), layer.disconnect()]);
  expect(layer.status).toMatchObject({ state: "offline", pendingOps: 4, error: { code: "FOLD_FOLDER_LOST" } });
  expect(await memory.stat("/space")).toBeUndefined();
});

test("the end of our own file is checked before the next append if another program changed it", async () => {
  const { memory, layer } = await connect("writer");
  const peer = new TestPeer("writer");
  const ops = peer.setMany(3);
  await layer.loadSpaceTreeOps();
  await layer.startListening(() => undefined);
  await Promise.all([layer.saveTreeOps(SPACE, ops.slice(0, 2)), layer.flush()]);
  const path = `/space/${OPS}/2026/11/22/writer.jsonl`;
  const content = (await memory.read(path))!;
  // a sync service puts back half of what it had
  await memory.write(path, content.subarray(0, content.length - 10));
  await layer.rescan();
  await Promise.all([layer.saveTreeOps(SPACE, ops.slice(2)), layer.flush()]);
  expect(text(memory, path.slice("/space/".length))?.split("\n")[2]).toBe('["p",3,"vertex","text",2]');
});

test("values too long for one write are saved in several, and what has been saved is not written again", async () => {
  const { memory, fs, layer } = await connect("writer");
  const peer = new TestPeer("writer");
  const value = "x".repeat(1024 * 1024);
  const ops = Array.from({ length: 20 }, () => peer.set(value));
  fs.fault = ({ action }) => (action === "append" && fs.pathsOf("append").length === 2 ? diskFull : undefined);
  const saving = layer.saveTreeOps(SPACE, ops);
  await expect(layer.flush()).rejects.toBe(diskFull);
  expect(layer.status.pendingOps).toBeLessThan(20);
  await layer.flush();
  await saving;
  const content = text(memory, `${OPS}/2026/11/22/writer.jsonl`)!;
  expect(content.match(/^\["p",\d+/gm)).toEqual(ops.map((op) => `["p",${op.id.counter}`));
  expect(fs.pathsOf("append")).toHaveLength(4);
});
