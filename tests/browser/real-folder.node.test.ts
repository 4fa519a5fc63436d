import { execFile, spawnSync } from "node:child_process";
import * as fsp from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BrowserContext, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { errorCode } from "../../src/errors.ts";
import { expectFailure, readText, utf8, type ExternalWriter } from "../../src/testing/file-system-fixture.ts";
import { until } from "../../src/testing/layer-bench.ts";
import { folderTests } from "../../src/testing/file-system-folder-tests.ts";
import { readingTests } from "../../src/testing/file-system-reading-tests.ts";
import type { FileSystemTest } from "../../src/testing/file-system-suite.ts";
import { writingTests } from "../../src/testing/file-system-writing-tests.ts";
import { HintLog, watchTests } from "../../src/testing/file-system-watch-tests.ts";
import { dropFolder, openBrowser, RemoteFileSystem, servePage, startDisplay } from "./real-folder.ts";
import type { RealFolderPage } from "./real-folder-page.ts";

declare const realFolder: RealFolderPage;

const run = promisify(execFile);
/** Where everything has to be tested, a tool that is missing is a failure. */
const canRun = (tool: string): boolean => process.env["CI"] === "true" || spawnSync("which", [tool]).status === 0;

let scratch = "";
let folder = "";
let server: Awaited<ReturnType<typeof servePage>>;

beforeAll(async () => {
  scratch = await fsp.mkdtemp(join(tmpdir(), "foldspace-real-"));
  folder = join(scratch, "folder");
  await fsp.mkdir(folder);
  server = await servePage();
});

afterAll(async () => {
  server.close();
  await fsp.rm(scratch, { recursive: true, force: true });
});

/** What another program does in the folder, in a process of its own. */
const shell = async (command: string): Promise<void> => void (await run("sh", ["-c", `cd '${folder}' && ${command}`]));

async function openPage(browser: BrowserContext): Promise<{ page: Page; fs: RemoteFileSystem }> {
  const page = await browser.newPage();
  await page.goto(server.url);
  return { page, fs: await RemoteFileSystem.open(page) };
}

describe("a real folder that may be read", () => {
  let browser: BrowserContext;
  let page: Page;
  let fs: RemoteFileSystem;

  beforeAll(async () => {
    browser = await openBrowser({ profile: join(scratch, "reader") });
    ({ page, fs } = await openPage(browser));
    await dropFolder(page, folder);
  });
  afterAll(() => browser.close());

  test("what stands in it is listed, scanned and read; links are not seen", async () => {
    await shell("mkdir -p reading/a && echo one > reading/a/file && ln -s a/file reading/link && ln -s a reading/folder-link");
    expect(await fs.list("reading")).toEqual([{ name: "a", kind: "directory" }]);
    expect((await fs.scan(""))?.files).toMatchObject([{ path: "reading/a/file", kind: "file", size: 4 }]);
    expect(await readText(fs, "reading/a/file")).toBe("one\n");
    await shell("echo two >> reading/a/file");
    expect(await readText(fs, "reading/a/file")).toBe("one\ntwo\n");
    expect((await fs.stat("reading/a/file"))?.size).toBe(8);
  });

  test("what another program changes in it is hinted at", async () => {
    await shell("mkdir -p space/ops");
    const log = await HintLog.start(fs, "space");
    await log.expectHint("space/ops", () => shell("echo one > space/ops/peer.jsonl"));
    await log.expectHint("space/ops", () => shell("echo two >> space/ops/peer.jsonl"));
    await log.expectHint("space/ops", () => shell("echo new > space/ops/.tmp && mv space/ops/.tmp space/ops/peer.jsonl"));
    await log.expectHint("space/ops", () => shell("rm space/ops/peer.jsonl"));
    expect(log.hints.some((hint) => hint.kind === "rescan")).toBe(false);
  });

  test("new folders that come at once with a file are hinted at, and what comes later", async () => {
    await shell("mkdir -p days");
    const log = await HintLog.start(fs, "days");
    for (let day = 10; day < 30; day += 1) {
      const path = `days/ab/cd/2026/11/${day}`;
      await log.expectHint(path, () => shell(`mkdir -p ${path} && echo one > ${path}/peer.jsonl`));
      await log.expectHint(path, () => shell(`echo two >> ${path}/peer.jsonl`));
    }
  });

  test("a folder that is deleted and made again is watched again", async () => {
    await shell("mkdir -p again/a");
    const log = await HintLog.start(fs, "again");
    await log.expectHint("again", () => shell("rm -r again"));
    await expect.poll(() => log.hints.at(-1)).toMatchObject({ kind: "rescan" });
    log.hints.length = 0;
    await log.expectHint("again", () => shell("mkdir -p again/a"));
    await expect.poll(() => log.hints.some((hint) => hint.kind === "rescan")).toBe(true);
    await log.expectHint("again/a", () => shell("echo x > again/a/file"));
  });

  test("without the user's consent nothing is written", async () => {
    expect(await page.evaluate(() => realFolder.queryAccess())).toBe("prompt");
    await expectFailure(fs.append("reading/a/file", utf8("x")), "FOLD_PERMISSION");
    await expectFailure(fs.write("reading/a/file", utf8("x")), "FOLD_PERMISSION");
    await expectFailure(fs.remove("reading"), "FOLD_PERMISSION");
    expect(await readText(fs, "reading/a/file")).toBe("one\ntwo\n");
  });

  test("after a restart the folder is remembered, and the user has to be asked again", async () => {
    await page.evaluate(() => realFolder.remember());
    await browser.close();
    browser = await openBrowser({ profile: join(scratch, "reader") });
    ({ page, fs } = await openPage(browser));
    await page.evaluate(() => realFolder.recall());
    expect(await page.evaluate(() => realFolder.queryAccess())).toBe("prompt");
    await expectFailure(fs.list(""), "FOLD_PERMISSION");
    await expectFailure(fs.read("reading/a/file"), "FOLD_PERMISSION");
  });
});

