import { beforeEach, describe, expect, test } from "vitest";
import { FoldspaceError } from "../../src/errors.ts";
import { MemoryFileSystem } from "../../src/fs/memory/memory-file-system.ts";
import { migrateFolder, type Migration } from "../../src/maintenance/migrate.ts";
import { readEntry } from "../../src/maintenance/read-entry.ts";
import { SpaceFolder } from "../../src/layers/folder/space-folder.ts";
import { verifyFolder } from "../../src/maintenance/verify.ts";
import { FaultyFileSystem, type FileSystemCall } from "../../src/testing/faulty-file-system.ts";

const SPACE_ID = "0123456789abcdef0123456789abcdef";
const [P, Q] = ["a".repeat(32), "b".repeat(32)] as const;
const TREE = `ops/01/${SPACE_ID.slice(2)}`;
const NOW = new Date("2026-11-23T10:15:30Z");
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;
const set = (counter: number): string => `["p",${counter},"${SPACE_ID}","k",${counter}]\n`;

/** Of the parts that may have arrived, one of so many is tried; with FOLDSPACE_ALL_DELIVERIES=1, every one. */
const STRIDE = process.env["FOLDSPACE_ALL_DELIVERIES"] === "1" ? 1 : 37;

type Files = Readonly<Record<string, string>>;

/** A space of version 0 by two devices. */
const OLD: Files = {
  "space.json": JSON.stringify({ id: SPACE_ID }),
  [`${TREE}/2026-11-20/${P}.jsonl`]: ROOT + set(3),
  [`${TREE}/2026-11-21/${P}.jsonl`]: set(4),
  [`${TREE}/2026-11-21/${Q}.jsonl`]: set(5),
};

let memory: MemoryFileSystem;
beforeEach(() => holds(OLD));

function holds(content: Files): void {
  memory = new MemoryFileSystem(Object.fromEntries(Object.entries(content).map(([path, text]) => [`home/${path}`, text])));
}

function files(): Files {
  return Object.fromEntries(Object.entries(memory.dump()).map(([path, text]) => [path.slice("home/".length), text]));
}

async function migrate(fs: ConstructorParameters<typeof SpaceFolder>[0] = memory): Promise<Migration> {
  return await migrateFolder(new SpaceFolder(fs, "/home"), NOW);
}

/** Counters of the operations in the space, by peer. */
async function operations(): Promise<string[]> {
  const folder = new SpaceFolder(memory, "/home");
  await folder.open();
  const found = new Set<string>();
  for (const log of (await folder.scan()).logs) {
    for await (const { ops } of readEntry(folder, log)) for (const { id } of ops) found.add(`${id.peerId[0]}${id.counter}`);
  }
  return [...found].sort();
}

async function problems(): Promise<[code: string, file: string | undefined][]> {
  const found: [string, string | undefined][] = [];
  for await (const { code, file } of verifyFolder(new SpaceFolder(memory, "/home"))) found.push([code, file]);
  return found;
}

const ALL = ["a1", "a2", "a3", "a4", "b5"];

/** What is beside `space-v1` at the top, but for what says that this is a space. */
function leftAtTheTop(): string[] {
  return Object.keys(files()).filter((path) => !/^(space-v[01]\/|supa\.md$)/.test(path));
}

function put(path: string, text: string): Promise<void> {
  return memory.write(`/home/${path}`, new TextEncoder().encode(text));
}

describe("on a file system that cannot rename", () => {
  const isFolder = (path: string): boolean => !/\.\w+$/.test(path.slice(path.lastIndexOf("/")));
  const refuse = ({ action, path }: FileSystemCall): boolean => action === "rename" && path.startsWith("/home/ops");

  test.each([
    ["a folder of a container's image", (call: FileSystemCall) => refuse(call) && isFolder(call.path)],
    ["anything to another device", refuse],
  ])("%s, a migration ends, and further ones have nothing to do", async (_name, isRefused) => {
    const fs = new FaultyFileSystem(memory);
    fs.fault = (call) => (isRefused(call) ? new FoldspaceError("FOLD_IO", "cross-device link not permitted") : undefined);
    expect(await migrate(fs)).toMatchObject({ done: "migrated", problems: [] });
    expect(await operations()).toEqual(ALL);
    expect(leftAtTheTop()).toEqual([]);
    expect(Object.keys(files()).filter((path) => path.startsWith("space-v0/ops/"))).toHaveLength(3);
    expect(await migrate(fs)).toMatchObject({ done: "none", problems: [] });
    await put(`${TREE}/2026-11-22/${Q}.jsonl`, set(6));
    expect(await migrate(fs)).toMatchObject({ done: "taken-in", problems: [] });
    expect(await operations()).toEqual([...ALL, "b6"]);
  });
});

