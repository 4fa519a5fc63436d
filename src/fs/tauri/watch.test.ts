import * as fsp from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { outsideHands } from "../../../tests/external-writer.ts";
import { FakeTauri } from "../../../tests/tauri/fake-tauri.ts";
import { HintLog } from "../../testing/file-system-watch-tests.ts";
import { TauriFileSystem } from "./tauri-file-system.ts";
import { readWatchEvent } from "./watch-event.ts";

const DEADLINE_MS = 10_000;

let root = "";
let tauri: FakeTauri;
beforeEach(async () => {
  root = await fsp.mkdtemp(join(tmpdir(), "foldspace-tauri-"));
  tauri = FakeTauri.install();
});
afterEach(() => fsp.rm(root, { recursive: true, force: true }));

const watchedTimes = (): number => tauri.calls.filter((call) => call.command === "plugin:fs|watch").length;
const reasonsOf = (log: HintLog): string[] => log.hints.flatMap((hint) => (hint.kind === "rescan" ? [hint.reason] : []));
const foldersOf = (log: HintLog): string[] => log.hints.flatMap((hint) => (hint.kind === "dirty" ? [hint.directory] : []));

describe("an event", () => {
  const paths = ["/home/ann/file"];
  const anything = { paths, mayBeNewFolder: true, mayBeGone: true };
  const content = { paths, mayBeNewFolder: false, mayBeGone: false };

  test.each([
    [{ type: { modify: { kind: "data", mode: "any" } }, paths, attrs: {} }, content],
    [{ type: "modify", kind: "data", mode: "any", paths, attrs: {} }, content],
    [{ type: { modify: { kind: "rename", mode: "to" } }, paths, attrs: { tracker: 5 } }, anything],
    [{ type: "modify", kind: "rename", mode: "to", paths, attrs: { tracker: 5 } }, anything],
    [{ type: { create: { kind: "file" } }, paths, attrs: {} }, content],
    [{ type: "create", kind: "file", paths, attrs: {} }, content],
    [
      { type: { create: { kind: "any" } }, paths, attrs: {} },
      { ...content, mayBeNewFolder: true },
    ],
    [
      { type: "create", kind: "folder", paths, attrs: {} },
      { ...content, mayBeNewFolder: true },
    ],
    [
      { type: { remove: { kind: "file" } }, paths, attrs: {} },
      { ...content, mayBeGone: true },
    ],
    [
      { type: "remove", kind: "any", paths, attrs: {} },
      { ...content, mayBeGone: true },
    ],
    [{ type: { access: { kind: "close", mode: "write" } }, paths, attrs: {} }, undefined],
    [{ type: "access", kind: "close", mode: "write", paths, attrs: {} }, undefined],
    [{ type: "other", paths: [], attrs: { flag: "Rescan" } }, "lost"],
    [{ type: "other", paths: [], attrs: { flag: "rescan" } }, "lost"],
    [{ type: "any", paths, attrs: {} }, anything],
    [{ type: { melted: {} }, paths }, anything],
    [{ type: 7, paths: [...paths, 8], attrs: null }, anything],
    [
      { type: "modify", kind: "data" },
      { ...content, paths: [] },
    ],
    ["what?", { ...anything, paths: [] }],
    [null, { ...anything, paths: [] }],
  ])("%j", (event, change) => {
    expect(readWatchEvent(event)).toEqual(change);
  });
});

test("events in the form of version 3 are understood", async () => {
  tauri.onEvent = ({ type, ...event }) => {
    const [name, detail] = Object.entries(type as Record<string, object>)[0] ?? [];
    return { ...event, type: name, ...detail };
  };
  const log = await HintLog.start(new TauriFileSystem(), root);
  await log.expectHint(`${root}/a/b`, async () => {
    await outsideHands.makeDirectory(`${root}/a/b`);
    await outsideHands.write(`${root}/a/b/file`, "x");
  });
  await log.expectHint(`${root}/a/b`, () => outsideHands.append(`${root}/a/b/file`, "y"));
  await log.expectHint(`${root}/a/b`, () => outsideHands.remove(`${root}/a/b/file`));
});

test("a storm of events is one hint for each folder", async () => {
  const log = await HintLog.start(new TauriFileSystem(), root);
  await log.expectHint(`${root}/b`, async () => {
    for (let time = 0; time < 20_000; time += 1) {
      tauri.emit({ type: { modify: { kind: "data", mode: "any" } }, paths: [`${root}/${time % 2 ? "a" : "b"}/file`], attrs: {} });
    }
  });
  expect(foldersOf(log).sort()).toEqual([`${root}/a`, `${root}/b`]);
  expect(reasonsOf(log)).toEqual([]);
});

