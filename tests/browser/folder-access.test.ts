import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { errorCode } from "../../src/errors.ts";
import {
  folderAccess,
  forgetFolder,
  openPrivateFolder,
  pickFolder,
  queryAccess,
  recallFolder,
  rememberFolder,
  requestAccess,
  WebFileSystem,
} from "../../src/fs/web/index.ts";
import { utf8 } from "../../src/testing/file-system-fixture.ts";
import { newId } from "../../src/tree/index.ts";
import { makeOpfsFolder } from "./opfs.ts";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

async function makeFolder(): Promise<FileSystemDirectoryHandle> {
  const { folder, teardown } = await makeOpfsFolder();
  onTestFinished(teardown);
  return folder;
}

const codeOf = (action: Promise<unknown>): Promise<unknown> => action.then(() => undefined, errorCode);

describe("what a browser can do", () => {
  test("Chromium lets the user choose a folder", () => {
    expect(folderAccess()).toMatchObject({ kind: "folder", reason: expect.stringContaining("folder of your choice") });
  });

  test("a browser without a picker keeps files in its own storage", () => {
    vi.stubGlobal("showDirectoryPicker", undefined);
    expect(folderAccess()).toMatchObject({ kind: "private", reason: expect.stringContaining("its own storage") });
  });

  test("a browser without any files says so", async () => {
    vi.stubGlobal("showDirectoryPicker", undefined);
    vi.stubGlobal("navigator", {});
    expect(folderAccess()).toMatchObject({ kind: "none", reason: expect.stringContaining("cannot open folders") });
    expect(await codeOf(pickFolder())).toBe("FOLD_UNAVAILABLE");
    expect(await codeOf(openPrivateFolder())).toBe("FOLD_UNAVAILABLE");
  });

  test("a page that was not loaded safely is told why", () => {
    vi.stubGlobal("isSecureContext", false);
    expect(folderAccess()).toMatchObject({ kind: "none", reason: expect.stringContaining("https") });
  });
});

describe("choosing a folder", () => {
  test("the folder is asked for to be read and written", async () => {
    const folder = await makeFolder();
    const picker = vi.fn(async () => folder);
    vi.stubGlobal("showDirectoryPicker", picker);
    expect(await pickFolder("notes")).toBe(folder);
    expect(picker).toHaveBeenCalledWith({ id: "notes", mode: "readwrite" });
  });

  test("a user who chooses none is no failure", async () => {
    vi.stubGlobal("showDirectoryPicker", async () => {
      throw new DOMException("The user aborted a request.", "AbortError");
    });
    expect(await pickFolder()).toBeUndefined();
  });

  test("outside a click the browser refuses, and says so", async () => {
    expect(await codeOf(pickFolder())).toBe("FOLD_PERMISSION");
  });
});

test("a private folder is the same each time", async () => {
  const name = newId();
  const folder = await openPrivateFolder(name);
  await new WebFileSystem(folder).write("file", utf8("x"));
  expect(await new WebFileSystem(await openPrivateFolder(name)).list("")).toEqual([{ name: "file", kind: "file" }]);
  await (await navigator.storage.getDirectory()).removeEntry(name, { recursive: true });
});

test("a folder of the browser's own storage needs no permission", async () => {
  const folder = await makeFolder();
  expect(await queryAccess(folder)).toBe("granted");
  expect(await requestAccess(folder)).toBe("granted");
  for (const method of ["queryPermission", "requestPermission"]) Object.defineProperty(folder, method, { value: undefined });
  expect(await queryAccess(folder)).toBe("granted");
  expect(await requestAccess(folder)).toBe("granted");
});

test("a browser that does not let us ask is an error that says so", async () => {
  const folder = await makeFolder();
  const refuse = async (): Promise<never> => {
    throw new DOMException("User activation is required", "SecurityError");
  };
  Object.defineProperty(folder, "requestPermission", { value: refuse });
  expect(await codeOf(requestAccess(folder))).toBe("FOLD_PERMISSION");
});

describe("remembering folders", () => {
  test("a folder is recalled until it is forgotten", async () => {
    const [folder, other] = [await makeFolder(), await makeFolder()];
    const key = newId();
    expect(await recallFolder(key)).toBeUndefined();
    await rememberFolder(key, folder);
    expect(await (await recallFolder(key))?.isSameEntry(folder)).toBe(true);
    await rememberFolder(key, other);
    expect(await (await recallFolder(key))?.isSameEntry(other)).toBe(true);
    await forgetFolder(key);
    expect(await recallFolder(key)).toBeUndefined();
    await forgetFolder(key);
  });

  test("the recalled folder can be used", async () => {
    const folder = await makeFolder();
    await new WebFileSystem(folder).write("file", utf8("x"));
    await rememberFolder("used", folder);
    const recalled = await recallFolder("used");
    expect(recalled && (await new WebFileSystem(recalled).list(""))).toEqual([{ name: "file", kind: "file" }]);
    await forgetFolder("used");
  });

  test("a browser without IndexedDB says so", async () => {
    vi.stubGlobal("indexedDB", undefined);
    expect(await codeOf(recallFolder("any"))).toBe("FOLD_UNAVAILABLE");
    expect(await codeOf(rememberFolder("any", await makeFolder()))).toBe("FOLD_UNAVAILABLE");
  });
});