describe("operations of a device that did not know of the migration", () => {
  const late = `${TREE}/2026-11-22/${Q}.jsonl`;

  test("are reported, and taken in by the next migration, without a file of that device being touched", async () => {
    await migrate();
    const before = files();
    await put(late, set(6) + set(7));
    expect(await problems()).toEqual([["FOLD_OLD_FORMAT", late]]);
    expect(await migrate()).toMatchObject({ done: "taken-in", opCounts: new Map([[SPACE_ID, 2]]), problems: [] });
    expect(await operations()).toEqual([...ALL, "b6", "b7"]);
    expect(await problems()).toEqual([]);
    expect(leftAtTheTop()).toEqual([]);
    expect(files()).toMatchObject({ ...before, [`space-v0/${late.replace("ops", "ops-2")}`]: set(6) + set(7) });
    expect(await migrate()).toMatchObject({ done: "none" });
  });

  test("are found in a file that grew, and where a sync service moved it along", async () => {
    await migrate();
    await put(`space-v0/${TREE}/2026-11-21/${Q}.jsonl`, set(5) + set(8));
    await put(`${TREE}/2026-11-20/${P}.jsonl`, ROOT + set(3) + set(9));
    expect((await problems()).map(([code]) => code)).toEqual(["FOLD_OLD_FORMAT", "FOLD_OLD_FORMAT"]);
    expect((await migrate()).done).toBe("taken-in");
    expect(await operations()).toEqual(["a1", "a2", "a3", "a4", "a9", "b5", "b8"]);
    expect(await problems()).toEqual([]);
  });

  test("get the same file on every device that takes them in", async () => {
    await migrate();
    await put(late, set(6));
    const start = files();
    await migrateFolder(new SpaceFolder(memory, "/home"), NOW);
    const first = files();
    holds(start);
    await migrateFolder(new SpaceFolder(memory, "/home"), new Date("2026-12-24T00:00:00Z"));
    expect(files()).toEqual(first);
  });

  test("that come while their file is moved are taken in, too", async () => {
    await migrate();
    await put(late, set(6));
    const fs = new FaultyFileSystem(memory);
    fs.fault = async ({ action, path }) => {
      if (action === "rename" && path === "/home/ops") await put(late, set(6) + set(7));
      return undefined;
    };
    await migrate(fs);
    expect(await operations()).toEqual([...ALL, "b6", "b7"]);
  });

  test("are no business of a folder that only happens to be called ops", async () => {
    await migrate();
    await put("ops/runbooks/2026/restart.jsonl", set(1));
    await put("secrets", "my own notes");
    const before = files();
    expect(await problems()).toEqual([]);
    expect((await migrate()).done).toBe("none");
    expect(files()).toEqual(before);
  });
});

describe("a space of version 0", () => {
  test("with both layouts of dates for one peer and day is read from both", async () => {
    await put(`${TREE}/2026/11/21/${Q}.jsonl`, set(6));
    expect((await migrate()).done).toBe("migrated");
    expect(await operations()).toEqual([...ALL, "b6"]);
    expect(await problems()).toEqual([]);
  });

  test("with both files of secrets keeps the later in its place, and the other as a copy of it", async () => {
    await put("secrets", "new");
    await put("secrets.json", "old");
    await migrate();
    const secrets = Object.entries(files()).filter(([path]) => path.startsWith("space-v1/secrets"));
    expect(secrets).toEqual([
      ["space-v1/secrets", "new"],
      [expect.stringMatching(/^space-v1\/secrets \(version 0 [0-9a-f]{8}\)$/), "old"],
    ]);
    expect(files()).toMatchObject({ "space-v0/secrets": "new", "space-v0/secrets.json": "old" });
  });
});

