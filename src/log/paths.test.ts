import { expect, test } from "vitest";
import { COPY_NAMES } from "../testing/copy-names.ts";
import { canNameLog, classifyLogFile, isPathSafeId, logFilePath, mayHoldTree, OPS_DIR, treeDir } from "./paths.ts";

const TREE = "02d9c0a1b2c3d4e5f60718293a4b5c6d";
const PEER = "9fae0b1c2d3e4f5061728394a5b6c7d8";
const OTHER = "0011223344556677889900aabbccddee";
const DAY = `${TREE.slice(0, 2)}/${TREE.slice(2)}/2026/11/22`;

/** Names of files that are half-written, or that belong to another program. */
const TEMP_NAMES: readonly [program: string, name: string][] = [
  ["Syncthing", ".syncthing.B.jsonl.tmp"],
  ["Syncthing on Windows", "~syncthing~B.jsonl.tmp"],
  ["ownCloud", ".B.jsonl.~1a2b3c"],
  ["ownCloud, older", "B.jsonl.part"],
  ["rclone", "B.jsonl.1a2b3c4d.partial"],
  ["Resilio", "B.jsonl.!sync"],
  ["Chromium", "B.jsonl.crswap"],
  ["FileZilla", "B.jsonl.filepart"],
  ["rsync", ".B.jsonl.Xa3dfR"],
  ["Vim", ".B.jsonl.swp"],
  ["Emacs", "#B.jsonl#"],
  ["macOS", "._B.jsonl"],
  ["FreeFileSync", "B.jsonl.ffs_tmp"],
  ["Synology", "B.jsonl@SynoEAStream"],
  ["Synology, resource forks", "B.jsonl@SynoResource"],
];

/** OneDrive adds the computer's name to the id itself: only an id of a known form can be found in it. */
const IS_PART_OF_AN_ID = new Set(["OneDrive"]);

test("the tables have the names that were collected", () => {
  expect(COPY_NAMES).toHaveLength(46);
  expect(TEMP_NAMES).toHaveLength(15);
});

test.each(COPY_NAMES)("a copy by %s is read under its peer", (service, pattern) => {
  const copyOf = (peerId: string): unknown => ({ kind: "log", treeId: TREE, peerId, writerId: peerId, isCopy: true });
  expect(classifyLogFile(`${DAY}/${pattern.replace("B", PEER)}`)).toEqual(copyOf(PEER));
  expect(classifyLogFile(`${DAY}/${pattern.replace("B", PEER.toUpperCase())}`)).toEqual(copyOf(PEER));
  if (IS_PART_OF_AN_ID.has(service)) return;
  for (const peerId of ["peer-1", "Ann_s-laptop", "p2"])
    expect(classifyLogFile(`${DAY}/${pattern.replace("B", peerId)}`)).toEqual(copyOf(peerId));
});

test.each(TEMP_NAMES)("a temporary file of %s is ignored", (_program, pattern) => {
  for (const peerId of [PEER, "peer-1"])
    expect(classifyLogFile(`${DAY}/${pattern.replace("B", peerId)}`)).toEqual({ kind: "ignored" });
});

test.each([
  "desktop.ini",
  "Thumbs.db",
  ".DS_Store",
  "~$x.jsonl",
  ".~lock.x.jsonl#",
  `${PEER}.jsonl.crdownload`,
  `${PEER}.jsonl.TEMP`,
])("%s is ignored", (name) => {
  expect(classifyLogFile(`${DAY}/${name}`)).toEqual({ kind: "ignored" });
});

test("what is in a hidden or temporary folder is ignored", () => {
  for (const folder of [".tmp.driveupload", ".stversions", ".sync", "x.tmp", "@eaDir"])
    expect(classifyLogFile(`${folder}/${DAY}/${PEER}.jsonl`)).toEqual({ kind: "ignored" });
  expect(classifyLogFile(`${TREE.slice(0, 2)}/${TREE.slice(2)}/.stversions/2026/${PEER}.jsonl`)).toEqual({ kind: "ignored" });
});

test.each([
  [".B.jsonl.icloud", 160],
  ["B.jsonl.nextcloud", 1],
  ["B.jsonl.owncloud", 0],
  ["B.jsonl.cloud", 1],
  ["B.jsonl.SomeBrand", 1],
])("%s of %i bytes is in the place of a file that is not downloaded", (pattern, size) => {
  for (const peerId of [PEER, "peer-1", `${PEER}.${OTHER}`]) {
    const placeholder = { kind: "placeholder", target: `${DAY}/${peerId}.jsonl` };
    expect(classifyLogFile(`${DAY}/${pattern.replace("B", peerId)}`, size)).toEqual(placeholder);
  }
});

