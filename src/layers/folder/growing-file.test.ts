import { expect, test, vi } from "vitest";
import { FoldspaceError } from "../../errors.ts";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import { FaultyFileSystem } from "../../testing/faulty-file-system.ts";
import { Parsing } from "../../worker/parsing.ts";
import { readEntry } from "../../maintenance/read-entry.ts";
import { readLog } from "./read-log.ts";
import { SpaceFolder, type LogEntry } from "./space-folder.ts";

const PATH = "/home/log.jsonl";
const LINE = '["p",1,"x","k",1]\n';
/** More than is read at once. */
const GROWTH = new TextEncoder().encode(LINE.repeat(300_000));

/** A file that has grown by more than was read, each time that it is read. */
async function growing(): Promise<{ fs: FaultyFileSystem; size: number }> {
  const memory = new MemoryFileSystem({ [PATH]: GROWTH });
  const fs = new FaultyFileSystem(memory);
  fs.fault = async ({ action }) => {
    if (action === "read") await memory.append(PATH, GROWTH);
    return undefined;
  };
  return { fs, size: (await memory.stat(PATH))!.size };
}

test("a file that grows faster than it is read is read as far as it was when it was listed, and not much further", async () => {
  const { fs, size } = await growing();
  const entry = { path: "log.jsonl", peerId: "peer", treeId: "tree", size } as LogEntry;
  let ops = 0;
  for await (const part of readEntry(new SpaceFolder(fs, "/home"), entry)) ops += part.ops.length;
  expect(ops).toBeGreaterThanOrEqual(300_000);
  expect(fs.pathsOf("read")).toHaveLength(2);
});

test("the next rescan reads lines that were appended meanwhile", async () => {
  const { fs, size } = await growing();
  const first = await readLog(fs, PATH, "peer", { listedSize: size });
  expect(fs.pathsOf("read")).toHaveLength(2);
  fs.fault = () => undefined;
  const next = await readLog(fs, PATH, "peer", { cursor: first!.cursor, listedSize: (await fs.stat(PATH))!.size });
  expect(next!.isContinued).toBe(true);
  expect(first!.columns.length + next!.columns.length).toBe(900_000);
});

test("a file that can no longer be read on ends its parsing", async () => {
  const { fs } = await growing();
  let ended = 0;
  const parsing = new Parsing({ worker: false });
  const open = parsing.open.bind(parsing);
  vi.spyOn(parsing, "open").mockImplementation(async (...given) => {
    const job = await open(...given);
    return { push: (bytes) => job.push(bytes), end: () => (ended++, job.end()) };
  });
  fs.fault = () => (fs.pathsOf("read").length > 1 ? new FoldspaceError("FOLD_IO", "fails in this test") : undefined);
  await expect(readLog(fs, PATH, "peer", { parsing })).rejects.toMatchObject({ code: "FOLD_IO" });
  expect(ended).toBe(1);
});
