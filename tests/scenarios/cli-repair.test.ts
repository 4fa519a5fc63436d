import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  copyOfFixture,
  foldspace,
  jsonLines,
  listing,
  LOG_FILE,
  PEER_ID,
  SPACE_ID,
  spaceWith,
  temporaryFolder,
} from "./cli-harness.ts";
import { FailingFileSystem, readOnlyFileSystem } from "./failing-file-system.ts";

const DAY = `space-v1/ops/01/${SPACE_ID.slice(2)}/2026/11/22`;
const COPY = `${DAY}/${PEER_ID} (conflicted copy).jsonl`;
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;
const MORE = `["p",3,"${SPACE_ID}","name","more"]\n`;

async function exported(path: string): Promise<string> {
  return (await foldspace(["export", path, "--format", "json"])).stdout;
}

test("a copy is folded in, and the folder has no problems afterwards", async () => {
  const path = spaceWith({ [LOG_FILE]: ROOT, [COPY]: ROOT + MORE });
  const before = await exported(path);
  const { code, stdout, stderr } = await foldspace(["repair", path]);
  expect(code).toBe(0);
  expect(stdout.split("\n")).toEqual([
    expect.stringMatching(/jsonl: written, with 1 operation that only copies contained$/),
    expect.stringContaining(`${COPY}: moved to space-v1/lost+found/repair-`),
    "",
  ]);
  expect(stderr).toMatch(/^2 steps done; all 3 operations can be read as before\. .* foldspace repair .* --undo\n$/);
  expect(await exported(path)).toBe(before);
  expect(readFileSync(join(path, LOG_FILE), "utf8")).toBe(ROOT);
  expect((await foldspace(["verify", path])).code).toBe(0);
  const settled = listing(path);
  expect(await foldspace(["repair", path], { fs: readOnlyFileSystem() })).toMatchObject({
    code: 0,
    stdout: "",
    stderr: "Nothing to repair: all of 3 operations are in order\n",
  });
  expect(listing(path)).toEqual(settled);
});

test("a dry run says what would be done, changes nothing, and ends with 1 as there is something to do", async () => {
  const path = spaceWith({ [LOG_FILE]: ROOT, [COPY]: ROOT + MORE });
  const before = listing(path);
  const { code, stdout, stderr } = await foldspace(["repair", path, "--dry-run"], { fs: readOnlyFileSystem() });
  expect(code).toBe(1);
  expect(stdout).toContain("would be moved to space-v1/lost+found/repair-");
  expect(stderr).toBe("2 steps would be done; nothing was changed\n");
  expect(listing(path)).toEqual(before);
});

test("what is left is listed and explained, and the exit code is 1", async () => {
  const path = spaceWith({ [LOG_FILE]: `${ROOT}garbage\n`, [COPY]: ROOT });
  const { code, stdout } = await foldspace(["repair", path]);
  expect(code).toBe(1);
  expect(stdout).toContain(
    `\nLeft as it is:\n${LOG_FILE}:3: the line is not JSON: "garbage" [FOLD_BAD_LINE]\n\nFOLD_BAD_LINE\n  `,
  );
  const cleaned = await foldspace(["repair", path, "--own", PEER_ID]);
  expect(cleaned).toMatchObject({ code: 0, stdout: expect.stringContaining("1 unreadable one removed") });
  expect((await foldspace(["verify", path])).code).toBe(0);
});

test("JSON tells steps, what is left with its explanation, and the id that undoes it", async () => {
  const path = spaceWith({ [LOG_FILE]: `${ROOT}garbage\n`, [COPY]: ROOT + MORE });
  const before = listing(path).filter((entry) => !entry.includes(" folder "));
  const [repair] = jsonLines((await foldspace(["repair", path, "--json"])).stdout);
  expect(repair).toMatchObject({
    steps: [
      { kind: "relay", operations: 1 },
      { kind: "move", file: COPY },
    ],
    left: [{ code: "FOLD_BAD_LINE", file: LOG_FILE, line: 3, advice: expect.any(String) }],
    operations: 3,
    isDryRun: false,
  });
  const { code, stdout } = await foldspace(["repair", path, "--undo", repair!["id"] as string, "--json"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ id: repair!["id"], restored: [COPY], left: [] });
  const now = listing(path).filter((entry) => !entry.includes(" folder ") && !entry.includes("lost+found"));
  expect(now).toEqual(before);
});

