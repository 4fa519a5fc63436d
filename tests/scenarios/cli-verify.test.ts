import { expect, test } from "vitest";
import { copyOfFixture, foldspace, jsonLines, listing, LOG_FILE, PEER_ID, SPACE_ID, spaceWith } from "./cli-harness.ts";

const DAY = `space-v1/ops/01/${SPACE_ID.slice(2)}/2026/11/22`;
const OTHER_PEER = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const EXPLAINED = { what: expect.any(String), consequence: expect.any(String), advice: expect.any(String) };
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;

async function problems(files: Readonly<Record<string, string | Uint8Array>>): Promise<Record<string, unknown>[]> {
  const path = spaceWith(files);
  const before = listing(path);
  const { code, stdout } = await foldspace(["verify", path, "--json"]);
  expect(listing(path)).toEqual(before);
  const found = jsonLines(stdout);
  expect(code).toBe(found.length === 0 ? 0 : 1);
  return found;
}

test.each<[string, string, string]>([
  ["a line of garbage", "garbage", "FOLD_BAD_LINE"],
  ["a torn line", '["p",3,"x","name","hel', "FOLD_TORN_LINE"],
  ["a merge marker", "<<<<<<< HEAD", "FOLD_MERGE_MARKER"],
  ["a line of 10 MB", `["p",3,"x","name","${"x".repeat(10_000_000)}"]`, "FOLD_LINE_TOO_LONG"],
  ["nesting of 100,000 levels", `["p",3,"x","deep",${"[".repeat(100_000)}${"]".repeat(100_000)}]`, "FOLD_TOO_DEEP"],
  ["a counter of 0", '["p",0,"x","a",1]', "FOLD_BAD_COUNTER"],
  ["a counter of -1", '["p",-1,"x","a",1]', "FOLD_BAD_COUNTER"],
  ["a counter of 1.5", '["p",1.5,"x","a",1]', "FOLD_BAD_COUNTER"],
  ["a counter of 2^53", '["p",9007199254740992,"x","a",1]', "FOLD_BAD_COUNTER"],
  ["a number beyond all numbers", '["p",3,"x","a",{"b":[1e999]}]', "FOLD_BAD_VALUE"],
  ["an id with ../", '["m",3,"../../x","y"]', "FOLD_BAD_ID"],
  ["an id with NUL", String.raw`["m",3,"a\u0000b","y"]`, "FOLD_BAD_ID"],
  ["an id with a newline", String.raw`["m",3,"a\nb","y"]`, "FOLD_BAD_ID"],
  ["an id with a quote", String.raw`["m",3,"a\"b","y"]`, "FOLD_BAD_ID"],
])("%s is named by file and line, and loses nothing else", async (_name, line, code) => {
  const path = spaceWith({ [LOG_FILE]: `${ROOT}${line}\n["p",9,"${SPACE_ID}","name","still here"]\n` });
  const { stdout, stderr, ...result } = await foldspace(["verify", path, "--json"]);
  expect(result.code).toBe(1);
  const problem = { file: LOG_FILE, line: 3, code, reason: expect.any(String), treeId: SPACE_ID };
  expect(jsonLines(stdout)).toEqual([{ ...problem, ...(code === "FOLD_TORN_LINE" ? { counter: 3 } : {}), ...EXPLAINED }]);
  expect(stderr).toBe("1 problem in 1 log file with 3 operations\n");
  expect((await foldspace(["tree", path])).stdout).toContain("still here");
});

test("keys named like prototype members are data", async () => {
  const path = spaceWith({
    [LOG_FILE]: `${ROOT}["p",3,"${SPACE_ID}","__proto__",{"a":1}]\n["p",4,"${SPACE_ID}","constructor","c"]\n`,
  });
  expect((await foldspace(["verify", path])).code).toBe(0);
  const { stdout } = await foldspace(["export", path, "--format", "json"]);
  expect(stdout).toContain('"properties":{"__proto__":{"a":1},"constructor":"c"}');
});

