import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { copyOfFixture, foldspace, FIXTURES, jsonLines, listing, SPACE_ID, spaceWith } from "./cli-harness.ts";
import { readOnlyFileSystem } from "./failing-file-system.ts";

const PEER_ID = "b".repeat(32);
const TREE = `space-v1/ops/01/${SPACE_ID.slice(2)}`;
const ITEMS = `["m",4,"one","${SPACE_ID}"]\n["m",5,"two","${SPACE_ID}"]\n`;
const MORE = `["p",6,"one","name","more"]\n`;
const FILES = {
  [`${TREE}/2024/03/04/${PEER_ID}.jsonl`]: ITEMS,
  [`${TREE}/2024/05/06/${PEER_ID}.jsonl`]: MORE,
};

async function exported(path: string): Promise<string> {
  return (await foldspace(["export", path, "--format", "json"])).stdout;
}

test("the files of a year become one, and an undo puts them back", async () => {
  const path = spaceWith(FILES);
  const [before, listed] = [await exported(path), listing(path)];
  const { code, stdout, stderr } = await foldspace(["pack", path]);
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringMatching(/2024\/12\/31\/b+\.[0-9a-f]{32}\.jsonl: joins 2 files, and has 3 operations\n$/),
  });
  expect(stderr).toMatch(
    /^3 files in 3 folders became 2 in 2; all operations can be read as before\. .* foldspace pack .* --undo\n$/,
  );
  expect(await exported(path)).toBe(before);
  expect((await foldspace(["verify", path])).code).toBe(0);
  expect(await foldspace(["pack", path], { fs: readOnlyFileSystem() })).toMatchObject({
    code: 0,
    stdout: "",
    stderr: "Nothing to pack: no old files can be joined\n",
  });
  const undone = await foldspace(["pack", path, "--undo"]);
  expect(undone).toMatchObject({ code: 0, stdout: expect.stringContaining(`05/06/${PEER_ID}.jsonl: put back`) });
  for (const entry of listed.filter((each) => !each.includes(" folder "))) expect(listing(path)).toContain(entry);
  // the packed file stays, and repeats operations
  const checked = [await foldspace(["verify", spaceWith(FILES)]), await foldspace(["verify", path])];
  const [was, is] = checked.map((result) => / with (\d+) operations/.exec(result.stdout + result.stderr)?.[1]);
  expect(is).toBe(was);
  expect(was).toBeDefined();
});

test("a dry run says what would be done, changes nothing, and ends with 1 as there is something to do", async () => {
  const path = spaceWith(FILES);
  const before = listing(path);
  const { code, stdout, stderr } = await foldspace(["pack", path, "--dry-run"], { fs: readOnlyFileSystem() });
  expect(code).toBe(1);
  expect(stdout).toMatch(/: would join 2 files, and have 3 operations\n$/);
  expect(stderr).toBe("3 files in 3 folders would become 2 in 2; nothing was changed\n");
  expect(listing(path)).toEqual(before);
});

test("with --delete nothing is kept, and JSON gives steps and numbers", async () => {
  const path = spaceWith(FILES);
  const [pack] = jsonLines((await foldspace(["pack", path, "--delete", "--older-than", "365d", "--json"])).stdout);
  expect(pack).toMatchObject({ steps: [{ kind: "pack", operations: 3 }], left: [], files: { before: 3, after: 2 } });
  expect(readdirSync(join(path, "space-v1", "lost+found"))).toEqual([]);
});

test("what is left is listed and explained, and the exit code is 1", async () => {
  const file = `${TREE}/2024/05/07/${PEER_ID}.jsonl`;
  const path = spaceWith({ ...FILES, [file]: "garbage\n" });
  const { code, stdout } = await foldspace(["pack", path]);
  expect(code).toBe(1);
  expect(stdout).toContain(`\nLeft as it is:\n${file}:1: `);
  expect(stdout).toContain("The file is not packed [FOLD_BAD_LINE]");
});

test.each([
  [["--older-than", "90"], 2, "number of days"],
  [["--older-than", "30d"], 1, "31 days"],
  [["--delete", "--undo"], 2, "cannot be used with"],
])("%j is refused", async (options, code, reason) => {
  const path = spaceWith(FILES);
  const before = listing(path);
  expect(await foldspace(["pack", path, ...options])).toMatchObject({ code, stderr: expect.stringContaining(reason) });
  expect(listing(path)).toEqual(before);
});

test.each(readdirSync(FIXTURES).filter((name) => !name.includes(".") && name !== "v0"))(
  "the space %s of an existing app is the same after it was packed",
  async (name) => {
    const path = copyOfFixture(name);
    const before = await exported(path);
    await foldspace(["pack", path, "--older-than", "31d"]);
    expect(await exported(path)).toBe(before);
  },
);