test("reading is not a change, and names with a leading dot are skipped", async () => {
  const log = await HintLog.start(new TauriFileSystem(), root);
  await log.expectHint(`${root}/last`, async () => {
    tauri.emit({ type: { access: { kind: "open", mode: "any" } }, paths: [`${root}/read/file`], attrs: {} });
    tauri.emit({ type: { create: { kind: "file" } }, paths: [`${root}/.git/refs/main`], attrs: {} });
    tauri.emit({ type: "any", paths: [`${root}/last/file`], attrs: {} });
  });
  expect(log.hints).toEqual([{ kind: "dirty", directory: `${root}/last`, names: ["file"] }]);
});

test.each(["Rescan", "rescan"])("lost events (%s) cause a full rescan and a new watch", async (flag) => {
  await outsideHands.makeDirectory(`${root}/a`);
  const log = await HintLog.start(new TauriFileSystem(), root);
  tauri.emit({ type: "other", paths: [], attrs: { flag } });
  await expect.poll(() => reasonsOf(log), { timeout: DEADLINE_MS }).toHaveLength(1);
  expect(watchedTimes()).toBe(2);
  expect(tauri.openResources).toBe(1);
  await log.expectHint(`${root}/a`, () => outsideHands.write(`${root}/a/file`, "x"));
});

test("an event that names no path, or paths from elsewhere, causes one full rescan", async () => {
  const log = await HintLog.start(new TauriFileSystem(), root);
  await log.expectHint(`${root}/last`, async () => {
    for (let time = 0; time < 1000; time += 1) tauri.emit({ type: "modify", paths: [`/elsewhere${root}/file`] });
    tauri.emit({ type: "any", paths: [] });
    tauri.emit("what?");
    tauri.emit({ type: "modify", kind: "any", paths: [`${root}/last/file`] });
  });
  await expect.poll(() => foldersOf(log), { timeout: DEADLINE_MS }).toEqual([`${root}/last`]);
  expect(reasonsOf(log)).toHaveLength(1);
});

test("changes in a new folder before it is watched are found by a second scan", async () => {
  const log = await HintLog.start(new TauriFileSystem(), root);
  const listed = (): number => tauri.pathsOf("plugin:fs|read_dir").filter((path) => path === `${root}/new`).length;
  await log.expectHint(`${root}/new`, () => outsideHands.makeDirectory(`${root}/new`));
  tauri.onEvent = () => undefined;
  await outsideHands.makeDirectory(`${root}/new/late`);
  await expect.poll(() => foldersOf(log), { timeout: DEADLINE_MS }).toContain(`${root}/new/late`);
  expect(listed()).toBeGreaterThan(1);
});

test("many new folders cause a full rescan", async () => {
  const folders = Array.from({ length: 300 }, (_, index) => `${root}/elsewhere/${index}`);
  for (const folder of folders) await outsideHands.makeDirectory(folder);
  await outsideHands.makeDirectory(`${root}/watched`);
  const log = await HintLog.start(new TauriFileSystem(), `${root}/watched`);
  await fsp.rename(`${root}/elsewhere`, `${root}/watched/new`);
  await expect.poll(() => reasonsOf(log), { timeout: DEADLINE_MS }).toContain("many new folders");
});

test("a watch that died starts again with the folder", async () => {
  const watched = `${root}/watched`;
  await outsideHands.makeDirectory(watched);
  const log = await HintLog.start(new TauriFileSystem(), watched);
  await tauri.killWatchers();
  await fsp.rename(watched, `${root}/away`);
  await outsideHands.makeDirectory(watched);
  await expect.poll(() => reasonsOf(log), { timeout: DEADLINE_MS }).toHaveLength(1);
  await log.expectHint(watched, () => outsideHands.write(`${watched}/file`, "x"));
});

test("the lack of watching is reported, and watching begins once the application allows it", async () => {
  tauri.fault = (call) => (call.command === "plugin:fs|watch" ? "Command watch not found" : undefined);
  const log = await HintLog.start(new TauriFileSystem(), root);
  await expect.poll(() => reasonsOf(log), { timeout: DEADLINE_MS }).toHaveLength(1);
  expect(reasonsOf(log)[0]).toContain("feature `watch`");
  tauri.fault = () => undefined;
  await expect.poll(() => reasonsOf(log), { timeout: DEADLINE_MS }).toHaveLength(2);
  await log.expectHint(root, () => outsideHands.write(`${root}/file`, "x"));
});

test("a watch that is ended leaves nothing open", async () => {
  const fs = new TauriFileSystem();
  const ends = [await fs.watch(root, () => undefined), await fs.watch(root, () => undefined)];
  expect(tauri.openResources).toBe(2);
  for (const end of ends) await end();
  await expect.poll(() => tauri.openResources, { timeout: DEADLINE_MS }).toBe(0);
});
