import { expect, test } from "vitest";
import { foldspace, SPACE_ID, spaceWith } from "./cli-harness.ts";

/** The hops in what was printed. */
function hopsIn(stderr: string): string[] {
  return Array.from(stderr.matchAll(/ peer=\S+ {2}(\w+) .*$/gm), ([, hop]) => hop!);
}

test("FOLDSPACE_DEBUG=1 prints the steps of a command's edits to stderr, and changes nothing else", async () => {
  const path = spaceWith();
  const { code, stdout, stderr } = await foldspace(["add", path, "--name", "Bread"], { variables: { FOLDSPACE_DEBUG: "1" } });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^[0-9a-f]{32}\n$/);
  // what is in the folder is read, and after it the edit is made and saved; what the folder reports meanwhile is read, too
  const hops = hopsIn(stderr);
  expect(hops.slice(0, 4)).toEqual(["read", "merged", "made", "queued"]);
  expect(hops.slice(4).find((hop) => hop !== "read" && hop !== "hint")).toBe("saved");
  expect(stderr).not.toContain("Bread");
});

test("FOLDSPACE_DEBUG with beginnings of ids prints the steps of that operation", async () => {
  const path = spaceWith();
  const print = async (setting: string): Promise<string> =>
    (await foldspace(["tree", path], { variables: { FOLDSPACE_DEBUG: setting } })).stderr;
  expect(hopsIn(await print(`${SPACE_ID.slice(0, 8)}/2@aaaa`))).toEqual(["read"]);
  expect(await print(`${SPACE_ID.slice(0, 8)}/2@aaaa`)).toMatch(/ 2@aaaaaaaa \(1 of 3\) .*\/aaaaaaaa\w+\.jsonl\n$/);
  expect(await print("ffff")).toBe("");
});

test.each(["", "0"])("FOLDSPACE_DEBUG=%s prints nothing", async (setting) => {
  expect((await foldspace(["tree", spaceWith()], { variables: { FOLDSPACE_DEBUG: setting } })).stderr).toBe("");
});
