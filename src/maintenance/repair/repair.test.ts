import { beforeEach, describe, expect, test } from "vitest";
import { FoldspaceError } from "../../errors.ts";
import { MemoryFileSystem } from "../../fs/memory/memory-file-system.ts";
import type { FileSystem } from "../../fs/file-system.ts";
import { LOST_DIR } from "../../log/index.ts";
import { FaultyFileSystem } from "../../testing/faulty-file-system.ts";
import { SpaceFolder } from "../../layers/folder/space-folder.ts";
import { verifyFolder } from "../verify.ts";
import { repairFolder, type Repair } from "./repair.ts";
import { undoRepair } from "./undo.ts";

const SPACE_ID = "0123456789abcdef0123456789abcdef";
const P = "a".repeat(32);
const Q = "b".repeat(32);
const DAY = `space-v1/ops/01/${SPACE_ID.slice(2)}/2026/11/22`;
const FILE = `${DAY}/${P}.jsonl`;
const COPY = `${DAY}/${P} (conflicted copy).jsonl`;
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;
const NOW = new Date("2026-11-23T10:15:30Z");
const TODAY = `space-v1/ops/01/${SPACE_ID.slice(2)}/2026/11/23`;

const set = (counter: number, value: unknown = counter): string =>
  `["p",${counter},"${SPACE_ID}","k",${JSON.stringify(value)}]\n`;

let memory: MemoryFileSystem;
beforeEach(() => {
  memory = new MemoryFileSystem();
});

async function fill(files: Readonly<Record<string, string>>): Promise<SpaceFolder> {
  const all = { "space-v1/space.json": JSON.stringify({ id: SPACE_ID }), [FILE]: ROOT, ...files };
  for (const [path, text] of Object.entries(all)) await memory.write(`/home/${path}`, new TextEncoder().encode(text));
  return new SpaceFolder(memory, "/home");
}

/** The files that readers read, without `lost+found`. */
function space(): Record<string, string> {
  return Object.fromEntries(Object.entries(memory.dump()).filter(([path]) => !path.includes(LOST_DIR)));
}

function lost(): [string, string][] {
  const prefix = `home/${LOST_DIR}/`;
  return Object.entries(memory.dump()).flatMap(([path, text]) =>
    path.startsWith(prefix) ? [[path.slice(prefix.length), text]] : [],
  );
}

async function codes(folder: SpaceFolder): Promise<string[]> {
  const found: string[] = [];
  for await (const { code } of verifyFolder(folder)) found.push(code);
  return found.sort();
}

/** Without the id of a relay file's writer, which no two repairs share. */
function anonymous(path: string): string {
  return path.replace(/\.[0-9a-f]{32}\.jsonl$/, ".X.jsonl");
}

/** The relay file that a repair wrote. */
function relayIn(files: Readonly<Record<string, string>>): string {
  const found = Object.keys(files).find((path) => path.includes(TODAY));
  expect(found).toBeDefined();
  return found!.slice("home/".length);
}

function kinds({ steps }: Repair): string[] {
  return steps.map(({ kind, file }) => `${kind} ${file}`);
}