test("undoing where there is nothing to undo fails", async () => {
  const path = spaceWith();
  expect(await foldspace(["repair", path, "--undo"])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("FOLD_NOT_FOUND"),
  });
  const traversal = await foldspace(["repair", path, "--undo", "../../ops"]);
  expect(traversal).toMatchObject({ code: 1, stderr: expect.stringContaining("FOLD_NOT_FOUND") });
});

test("wrong usage ends with 2", async () => {
  expect((await foldspace(["repair"])).code).toBe(2);
  expect((await foldspace(["repair", spaceWith(), "--own"])).code).toBe(2);
  expect((await foldspace(["repair", spaceWith(), "--nonsense"])).code).toBe(2);
});

test("progress shows on a terminal only", async () => {
  const path = spaceWith({ [COPY]: ROOT });
  expect((await foldspace(["repair", path, "--dry-run"], { isTTY: true })).stderr).toContain("Examined 1 of 2 files");
});

test.each(["demo-getting-started", "two-devices", "old-sync", "v0-migrated", "files-cas"])(
  "%s has nothing to repair",
  async (name) => {
    const path = copyOfFixture(name);
    expect((await foldspace(["repair", path], { fs: readOnlyFileSystem() })).code).toBe(0);
  },
);

test("on the real disk, stopped at any change, it finishes when it is run again, and can be undone", async () => {
  const files = { [LOG_FILE]: `${ROOT}garbage\n`, [COPY]: ROOT + MORE, [`${DAY}/notes.txt`]: "hello" };
  for (let step = 1; ; step++) {
    const path = spaceWith(files);
    const before = await exported(path);
    const fs = new FailingFileSystem(step);
    const { code, stderr } = await foldspace(["repair", path, "--own", PEER_ID], { fs });
    if (fs.writes < step) break;
    expect({ step, code }).toEqual({ step, code: 1 });
    expect(stderr).toContain("FOLD_READ_ONLY");
    expect(await exported(path)).toBe(before);
    expect((await foldspace(["repair", path, "--own", PEER_ID])).code).toBe(0);
    expect(await exported(path)).toBe(before);
    expect((await foldspace(["verify", path])).code).toBe(0);
    while ((await foldspace(["repair", path, "--undo"])).code === 0);
    for (const [file, text] of Object.entries(files)) expect(readFileSync(join(path, file), "utf8")).toBe(text);
  }
});

test.skipIf(process.platform === "win32")("links are followed neither to lost+found nor out of it", async () => {
  const outside = temporaryFolder();
  writeFileSync(join(outside, "private.jsonl"), "secret");
  const path = spaceWith({ [COPY]: ROOT });
  symlinkSync(outside, join(path, "space-v1/lost+found"));
  expect(await foldspace(["repair", path])).toMatchObject({ code: 1, stderr: expect.stringContaining("is a link") });
  expect(listing(outside)).toHaveLength(2);

  const hostile = spaceWith();
  const id = "repair-2026-11-22T10-15-30-000Z-0123abcd";
  mkdirSync(join(hostile, "space-v1/lost+found", id), { recursive: true });
  symlinkSync(outside, join(hostile, "space-v1/lost+found", id, "ops"));
  const record = {
    format: "foldspace-repair",
    version: 2,
    id,
    time: "2026-11-22T10:15:30.000Z",
    spaceId: SPACE_ID,
    finished: true,
    moved: [{ from: `${DAY}/${PEER_ID} (1).jsonl`, to: `space-v1/lost+found/${id}/ops/private.jsonl`, sha256: "0".repeat(64) }],
    made: [],
    rewritten: [],
  };
  writeFileSync(join(hostile, "space-v1/lost+found", id, "undo.json"), JSON.stringify(record));
  expect(await foldspace(["repair", hostile, "--undo"])).toMatchObject({ code: 1, stderr: expect.stringContaining("is a link") });
  expect(readFileSync(join(outside, "private.jsonl"), "utf8")).toBe("secret");
});

test("a space.json that was written again is not announced as something to undo", async () => {
  const path = copyOfFixture("two-devices");
  rmSync(join(path, "space-v1/space.json"));
  expect((await foldspace(["repair", path])).stderr).toMatch(/^1 step done; all [\d,]+ operations can be read as before\.\n$/);
  expect(await foldspace(["repair", path, "--undo"])).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^Nothing to put back for repair-\S+: a space\.json that a repair wrote stays\n$/),
  });
});
