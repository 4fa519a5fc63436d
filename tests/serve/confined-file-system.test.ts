import { existsSync } from "node:fs";
import * as fsp from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NodeFileSystem } from "../../src/fs/node/node-file-system.ts";
import { ConfinedFileSystem } from "../../src/fs/serving/confined-file-system.ts";
import { expectFailure, readText, utf8 } from "../../src/testing/file-system-fixture.ts";
import { HintLog } from "../../src/testing/file-system-watch-tests.ts";
import { until } from "../../src/testing/layer-bench.ts";

let around = "";
let root = "";
let fs: ConfinedFileSystem;

beforeEach(async () => {
  around = await fsp.realpath(await fsp.mkdtemp(join(tmpdir(), "foldspace-confined-")));
  root = join(around, "root");
  await fsp.mkdir(join(root, "folder"), { recursive: true });
  await fsp.mkdir(join(around, "root-beside"));
  await fsp.writeFile(join(root, "folder", "file"), "inside");
  await fsp.writeFile(join(around, "secret"), "outside");
  await fsp.writeFile(join(around, "root-beside", "secret"), "outside");
  fs = await ConfinedFileSystem.open(new NodeFileSystem(), root, [""]);
});
afterEach(() => fsp.rm(around, { recursive: true, force: true }));

/** Everything outside, to see that it stays as it is. */
const outside = async (): Promise<unknown> => [
  await fsp.readdir(around),
  await fsp.readdir(join(around, "root-beside")),
  await fsp.readFile(join(around, "secret"), "utf8"),
  await fsp.readFile(join(around, "root-beside", "secret"), "utf8"),
];

/** Tries everything that takes a path but ends well on an entry that is a link. */
async function expectRefused(path: string): Promise<void> {
  await expectFailure(fs.list(path), "FOLD_PERMISSION");
  await expectFailure(fs.scan(path), "FOLD_PERMISSION");
  await expectFailure(fs.read(path), "FOLD_PERMISSION");
  await expectFailure(fs.append(path, utf8("x")), "FOLD_PERMISSION");
  await expectFailure(fs.write(path, utf8("x")), "FOLD_PERMISSION");
  await expectFailure(fs.makeDirectory(path), "FOLD_PERMISSION");
  await expectFailure(
    fs.watch(path, () => undefined),
    "FOLD_PERMISSION",
  );
}

async function expectNoWay(path: string): Promise<void> {
  await expectRefused(path);
  await expectFailure(fs.stat(path), "FOLD_PERMISSION");
  await expectFailure(fs.remove(path), "FOLD_PERMISSION");
  await expectFailure(fs.rename(path, "new"), "FOLD_PERMISSION");
  await expectFailure(fs.rename("folder/file", path), "FOLD_PERMISSION");
}

describe("paths that are none in the folder", () => {
  const paths = [
    "..",
    "../secret",
    "../root-beside/secret",
    "folder/../../secret",
    "folder/..",
    "./folder",
    "folder/.",
    "/",
    "/etc/passwd",
    "//folder",
    "folder//file",
    "folder/",
    "folder/file\0.txt",
    "\0",
    ".git/hooks/post-commit",
    "folder/.git",
    "folder/.GIT/config",
    "folder/HEAD",
    "folder/head",
    ".hg/hgrc",
  ];
  test.each(paths)("%j", async (path) => {
    const before = await outside();
    await expectNoWay(path);
    expect(await outside()).toEqual(before);
    expect(await fsp.readdir(root, { recursive: true })).toHaveLength(2);
  });

  test("names that only look like them are fine", async () => {
    for (const path of ["..folder/..file", "folder/...", ".gitattributes", "folder/%2e%2e", "folder/a\nb", "HEAD.md"]) {
      await fs.write(path, utf8(path));
      expect(await readText(fs, path)).toBe(path);
    }
  });
});

test("what is not writable can be read, and is changed by no call", async () => {
  await fsp.mkdir(join(root, "space"));
  await fsp.mkdir(join(root, "space beside"));
  if (process.platform !== "win32") await fsp.symlink("..", join(root, "space", "up"));
  const before = await fsp.readdir(root, { recursive: true });
  const confined = await ConfinedFileSystem.open(new NodeFileSystem(), root, ["space", "note.md"]);
  for (const path of ["folder/file", "new", "config", "space beside/file", "note.md.more", "space/up/folder/file"]) {
    await expectFailure(confined.append(path, utf8("x")), "FOLD_PERMISSION");
    await expectFailure(confined.write(path, utf8("x")), "FOLD_PERMISSION");
    await expectFailure(confined.makeDirectory(path), "FOLD_PERMISSION");
    await expectFailure(confined.remove(path), "FOLD_PERMISSION");
    await expectFailure(confined.rename(path, "space/taken"), "FOLD_PERMISSION");
    await expectFailure(confined.rename("space/file", path), "FOLD_PERMISSION");
  }
  expect(await fsp.readdir(root, { recursive: true })).toEqual(before);
  expect(await readText(confined, "folder/file")).toBe("inside");
  for (const path of ["note.md", "space/file"]) {
    await confined.write(path, utf8(path));
    expect(await readText(confined, path)).toBe(path);
  }
});