describe("a copy that a sync service made", () => {
  test("is moved away if the original file contains all its operations", async () => {
    const folder = await fill({ [FILE]: ROOT + set(3) + set(4), [COPY]: ROOT + set(3) });
    const repair = await repairFolder(folder, { now: NOW });
    expect(kinds(repair)).toEqual([`move ${COPY}`]);
    expect(repair.left).toEqual([]);
    expect(Object.keys(space())).toEqual([`home/${FILE}`, "home/space-v1/space.json"]);
    expect(lost()).toEqual([
      [`${repair.id}/${COPY.slice("space-v1/".length)}`, ROOT + set(3)],
      [`${repair.id}/report.txt`, expect.stringContaining(COPY)],
      [`${repair.id}/undo.json`, expect.stringContaining('"moved"')],
    ]);
    expect(await codes(folder)).toEqual([]);
  });

  test("that holds more gives it to a relay file first; nothing is written into the peer's own file", async () => {
    const folder = await fill({ [COPY]: ROOT + set(3) + set(7), [`${DAY}/${P} 2.jsonl`]: set(5) + set(7) });
    const repair = await repairFolder(folder, { now: NOW });
    const relay = kinds(repair)[0]!.slice("relay ".length);
    expect(relay).toMatch(new RegExp(`^${TODAY}/${P}\\.[0-9a-f]{32}\\.jsonl$`));
    expect(kinds(repair)).toEqual([`relay ${relay}`, `move ${COPY}`, `move ${DAY}/${P} 2.jsonl`]);
    expect(space()).toEqual({
      [`home/${FILE}`]: ROOT,
      [`home/${relay}`]: set(3) + set(5) + set(7),
      "home/space-v1/space.json": expect.any(String),
    });
    expect(await codes(folder)).toEqual([]);
    expect(kinds(await repairFolder(folder, { now: NOW }))).toEqual([]);
  });

  test("in a folder that was split is treated alike", async () => {
    const split = `space-v1/ops/01/${SPACE_ID.slice(2)}/2026/11/22 2/${Q}.jsonl`;
    const folder = await fill({ [split]: set(9) });
    expect((await repairFolder(folder, { now: NOW })).operations).toBe(3);
    expect(await codes(folder)).toEqual([]);
  });

  test("takes its unreadable lines along", async () => {
    const folder = await fill({ [COPY]: `${ROOT}garbage\n${set(3).slice(0, 20)}` });
    const { steps, left, id } = await repairFolder(folder, { now: NOW });
    expect(steps).toMatchObject([{ kind: "move", reason: expect.stringContaining("2 of its lines could not be read") }]);
    expect(left).toEqual([]);
    expect(Object.fromEntries(lost())[`${id}/${COPY.slice("space-v1/".length)}`]).toContain("garbage");
  });

  test.each([
    [
      "has other content under the id of an operation in another file",
      { [FILE]: ROOT + set(3, "one"), [COPY]: set(3, "two") },
      "other content",
    ],
    ["has lines of a newer format", { [COPY]: `${ROOT}["x",1]\n` }, "newer format"],
  ])("that %s stays", async (_name, files, reason) => {
    const folder = await fill(files);
    const before = memory.dump();
    const { left, steps } = await repairFolder(folder, { now: NOW });
    expect(steps).toEqual([]);
    expect(left.find(({ code }) => code === "FOLD_CONFLICT_COPY")?.reason).toContain(reason);
    expect(memory.dump()).toEqual(before);
  });

  test("that stays keeps no other from being moved", async () => {
    const other = `${DAY}/${P} (1).jsonl`;
    const folder = await fill({ [FILE]: ROOT + set(3, "one"), [COPY]: set(3, "two"), [other]: set(4) });
    expect(kinds(await repairFolder(folder, { now: NOW }))).toEqual([expect.stringMatching(/^relay /), `move ${other}`]);
  });
});

