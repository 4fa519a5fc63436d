/// <reference types="@vitest/browser-playwright" />
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { cdp } from "vitest/browser";
import { WebFileSystem } from "../../src/fs/web/index.ts";
import { expectFailure, readText, utf8 } from "../../src/testing/file-system-fixture.ts";
import { testFileSystem } from "../../src/testing/file-system-suite.ts";
import { makeOpfsFolder, OtherHands, setUpOpfs } from "./opfs.ts";

testFileSystem("WebFileSystem", () => setUpOpfs("root"));

describe("WebFileSystem that polls", () => {
  beforeEach(() => void vi.stubGlobal("FileSystemObserver", undefined));
  afterEach(() => void vi.unstubAllGlobals());
  testFileSystem("WebFileSystem", () => setUpOpfs("root", { pollIntervalMs: 20 }));
});

let folder: FileSystemDirectoryHandle;
let fs: WebFileSystem;
let other: OtherHands;

beforeEach(async () => {
  const made = await makeOpfsFolder();
  folder = made.folder;
  fs = new WebFileSystem(folder);
  other = new OtherHands(folder);
  return async () => {
    vi.restoreAllMocks();
    await made.teardown();
  };
});

/** Has every file replaced so many times between being opened and being read, as a busy sync program does. */
function replaceWhileRead(path: string, times: number): void {
  const getFile = Reflect.get<object, "getFile">(FileSystemFileHandle.prototype, "getFile") as () => Promise<File>;
  let left = times;
  vi.spyOn(FileSystemFileHandle.prototype, "getFile").mockImplementation(async function (this: FileSystemFileHandle) {
    const file = await getFile.call(this);
    if (this.name === path && left > 0) {
      left -= 1;
      await other.write(path, `new ${left}`);
    }
    return file;
  });
}

/** Takes away what other browsers do not have. */
function without(prototype: object, name: string): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name)!;
  Reflect.deleteProperty(prototype, name);
  onTestFinished(() => void Object.defineProperty(prototype, name, descriptor));
}

describe("reading", () => {
  test("a file that is replaced while it is read is read again", async () => {
    await other.write("file", "old");
    replaceWhileRead("file", 5);
    expect(await readText(fs, "file")).toBe("new 0");
  });

  test("a file that is replaced without end is busy", async () => {
    await other.write("file", "old");
    replaceWhileRead("file", Infinity);
    await expectFailure(fs.read("file"), "FOLD_BUSY");
  });

  test("the opened folder itself is the empty path", async () => {
    await fs.write("a/file", utf8("x"));
    expect(await fs.stat("")).toEqual({ kind: "directory", size: 0, modifiedMs: 0 });
    expect(await fs.list("")).toEqual([{ name: "a", kind: "directory" }]);
    expect((await fs.scan(""))?.files.map((file) => file.path)).toEqual(["a/file"]);
    await expectFailure(fs.read(""), "FOLD_IO");
    await expectFailure(fs.write("", utf8("x")), "FOLD_IO");
    await expectFailure(fs.remove(""), "FOLD_IO");
  });

  test("nothing outside the opened folder can be reached", async () => {
    await fs.makeDirectory("a");
    for (const path of ["../file", "a/../../file", ".."]) {
      await expectFailure(fs.read(path), "FOLD_IO");
      await expectFailure(fs.append(path, utf8("x")), "FOLD_IO");
    }
  });

  test("an opened folder that was deleted is not there", async () => {
    const deleted = await folder.getDirectoryHandle("deleted", { create: true });
    const gone = new WebFileSystem(deleted);
    await gone.write("a/file", utf8("x"));
    await other.remove("deleted");
    expect(await gone.stat("")).toBeUndefined();
    expect(await gone.list("")).toBeUndefined();
    expect(await gone.scan("")).toBeUndefined();
    expect(await gone.read("a/file")).toBeUndefined();
  });
});

