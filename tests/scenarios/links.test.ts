import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { logFilePath, treeDir } from "../../src/log/index.ts";
import { foldspace, PEER_ID, SPACE_ID, spaceWith, temporaryFolder } from "./cli-harness.ts";

const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n`;

test.skipIf(process.platform === "win32")("a space of version 0 is not migrated through a link", async () => {
  const [path, outside] = [temporaryFolder(), temporaryFolder()];
  writeFileSync(join(path, "space.json"), JSON.stringify({ id: SPACE_ID }));
  const day = join(outside, SPACE_ID.slice(0, 2), SPACE_ID.slice(2), "2026-11-22");
  mkdirSync(day, { recursive: true });
  writeFileSync(join(day, `${PEER_ID}.jsonl`), ROOT);
  symlinkSync(outside, join(path, "ops"));
  const { code, stderr } = await foldspace(["migrate", path]);
  expect(code).toBe(1);
  expect(stderr).toContain("is a link");
  expect(readdirSync(path).sort()).toEqual(["ops", "space.json"]);
});

test.skipIf(process.platform === "win32").each([
  ["the day", 1],
  ["the month", 2],
  ["the year", 3],
])("nothing is written through a link in the place of %s", async (_place, up) => {
  const outside = temporaryFolder();
  const path = spaceWith({ [logFilePath(SPACE_ID, PEER_ID, PEER_ID, new Date("2001-01-01"))]: ROOT });
  for (const year of readdirSync(join(path, treeDir(SPACE_ID)))) {
    if (year !== "2001") rmSync(join(path, treeDir(SPACE_ID), year), { recursive: true });
  }
  let link = join(path, logFilePath(SPACE_ID, PEER_ID, PEER_ID, new Date()));
  for (let level = 0; level < up; level++) link = dirname(link);
  mkdirSync(dirname(link), { recursive: true });
  symlinkSync(outside, link);
  const { code, stderr } = await foldspace(["add", path, "--name", "x"]);
  expect(code).toBe(1);
  expect(stderr).toContain("is a link");
  expect(readdirSync(outside)).toEqual([]);
});