describe("a torn line", () => {
  const torn = set(4).slice(0, 25);
  const relay = `${DAY}/${P}.${Q}.jsonl`;

  test("in a file of another peer stays, and is harmless if another line contains its operation", async () => {
    const folder = await fill({ [FILE]: ROOT + torn, [relay]: set(4) });
    const before = memory.dump();
    const { left, steps } = await repairFolder(folder, { now: NOW });
    expect(steps).toEqual([]);
    expect(left).toMatchObject([{ code: "FOLD_TORN_LINE", isLossless: true, counter: 4 }]);
    expect(memory.dump()).toEqual(before);
    expect((await repairFolder(await fill({ [FILE]: ROOT + set(5).slice(0, 25) }), { now: NOW })).left[0]).not.toHaveProperty(
      "isLossless",
    );
  });

  test.each([
    ["whose operation another file contains is completed", ROOT + torn, { [relay]: set(4) }, ROOT + set(4)],
    ["whose operation was written again behind it is taken out", `${ROOT}${torn}\n${set(4)}`, {}, ROOT + set(4)],
    ["with its rewrite concatenated on is parted from it", `${ROOT}${torn}${set(4)}${set(5)}`, {}, ROOT + set(4) + set(5)],
    ["whose operation is nowhere is taken out", `${ROOT}${torn}\n${set(5)}`, {}, ROOT + set(5)],
    [
      "of whose operation there are two is taken out",
      ROOT + torn,
      { [relay]: set(4, "x"), [`${DAY}/${P}.${"c".repeat(32)}.jsonl`]: set(4, "y") },
      ROOT,
    ],
  ])("of one's own %s, and the file is kept as it was", async (_name, text, others, repaired) => {
    const folder = await fill({ [FILE]: text, ...others });
    const { id, left } = await repairFolder(folder, { now: NOW, ownPeerIds: [P] });
    expect(space()[`home/${FILE}`]).toBe(repaired);
    expect(left.filter(({ code }) => code !== "FOLD_ID_COLLISION")).toEqual([]);
    expect(Object.fromEntries(lost())[`${id}/${FILE.slice("space-v1/".length)}`]).toBe(text);
    await undoRepair(folder, { id: id! });
    expect(space()[`home/${FILE}`]).toBe(text);
  });

  test("of one's own leaves every other byte as it is", async () => {
    const good = `\uFEFF${ROOT.replaceAll("\n", "\r\n")}\n["x","newer"]\n [ "p", 3, "${SPACE_ID}", "k", {} ]\n`;
    await repairFolder(await fill({ [FILE]: `${good}garbage\n${set(9).trimEnd()}` }), { now: NOW, ownPeerIds: [P] });
    const bytes = await memory.read(`/home/${FILE}`);
    expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes)).toBe(good + set(9).trimEnd());
  });
});

test("a file that does not belong to the space is moved away; links and placeholders stay", async () => {
  const folder = await fill({ [`${DAY}/notes.txt`]: "hello", [`${DAY}/.${Q}.jsonl.icloud`]: "" });
  const repair = await repairFolder(folder, { now: NOW });
  expect(kinds(repair)).toEqual([`move ${DAY}/notes.txt`]);
  expect(repair.left.map(({ code }) => code)).toEqual(["FOLD_NOT_DOWNLOADED"]);
});

test("a dry run changes nothing and reports the same", async () => {
  const folder = await fill({ [COPY]: ROOT + set(3), [`${DAY}/notes.txt`]: "hello", [FILE]: `${ROOT}garbage\n` });
  const before = memory.dump();
  const dry = await repairFolder(folder, { now: NOW, isDryRun: true });
  expect(memory.dump()).toEqual(before);
  expect(dry.id).toBeUndefined();
  const real = await repairFolder(folder, { now: NOW });
  expect(kinds(real).map(anonymous)).toEqual(kinds(dry).map(anonymous));
  expect(real.left).toEqual(dry.left);
  expect(real.operations).toBe(dry.operations);
});

