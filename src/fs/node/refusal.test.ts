import type { Stats } from "node:fs";
import * as fsp from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { utf8 } from "../../testing/file-system-fixture.ts";
import { NodeFileSystem } from "./node-file-system.ts";
import { describeRefusal, lacksRights } from "./refusal.ts";

const ME = { uid: 70_001, gids: [70_010] };

function stats(uid: number, gid: number, mode: number, isFolder: boolean): Stats {
  return { uid, gid, mode, isDirectory: () => isFolder } as Stats;
}

test("of owner, group and others, the first that fits decides", () => {
  expect(lacksRights(stats(70_001, 70_010, 0o077, true), ME)).toBe(true);
  expect(lacksRights(stats(70_001, 1, 0o700, true), ME)).toBe(false);
  expect(lacksRights(stats(1, 70_010, 0o707, true), ME)).toBe(true);
  expect(lacksRights(stats(1, 70_010, 0o070, true), ME)).toBe(false);
  expect(lacksRights(stats(1, 1, 0o775, true), ME)).toBe(true);
  expect(lacksRights(stats(1, 1, 0o777, true), ME)).toBe(false);
  // a folder must be searched too
  expect(lacksRights(stats(1, 70_010, 0o060, true), ME)).toBe(true);
  expect(lacksRights(stats(1, 70_010, 0o060, false), ME)).toBe(false);
});

test.each([
  [
    "one's own folder",
    stats(70_001, 70_010, 0o500, true),
    /^the folder \/n belongs to user 70001 \(group 70010, mode 500\).*to permit it: chmod u\+rwX '\/n'$/,
  ],
  ["a folder of one's group", stats(70_002, 70_010, 0o755, true), /user 70002 can permit it to the group: chmod g\+rwX '\/n'$/],
  [
    "a stranger's file",
    stats(70_002, 70_011, 0o600, false),
    /^the file \/n .*administrator can put user 70001 into the group 70011, and user 70002 can permit/,
  ],
  ["a folder of a group that may", stats(70_002, 70_011, 0o775, true), /administrator can put user 70001 into the group 70011$/],
])("a refusal by %s names the owner and the remedy", (_, given, expected) => {
  expect(describeRefusal("/n", given, ME).reason).toMatch(expected);
});

test.skipIf(process.platform === "win32")(
  "a write that is refused names the folder above that refuses, and its owner",
  async () => {
    const root = await fsp.mkdtemp(join(tmpdir(), "foldspace-refusal-"));
    onTestFinished(() => fsp.rm(root, { recursive: true, force: true }));
    await fsp.chmod(root, 0o755);
    const folder = join(root, "folder");
    await fsp.mkdir(folder, { mode: 0o555 });
    const isRoot = process.geteuid?.() === 0;
    // no rights bind the superuser
    if (isRoot) process.seteuid?.(65_534);
    try {
      for (const io of ["async", "sync"] as const) {
        const fs = new NodeFileSystem({ io });
        for (const write of [
          () => fs.append(join(folder, "a/log"), utf8("x")),
          () => fs.write(join(folder, "file"), utf8("x")),
          () => fs.makeDirectory(join(folder, "new")),
        ]) {
          const error: unknown = await write().catch((cause: unknown) => cause);
          expect(error).toMatchObject({ code: "FOLD_PERMISSION", data: { refusedBy: folder } });
          expect(String(error)).toMatch(new RegExp(`the folder ${folder} belongs to ${isRoot ? "root" : ""}.*chmod`));
        }
      }
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  },
);
