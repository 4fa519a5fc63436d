import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { expect, test } from "vitest";
import { NodeFileSystem } from "../../src/fs/node/node-file-system.ts";
import { logFilePath, treeDir } from "../../src/log/index.ts";
import { FaultyFileSystem } from "../../src/testing/faulty-file-system.ts";
import { foldspace, listing, LOG_FILE, PEER_ID, SPACE_ID, spaceWith, temporaryFolder } from "./cli-harness.ts";

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

test.skipIf(process.platform === "win32").each(["space-v0", "space-v1", "ops"])(
  "a migration moves and writes nothing through a link in the place of %s",
  async (name) => {
    const [path, outside] = [temporaryFolder(), temporaryFolder()];
    writeFileSync(join(outside, "precious"), "mine");
    writeFileSync(join(path, "space.json"), JSON.stringify({ id: SPACE_ID }));
    const day = join(name === "ops" ? outside : join(path, "ops"), SPACE_ID.slice(0, 2), SPACE_ID.slice(2), "2026-11-22");
    mkdirSync(day, { recursive: true });
    writeFileSync(join(day, `${PEER_ID}.jsonl`), ROOT);
    symlinkSync(outside, join(path, name));
    const before = listing(outside);
    expect(await foldspace(["migrate", path])).toMatchObject({ code: 1, stderr: expect.stringContaining("is a link") });
    expect(listing(outside)).toEqual(before);
    expect(readdirSync(path).sort()).toEqual([...new Set(["ops", name, "space.json"])].sort());
  },
);

test.skipIf(process.platform === "win32")("verifying a space passes over links beside its files", async () => {
  const outside = temporaryFolder();
  const path = spaceWith({ [LOG_FILE]: ROOT });
  const log = join(SPACE_ID.slice(0, 2), SPACE_ID.slice(2), "2026-11-22");
  for (const folder of [join("ops", log), join("repair-2026-11-22T10-15-30-000Z-0123abcd/ops", log)]) {
    mkdirSync(join(outside, folder), { recursive: true });
    writeFileSync(join(outside, folder, `${PEER_ID}.jsonl`), `["m",9,"x",null]\n`);
  }
  for (const [link, target] of [
    ["space-v0", "."],
    ["ops", "ops"],
    ["space-v1/lost+found", "."],
  ] as const) {
    symlinkSync(join(outside, target), join(path, link));
  }
  expect(await foldspace(["verify", path])).toMatchObject({ code: 0, stdout: "" });
});

test.skipIf(process.platform === "win32")("a repair moves nothing through a link that was put there meanwhile", async () => {
  const outside = temporaryFolder();
  const copy = LOG_FILE.replace(".jsonl", " (1).jsonl");
  const path = spaceWith({ [LOG_FILE]: ROOT, [copy]: ROOT });
  const fs = new FaultyFileSystem(new NodeFileSystem({ io: "sync" }));
  fs.fault = ({ action, path: changed }) => {
    if (action === "write" && changed.endsWith("undo.json") && readdirSync(outside).length === 0) {
      renameSync(join(path, dirname(LOG_FILE)), join(outside, "day"));
      symlinkSync(join(outside, "day"), join(path, dirname(LOG_FILE)));
    }
    return undefined;
  };
  expect(await foldspace(["repair", path], { fs })).toMatchObject({ code: 1 });
  expect(readdirSync(join(outside, "day")).sort()).toEqual([basename(copy), basename(LOG_FILE)].sort());
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