describe("undoing", () => {
  const files = { [COPY]: ROOT + set(3), [`${DAY}/notes.txt`]: "hello", [FILE]: `${ROOT}garbage\n` };

  test("puts everything back byte for byte, once, the latest first", async () => {
    const folder = await fill(files);
    const before = space();
    const first = await repairFolder(folder, { now: NOW, ownPeerIds: [P] });
    const between = space();
    await memory.write(`/home/${DAY}/more.txt`, new TextEncoder().encode("more"));
    const second = await repairFolder(folder, { now: new Date(NOW.getTime() + 60_000) });
    const dry = await undoRepair(folder, { isDryRun: true });
    expect(dry).toMatchObject({ id: second.id, restored: [`${DAY}/more.txt`] });
    expect(space()).toEqual(between);
    expect((await undoRepair(folder)).id).toBe(second.id);
    expect(await undoRepair(folder)).toMatchObject({ id: first.id, left: [], removed: [expect.stringContaining(TODAY)] });
    expect(space()).toEqual({ ...before, [`home/${DAY}/more.txt`]: "more" });
    await expect(undoRepair(folder)).rejects.toMatchObject({ code: "FOLD_NOT_FOUND" });
    await expect(undoRepair(folder, { id: first.id! })).rejects.toMatchObject({ code: "FOLD_NOT_FOUND" });
  });

  test("leaves files that another program has created or changed since, and can be finished", async () => {
    const folder = await fill(files);
    await repairFolder(folder, { now: NOW, ownPeerIds: [P] });
    await memory.write(`/home/${COPY}`, new TextEncoder().encode(set(77)));
    await memory.append(`/home/${FILE}`, new TextEncoder().encode(set(78)));
    const { left, removed, staying } = await undoRepair(folder);
    expect(left.map(({ file }) => file)).toEqual([COPY, FILE]);
    expect(removed).toEqual([]);
    expect(staying).toEqual([expect.stringContaining(TODAY)]);
    expect(space()[`home/${FILE}`]).toBe(ROOT + set(78));
    await memory.remove(`/home/${COPY}`);
    await memory.write(`/home/${FILE}`, new TextEncoder().encode(ROOT));
    expect((await undoRepair(folder)).left).toEqual([]);
    expect(space()).toMatchObject({ [`home/${COPY}`]: files[COPY], [`home/${FILE}`]: files[FILE] });
  });

  test.each([
    ["is no JSON", () => "{"],
    ["leads out of the space", (text: string) => text.replace('"from": "', '"from": "space-v1/ops/../../../')],
    ["leads out of the space on Windows", (text: string) => text.replaceAll(COPY, String.raw`space-v1/ops/..\\..\\x`)],
    [
      "takes another repair's files",
      (text: string) => text.replace(/"to": "space-v1\/lost\+found\/repair/, '"to": "space-v1/lost+found/other'),
    ],
    ["is of a newer version", (text: string) => text.replace('"version": 2', '"version": 3')],
    ["names no content", (text: string) => text.replace(/"sha256": "[0-9a-f]+"/, '"sha256": ""')],
  ])("by a record that %s is refused and changes nothing", async (_name, damage) => {
    const folder = await fill(files);
    const { id } = await repairFolder(folder, { now: NOW });
    const path = `/home/${LOST_DIR}/${id}/undo.json`;
    const text = new TextDecoder().decode(await memory.read(path));
    expect(damage(text)).not.toBe(text);
    await memory.write(path, new TextEncoder().encode(damage(text)));
    const before = memory.dump();
    await expect(undoRepair(folder)).rejects.toMatchObject({ code: "FOLD_BAD_RECORD" });
    expect(memory.dump()).toEqual(before);
  });
});

test("operations that vanish meanwhile make it put everything back and fail", async () => {
  await fill({ [COPY]: ROOT + set(3), [`${DAY}/${Q}.jsonl`]: set(4) });
  const before = space();
  const fs = new FaultyFileSystem(memory);
  fs.fault = async ({ action, path }) => {
    if (action === "rename" && path.endsWith(COPY)) await memory.remove(`/home/${DAY}/${Q}.jsonl`);
    return undefined;
  };
  await expect(repairFolder(new SpaceFolder(fs, "/home"), { now: NOW })).rejects.toMatchObject({ code: "FOLD_BUSY" });
  const { [`home/${DAY}/${Q}.jsonl`]: _vanished, ...others } = before;
  expect(space()).toEqual(others);
});

test("files that cannot be put back then are reported", async () => {
  await fill({ [COPY]: ROOT + set(3), [`${DAY}/${Q}.jsonl`]: set(4) });
  const fs = new FaultyFileSystem(memory);
  let isMoved = false;
  fs.fault = async ({ action, path }) => {
    if (action === "rename" && path.endsWith(COPY)) {
      await memory.remove(`/home/${DAY}/${Q}.jsonl`);
      isMoved = true;
    } else if (isMoved && action === "scan") {
      isMoved = false;
      await memory.write(`/home/${COPY}`, new TextEncoder().encode(set(77)));
    }
    return undefined;
  };
  const left = [expect.objectContaining({ file: COPY }) as unknown];
  const message: unknown = expect.stringContaining("1 file could not be put back");
  const data: unknown = expect.objectContaining({ left });
  const failure: unknown = expect.objectContaining({ code: "FOLD_BUSY", message, data });
  await expect(repairFolder(new SpaceFolder(fs, "/home"), { now: NOW })).rejects.toEqual(failure);
  expect(space()).toMatchObject({ [`home/${COPY}`]: set(77), [`home/${relayIn(space())}`]: set(3) });
  expect(lost().find(([path]) => path.endsWith("(conflicted copy).jsonl"))?.[1]).toBe(ROOT + set(3));
});

describe("a copy that changes", () => {
  const newer = new TextEncoder().encode(ROOT + set(3) + set(4));
  const newest = new TextEncoder().encode(ROOT + set(3) + set(4) + set(5));

  test("between the plan and the move stays in place", async () => {
    await fill({ [COPY]: ROOT + set(3) });
    const fs = new FaultyFileSystem(memory);
    fs.fault = async ({ action, path }) => {
      if (action === "write" && path.endsWith("undo.json")) await memory.write(`/home/${COPY}`, newer);
      return undefined;
    };
    const { left, operations } = await repairFolder(new SpaceFolder(fs, "/home"), { now: NOW });
    expect(left).toMatchObject([{ file: COPY, reason: expect.stringContaining("changed") }]);
    expect(operations).toBe(4);
    expect(space()[`home/${COPY}`]).toBe(ROOT + set(3) + set(4));
  });

  test("while it is moved goes beside its place, never over a newer version there", async () => {
    await fill({ [COPY]: ROOT + set(3) });
    const fs = new FaultyFileSystem(memory);
    let renames = 0;
    fs.fault = async ({ action, path }) => {
      if (action === "rename" && path.endsWith(COPY)) await memory.write(`/home/${COPY}`, newer);
      else if (action === "rename" && renames++ === 0) await memory.write(`/home/${COPY}`, newest);
      return undefined;
    };
    const { left } = await repairFolder(new SpaceFolder(fs, "/home"), { now: NOW });
    expect(left).toMatchObject([{ file: COPY, reason: expect.stringContaining("changed") }]);
    expect(space()[`home/${COPY}`]).toBe(ROOT + set(3) + set(4) + set(5));
    expect(Object.values(space())).toContain(ROOT + set(3) + set(4));
    const again = await repairFolder(new SpaceFolder(memory, "/home"), { now: NOW });
    expect(again).toMatchObject({ left: [], operations: 5 });
  });
});

test("an own file to which an app appends in between is left as it then is", async () => {
  await fill({ [FILE]: `${ROOT}garbage\n` });
  const fs = new FaultyFileSystem(memory);
  fs.fault = async ({ action, path }) => {
    // the file as it was has just been read, and is kept now
    if (action === "write" && path.endsWith(`${P}.jsonl`) && path.includes(LOST_DIR))
      await memory.append(`/home/${FILE}`, new TextEncoder().encode(set(9)));
    return undefined;
  };
  const { left, id } = await repairFolder(new SpaceFolder(fs, "/home"), { now: NOW, ownPeerIds: [P] });
  expect(left).toMatchObject([{ file: FILE, reason: expect.stringContaining("still writing") }]);
  expect(space()[`home/${FILE}`]).toBe(`${ROOT}garbage\n${set(9)}`);
  expect(await undoRepair(new SpaceFolder(memory, "/home"), { id: id! })).toMatchObject({ restored: [], left: [] });
});

test("a link in the place of lost+found is not followed", async () => {
  await fill({ [COPY]: ROOT });
  const linked: FileSystem = Object.assign(new FaultyFileSystem(memory), {
    list: async (path: string) => {
      const entries = (await memory.list(path)) ?? [];
      return path === "/home/space-v1" ? [...entries, { name: "lost+found", kind: "other" as const }] : entries;
    },
  });
  const before = memory.dump();
  await expect(repairFolder(new SpaceFolder(linked, "/home"), { now: NOW })).rejects.toMatchObject({ code: "FOLD_IO" });
  expect(memory.dump()).toEqual(before);
});

describe("a relay file", () => {
  const files = { [COPY]: ROOT + set(3) };
  const killed = async (): Promise<SpaceFolder> => {
    await fill(files);
    const fs = new FaultyFileSystem(memory);
    fs.fault = ({ action, path }) =>
      action === "rename" && path.endsWith(COPY) ? new FoldspaceError("FOLD_READ_ONLY", "The machine has stopped") : undefined;
    await expect(repairFolder(new SpaceFolder(fs, "/home"), { now: NOW })).rejects.toMatchObject({ code: "FOLD_READ_ONLY" });
    return new SpaceFolder(memory, "/home");
  };

  test("of a repair that has not finished stays, as that may go on elsewhere; a day later it was killed", async () => {
    const folder = await killed();
    const relay = relayIn(space());
    const soon = new Date(NOW.getTime() + 60_000);
    expect(await undoRepair(folder, { now: soon, isDryRun: true })).toMatchObject({ staying: [relay], left: [] });
    const late = new Date(NOW.getTime() + 25 * 60 * 60 * 1000);
    expect(await undoRepair(folder, { now: late })).toMatchObject({ removed: [relay], staying: [], left: [] });
    expect(space()[`home/${COPY}`]).toBe(files[COPY]);
  });

  test("stays for a day if the copy was moved and put back before, as its place may be empty since then", async () => {
    const folder = await fill(files);
    await repairFolder(folder, { now: NOW });
    await undoRepair(folder);
    await repairFolder(folder, { now: new Date(NOW.getTime() + 60_000) });
    const relay = relayIn(space());
    const soon = new Date(NOW.getTime() + 120_000);
    expect(await undoRepair(folder, { now: soon, isDryRun: true })).toMatchObject({ staying: [relay], removed: [] });
    const late = new Date(NOW.getTime() + 25 * 60 * 60 * 1000);
    expect(await undoRepair(folder, { now: late })).toMatchObject({ staying: [], removed: [relay], restored: [COPY] });
  });

  test("stays while the copy's move has not been delivered, and what is delivered later can be put back", async () => {
    const folder = await fill(files);
    const { id } = await repairFolder(folder, { now: NOW });
    const kept = `/home/${LOST_DIR}/${id}/${COPY.slice("space-v1/".length)}`;
    const bytes = (await memory.read(kept))!;
    await memory.remove(kept);
    await memory.write(`/home/${COPY}`, bytes);
    const relay = relayIn(space());
    expect(await undoRepair(folder)).toMatchObject({ staying: [relay], restored: [], removed: [], left: [] });
    await memory.write(kept, bytes);
    await memory.remove(`/home/${COPY}`);
    expect(await undoRepair(folder)).toMatchObject({ id, restored: [COPY], left: [] });
    await expect(undoRepair(folder)).rejects.toMatchObject({ code: "FOLD_NOT_FOUND" });
  });

  test("that an undo took out is put back when the space lacks its operations again", async () => {
    const folder = await fill(files);
    const { id } = await repairFolder(folder, { now: NOW });
    const relay = relayIn(space());
    await undoRepair(folder);
    await expect(undoRepair(folder, { id: id! })).rejects.toMatchObject({ code: "FOLD_NOT_FOUND" });
    await memory.remove(`/home/${COPY}`);
    expect(await codes(folder)).toEqual(["FOLD_ONLY_IN_LOST_FOUND"]);
    expect(await undoRepair(folder, { id: id! })).toMatchObject({ restored: [relay] });
    expect(space()[`home/${relay}`]).toBe(set(3));
    expect(await codes(folder)).toEqual([]);
  });

  test("of another repair is not relied on, as that can be undone", async () => {
    const folder = await fill(files);
    const first = await repairFolder(folder, { now: NOW });
    await memory.write(`/home/${COPY}`, new TextEncoder().encode(files[COPY]));
    const second = await repairFolder(folder, { now: NOW });
    expect(kinds(second)).toEqual([expect.stringMatching(/^relay /), `move ${COPY}`]);
    expect(kinds(second)).not.toEqual(kinds(first));
  });

  test("stays if what is kept in lost+found was changed, which is not put back", async () => {
    const folder = await fill(files);
    const { id } = await repairFolder(folder, { now: NOW });
    await memory.write(`/home/${LOST_DIR}/${id}/${COPY.slice("space-v1/".length)}`, new TextEncoder().encode(set(66)));
    const { left, staying } = await undoRepair(folder);
    expect(left).toMatchObject([{ file: COPY }]);
    expect(staying).toEqual([relayIn(space())]);
    expect(space()).not.toHaveProperty([`home/${COPY}`]);
  });
});
