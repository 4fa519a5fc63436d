import { beforeEach, describe, expect, test } from "vitest";
import { MemoryFileSystem } from "../fs/memory/memory-file-system.ts";
import { MANIFEST_FILE } from "./manifest.ts";
import { ReadableCopy, type CopyPage, type CopyReport } from "./readable-copy.ts";

const SPACE = "/notes";
const COPY = "/readable";
const A = "aaaaaaaaaaaaaaaa";
const B = "bbbbbbbbbbbbbbbb";

let fs: MemoryFileSystem;
beforeEach(async () => {
  fs = new MemoryFileSystem();
  await fs.makeDirectory(`${SPACE}/space-v1`);
});

const page = (id: string, title: string, text: string | undefined): CopyPage => ({
  id,
  title,
  markdown: text === undefined ? undefined : () => text,
});

const open = async (path: string = COPY, spaceId: string = "space"): Promise<ReadableCopy> =>
  await ReadableCopy.open(fs, path, spaceId, SPACE);

async function update(...pages: CopyPage[]): Promise<CopyReport> {
  return await (await open()).update(pages);
}

const put = async (name: string, text: string): Promise<void> =>
  await fs.write(`${COPY}/${name}`, new TextEncoder().encode(text));

/** The files of the copy and what is in them, without the manifest. */
async function files(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name, kind } of (await fs.list(COPY)) ?? [])
    if (kind === "file" && name !== MANIFEST_FILE) found[name] = new TextDecoder().decode(await fs.read(`${COPY}/${name}`));
  return found;
}

test("each page is a file, which follows it when it is changed, renamed and deleted", async () => {
  expect(await update(page(A, "One", "1"), page(B, "Two", "2"))).toEqual({
    written: ["One.md", "Two.md"],
    removed: [],
    left: [],
  });
  expect(await files()).toEqual({ "One.md": "1", "Two.md": "2" });
  expect(await update(page(A, "One", "1"), page(B, "Zwei", "2 and more"))).toEqual({
    written: ["Zwei.md"],
    removed: ["Two.md"],
    left: [],
  });
  expect(await files()).toEqual({ "One.md": "1", "Zwei.md": "2 and more" });
  expect(await update(page(B, "Zwei", "2 and more"))).toEqual({ written: [], removed: ["One.md"], left: [] });
  expect(await files()).toEqual({ "Zwei.md": "2 and more" });
});

test("what is up to date is not written again", async () => {
  await update(page(A, "One", "1"));
  const before = await fs.stat(`${COPY}/${MANIFEST_FILE}`);
  expect(await update(page(A, "One", "1"))).toEqual({ written: [], removed: [], left: [] });
  expect(await fs.stat(`${COPY}/${MANIFEST_FILE}`)).toEqual(before);
});

test("the file of a page that has not changed, or cannot be read now, stays", async () => {
  await update(page(A, "One", "1"));
  expect(await update(page(A, "One", undefined))).toEqual({ written: [], removed: [], left: [] });
  expect(await update(page(A, "Renamed", undefined))).toEqual({ written: [], removed: [], left: [] });
  expect(await files()).toEqual({ "One.md": "1" });
});

test("a file that has gone is made again", async () => {
  await update(page(A, "One", "1"));
  await fs.remove(`${COPY}/One.md`);
  await update(page(A, "One", "1"));
  expect(await files()).toEqual({ "One.md": "1" });
});

test("two programs that keep one copy in turn know the files of each other as its own", async () => {
  const [one, other] = [await open(), await open()];
  await one.update([page(A, "One", "1")]);
  expect(await other.update([page(A, "One", "1 and more")])).toEqual({ written: ["One.md"], removed: [], left: [] });
  expect(await one.update([page(B, "Two", "2")])).toEqual({ written: ["Two.md"], removed: ["One.md"], left: [] });
  expect(await files()).toEqual({ "Two.md": "2" });
});

test("a title that changes in case only leaves one file", async () => {
  await update(page(A, "notes", "1"));
  await update(page(A, "Notes", "1"));
  expect(await files()).toEqual({ "Notes.md": "1" });
});

test("two pages can exchange their titles", async () => {
  await update(page(A, "One", "1"), page(B, "Two", "2"));
  await update(page(A, "Two", "1"), page(B, "One", "2"));
  expect(await files()).toEqual({ "Two.md": "1", "One.md": "2" });
});

