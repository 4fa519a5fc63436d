import { expect } from "vitest";
import { expectFailure, readText, utf8 } from "./file-system-fixture.ts";
import type { FileSystemTest } from "./file-system-suite.ts";

const DAY_MS = 86_400_000;

export function readingTests(test: FileSystemTest): void {
  test("a missing file or folder is undefined", async ({ fs, root }) => {
    for (const path of [`${root}/none`, `${root}/none/below`]) {
      expect(await fs.list(path), "the entries of the folder").toBeUndefined();
      expect(await fs.stat(path), "the result of stat").toBeUndefined();
      expect(await fs.read(path), "the result of read").toBeUndefined();
      expect(await fs.read(path, { offset: 3, length: 2 }), "the result of read").toBeUndefined();
      expect(await fs.scan?.(path)).toBeUndefined();
    }
  });

  test("a file is read whole", async ({ fs, root }) => {
    await fs.write(`${root}/file`, new Uint8Array([0, 255, 10, 13, 128]));
    expect([...((await fs.read(`${root}/file`)) ?? [])]).toEqual([0, 255, 10, 13, 128]);
  });

  test("an empty file exists and has no bytes", async ({ fs, root }) => {
    await fs.write(`${root}/empty`, new Uint8Array());
    expect(await readText(fs, `${root}/empty`), "the content of the file").toBe("");
    expect(await fs.read(`${root}/empty`, { offset: 0, length: 10 }), "the result of read").toHaveLength(0);
    expect(await fs.stat(`${root}/empty`), "the result of stat").toMatchObject({ kind: "file", size: 0 });
  });

  test("a range is read, and is shorter if the file ends earlier", async ({ fs, root }) => {
    await fs.write(`${root}/file`, utf8("0123456789"));
    const range = async (offset: number, length?: number): Promise<string> =>
      new TextDecoder().decode(await fs.read(`${root}/file`, length === undefined ? { offset } : { offset, length }));
    expect(await range(0)).toBe("0123456789");
    expect(await range(3, 4)).toBe("3456");
    expect(await range(7)).toBe("789");
    expect(await range(8, 100)).toBe("89");
    expect(await range(10)).toBe("");
    expect(await range(1000, 5)).toBe("");
    expect(await range(4, 0)).toBe("");
  });

  test("bytes that were read belong to the reader", async ({ fs, root }) => {
    await fs.write(`${root}/file`, utf8("abc"));
    (await fs.read(`${root}/file`))?.fill(0);
    expect(await readText(fs, `${root}/file`), "the content of the file").toBe("abc");
  });

  test("a folder cannot be read as a file", async ({ fs, root }) => {
    await fs.makeDirectory(`${root}/folder`);
    await expectFailure(fs.read(`${root}/folder`), "FOLD_IO");
  });

  test("stat returns kind, size and time", async ({ fs, root }) => {
    await fs.write(`${root}/file`, utf8("12345"));
    await fs.makeDirectory(`${root}/folder`);
    const file = await fs.stat(`${root}/file`);
    expect(file).toMatchObject({ kind: "file", size: 5 });
    expect(Math.abs((file?.modifiedMs ?? 0) - Date.now())).toBeLessThan(DAY_MS);
    expect(await fs.stat(`${root}/folder`), "the result of stat").toMatchObject({ kind: "directory", size: 0 });
  });

  test("a folder lists its entries, including hidden ones, but not the entries below them", async ({ fs, root }) => {
    expect(await fs.list(root), "the entries of the folder").toEqual([]);
    await fs.write(`${root}/file`, utf8("x"));
    await fs.write(`${root}/.hidden`, utf8("x"));
    await fs.write(`${root}/folder/below`, utf8("x"));
    const entries = (await fs.list(root)) ?? [];
    expect(entries.map(({ name, kind }) => `${kind} ${name}`).sort()).toEqual(["directory folder", "file .hidden", "file file"]);
  });

  test("a file is not a folder", async ({ fs, root }) => {
    await fs.write(`${root}/file`, utf8("x"));
    await expectFailure(fs.list(`${root}/file`), "FOLD_NOT_A_FOLDER");
    if (fs.scan) await expectFailure(fs.scan(`${root}/file`), "FOLD_NOT_A_FOLDER");
  });

  test("a scan finds every file with size and time", async ({ fs, root }, { skip }) => {
    if (!fs.scan) return skip("it has no scan");
    expect(await fs.scan(root), "the result of scan").toEqual({ files: [], unreadable: [] });
    const sizes = new Map([
      ["top", 3],
      [".hidden", 1],
      ["a/empty", 0],
      ["a/b/c/d/e/f/deep", 2],
      [".dot/below", 4],
    ]);
    for (const [path, size] of sizes) await fs.write(`${root}/${path}`, new Uint8Array(size));
    await fs.makeDirectory(`${root}/nothing/in/it`);
    const result = await fs.scan(root);
    expect(new Map(result?.files.map((file) => [file.path, file.size]))).toEqual(sizes);
    expect(result?.files).toHaveLength(sizes.size);
    expect(result?.unreadable).toEqual([]);
    for (const file of result?.files ?? []) {
      const stat = await fs.stat(`${root}/${file.path}`);
      expect(file).toEqual({ path: file.path, kind: "file", size: stat?.size, modifiedMs: stat?.modifiedMs });
    }
  });

  test("a scan finds a file that is nested 200 folders deep", async ({ fs, root }, { skip }) => {
    if (!fs.scan) return skip("it has no scan");
    const path = `${"d/".repeat(200)}file`;
    await fs.write(`${root}/${path}`, utf8("x"));
    expect((await fs.scan(root))?.files.map((file) => file.path)).toEqual([path]);
  });

  test("links are entries of another kind and not followed", async ({ fs, root, outside }, { skip }) => {
    if (!outside?.makeLink) return skip("there are no links");
    await fs.write(`${root}/folder/file`, utf8("x"));
    await outside.makeLink(`${root}/folder`, `${root}/to-folder`);
    await outside.makeLink(`${root}/folder/file`, `${root}/to-file`);
    await outside.makeLink(root, `${root}/folder/loop`);
    const kinds = new Map((await fs.list(root))?.map(({ name, kind }) => [name, kind]));
    expect(Object.fromEntries(kinds)).toEqual({ folder: "directory", "to-folder": "other", "to-file": "other" });
    const scanned = (await fs.scan?.(root))?.files.map(({ path, kind }) => `${kind} ${path}`).sort();
    if (scanned) expect(scanned).toEqual(["file folder/file", "other folder/loop", "other to-file", "other to-folder"]);
    expect(await fs.stat(`${root}/to-folder`), "the result of stat").toMatchObject({ kind: "directory" });
    expect(await fs.list(`${root}/to-folder`), "the entries of the folder").toHaveLength(2);
  });

  test("an identity distinguishes files and folders, does not change when a file grows, and is undefined for a missing path", async ({
    fs,
    root,
    outside,
  }, { skip }) => {
    if (!fs.identify) return skip("it has no identities");
    await fs.write(`${root}/a/file`, utf8("x"));
    await fs.write(`${root}/b/file`, utf8("x"));
    const paths = [root, `${root}/a`, `${root}/b`, `${root}/a/file`, `${root}/b/file`];
    const ids = await Promise.all(paths.map((path) => fs.identify!(path)));
    expect(new Set(ids).size).toBe(paths.length);
    expect(ids).not.toContain(undefined);
    await fs.append(`${root}/a/file`, utf8("more"));
    expect(await fs.identify(`${root}//a/./file`), "the result of identify").toBe(ids[3]);
    expect(await fs.identify(`${root}/none`), "the result of identify").toBeUndefined();
    await outside?.makeLink?.(`${root}/a`, `${root}/link`);
    if (outside?.makeLink) expect(await fs.identify(`${root}/link`), "the result of identify").toBe(ids[1]);
    if (!fs.inspect) return;
    const stat = (await fs.stat(`${root}/a/file`))!;
    const modifiedMs: unknown = expect.closeTo(stat.modifiedMs, 2);
    expect(await fs.inspect(`${root}/a/file`)).toEqual({ ...stat, modifiedMs, identity: ids[3] });
    expect(await fs.inspect(`${root}/none`)).toBeUndefined();
  });

  test("the real path has no links in it", async ({ fs, root, outside }, { skip }) => {
    if (!fs.realPath) return skip("it does not resolve links");
    await fs.write(`${root}/a/file`, utf8("x"));
    const real = await fs.realPath(root);
    expect(await fs.realPath(`${root}/a/file`), "the result of realPath").toBe(`${real}/a/file`);
    expect(await fs.realPath(`${root}/none`), "the result of realPath").toBeUndefined();
    if (!outside?.makeLink) return;
    await outside.makeLink(`${root}/a`, `${root}/link`);
    await outside.makeLink(`${root}/none`, `${root}/dangling`);
    expect(await fs.realPath(`${root}/link/file`), "the result of realPath").toBe(`${real}/a/file`);
    expect(await fs.realPath(`${root}/dangling`), "the result of realPath").toBeUndefined();
  });

  test("names may have spaces, signs and any letters", async ({ fs, root }) => {
    const names = ["with space", "-dash", "100% #1 & 'quoted' (2)", "åäö ñ", "日本語", "🌳🌳", "a.b..c", "..double"];
    for (const name of names) await fs.append(`${root}/${name}/${name}.jsonl`, utf8(name));
    for (const name of names) expect(await readText(fs, `${root}/${name}/${name}.jsonl`), "the content of the file").toBe(name);
    // Some systems store letters in another normal form.
    const listed = (await fs.list(root))?.map((entry) => entry.name.normalize("NFC")).sort();
    expect(listed).toEqual([...names].sort());
    const scanned = (await fs.scan?.(root))?.files.map((file) => file.path.normalize("NFC")).sort();
    if (scanned) expect(scanned).toEqual(names.map((name) => `${name}/${name}.jsonl`).sort());
  });
}