test("only an almost empty file with a word of no other meaning behind its name is a placeholder", () => {
  expect(classifyLogFile(`${DAY}/${PEER}.jsonl.nextcloud`, 2)).toMatchObject({ kind: "log", isCopy: true });
  for (const word of ["orig", "conflict1", "path2", "mine", "r12", "BASE"])
    expect(classifyLogFile(`${DAY}/${PEER}.jsonl.${word}`, 0)).toMatchObject({ kind: "log", isCopy: true });
  for (const name of [`${PEER}.jsonl.part`, `${PEER}.jsonl.tmp`, `~${PEER}.jsonl.cloud`, `.hidden/${PEER}.jsonl.cloud`])
    expect(classifyLogFile(`${DAY}/${name}`, 0)).toEqual({ kind: "ignored" });
  expect(classifyLogFile(`${DAY}/${PEER}.jsonl`, 0)).toMatchObject({ kind: "log", isCopy: false });
});

test("a file is its peer's, a relay file its writer's", () => {
  const log = { kind: "log", treeId: TREE, isCopy: false };
  for (const peerId of [PEER, "peer-1", "A_b"]) {
    expect(classifyLogFile(`${DAY}/${peerId}.jsonl`)).toEqual({ ...log, peerId, writerId: peerId });
    for (const writerId of [OTHER, "writer-1", "conflict-free"]) {
      expect(classifyLogFile(`${DAY}/${peerId}.${writerId}.jsonl`)).toEqual({ ...log, peerId, writerId });
    }
  }
});

test("ids in capitals are no other peers", () => {
  const copy = { kind: "log", treeId: TREE, peerId: PEER, isCopy: true };
  expect(classifyLogFile(`${DAY}/${PEER.toUpperCase()}.${OTHER}.jsonl`)).toMatchObject(copy);
  expect(classifyLogFile(`${DAY}/${PEER}.${OTHER.toUpperCase()}.jsonl`)).toMatchObject(copy);
});

test("a copy of a relay file is read under the peer whose operations it holds", () => {
  for (const [, pattern] of COPY_NAMES) {
    expect(classifyLogFile(`${DAY}/${pattern.replace("B", `${PEER}.${OTHER}`)}`)).toMatchObject({ peerId: PEER, isCopy: true });
  }
});

test.each(["notes.txt", "README.md", "peer-1.txt", `${PEER}.txt`, PEER, "a b.jsonl", "x.y.jsonl", ".jsonl", "peer-1.jsonl.gz"])(
  "%s is no log file",
  (name) => {
    expect(["foreign", "ignored"]).toContain(classifyLogFile(`${DAY}/${name}`).kind);
  },
);

test("an id is not found inside a longer run of digits", () => {
  for (const name of [`0${PEER}.jsonl`, `${PEER}0.jsonl`, `${PEER}${OTHER}.jsonl`]) {
    const file = classifyLogFile(`${DAY}/${name}`);
    if (file.kind === "log") expect([PEER, OTHER]).not.toContain(file.peerId);
  }
});

test.each([
  ["two parts", DAY, false],
  ["one part", `${TREE}/2026/11/22`, false],
  ["one part without date", TREE, false],
  ["days in one folder, as in version 0", `${TREE.slice(0, 2)}/${TREE.slice(2)}/2026-11-22`, false],
  ["a month only", `${TREE.slice(0, 2)}/${TREE.slice(2)}/2026/11`, false],
  ["no date", `${TREE.slice(0, 2)}/${TREE.slice(2)}`, false],
  ["a split day", `${TREE.slice(0, 2)}/${TREE.slice(2)}/2026/11/22 2`, true],
  ["a split month", `${TREE.slice(0, 2)}/${TREE.slice(2)}/2026/11 (Case Conflict)/22`, true],
  ["a split year", `${TREE.slice(0, 2)}/${TREE.slice(2)}/2026 2/11/22`, true],
  ["a split tree", `${TREE.slice(0, 2)}/${TREE.slice(2)} 2/2026/11/22`, true],
  ["a tree in conflict", `${TREE.slice(0, 2)}/${TREE.slice(2)} (Case Conflict)/2026/11/22`, true],
  ["a tree copied by hand", `${TREE.slice(0, 2)}/Copy of ${TREE.slice(2)}/2026/11/22`, true],
  ["a split first folder", `${TREE.slice(0, 2)} 2/${TREE.slice(2)}/2026/11/22`, true],
  ["a first folder copied by hand", `Copy of ${TREE.slice(0, 2)}/${TREE.slice(2)}/2026/11/22`, true],
  ["a tree of one part in conflict", `${TREE} (conflicted copy)/2026/11/22`, true],
  ["capitals", `${TREE.slice(0, 2)}/${TREE.slice(2).toUpperCase()}/2026/11/22`, true],
  ["a folder of copies", `old/${DAY}`, true],
  ["odd dates", `${TREE.slice(0, 2)}/${TREE.slice(2)}/26/1/99`, true],
  ["more below", `${DAY}/backup`, true],
])("the tree is found in folders with %s", (_name, folders, isCopy) => {
  expect(classifyLogFile(`${folders}/${PEER}.jsonl`)).toEqual({
    kind: "log",
    treeId: TREE,
    peerId: PEER,
    writerId: PEER,
    isCopy,
  });
});