describe("what others put into the folder", () => {
  test("is left as it is, and its name is not used", async () => {
    await update(page(A, "One", "1"));
    await put("Two.md", "theirs");
    await fs.makeDirectory(`${COPY}/Three.md`);
    await update(page(A, "Two", "1"), page(B, "three", "3"));
    expect(Object.keys(await files()).sort()).toEqual(["Two (aaaaaaaa).md", "Two.md", "three (bbbbbbbb).md"]);
    expect((await files())["Two.md"]).toBe("theirs");
  });

  test("a file of the copy that was changed stays when its page changes or goes, and the page gets another", async () => {
    await update(page(A, "One", "1"), page(B, "Two", "2"));
    await put("One.md", "1, edited");
    await put("Two.md", "2, edited");
    expect(await update(page(A, "One", "1 and more"))).toEqual({
      written: ["One (aaaaaaaa).md"],
      removed: [],
      left: ["One.md", "Two.md"],
    });
    expect(await files()).toEqual({ "One.md": "1, edited", "Two.md": "2, edited", "One (aaaaaaaa).md": "1 and more" });
    expect(await update(page(A, "One", "1 and more"))).toEqual({ written: [], removed: [], left: [] });
  });

  test("a folder with other things in it is refused", async () => {
    await put("README.md", "theirs");
    await expect(open()).rejects.toMatchObject({ code: "FOLD_BAD_VALUE" });
    expect(await files()).toEqual({ "README.md": "theirs" });
  });

  test.each([
    ["no JSON", "{"],
    ["no manifest", '{"files":{}}'],
    [
      "a path",
      `{"kind":"readable copy of a foldspace space","version":1,"spaceId":"space","files":{"../x.md":{"page":"a","sha256":[]}}}`,
    ],
    [
      "other files",
      `{"kind":"readable copy of a foldspace space","version":1,"spaceId":"space","files":{"x.txt":{"page":"a","sha256":[]}}}`,
    ],
    [
      "no hash",
      `{"kind":"readable copy of a foldspace space","version":1,"spaceId":"space","files":{"x.md":{"page":"a","sha256":["1"]}}}`,
    ],
  ])("a manifest with %s is refused", async (_, text) => {
    await put(MANIFEST_FILE, text);
    await expect(open()).rejects.toMatchObject({ code: "FOLD_BAD_VALUE" });
  });

  test("a manifest of a newer version, and the copy of another space, are refused", async () => {
    await update(page(A, "One", "1"));
    await expect(open(COPY, "another")).rejects.toMatchObject({ code: "FOLD_SPACE_MISMATCH" });
    const manifest = new TextDecoder().decode(await fs.read(`${COPY}/${MANIFEST_FILE}`));
    await put(MANIFEST_FILE, manifest.replace('"version": 1', '"version": 2'));
    await expect(open()).rejects.toMatchObject({ code: "FOLD_NEWER_FORMAT" });
  });
});

test.each([SPACE, `${SPACE}/space-v1`, `${SPACE}/space-v1/readable`, `${SPACE}/SPACE-V1/x`, "/"])(
  "%s is no place for a copy",
  async (path) => {
    await expect(open(path)).rejects.toMatchObject({ code: "FOLD_BAD_VALUE" });
  },
);

test("a folder beside the files of the space is", async () => {
  await (await open(`${SPACE}/readable`)).update([page(A, "One", "1")]);
  expect(await fs.read(`${SPACE}/readable/One.md`)).toBeDefined();
});

test("nothing is made where the folder was while it is away", async () => {
  const copy = await open();
  await fs.remove(COPY);
  await expect(copy.update([page(A, "One", "1")])).rejects.toMatchObject({ code: "FOLD_FOLDER_LOST" });
  expect(await fs.list(COPY)).toBeUndefined();
});

/** Fails with the n-th call that changes something. */
class Interrupted extends MemoryFileSystem {
  left = Infinity;
  override async write(path: string, bytes: Uint8Array): Promise<void> {
    this.#step();
    await super.write(path, bytes);
  }
  override async remove(path: string): Promise<void> {
    this.#step();
    await super.remove(path);
  }
  #step(): void {
    if (this.left-- <= 0) throw new Error("interrupted");
  }
}

test("an update that is interrupted anywhere is finished by the next, without files that nobody owns", async () => {
  for (let steps = 0; ; steps++) {
    const interrupted = (fs = new Interrupted());
    await fs.makeDirectory(`${SPACE}/space-v1`);
    await update(page(A, "One", "1"), page(B, "Two", "2"));
    interrupted.left = steps;
    const isDone = await update(page(A, "Uno", "1"), page(B, "two", "2 and more")).then(
      () => true,
      () => false,
    );
    interrupted.left = Infinity;
    // the next comes with other pages
    await update(page(A, "Uno", "1, later"), page(B, "Two", "2 and more"));
    expect({ steps, files: await files() }).toEqual({ steps, files: { "Uno.md": "1, later", "Two.md": "2 and more" } });
    if (isDone) break;
  }
});