describe("a migration of another device, of which a part has arrived, keeps none from ending", () => {
  test("whatever that part is", { timeout: 600_000 }, async () => {
    await migrate();
    const [before, after] = [OLD, files()];
    const changes = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((path) => before[path] !== after[path]);
    for (let delivered = 0; delivered < 2 ** changes.length; delivered += STRIDE) {
      const arrived: Record<string, string> = { ...before };
      for (const [index, path] of changes.entries()) {
        if (((delivered >> index) & 1) === 0) continue;
        if (after[path] === undefined) delete arrived[path];
        else arrived[path] = after[path];
      }
      holds(arrived);
      try {
        await migrate();
        expect((await migrate()).done).toBe("none");
      } catch (error) {
        // neither of the two is there: it has to arrive first
        expect(error).toMatchObject({ code: expect.stringMatching(/^FOLD_(NOT_FOUND|NOT_A_SPACE|BAD_SPACE_FILE)$/) as string });
        const hasOld = "space.json" in arrived && Object.keys(arrived).some((path) => /^(space-v0\/)?ops\//.test(path));
        expect("space-v1/space.json" in arrived || hasOld).toBe(false);
      }
      // then the rest arrives
      for (const [index, path] of changes.entries()) {
        if (((delivered >> index) & 1) === 1) continue;
        if (after[path] === undefined) await memory.remove(`/home/${path}`);
        else await put(path, after[path]);
      }
      await migrate();
      expect(await operations(), changes.filter((_, index) => (delivered >> index) & 1).join("\n")).toEqual(ALL);
      expect((await migrate()).done).toBe("none");
    }
  });

  test("also where its own was interrupted after the space was in its place", async () => {
    const fs = new FaultyFileSystem(memory);
    const dies = ({ action, path }: FileSystemCall): FoldspaceError | undefined =>
      action === "rename" && path === "/home/ops" ? new FoldspaceError("FOLD_READ_ONLY", "The machine has stopped") : undefined;
    fs.fault = dies;
    await expect(migrate(fs)).rejects.toMatchObject({ code: "FOLD_READ_ONLY" });
    for (const path of Object.keys(OLD).filter((each) => each.includes("2026-11-20"))) {
      await put(`space-v0/${path}`, OLD[path]!);
      await memory.remove(`/home/${path}`);
    }
    expect((await migrate()).done).toBe("finished");
    expect((await migrate()).done).toBe("none");
    expect(await operations()).toEqual(ALL);
    expect(leftAtTheTop()).toEqual([]);
  });
});

test("folders that cannot be moved are moved file by file", async () => {
  const fs = new FaultyFileSystem(memory);
  fs.fault = async ({ action, path }) => {
    const isFolder = action === "rename" && (await memory.stat(path))?.kind === "directory";
    return isFolder ? new FoldspaceError("FOLD_BUSY", "A program has a file of it open") : undefined;
  };
  expect((await migrate(fs)).done).toBe("migrated");
  expect(await operations()).toEqual(ALL);
  expect(await problems()).toEqual([]);
  expect(leftAtTheTop()).toEqual([]);
  for (const [path, text] of Object.entries(OLD)) expect(files()[`space-v0/${path}`]).toBe(text);
  expect((await migrate(fs)).done).toBe("none");
});

test("stopped at any call that changes something, it finishes when it is run again, and is whole at any time", async () => {
  for (let calls = 0; ; calls++) {
    holds(OLD);
    await put(`${TREE}/2026/11/21/${Q}.jsonl`, set(6));
    const fs = new FaultyFileSystem(memory);
    let changes = 0;
    fs.fault = ({ action }) => {
      const isChange = ["write", "append", "makeDirectory", "rename", "remove"].includes(action);
      return isChange && changes++ >= calls ? new FoldspaceError("FOLD_READ_ONLY", "The machine has stopped") : undefined;
    };
    const outcome = await migrate(fs).catch((error: unknown) => error);
    if (!(outcome instanceof Error)) break;
    const isNew = "space-v1/space.json" in files();
    if (isNew) expect(await operations()).toEqual([...ALL, "b6"]);
    await migrate();
    expect(await operations()).toEqual([...ALL, "b6"]);
    expect(leftAtTheTop()).toEqual([]);
    expect((await migrate()).done).toBe("none");
  }
});
