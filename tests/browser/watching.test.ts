import { beforeEach, expect, test, vi } from "vitest";
import { WebFileSystem } from "../../src/fs/web/index.ts";
import { HintLog } from "../../src/testing/file-system-watch-tests.ts";
import { makeOpfsFolder, OtherHands } from "./opfs.ts";

let folder: FileSystemDirectoryHandle;
let fs: WebFileSystem;
let other: OtherHands;

beforeEach(async () => {
  const made = await makeOpfsFolder();
  folder = made.folder;
  fs = new WebFileSystem(folder, { pollIntervalMs: 20 });
  other = new OtherHands(folder);
  return async () => {
    vi.unstubAllGlobals();
    await made.teardown();
  };
});

const reasons = (log: HintLog): string[] => log.hints.flatMap((hint) => (hint.kind === "rescan" ? [hint.reason] : []));

const expectReason = (log: HintLog, reason: string): Promise<void> =>
  expect.poll(() => reasons(log), { timeout: 10_000, interval: 5 }).toContain(reason);

type Callback = (records: readonly object[]) => void;

/** An observer that tells what a test has it tell, and cannot observe while there is a `refusal`. */
function stubObserver(): { tell: (record: object) => void; refusal: DOMException | undefined; observed: number } {
  const stub = { tell: (_record: object): void => undefined, refusal: undefined as DOMException | undefined, observed: 0 };
  class StubbedObserver {
    constructor(callback: Callback) {
      stub.tell = (record) => callback([{ relativePathMovedFrom: null, changedHandle: null, ...record }]);
    }

    async observe(): Promise<void> {
      if (stub.refusal) throw stub.refusal;
      stub.observed += 1;
    }

    disconnect(): void {}
  }
  vi.stubGlobal("FileSystemObserver", StubbedObserver);
  return stub;
}

test("without an observer a look is asked for regularly, until the watch ends", async () => {
  vi.stubGlobal("FileSystemObserver", undefined);
  expect(fs.supports.watch).toBe(true);
  const log = await HintLog.start(fs, "space");
  await expect.poll(() => log.hints.length, { timeout: 10_000 }).toBeGreaterThan(3);
  expect(new Set(reasons(log))).toEqual(new Set(["this browser reports no changes"]));
  await log.end();
  const { length } = log.hints;
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(log.hints).toHaveLength(length);
});

test("the opened folder itself is watched as the empty path", async () => {
  const log = await HintLog.start(fs, "");
  await log.expectHint("", () => other.write("file", "x"));
  await log.expectHint("a/b", () => other.makeDirectory("a/b"));
  await log.expectHint("a/b", () => other.write("a/b/file", "x"));
  expect(reasons(log)).toEqual([]);
});

test("a watched folder that is deleted and made again is told and watched again", async () => {
  await other.makeDirectory("space/a");
  const log = await HintLog.start(fs, "space");
  for (let time = 0; time < 3; time += 1) {
    log.hints.length = 0;
    await other.remove("space");
    await expectReason(log, "the folder is gone");
    await other.makeDirectory("space/a");
    await expectReason(log, "the folder is back");
    await log.expectHint("space/a", () => other.write("space/a/file", "x"));
  }
});

test("an observer that fails or loses events makes a rescan, and is begun anew", async () => {
  const stub = stubObserver();
  const log = await HintLog.start(fs, "");
  for (const type of ["errored", "unknown"]) {
    const { observed } = stub;
    log.hints.length = 0;
    stub.tell({ type, relativePathComponents: [] });
    await expectReason(log, "the browser lost track of changes");
    await expectReason(log, "the folder is back");
    expect(stub.observed).toBe(observed + 1);
  }
  await log.expectHint("a", async () => stub.tell({ type: "modified", relativePathComponents: ["a", "file"] }));
});

test("a folder that cannot be observed is looked at regularly until it can", async () => {
  const stub = stubObserver();
  stub.refusal = new DOMException("No more observers", "OperationError");
  const log = await HintLog.start(fs, "");
  await expect.poll(() => log.hints.length, { timeout: 10_000 }).toBeGreaterThan(3);
  expect(new Set(reasons(log))).toEqual(new Set(["Cannot watch the opened folder: No more observers"]));
  stub.refusal = undefined;
  await expectReason(log, "the folder is back");
  await log.expectHint("", async () => stub.tell({ type: "appeared", relativePathComponents: ["file"] }));
});

test("the folders in one that appeared are hinted at though nobody tells of them, late ones too", async () => {
  const stub = stubObserver();
  const log = await HintLog.start(fs, "");
  await other.makeDirectory("a/b/c");
  const changedHandle = await folder.getDirectoryHandle("a");
  await log.expectHint("a/b/c", async () => stub.tell({ type: "appeared", relativePathComponents: ["a"], changedHandle }));
  await log.expectHint("a/b/late", () => other.makeDirectory("a/b/late"));
});

test("very many new folders make one rescan", async () => {
  const stub = stubObserver();
  const log = await HintLog.start(fs, "");
  const changedHandle = await folder.getDirectoryHandle("a", { create: true });
  for (let index = 0; index < 300; index += 1) await changedHandle.getDirectoryHandle(String(index), { create: true });
  stub.tell({ type: "appeared", relativePathComponents: ["a"], changedHandle });
  await expectReason(log, "many new folders");
});

test("what moved is hinted at where it was and where it is", async () => {
  const stub = stubObserver();
  const log = await HintLog.start(fs, "");
  stub.tell({ type: "moved", relativePathComponents: ["to", "file"], relativePathMovedFrom: ["from", "file"] });
  await expect
    .poll(() => log.hints)
    .toEqual([
      { kind: "dirty", directory: "to" },
      { kind: "dirty", directory: "from" },
    ]);
});