test("bytes that are no UTF-8 are named by file and line", async () => {
  const bytes = Buffer.concat([Buffer.from(ROOT), Buffer.from([0x5b, 0xff, 0xfe, 0x0a])]);
  expect(await problems({ [LOG_FILE]: bytes })).toMatchObject([{ file: LOG_FILE, line: 3, code: "FOLD_BAD_UTF8" }]);
});

test("copies, placeholders and foreign files are named", async () => {
  const found = await problems({
    [`${DAY}/${PEER_ID} (conflicted copy).jsonl`]: ROOT,
    [`${DAY}/.${OTHER_PEER}.jsonl.icloud`]: "",
    [`${DAY}/notes.txt`]: "hello",
  });
  expect(found.map(({ code, file }) => [code, file]).sort()).toEqual([
    ["FOLD_CONFLICT_COPY", `${DAY}/${PEER_ID} (conflicted copy).jsonl`],
    ["FOLD_FOREIGN_FILE", `${DAY}/notes.txt`],
    ["FOLD_NOT_DOWNLOADED", `${DAY}/.${OTHER_PEER}.jsonl.icloud`],
  ]);
});

test("one operation id with two contents is named with both places; the same content twice is no problem", async () => {
  const copy = `${DAY}/${PEER_ID} (1).jsonl`;
  const found = await problems({
    [LOG_FILE]: `${ROOT}["p",3,"${SPACE_ID}","name","one"]\n["p",4,"${SPACE_ID}","a",1]\n`,
    [copy]: `["p",4,"${SPACE_ID}","a",1]\ngarbage\n["p",3,"${SPACE_ID}","name","two"]\n`,
    [`${DAY}/${OTHER_PEER}.jsonl`]: `["p",3,"${SPACE_ID}","name","another peer's"]\n`,
  });
  const collision = found.find(({ code }) => code === "FOLD_ID_COLLISION");
  expect([collision?.["file"], collision?.["line"], collision?.["reason"]].join(" ")).toContain(`${copy}:3`);
  expect([collision?.["file"], collision?.["line"]]).toEqual([LOG_FILE, 3]);
  expect(found.map(({ code }) => code).sort()).toEqual(["FOLD_BAD_LINE", "FOLD_CONFLICT_COPY", "FOLD_ID_COLLISION"]);
});

test("a tree without its root is named by its folder; a missing bin and an unreferenced tree are no problems", async () => {
  const folder = `space-v1/ops/ab/${"c".repeat(30)}`;
  const found = await problems({
    [LOG_FILE]: `["m",1,"${SPACE_ID}",null]\n`,
    [`${folder}/2026/11/22/${PEER_ID}.jsonl`]: '["p",1,"x","a",1]\n',
    [`space-v1/ops/cd/${"e".repeat(30)}/2026/11/22/${PEER_ID}.jsonl`]: `["m",1,"cd${"e".repeat(30)}",null]\n`,
  });
  const problem = { file: folder, code: "FOLD_NO_ROOT", reason: expect.any(String), treeId: `ab${"c".repeat(30)}` };
  expect(found).toEqual([{ ...problem, ...EXPLAINED }]);
});

test("the space tree's own root is missed where the folder has nothing of it", async () => {
  expect(await problems({ [LOG_FILE]: "" })).toMatchObject([{ code: "FOLD_NO_ROOT", treeId: SPACE_ID }]);
});

test("people get a line per problem, what each kind means, and a summary", async () => {
  const path = spaceWith({ [LOG_FILE]: `${ROOT}garbage\nrubbish\n<<<<<<< HEAD\n` });
  const { stdout, stderr } = await foldspace(["verify", path]);
  const [lines, ...kinds] = stdout.trimEnd().split("\n\n");
  expect(lines).toBe(
    [
      `${LOG_FILE}:3: the line is not JSON: "garbage" [FOLD_BAD_LINE]`,
      `${LOG_FILE}:4: the line is not JSON: "rubbish" [FOLD_BAD_LINE]`,
      `${LOG_FILE}:5: Git left a conflict marker, "<<<<<<< HEAD"; the operations around it were read [FOLD_MERGE_MARKER]`,
    ].join("\n"),
  );
  expect(kinds).toEqual([
    expect.stringMatching(/^FOLD_BAD_LINE\n {2}.+\n {2}.+\n {2}.+$/),
    expect.stringMatching(/^FOLD_MERGE_MARKER\n {2}.+\n {2}.+\n {2}.+$/),
  ]);
  expect(stderr).toBe("3 problems in 1 log file with 2 operations\n");
  expect((await foldspace(["verify", copyOfFixture("two-devices")])).stderr).toBe(
    "No problems in 23 log files with 708 operations\n",
  );
});