test.each([
  ["tr", "ee-1", "2026/11/22", "tree-1", false],
  ["tree-1", "", "2026/11/22", "tree-1", false],
  ["tr", "ee-1", "2026-11-22", "tree-1", false],
  ["tr", "ee-1", "2026/11/22 2", "tree-1", true],
])("a tree of another grammar is found in %s/%s/%s", (first, second, date, treeId, isCopy) => {
  expect(classifyLogFile([first, second, date, `${PEER}.jsonl`].filter(Boolean).join("/"))).toEqual({
    kind: "log",
    treeId,
    peerId: PEER,
    writerId: PEER,
    isCopy,
  });
});

test.each(["", "x", "a/b/c/d", "../..", "a b", "..", "2026/11/22"])("folders %j name no tree", (folders) => {
  expect(classifyLogFile(folders === "" ? `${PEER}.jsonl` : `${folders}/${PEER}.jsonl`).kind).not.toBe("log");
});

test.each(["my2024-notes", "1e9997e2e897a48abbe13811413b36931", "ab2024"])(
  "a tree %s, whose folder seems to contain a year, is read",
  (treeId) => {
    const path = logFilePath(treeId, PEER, PEER, new Date(0)).slice(OPS_DIR.length + 1);
    expect(classifyLogFile(path)).toMatchObject({ kind: "log", treeId, isCopy: false });
  },
);

test.each([
  ["space-" + TREE, PEER, PEER],
  [TREE.toUpperCase(), PEER, PEER],
  [TREE, `peer-${PEER}`, `peer-${PEER}`],
  [TREE, "ann_LOCAL_1", "ann_LOCAL_1"],
  [TREE, "ann", "conflict1"],
])("no file is written that would be read as a copy: tree %s, peer %s, writer %s", (treeId, peerId, writerId) => {
  expect(() => logFilePath(treeId, peerId, writerId, new Date(0))).toThrow(expect.objectContaining({ code: "FOLD_BAD_ID" }));
  expect(canNameLog(treeId, peerId, writerId)).toBe(false);
});

test("every folder in which a tree's files are found is searched for it", () => {
  const seconds = [TREE.slice(2), `${TREE.slice(2)} 2`, `Copy of ${TREE.slice(2)}`, TREE.slice(2).toUpperCase()];
  for (const first of [TREE.slice(0, 2), `${TREE.slice(0, 2)} 2`, `Copy of ${TREE.slice(0, 2)}`]) {
    expect(mayHoldTree([first], TREE)).toBe(true);
    for (const second of seconds) {
      expect(classifyLogFile(`${first}/${second}/2026/11/22/${PEER}.jsonl`)).toMatchObject({ treeId: TREE });
      expect(mayHoldTree([first, second], TREE)).toBe(true);
    }
  }
  expect(mayHoldTree([TREE], TREE)).toBe(true);
  expect(mayHoldTree([`${TREE} 2`, "2026"], TREE)).toBe(true);
  expect(mayHoldTree(["ff"], TREE)).toBe(false);
  expect(mayHoldTree([TREE.slice(0, 2), OTHER.slice(2)], TREE)).toBe(false);
});

test("paths are made of the UTC day, and read back as they were made", () => {
  const lateInTokyo = new Date("2026-11-22T23:59:59.999Z");
  expect(treeDir(TREE)).toBe(`space-v1/ops/02/${TREE.slice(2)}`);
  expect(logFilePath(TREE, PEER, PEER, lateInTokyo)).toBe(`space-v1/ops/${DAY}/${PEER}.jsonl`);
  for (const peerId of [PEER, "peer-1"]) {
    for (const writerId of [OTHER, "writer-1", peerId]) {
      const path = logFilePath(TREE, peerId, writerId, lateInTokyo);
      const name = writerId === peerId ? peerId : `${peerId}.${writerId}`;
      expect(path).toBe(`space-v1/ops/${DAY}/${name}.jsonl`);
      expect(canNameLog(TREE, peerId, writerId)).toBe(true);
      expect(classifyLogFile(path.slice(OPS_DIR.length + 1))).toEqual({
        kind: "log",
        treeId: TREE,
        peerId,
        writerId,
        isCopy: false,
      });
    }
  }
});

test.each([
  "",
  "..",
  "../x",
  "../../etc",
  "a/b",
  "a\\b",
  "a\0b",
  "a\nb",
  "a b",
  ".hidden",
  "-rf",
  "C:x",
  "ab",
  "é".repeat(32),
  `${TREE}.jsonl`,
  "x".repeat(129),
])("an id %j never becomes part of a path", (id) => {
  expect(isPathSafeId(id)).toBe(false);
  for (const make of [
    () => treeDir(id),
    () => logFilePath(id, PEER, PEER, new Date(0)),
    () => logFilePath(TREE, id, PEER, new Date(0)),
    () => logFilePath(TREE, PEER, id, new Date(0)),
  ]) {
    expect(make).toThrow(expect.objectContaining({ code: "FOLD_BAD_ID" }));
  }
});