test("the folder itself stays", async () => {
  await expectFailure(fs.remove(""), "FOLD_PERMISSION");
  await expectFailure(fs.rename("", "elsewhere"));
  await expectFailure(fs.write("", utf8("x")), "FOLD_IO");
  expect(await readText(fs, "folder/file")).toBe("inside");
});

describe.skipIf(process.platform === "win32")("links", () => {
  const link = (target: string, path: string): Promise<void> => fsp.symlink(target, join(root, path));

  test("that lead out can be seen and removed, and nothing else", async () => {
    const before = await outside();
    await link(join(around, "secret"), "absolute");
    await link("../secret", "relative");
    await link("../root-beside", "directory");
    await link("absolute", "chain");
    await link("..", "up");
    for (const name of ["absolute", "relative", "directory", "chain", "up"]) {
      expect(await fs.stat(name)).toEqual({ kind: "other", size: 0, modifiedMs: 0 });
      expect(await fs.list("")).toContainEqual({ name, kind: "other" });
      await expectRefused(name);
    }
    for (const path of ["directory/secret", "up/secret", "up/new/file", "up/root/folder/file/../../../secret"])
      await expectNoWay(path);
    expect((await fs.scan(""))?.files.filter(({ kind }) => kind === "file").map(({ path }) => path)).toEqual(["folder/file"]);
    for (const name of ["absolute", "relative", "directory", "chain", "up"]) await fs.remove(name);
    expect(await fs.list("")).toEqual([{ name: "folder", kind: "directory" }]);
    expect(await outside()).toEqual(before);
  });

  test("that lead nowhere make nothing where they lead to", async () => {
    await link("../root-beside/new", "dangling");
    expect(await fs.stat("dangling")).toBeUndefined();
    await expectFailure(fs.append("dangling", utf8("x")));
    await expectFailure(fs.makeDirectory("dangling"));
    for (const path of ["dangling/file", "dangling/folder/file"]) await expectNoWay(path);
    expect(existsSync(join(around, "root-beside", "new"))).toBe(false);
    await fs.write("dangling", utf8("x"));
    expect(await readText(fs, "dangling")).toBe("x");
    expect(existsSync(join(around, "root-beside", "new"))).toBe(false);
  });

  test("that are made later, in place of a folder that was used before", async () => {
    await fs.append("folder/sub/file", utf8("x"));
    const log = await HintLog.start(fs, "folder");
    await log.expectHint("folder/sub", () => fs.append("folder/sub/file", utf8("y")));
    await fsp.rename(join(root, "folder"), join(root, "moved"));
    await fsp.mkdir(join(around, "root-beside", "private name"));
    await link("../root-beside", "folder");
    for (const path of ["folder/secret", "folder/sub/file", "folder/new"]) await expectNoWay(path);
    log.hints.length = 0;
    const toldOfMore = async (): Promise<boolean> => {
      await fsp.appendFile(join(around, "root-beside", "private name", "file"), "x");
      return log.hints.length >= 5;
    };
    await until("it has told of what changes there", toldOfMore);
    expect(log.hints.every(({ kind }) => kind === "rescan")).toBe(true);
    await log.end();
  });

  test("in place of the folder itself", async () => {
    await fsp.rename(root, `${root}-moved`);
    await fsp.symlink(join(around, "root-beside"), root);
    await expectRefused("");
    await expectNoWay("secret");
  });

  test("that stay in the folder are followed on the way", async () => {
    await link("folder", "shortcut");
    expect(await readText(fs, "shortcut/file")).toBe("inside");
    expect(await fs.list("shortcut")).toEqual([{ name: "file", kind: "file" }]);
  });

  test("to the folder that is opened are followed, once", async () => {
    await fsp.symlink(root, join(around, "home"));
    const linked = await ConfinedFileSystem.open(new NodeFileSystem(), join(around, "home"));
    expect(await readText(linked, "folder/file")).toBe("inside");
    await fsp.rm(join(around, "home"));
    await fsp.symlink(join(around, "root-beside"), join(around, "home"));
    expect(await linked.stat("secret")).toBeUndefined();
    expect(await readText(linked, "folder/file")).toBe("inside");
  });
});

test("a folder that is not there is no folder to be confined to", async () => {
  const open = ConfinedFileSystem.open(new NodeFileSystem(), join(around, "nowhere"));
  await expectFailure(open, "FOLD_NOT_FOUND");
});