describe.skipIf(!canRun("Xvfb") || !canRun("xdotool"))("a real folder that may be written (needs Xvfb and xdotool)", () => {
  let browser: BrowserContext;
  let fs: RemoteFileSystem;
  let stopDisplay: () => void;

  beforeAll(async () => {
    const { display, stop } = await startDisplay();
    stopDisplay = stop;
    browser = await openBrowser({ profile: join(scratch, "writer"), display });
    const opened = await openPage(browser);
    fs = opened.fs;
    await dropFolder(opened.page, folder);
    await opened.page.mouse.click(50, 50);
    await until("the user has granted access", async () => {
      // the browser's own question, whose second button says yes, takes a moment to appear
      await run("xdotool", ["sleep", "1", "key", "Tab", "sleep", "0.2", "key", "Return"], { env: { DISPLAY: display } });
      return (await opened.page.evaluate(() => realFolder.queryAccess())) === "granted";
    });
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    stopDisplay();
  });

  const at = (path: string): string => join(folder, path);
  const outside: ExternalWriter = {
    append: (path, text) => fsp.appendFile(at(path), text),
    write: (path, text) => fsp.writeFile(at(path), text),
    async replace(path, text) {
      await fsp.writeFile(at(`${path}.outside.tmp`), text);
      await fsp.rename(at(`${path}.outside.tmp`), at(path));
    },
    remove: (path) => fsp.rm(at(path), { recursive: true, force: true }),
    async makeDirectory(path) {
      await fsp.mkdir(at(path), { recursive: true });
    },
  };

  /** Tested below instead: Chromium allows no name that begins with "..", and hundreds of megabytes go slowly through the remote control. */
  const OTHERWISE = new Set([
    "names may have spaces, signs and any letters",
    "a reader never sees a part of a file that is being replaced",
  ]);
  let count = 0;
  const declare: FileSystemTest = (title, body) => {
    test.skipIf(OTHERWISE.has(title))(title, { timeout: 120_000 }, async (context) => {
      count += 1;
      const root = `writing/${count}`;
      await outside.makeDirectory(root);
      await body({ fs, root, outside }, context);
    });
  };
  describe("reading", () => readingTests(declare));
  describe("writing", () => writingTests(declare));
  describe("folders", () => folderTests(declare));
  describe("watching", () => watchTests(declare));

  test("names may have spaces, signs and any letters", async () => {
    const names = ["with space", "-dash", "100% #1 & 'quoted' (2)", "åäö ñ", "日本語", "🌳🌳", "a.b..c", ".hidden"];
    for (const name of names) await fs.append(`names/${name}/${name}.jsonl`, utf8(name));
    for (const name of names) expect(await fsp.readFile(at(`names/${name}/${name}.jsonl`), "utf8")).toBe(name);
  });

  test("names that Chromium does not allow are errors that say so", async () => {
    for (const name of ["..double", "a:b", "backup~", "shortcut.lnk"]) {
      await expectFailure(fs.append(`refused/${name}`, utf8("x")), "FOLD_IO");
    }
  });

  test("while one replaces a file, neither the browser nor another program ever reads a part", async () => {
    const content = (version: number): Buffer => Buffer.alloc(200_000 + version, version);
    const isWhole = (bytes: Uint8Array | undefined): boolean =>
      bytes !== undefined && bytes.length > 0 && Buffer.compare(bytes, content(bytes[0]!)) === 0;
    const watch = async (replacing: Promise<void>, read: () => Promise<Uint8Array | undefined>): Promise<boolean[]> => {
      const seen: boolean[] = [];
      const done = new AbortController();
      const replaced = replacing.finally(() => done.abort());
      while (!done.signal.aborted) {
        try {
          seen.push(isWhole(await read()));
        } catch (error) {
          // one that is replaced during each attempt
          if (errorCode(error) !== "FOLD_BUSY") throw error;
        }
      }
      await replaced;
      return seen;
    };
    const byBrowser = async (): Promise<void> => {
      for (let version = 2; version <= 30; version += 1) await fs.write("busy/file", content(version));
    };
    const byProgram = async (): Promise<void> => {
      for (let version = 2; version <= 100; version += 1) {
        await fsp.writeFile(at("busy/.tmp"), content(version));
        await fsp.rename(at("busy/.tmp"), at("busy/file"));
      }
    };
    await fs.write("busy/file", content(1));
    const seen = [
      ...(await watch(byBrowser(), () => fsp.readFile(at("busy/file")))),
      ...(await watch(byProgram(), () => fs.read("busy/file"))),
    ];
    expect(seen.length).toBeGreaterThan(20);
    expect(seen).not.toContain(false);
  });

  test("what it writes is on the disk, with nothing beside it", async () => {
    await fs.write("written/file", utf8("new"));
    await fs.write("written/file", utf8("newer"));
    await fs.append("written/log", utf8("one\n"));
    await fs.append("written/log", utf8("two\n"));
    expect((await fsp.readdir(at("written"))).sort()).toEqual(["file", "log"]);
    expect(await fsp.readFile(at("written/file"), "utf8")).toBe("newer");
    expect(await fsp.readFile(at("written/log"), "utf8")).toBe("one\ntwo\n");
  });
});
