import { expect } from "vitest";
import { expectFailure, readText, utf8 } from "./file-system-fixture.ts";
import type { FileSystemTest } from "./file-system-suite.ts";

export function folderTests(test: FileSystemTest): void {
  test("a folder is made with its parents, and making it again is harmless", async ({ fs, root }) => {
    await fs.makeDirectory(`${root}/a/b/c`);
    await fs.write(`${root}/a/b/c/file`, utf8("x"));
    await fs.makeDirectory(`${root}/a/b/c`);
    await fs.makeDirectory(root);
    expect(await readText(fs, `${root}/a/b/c/file`), "the content of the file").toBe("x");
  });

  test("a file is renamed, over another too", async ({ fs, root }) => {
    await fs.write(`${root}/a/one`, utf8("one"));
    await fs.write(`${root}/b/two`, utf8("two"));
    await fs.rename(`${root}/a/one`, `${root}/a/uno`);
    expect(await fs.list(`${root}/a`), "the entries of the folder").toEqual([{ name: "uno", kind: "file" }]);
    await fs.rename(`${root}/a/uno`, `${root}/b/two`);
    expect(await fs.list(`${root}/a`), "the entries of the folder").toEqual([]);
    expect(await fs.list(`${root}/b`), "the entries of the folder").toEqual([{ name: "two", kind: "file" }]);
    expect(await readText(fs, `${root}/b/two`), "the content of the file").toBe("one");
  });

  test("a folder is renamed with all its contents", async ({ fs, root }) => {
    await fs.write(`${root}/old/deep/file`, utf8("x"));
    await fs.makeDirectory(`${root}/there`);
    await fs.rename(`${root}/old`, `${root}/there/new`);
    expect(await fs.stat(`${root}/old`), "the result of stat").toBeUndefined();
    expect(await readText(fs, `${root}/there/new/deep/file`), "the content of the file").toBe("x");
  });

  test("nothing is renamed over a folder, even an empty one", async ({ fs, root }) => {
    await fs.write(`${root}/file`, utf8("x"));
    await fs.write(`${root}/full/file`, utf8("y"));
    await fs.makeDirectory(`${root}/empty`);
    await expectFailure(fs.rename(`${root}/file`, `${root}/empty`), "FOLD_IO");
    await expectFailure(fs.rename(`${root}/file`, `${root}/full`), "FOLD_IO");
    await expectFailure(fs.rename(`${root}/full`, `${root}/empty`), "FOLD_IO");
    await expectFailure(fs.rename(`${root}/empty`, `${root}/full`), "FOLD_IO");
    expect(await fs.list(root), "the entries of the folder").toHaveLength(3);
    expect(await fs.list(`${root}/empty`), "the entries of the folder").toEqual([]);
    expect(await readText(fs, `${root}/full/file`), "the content of the file").toBe("y");
  });

  test("a missing file, or a file whose target folder is missing, cannot be renamed", async ({ fs, root }) => {
    await fs.write(`${root}/file`, utf8("x"));
    await expectFailure(fs.rename(`${root}/none`, `${root}/other`));
    await expectFailure(fs.rename(`${root}/file`, `${root}/no/folder/file`));
    expect(await readText(fs, `${root}/file`), "the content of the file").toBe("x");
  });

  test("files and whole folders are removed, and absence is fine", async ({ fs, root }) => {
    await fs.write(`${root}/file`, utf8("x"));
    await fs.write(`${root}/folder/a/b/file`, utf8("x"));
    await fs.write(`${root}/kept`, utf8("x"));
    for (const path of ["file", "folder", "none", "none/below"]) await fs.remove(`${root}/${path}`);
    expect(await fs.list(root), "the entries of the folder").toEqual([{ name: "kept", kind: "file" }]);
  });

  test("a link is removed, not what it points to", async ({ fs, root, outside }, { skip }) => {
    if (!outside?.makeLink) return skip("there are no links");
    await fs.write(`${root}/folder/file`, utf8("x"));
    await outside.makeLink(`${root}/folder`, `${root}/link`);
    await fs.remove(`${root}/link`);
    expect(await fs.list(root), "the entries of the folder").toEqual([{ name: "folder", kind: "directory" }]);
    expect(await readText(fs, `${root}/folder/file`), "the content of the file").toBe("x");
  });
}
