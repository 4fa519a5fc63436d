import { beforeEach, describe, expect, test } from "vitest";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import { SpaceFolder } from "../../layers/folder/space-folder.ts";
import { LOST_DIR } from "../../log/index.ts";
import { FaultyFileSystem } from "../../testing/faulty-file-system.ts";
import { repairFolder } from "../repair/repair.ts";
import { verifyFolder } from "../verify.ts";
import { packFolder, undoPack, type Pack } from "./pack.ts";

const SPACE_ID = "0123456789abcdef0123456789abcdef";
const [P, Q, R] = ["a".repeat(32), "b".repeat(32), "c".repeat(32)] as const;
const TREE = `space-v1/ops/01/${SPACE_ID.slice(2)}`;
const NOW = new Date("2026-11-23T10:15:30Z");
const DAY_MS = 24 * 60 * 60 * 1000;
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;
const set = (counter: number, value: unknown = counter): string =>
  `["p",${counter},"${SPACE_ID}","k",${JSON.stringify(value)}]\n`;

let memory: MemoryFileSystem;
beforeEach(() => {
  memory = new MemoryFileSystem();
});

async function fill(files: Readonly<Record<string, string>>): Promise<SpaceFolder> {
  const all = { "space-v1/space.json": JSON.stringify({ id: SPACE_ID }), ...files };
  for (const [path, text] of Object.entries(all)) await memory.write(`/home/${path}`, new TextEncoder().encode(text));
  return new SpaceFolder(memory, "/home");
}

/** The log files, by their paths in the tree. The ids of packed files' writers are `PACKED`. */
function logs(): Record<string, string> {
  const prefix = `home/${TREE}/`;
  return Object.fromEntries(
    Object.entries(memory.dump()).flatMap(([path, text]) =>
      path.startsWith(prefix) ? [[path.slice(prefix.length).replace(/\.[0-9a-f]{32}\.jsonl$/, ".PACKED.jsonl"), text]] : [],
    ),
  );
}

function paths(): string[] {
  return Object.keys(memory.dump());
}

async function codes(folder: SpaceFolder): Promise<string[]> {
  const found: string[] = [];
  for await (const { code } of verifyFolder(folder)) found.push(code);
  return found.sort();
}

function leftIn({ left }: Pack): (string | undefined)[][] {
  return left.map(({ code, file }) => [code, file?.slice(TREE.length + 1)]);
}

