import * as fc from "fast-check";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FoldspaceError } from "../../src/errors.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { classifyLogFile, isIgnoredName, isPathSafeId, logFilePath, OPS_DIR } from "../../src/log/index.ts";
import { COPY_NAMES } from "../../src/testing/copy-names.ts";
import { FIXTURES } from "../scenarios/cli-harness.ts";
import { fuzzing, Watchdog } from "./fuzzing.ts";
import { mutated } from "./mutations.ts";

const TREE = "02d9c0a1b2c3d4e5f60718293a4b5c6d";
const PEER = "9fae0b1c2d3e4f5061728394a5b6c7d8";
const DAY = `${TREE.slice(0, 2)}/${TREE.slice(2)}/2026/11/22`;
const watchdog = new Watchdog();

const real = readdirSync(FIXTURES, { recursive: true, encoding: "utf8" })
  .filter((path) => path.includes("/ops/") && path.endsWith(".jsonl"))
  .map((path) => path.slice(path.indexOf("/ops/") + "/ops/".length));
const seeds = [
  ...real,
  ...COPY_NAMES.map(([, name]) => `${DAY}/${name.replace(/^(.*?)B/, `$1${PEER}`)}`),
  `${DAY} 2/${PEER}.jsonl`,
  `${TREE}/2026/11/22/device-a.device-b.jsonl`,
].map((path) => new TextEncoder().encode(path));
const paths = mutated(seeds, 300)
  .map((bytes) =>
    new TextDecoder()
      .decode(bytes)
      .split("/")
      .filter((part) => part !== "" && part !== "." && part !== "..")
      .join("/"),
  )
  .filter((path) => path !== "");

test("whatever a path is, what it is taken for has ids that are safe, and a name of ours means just one file", () => {
  let copies = 0;
  let written = 0;
  fc.assert(
    fc.property(paths, (path) => {
      const file = watchdog.watch(new TextEncoder().encode(path), () => classifyLogFile(path));
      if (file.kind !== "log") return;
      for (const id of [file.treeId, file.peerId, file.writerId]) expect(id).toMatch(/^[A-Za-z0-9_-]{1,128}$/);
      if (file.isCopy) {
        copies++;
        return;
      }
      const { treeId, peerId, writerId } = file;
      const name = peerId === writerId ? `${peerId}.jsonl` : `${peerId}.${writerId}.jsonl`;
      expect(path.slice(path.lastIndexOf("/") + 1)).toBe(name);
      if (isWritable(treeId, peerId, writerId)) written++;
    }),
    fuzzing({ runs: 50_000, seconds: 5 }),
  );
  expect(copies).toBeGreaterThan(100);
  expect(written).toBeGreaterThan(100);
});

test("a folder with such files in it opens, and what is read comes from its logs alone", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(paths, { minLength: 1, maxLength: 8 }), async (names) => {
      const fs = new MemoryFileSystem({ "/home/space-v1/space.json": JSON.stringify({ id: TREE }) });
      const logs = new Map<string, number>();
      for (const path of names) {
        try {
          await fs.write(join("/home", OPS_DIR, path), new TextEncoder().encode(`["m",1,"${TREE}",null]\n`));
        } catch (error) {
          // a folder stands there, or a file where a folder should be
          expect(error).toMatchObject({ code: expect.stringMatching(/FOLD_IO|FOLD_NOT_A_FOLDER/) });
          continue;
        }
        const file = classifyLogFile(path);
        if (file.kind === "log" && !path.split("/").slice(0, -1).some(isIgnoredName))
          logs.set(file.treeId, (logs.get(file.treeId) ?? 0) + 1);
      }
      const layer = new FileSystemPersistenceLayer("/home", TREE, { fs });
      await layer.connect();
      expect(await layer.listTrees()).toEqual([...logs.keys()].sort());
      // what lies deeper than any sync service puts it is known when everything has been looked at once
      await layer.startListening(() => undefined);
      for (const [treeId, count] of logs) if (isPathSafeId(treeId)) expect(await layer.loadTreeOps(treeId)).toHaveLength(count);
      await layer.disconnect();
    }),
    fuzzing({ runs: 3_000, seconds: 10 }),
  );
});

test("whatever the ids are, what is written is read as it was meant", () => {
  const part = fc.oneof(
    fc.constantFrom(
      TREE,
      PEER,
      TREE.slice(2),
      "2026",
      "11",
      "conflict",
      "sync-conflict-1",
      "-host-safeBackup-1",
      "_LOCAL_1",
      "-",
      "_",
      "A",
    ),
    fc.string({ unit: fc.constantFrom(..."0123456789abcdefABxyz-_".split("")), maxLength: 12 }),
  );
  const id = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(""));
  let written = 0;
  fc.assert(
    fc.property(id, id, id, (treeId, peerId, writerId) => {
      if (isWritable(treeId, peerId, writerId)) written++;
    }),
    fuzzing({ runs: 50_000, seconds: 5 }),
  );
  expect(written).toBeGreaterThan(1_000);
});

/** Whether a file of such ids would be written; then it is read as it was meant. */
function isWritable(treeId: string, peerId: string, writerId: string): boolean {
  try {
    const path = logFilePath(treeId, peerId, writerId, new Date("2026-11-22"));
    expect(classifyLogFile(path.slice(OPS_DIR.length + 1))).toEqual({ kind: "log", treeId, peerId, writerId, isCopy: false });
    return true;
  } catch (error) {
    if (error instanceof FoldspaceError && error.code === "FOLD_BAD_ID") return false;
    throw error;
  }
}