describe("writing", () => {
  test("of two writers of a file the second is refused, and nothing is lost", async () => {
    await fs.append("file", utf8("one\n"));
    const file = await folder.getFileHandle("file");
    const writable = await file.createWritable({ keepExistingData: true });
    await expectFailure(fs.append("file", utf8("two\n")), "FOLD_BUSY");
    await expectFailure(fs.write("file", utf8("two\n")), "FOLD_BUSY");
    await expectFailure(fs.remove("file"), "FOLD_BUSY");
    await writable.write({ type: "write", position: 4, data: "other\n" });
    await writable.close();
    await fs.append("file", utf8("two\n"));
    expect(await readText(fs, "file")).toBe("one\nother\ntwo\n");
  });

  test("two file systems that append at once never lose what they report as written", async () => {
    const writers = [fs, new WebFileSystem(folder)];
    const append = async (writer: WebFileSystem, line: string): Promise<string | undefined> => {
      try {
        await writer.append("file", utf8(`${line}\n`));
        return line;
      } catch (error) {
        expect(error).toMatchObject({ code: "FOLD_BUSY" });
        return undefined;
      }
    };
    const lines = await Promise.all(Array.from({ length: 40 }, (_, index) => append(writers[index % 2]!, `line ${index}`)));
    const written = lines.filter((line) => line !== undefined).sort();
    expect(written.length).toBeGreaterThan(0);
    expect((await readText(fs, "file"))?.trim().split("\n").sort()).toEqual(written);
  });

  test("a writer that lets go soon is waited for", async () => {
    await fs.append("file", utf8("one\n"));
    const writable = await (await folder.getFileHandle("file")).createWritable({ keepExistingData: true });
    await writable.write({ type: "write", position: 4, data: "other\n" });
    const appended = fs.append("file", utf8("two\n"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await writable.close();
    await appended;
    expect(await readText(fs, "file")).toBe("one\nother\ntwo\n");
  });

  test("folders that were deleted behind its back are made again", async () => {
    await fs.append("a/b/file", utf8("old"));
    await other.remove("a");
    await fs.append("a/b/file", utf8("new"));
    expect(await readText(fs, "a/b/file")).toBe("new");
    await other.remove("a");
    await fs.makeDirectory("a/b");
    expect(await fs.list("a")).toEqual([{ name: "b", kind: "directory" }]);
    await other.remove("a");
    expect(await fs.list("a/b")).toBeUndefined();
    expect(await fs.read("a/b/file")).toBeUndefined();
  });

  test("a folder that became a file, and a file that became a folder, are noticed", async () => {
    await fs.append("a/b/file", utf8("old"));
    await other.remove("a/b");
    await other.write("a/b", "a file");
    await expectFailure(fs.append("a/b/file", utf8("x")), "FOLD_NOT_A_FOLDER");
    await expectFailure(fs.read("a/b/file"), "FOLD_NOT_A_FOLDER");
    await expectFailure(fs.list("a/b"), "FOLD_NOT_A_FOLDER");
    expect(await readText(fs, "a/b")).toBe("a file");
    await other.remove("a/b");
    await other.makeDirectory("a/b/file");
    await expectFailure(fs.append("a/b/file", utf8("x")), "FOLD_IO");
    expect(await fs.list("a/b/file")).toEqual([]);
  });

  test("a full disk is an error that leaves files as they were", async () => {
    await fs.append("log", utf8("before\n"));
    await fs.write("file", utf8("old"));
    const { origin } = location;
    const { usage = 0 } = await navigator.storage.estimate();
    await cdp().send("Storage.overrideQuotaForOrigin", { origin, quotaSize: usage + 100_000 });
    try {
      await expectFailure(fs.append("log", new Uint8Array(5_000_000)), "FOLD_DISK_FULL");
      await expectFailure(fs.write("file", new Uint8Array(5_000_000)), "FOLD_DISK_FULL");
      await expectFailure(fs.write("new", new Uint8Array(5_000_000)), "FOLD_DISK_FULL");
    } finally {
      await cdp().send("Storage.overrideQuotaForOrigin", { origin });
    }
    expect((await fs.list(""))?.map((entry) => entry.name).sort()).toEqual(["file", "log"]);
    await fs.append("log", utf8("after\n"));
    expect(await readText(fs, "log")).toBe("before\nafter\n");
    expect(await readText(fs, "file")).toBe("old");
  });

  test("access that was taken back is an error that says so", async () => {
    await fs.append("a/file", utf8("x"));
    const refuse = async (): Promise<never> => {
      throw new DOMException("The request is not allowed.", "NotAllowedError");
    };
    vi.spyOn(FileSystemDirectoryHandle.prototype, "getFileHandle").mockImplementation(refuse);
    vi.spyOn(FileSystemDirectoryHandle.prototype, "getDirectoryHandle").mockImplementation(refuse);
    for (const action of [fs.read("a/file"), fs.stat("a/file"), fs.append("a/file", utf8("y")), fs.makeDirectory("b")]) {
      await expectFailure(action, "FOLD_PERMISSION");
    }
    await expect(fs.read("a/file")).rejects.toThrow("the user must grant access to the folder again");
  });

  test("a browser that cannot write says so", async () => {
    await other.write("file", "x");
    without(FileSystemFileHandle.prototype, "createWritable");
    await expectFailure(fs.append("file", utf8("y")), "FOLD_UNAVAILABLE");
    expect(await readText(fs, "file")).toBe("x");
  });

  test("a browser that cannot move files writes and renames all the same", async () => {
    without(FileSystemFileHandle.prototype, "move");
    await fs.write("a/new", utf8("x"));
    await fs.rename("a/new", "a/renamed");
    expect(await fs.list("a")).toEqual([{ name: "renamed", kind: "file" }]);
    expect(await readText(fs, "a/renamed")).toBe("x");
  });

  test("what is renamed to itself stays, and a folder never goes into itself", async () => {
    await fs.write("a/file", utf8("x"));
    await fs.rename("a/file", "a/file");
    await expectFailure(fs.rename("a", "a"), "FOLD_IO");
    await expectFailure(fs.rename("a", "a/b"), "FOLD_IO");
    await expectFailure(fs.rename("a", "a/file"), "FOLD_NOT_A_FOLDER");
    expect(await readText(fs, "a/file")).toBe("x");
  });
});