describe("files of one peer", () => {
  test("of a month of the present year become one file, at the last day of the month", async () => {
    const folder = await fill({
      [`${TREE}/2026/04/03/${P}.jsonl`]: ROOT + set(4),
      [`${TREE}/2026/04/17/${P}.jsonl`]: set(7) + set(3),
      [`${TREE}/2026/05/01/${P}.jsonl`]: set(9),
    });
    const pack = await packFolder(folder, { now: NOW });
    expect(logs()).toEqual({
      [`2026/04/30/${P}.PACKED.jsonl`]: ROOT + set(3) + set(4) + set(7),
      [`2026/05/31/${P}.PACKED.jsonl`]: set(9),
    });
    expect(pack).toMatchObject({ left: [], operations: 6, files: { before: 3, after: 2 } });
    expect(await codes(folder)).toEqual([]);
  });

  test("of a year that is over become one file, with the files of its months", async () => {
    const folder = await fill({
      [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT,
      [`${TREE}/2025/04/17/${P}.jsonl`]: set(4),
      [`${TREE}/2025/11/17/${P}.jsonl`]: set(3),
    });
    await packFolder(folder, { now: new Date("2025-10-01T00:00:00Z") });
    expect(Object.keys(logs())).toEqual([`2025/04/30/${P}.PACKED.jsonl`, `2025/11/17/${P}.jsonl`]);
    await packFolder(folder, { now: NOW });
    expect(logs()).toEqual({ [`2025/12/31/${P}.PACKED.jsonl`]: ROOT + set(3) + set(4) });
  });

  test("stay if there is only one, unless the tree has files of the time in other folders", async () => {
    const folder = await fill({ [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT, [`${TREE}/2025/04/03/${Q}.jsonl`]: set(3) });
    expect(await packFolder(folder, { now: NOW })).toMatchObject({ id: undefined, steps: [], left: [] });
    await fill({ [`${TREE}/2025/04/04/${R}.jsonl`]: set(4) });
    const { files, folders } = await packFolder(folder, { now: NOW });
    expect({ files, folders }).toEqual({ files: { before: 3, after: 3 }, folders: { before: 2, after: 1 } });
    expect(Object.keys(logs())).toEqual([P, Q, R].map((peerId) => `2025/12/31/${peerId}.PACKED.jsonl`));
  });

  test("in recent months stay, and so do those without a day", async () => {
    const files = {
      [`${TREE}/2026/08/31/${P}.jsonl`]: ROOT,
      [`${TREE}/2026/08/30/${P}.jsonl`]: set(5),
      [`${TREE}/2026/11/22/${P}.jsonl`]: set(3),
      [`${TREE}/${P}.jsonl`]: set(4),
    };
    const folder = await fill(files);
    const before = memory.dump();
    expect(await packFolder(folder, { now: NOW })).toMatchObject({ id: undefined, steps: [], left: [] });
    expect(memory.dump()).toEqual(before);
    await packFolder(folder, { now: NOW, olderThanMs: 31 * DAY_MS });
    expect(Object.keys(logs())).toContain(`2026/08/31/${P}.PACKED.jsonl`);
  });

  test("in the other layout, and of other trees and peers, are joined apart from each other", async () => {
    const other = "f".repeat(32);
    const folder = await fill({
      [`space-v1/ops/${SPACE_ID}/2025/04/03/${P}.jsonl`]: ROOT,
      [`${TREE}/2025/04/03/${P}.jsonl`]: set(3),
      [`${TREE}/2025/04/03/${Q}.jsonl`]: set(4),
      [`space-v1/ops/ff/${other.slice(2)}/2025/01/01/${P}.jsonl`]: `["m",5,"${other}",null]\n`,
      [`space-v1/ops/ff/${other.slice(2)}/2025/01/02/${P}.jsonl`]: `["p",6,"${other}","k",6]\n`,
    });
    await packFolder(folder, { now: NOW });
    expect(logs()).toEqual({
      [`2025/12/31/${P}.PACKED.jsonl`]: ROOT + set(3),
      [`2025/12/31/${Q}.PACKED.jsonl`]: set(4),
    });
    expect(paths().some((path) => path.includes(`ops/ff/${other.slice(2)}/2025/12/31/${P}.`))).toBe(true);
  });

  test("become the same file on every device, whatever files contained the operations", async () => {
    const first = await fill({ [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT, [`${TREE}/2025/11/17/${P}.jsonl`]: set(3) + set(4) });
    await packFolder(first, { now: NOW, deletes: true });
    const packed = memory.dump();
    memory = new MemoryFileSystem();
    const second = await fill({
      [`${TREE}/2025/06/01/${P}.${Q}.jsonl`]: `\uFEFF${set(4)}\r\n${set(3)}`,
      [`${TREE}/2025/04/03/${P}.jsonl`]: `${ROOT}${set(3).trimEnd()}`,
    });
    await packFolder(second, { now: new Date(NOW.getTime() + 9 * DAY_MS), deletes: true });
    expect(memory.dump()).toEqual(packed);
  });

  test("that arrive later are joined with the packed file", async () => {
    const folder = await fill({ [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT });
    await packFolder(folder, { now: NOW });
    await fill({ [`${TREE}/2025/05/03/${P}.jsonl`]: set(3), [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT });
    await packFolder(folder, { now: NOW });
    expect(logs()).toEqual({ [`2025/12/31/${P}.PACKED.jsonl`]: ROOT + set(3) });
  });
});

test("packing again changes nothing", async () => {
  const folder = await fill({ [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT, [`${TREE}/2026/04/03/${P}.jsonl`]: set(3) });
  await packFolder(folder, { now: NOW });
  const before = memory.dump();
  expect(await packFolder(folder, { now: NOW })).toMatchObject({ id: undefined, steps: [], left: [] });
  expect(memory.dump()).toEqual(before);
});

test("a file that only repeats packed files of earlier years is taken away; one that has more stays whole", async () => {
  const folder = await fill({
    [`${TREE}/2024/04/03/${P}.jsonl`]: ROOT + set(3),
    [`${TREE}/2025/04/03/${P}.${Q}.jsonl`]: set(3),
    [`${TREE}/2025/05/03/${P}.${R}.jsonl`]: set(3) + set(4),
  });
  const { steps } = await packFolder(folder, { now: NOW });
  expect(logs()).toEqual({
    [`2024/12/31/${P}.PACKED.jsonl`]: ROOT + set(3),
    [`2025/12/31/${P}.PACKED.jsonl`]: set(3) + set(4),
  });
  expect(steps.map(({ kind }) => kind)).toEqual(["pack", "fold", "pack"]);
});

test("within a year, a file is taken away only for one that contains all of it, whichever the other device packs", async () => {
  const folder = await fill({ [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT, [`${TREE}/2025/11/03/${P}.jsonl`]: set(3) });
  await packFolder(folder, { now: NOW, deletes: true });
  // another device has not received the removals, and its clock is behind
  await fill({ [`${TREE}/2025/04/30/${P}.jsonl`]: ROOT, [`${TREE}/2025/11/03/${P}.jsonl`]: set(3) });
  await packFolder(folder, { now: new Date("2026-03-20T00:00:00Z"), olderThanMs: 79 * DAY_MS });
  expect(logs()).toHaveProperty([`2025/12/31/${P}.PACKED.jsonl`], ROOT + set(3));
});

describe("stays as it is, and is named:", () => {
  const good = { [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT, [`${TREE}/2025/05/03/${P}.jsonl`]: set(3) };
  test.each([
    ["a file with a bad line", `2025/06/03/${P}.jsonl`, `${set(4)}garbage\n`, "FOLD_BAD_LINE"],
    ["a file with a torn line", `2025/06/03/${P}.jsonl`, set(4) + set(5).slice(0, 20), "FOLD_TORN_LINE"],
    ["a file with lines of a newer format", `2025/06/03/${P}.jsonl`, `${set(4)}["x",1]\n`, "FOLD_NEWER_FORMAT"],
    ["a copy that a sync service made", `2025/06/03/${P} (conflicted copy).jsonl`, set(4), "FOLD_CONFLICT_COPY"],
    ["a file that is not downloaded", `2025/06/03/.${P}.jsonl.icloud`, "", "FOLD_NOT_DOWNLOADED"],
    ["a file that differs from itself", `2025/06/03/${P}.jsonl`, set(4) + set(4, "other"), "FOLD_ID_COLLISION"],
    [
      "a pointer in the place of a file",
      `2025/06/03/${P}.jsonl`,
      `version https://git-lfs.github.com/spec/v1\noid sha256:${"4".repeat(64)}\nsize 12345\n`,
      "FOLD_NOT_DOWNLOADED",
    ],
  ])("%s", async (_name, path, text, code) => {
    const folder = await fill({ ...good, [`${TREE}/${path}`]: text });
    const pack = await packFolder(folder, { now: NOW });
    expect(leftIn(pack)).toEqual([[code, path]]);
    expect(logs()).toEqual({ [`2025/12/31/${P}.PACKED.jsonl`]: ROOT + set(3), [path]: text });
  });

  test("files whose operations differ under one id, also between years", async () => {
    const files = {
      [`${TREE}/2024/04/03/${Q}.jsonl`]: set(3),
      [`${TREE}/2025/04/03/${Q}.jsonl`]: set(3, "other"),
      [`${TREE}/2025/04/03/${P}.jsonl`]: set(3),
      [`${TREE}/2025/05/03/${P}.jsonl`]: set(3, "other"),
    };
    const pack = await packFolder(await fill(files), { now: NOW });
    expect(leftIn(pack)).toEqual([
      ["FOLD_ID_COLLISION", `2025/04/03/${P}.jsonl`],
      ["FOLD_ID_COLLISION", `2025/05/03/${P}.jsonl`],
      ["FOLD_ID_COLLISION", `2025/04/03/${Q}.jsonl`],
    ]);
    expect(Object.keys(logs())).toHaveLength(4);
  });

  test("a packed file that has not been delivered completely; nothing relies on it", async () => {
    const folder = await fill(good);
    await packFolder(folder, { now: NOW });
    const packed = paths().find((path) => path.includes("/2025/12/31/"))!;
    await memory.write(`/${packed}`, new TextEncoder().encode(ROOT));
    await fill(good);
    await fill({ [`${TREE}/2025/05/03/${P}.jsonl`]: set(3) + set(4) });
    const pack = await packFolder(folder, { now: NOW });
    expect(pack.left).toMatchObject([{ code: "FOLD_BUSY", file: packed.slice("home/".length) }]);
    const texts = Object.entries(memory.dump()).flatMap(([path, text]) => (path.includes("/2025/12/31/") ? [text] : []));
    expect(texts.sort()).toEqual([ROOT, ROOT + set(3) + set(4)]);
  });
});

test("secrets, attachments and other files of the space are left alone", async () => {
  const others = {
    "space-v1/secrets": "secret",
    [`space-v1/secrets-v2/${P}.json`]: "{}",
    "space-v1/files/2025/04/03/picture.png": "picture",
    "notes.txt": "hello",
  };
  const folder = await fill({ ...others, [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT, [`${TREE}/2025/04/03/.DS_Store`]: "x" });
  await packFolder(folder, { now: NOW });
  const dump = memory.dump();
  for (const [path, text] of Object.entries(others)) expect(dump[`home/${path}`]).toBe(text);
  expect(dump[`home/${TREE}/2025/04/03/.DS_Store`]).toBe("x");
});

test("folders that have become empty are removed, and a file that arrives in one meanwhile stays", async () => {
  const folder = await fill({
    [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT,
    [`${TREE}/2025/04/04/${P}.jsonl`]: set(3),
    [`${TREE}/2024/01/04/${P}.jsonl`]: set(4),
  });
  const late = `/home/${TREE}/2025/04/04/${Q}.jsonl`;
  const fs = new FaultyFileSystem(memory);
  let isLate = false;
  fs.fault = async ({ action, path }) => {
    if (action === "rename" && path.endsWith("/2025/04/04") && !isLate) {
      isLate = true;
      await memory.write(late, new TextEncoder().encode(set(5)));
    }
    return undefined;
  };
  await packFolder(new SpaceFolder(fs, folder.path), { now: NOW });
  expect(isLate).toBe(true);
  expect(new TextDecoder().decode(await memory.read(late))).toBe(set(5));
  expect((await memory.list(`/home/${TREE}/2025/04`))?.map(({ name }) => name)).toEqual(["04"]);
  expect((await memory.list(`/home/${TREE}/2024`))?.map(({ name }) => name)).toEqual(["12"]);
});

test("a dry run changes nothing and reports the same", async () => {
  const folder = await fill({
    [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT,
    [`${TREE}/2025/04/04/${P}.jsonl`]: set(3),
    [`${TREE}/2025/04/04/${Q}.jsonl`]: "garbage\n",
  });
  const before = memory.dump();
  const dry = await packFolder(folder, { now: NOW, isDryRun: true });
  expect(memory.dump()).toEqual(before);
  const real = await packFolder(folder, { now: NOW });
  expect(real).toEqual({ ...dry, id: real.id });
});

describe("undoing", () => {
  const files = { [`${TREE}/2025/04/03/${P}.jsonl`]: `${ROOT}\r\n`, [`${TREE}/2025/05/03/${P}.jsonl`]: set(3) };

  test("puts the files back byte for byte; the packed file stays, and the next packing takes it again", async () => {
    const folder = await fill(files);
    const { id } = await packFolder(folder, { now: NOW });
    const packed = logs();
    const undoing = await undoPack(folder);
    expect(undoing).toMatchObject({ id, restored: Object.keys(files), removed: [], left: [] });
    expect(logs()).toEqual({
      ...packed,
      ...Object.fromEntries(Object.entries(files).map(([path, text]) => [path.slice(TREE.length + 1), text])),
    });
    await expect(undoPack(folder)).rejects.toMatchObject({ code: "FOLD_NOT_FOUND" });
    await packFolder(folder, { now: NOW });
    expect(logs()).toEqual(packed);
  });

  test("undoes packings only, and a repair undoes repairs only", async () => {
    const folder = await fill({ ...files, [`${TREE}/2026/11/03/notes.txt`]: "hello" });
    const repair = await repairFolder(folder, { now: NOW });
    const pack = await packFolder(folder, { now: NOW });
    expect(repair.id).toMatch(/^repair-/);
    expect((await undoPack(folder, { isDryRun: true })).id).toBe(pack.id);
    await expect(undoPack(folder, { id: repair.id! })).rejects.toMatchObject({ code: "FOLD_NOT_FOUND" });
  });

  test("a lost packed file is found by verify, which names the undo", async () => {
    const folder = await fill(files);
    const { id } = await packFolder(folder, { now: NOW });
    await memory.remove(`/home/${TREE}/2025/12`);
    const problems: (string | undefined)[] = [];
    for await (const { code, reason } of verifyFolder(folder)) if (code === "FOLD_ONLY_IN_LOST_FOUND") problems.push(reason);
    expect(problems).toEqual([expect.stringContaining(`foldspace pack --undo ${id}`), expect.any(String)]);
    await undoPack(folder);
    expect(await codes(folder)).toEqual([]);
  });
});

test("with `deletes`, the joined files are gone, and nothing is kept", async () => {
  const folder = await fill({ [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT, [`${TREE}/2025/05/03/${P}.jsonl`]: set(3) });
  expect(await packFolder(folder, { now: NOW, deletes: true })).toMatchObject({ id: undefined, files: { before: 2, after: 1 } });
  expect(paths().filter((path) => path.includes(LOST_DIR))).toEqual([]);
  await expect(undoPack(folder)).rejects.toMatchObject({ code: "FOLD_NOT_FOUND" });
});

test("a time for which apps may still append is refused", async () => {
  const folder = await fill({});
  for (const days of [30, -1, NaN])
    await expect(packFolder(folder, { now: NOW, olderThanMs: days * DAY_MS })).rejects.toMatchObject({ code: "FOLD_BAD_VALUE" });
});

describe("a file that changes", () => {
  const path = `${TREE}/2025/04/03/${P}.jsonl`;
  const files = { [path]: ROOT, [`${TREE}/2025/05/03/${P}.jsonl`]: set(3) };

  test("after the plan was made stays, with the others of its peer", async () => {
    await fill(files);
    const fs = new FaultyFileSystem(memory);
    let hasChanged = false;
    fs.fault = async (call) => {
      if (call.action !== "write" || !call.path.endsWith("undo.json") || hasChanged) return undefined;
      hasChanged = true;
      await memory.append(`/home/${path}`, new TextEncoder().encode(set(4)));
      return undefined;
    };
    const pack = await packFolder(new SpaceFolder(fs, "/home"), { now: NOW });
    expect(pack).toMatchObject({ id: undefined, steps: [], left: [{ code: "FOLD_BUSY" }, { code: "FOLD_BUSY" }] });
    expect(Object.values(logs())).toEqual([ROOT + set(4), set(3)]);
  });

  test("while it is moved goes beside its place", async () => {
    const folder = await fill(files);
    const fs = new FaultyFileSystem(memory);
    fs.fault = async (call) => {
      if (call.action === "rename" && call.path === `/home/${path}`)
        await memory.append(call.path, new TextEncoder().encode(set(4)));
      return undefined;
    };
    const { left } = await packFolder(new SpaceFolder(fs, "/home"), { now: NOW });
    expect(left).toMatchObject([{ file: path, reason: expect.stringContaining("changed") }]);
    expect(Object.values(logs())).toContain(ROOT + set(4));
    await repairFolder(folder, { now: NOW });
    expect(await codes(folder)).toEqual([]);
  });
});

test("operations that vanish meanwhile make it put everything back and fail", async () => {
  const files = { [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT, [`${TREE}/2025/05/03/${P}.jsonl`]: set(3) };
  await fill(files);
  const fs = new FaultyFileSystem(memory);
  fs.fault = async ({ action, path }) => {
    if (action === "rename" && path.endsWith(`05/03/${P}.jsonl`)) await memory.remove(`/home/${TREE}/2025/12`);
    return undefined;
  };
  await expect(packFolder(new SpaceFolder(fs, "/home"), { now: NOW })).rejects.toMatchObject({ code: "FOLD_BUSY" });
  expect(Object.keys(logs())).toEqual(Object.keys(files).map((path) => path.slice(TREE.length + 1)));
});

test("a packed file that does not read back as written takes no file away", async () => {
  await fill({ [`${TREE}/2025/04/03/${P}.jsonl`]: ROOT, [`${TREE}/2025/05/03/${P}.jsonl`]: set(3) });
  const fs = new FaultyFileSystem(memory);
  fs.fault = async ({ action, path }) => {
    if (action === "read" && path.includes("/12/31/")) await memory.write(path, new TextEncoder().encode(ROOT));
    return undefined;
  };
  await expect(packFolder(new SpaceFolder(fs, "/home"), { now: NOW })).rejects.toMatchObject({
    code: "FOLD_BUSY",
    message: expect.stringContaining("read back"),
  });
  expect(Object.keys(logs())).toHaveLength(3);
});
