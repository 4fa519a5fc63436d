import { expect } from "vitest";
import { expectFailure, readText, utf8 } from "./file-system-fixture.ts";
import type { FileSystemTest } from "./file-system-suite.ts";

export function writingTests(test: FileSystemTest): void {
  test("append makes the file and its folders, then adds to it", async ({ fs, root }) => {
    const path = `${root}/a/b/c/file.jsonl`;
    await fs.append(path, utf8("one\n"));
    await fs.append(path, utf8("two\n"));
    await fs.append(path, utf8("three\n"), { sync: true });
    expect(await readText(fs, path), "the content of the file").toBe("one\ntwo\nthree\n");
  });

  test("append makes neither a file nor a folder if it must not, and adds to a file that is there", async ({ fs, root }) => {
    await fs.makeDirectory(`${root}/strict`);
    await expectFailure(fs.append(`${root}/strict/absent`, utf8("x"), { create: false }), "FOLD_NOT_FOUND");
    await expectFailure(fs.append(`${root}/strict/no-folder/file`, utf8("x"), { create: false }), "FOLD_NOT_FOUND");
    expect(await fs.list(`${root}/strict`), "the entries of the folder").toEqual([]);
    await fs.append(`${root}/strict/there`, utf8("one"));
    await fs.append(`${root}/strict/there`, utf8(" two"), { create: false });
    expect(await readText(fs, `${root}/strict/there`), "the content of the file").toBe("one two");
  });

  test("append of nothing makes an empty file and keeps a full one", async ({ fs, root }) => {
    await fs.append(`${root}/empty`, new Uint8Array());
    expect(await fs.stat(`${root}/empty`), "the result of stat").toMatchObject({ kind: "file", size: 0 });
    await fs.append(`${root}/full`, utf8("x"));
    await fs.append(`${root}/full`, new Uint8Array());
    expect(await readText(fs, `${root}/full`), "the content of the file").toBe("x");
  });

  test("append takes a few megabytes at once", async ({ fs, root }) => {
    const bytes = Uint8Array.from({ length: 3_000_001 }, (_, index) => index % 251);
    await fs.append(`${root}/large`, utf8("x"));
    await fs.append(`${root}/large`, bytes, { sync: true });
    const read = await fs.read(`${root}/large`, { offset: 1 });
    expect(read?.length).toBe(bytes.length);
    expect(read?.every((byte, index) => byte === bytes[index])).toBe(true);
  });

  test("concurrent appends to one file all arrive, each in one piece", async ({ fs, root }) => {
    const lengths = Array.from({ length: 20 }, (_, index) => 100_000 + index);
    await Promise.all(
      lengths.map((length, index) => fs.append(`${root}/deep/file`, utf8(String.fromCharCode(65 + index).repeat(length)))),
    );
    const runs = (await readText(fs, `${root}/deep/file`))?.match(/(.)\1*/g) ?? [];
    const lengthOf = new Map(runs.map((run) => [run.charCodeAt(0) - 65, run.length]));
    expect(runs).toHaveLength(20);
    expect(lengths.map((_, index) => lengthOf.get(index))).toEqual(lengths);
  });

  test("concurrent appends to many new files in new folders all succeed", async ({ fs, root }) => {
    const paths = Array.from({ length: 100 }, (_, index) => `${root}/x/${index % 7}/y/${index}`);
    await Promise.all(paths.map((path) => fs.append(path, utf8(path))));
    for (const path of paths) expect(await readText(fs, path), "the content of the file").toBe(path);
  });

  test("append writes to the file that is at the path now", async ({ fs, root, outside }) => {
    await fs.append(`${root}/file`, utf8("old"));
    if (outside) await outside.replace(`${root}/file`, "new");
    else await fs.write(`${root}/file`, utf8("new"));
    await fs.append(`${root}/file`, utf8("er"));
    expect(await readText(fs, `${root}/file`), "the content of the file").toBe("newer");
    await fs.remove(`${root}/file`);
    await fs.append(`${root}/file`, utf8("again"));
    expect(await readText(fs, `${root}/file`), "the content of the file").toBe("again");
  });

  test("bytes that were written belong to the writer again", async ({ fs, root }) => {
    const bytes = utf8("abc");
    await fs.append(`${root}/appended`, bytes);
    await fs.write(`${root}/written`, bytes);
    bytes.fill(0);
    expect(await readText(fs, `${root}/appended`), "the content of the file").toBe("abc");
    expect(await readText(fs, `${root}/written`), "the content of the file").toBe("abc");
  });

  test("write makes or replaces the whole file and leaves nothing beside it", async ({ fs, root }) => {
    const path = `${root}/a/b/file`;
    await fs.write(path, utf8("a longer first content"));
    await fs.write(path, utf8("second"));
    expect(await readText(fs, path), "the content of the file").toBe("second");
    await fs.write(path, new Uint8Array());
    expect(await readText(fs, path), "the content of the file").toBe("");
    expect(await fs.list(`${root}/a/b`), "the entries of the folder").toEqual([{ name: "file", kind: "file" }]);
  });

  test("a reader never sees a part of a file that is being replaced", async ({ fs, root }) => {
    const sizeBytes = 5_000_000;
    const content = (version: number): Uint8Array => new Uint8Array(sizeBytes + version).fill(version);
    await fs.write(`${root}/file`, content(1));
    const replaced = new AbortController();
    const replace = async (): Promise<void> => {
      for (let version = 2; version <= 51; version += 1) await fs.write(`${root}/file`, content(version));
      replaced.abort();
    };
    const observe = async (): Promise<string[]> => {
      const wrong: string[] = [];
      while (!replaced.signal.aborted) {
        const bytes = await fs.read(`${root}/file`);
        const version = bytes?.[0] ?? -1;
        if (bytes?.length !== sizeBytes + version) wrong.push(`version ${version} has ${bytes?.length} bytes`);
        else if (bytes.findLast((byte) => byte !== version) !== undefined) wrong.push(`version ${version} is mixed`);
        // A file system whose calls answer at once would never let the writer continue.
        await new Promise((resolve) => setTimeout(resolve));
      }
      return wrong;
    };
    const [, wrong] = await Promise.all([replace(), observe()]);
    expect(wrong).toEqual([]);
  });

  test("a file or folder that is in the way causes an error and is not changed", async ({ fs, root }) => {
    await fs.write(`${root}/file`, utf8("x"));
    await fs.write(`${root}/folder/file`, utf8("y"));
    await expectFailure(fs.append(`${root}/folder`, utf8("z")), "FOLD_IO");
    await expectFailure(fs.write(`${root}/folder`, utf8("z")), "FOLD_IO");
    await expectFailure(fs.append(`${root}/file/below`, utf8("z")), "FOLD_NOT_A_FOLDER");
    await expectFailure(fs.write(`${root}/file/below`, utf8("z")), "FOLD_NOT_A_FOLDER");
    await expectFailure(fs.makeDirectory(`${root}/file`), "FOLD_NOT_A_FOLDER");
    await expectFailure(fs.makeDirectory(`${root}/file/below`), "FOLD_NOT_A_FOLDER");
    expect(await readText(fs, `${root}/file`), "the content of the file").toBe("x");
    expect(await fs.list(`${root}/folder`), "the entries of the folder").toEqual([{ name: "file", kind: "file" }]);
    expect(await fs.list(root), "the entries of the folder").toHaveLength(2);
  });
}