test("a torn line is told to be harmless where its operation stands whole", async () => {
  const torn = `["p",3,"${SPACE_ID}","name","hel`;
  const whole = `["p",3,"${SPACE_ID}","name","hello"]\n`;
  const found = await problems({
    [LOG_FILE]: `${ROOT}${torn}\n["p",4,"${SPACE_ID}","name","lo`,
    [`${DAY}/${PEER_ID}.${OTHER_PEER}.jsonl`]: whole,
  });
  expect(found).toMatchObject([
    { line: 3, counter: 3, isLossless: true },
    { line: 4, counter: 4 },
  ]);
  expect(found[0]!["consequence"]).toContain("Nothing is lost");
  expect(found[1]).not.toHaveProperty("isLossless");
  expect(found[1]!["consequence"]).toContain("missing");
  expect(await problems({ [LOG_FILE]: `${ROOT}${torn}${whole}` })).toMatchObject([{ line: 3, isLossless: true }]);
});

test("of a file that is nothing but garbage, the first thousand lines are listed, and the last says so", async () => {
  const found = await problems({ [LOG_FILE]: `${ROOT}${"garbage\n".repeat(5_000)}["p",3,"${SPACE_ID}","a",1]\n` });
  expect(found).toHaveLength(1_001);
  expect(found.at(-2)!["reason"]).not.toContain("more lines");
  expect(found.at(-1)).toMatchObject({ line: 1_003, reason: expect.stringContaining("more lines") });
});

test("names that would change what a terminal shows are printed harmlessly", async () => {
  const path = spaceWith({ [`${DAY}/\u001b[2J\u202e.txt`]: "", [`${DAY}/${PEER_ID}\n(1).jsonl`]: ROOT });
  const { stdout } = await foldspace(["verify", path]);
  expect(stdout).toContain(String.raw`\u001b[2J\u202e.txt`);
  expect(stdout).not.toContain("\u001b");
  expect(stdout).not.toContain("\u202e");
});

test("500,000 operations that all stand twice, one of them changed, are compared", async () => {
  const lines: string[] = [ROOT.trimEnd()];
  for (let counter = 3; counter <= 250_000; counter++) lines.push(`["p",${counter},"${SPACE_ID}","name","${counter}"]`);
  const copy = lines.with(200_000, lines[200_000]!.replace(/"\d+"\]$/, '"changed"]'));
  const name = `${DAY}/${PEER_ID} (1).jsonl`;
  const found = await problems({ [LOG_FILE]: lines.join("\n"), [name]: copy.join("\n") });
  expect(found.map(({ code, line }) => [code, line])).toEqual([
    ["FOLD_CONFLICT_COPY", undefined],
    ["FOLD_ID_COLLISION", 200_002],
  ]);
});

test("operations that only a file in lost+found contains are named, with the repair that puts it back", async () => {
  const id = "repair-2026-11-22T10-15-30-000Z-0123abcd";
  const kept = `space-v1/lost+found/${id}/ops/01/${SPACE_ID.slice(2)}/2026/11/22/${PEER_ID} (1).jsonl`;
  const other = kept.replace(PEER_ID, OTHER_PEER);
  const line = `["p",9,"${SPACE_ID}","name","x"]\n`;
  expect(await problems({ [LOG_FILE]: ROOT, [kept]: ROOT + line, [other]: line })).toMatchObject([
    { code: "FOLD_ONLY_IN_LOST_FOUND", file: kept, reason: expect.stringContaining(`--undo ${id}`), ...EXPLAINED },
    { code: "FOLD_ONLY_IN_LOST_FOUND", file: other },
  ]);
  expect(await problems({ [LOG_FILE]: ROOT + line, [kept]: ROOT + line })).toEqual([]);
});
