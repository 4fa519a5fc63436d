import { expect, onTestFinished } from "vitest";
import type { FileSystem, WatchHint, WatchOptions } from "../fs/file-system.ts";
import { localWriter, utf8, type FileSystemSetup, type ExternalWriter } from "./file-system-fixture.ts";
import type { FileSystemTest } from "./file-system-suite.ts";

/** Far longer than any watcher takes; a passing test never waits that long. */
const HINT_DEADLINE_MS = 10_000;

/** The hints of one watch, in order. */
export class HintLog {
  readonly hints: WatchHint[] = [];
  #end: (() => Promise<void>) | undefined;

  static async start(fs: FileSystem, path: string, options?: WatchOptions): Promise<HintLog> {
    const log = new HintLog();
    log.#end = await fs.watch?.(path, (hint) => log.hints.push(hint), options);
    onTestFinished(() => log.end());
    return log;
  }

  async end(): Promise<void> {
    await this.#end?.();
    this.#end = undefined;
  }

  /** Runs an action and waits for a later hint that covers a folder. */
  async expectHint(directory: string, action: () => Promise<void>): Promise<void> {
    const before = this.hints.length;
    await action();
    const covers = (hint: WatchHint): boolean => hint.kind === "rescan" || hint.directory === directory;
    const isHinted = (): boolean => this.hints.slice(before).some(covers);
    await expect.poll(isHinted, { timeout: HINT_DEADLINE_MS, interval: 5, message: `a hint at ${directory}` }).toBe(true);
  }
}

export function watchTests(declare: FileSystemTest): void {
  declare("`supports` shows whether the file system can watch", async ({ fs }) => {
    expect(fs.supports.watch).toBe(typeof fs.watch === "function");
  });

  const test = (title: string, body: (setup: FileSystemSetup, outside: ExternalWriter) => Promise<void>): void =>
    declare(title, async (setup, { skip }) => {
      if (!setup.fs.supports.watch) return skip("it cannot watch");
      await body(setup, setup.outside ?? localWriter(setup.fs));
    });

  test("a new file, each append to it and its deletion are hinted at", async ({ fs, root }, outside) => {
    await outside.makeDirectory(`${root}/a/b`);
    const log = await HintLog.start(fs, root);
    for (const folder of [root, `${root}/a`, `${root}/a/b`]) {
      await log.expectHint(folder, () => outside.write(`${folder}/file`, "x"));
      for (let time = 0; time < 5; time += 1) await log.expectHint(folder, () => outside.append(`${folder}/file`, "y"));
      await log.expectHint(folder, () => outside.remove(`${folder}/file`));
    }
  });

  test("hints name the watched folder or one below it", async ({ fs, root }, outside) => {
    const log = await HintLog.start(fs, root);
    await outside.makeDirectory(`${root}/a/b`);
    await log.expectHint(`${root}/a/b`, () => outside.write(`${root}/a/b/file`, "x"));
    for (const hint of log.hints) {
      if (hint.kind === "dirty") expect(`${hint.directory}/`.startsWith(`${root}/`)).toBe(true);
    }
  });

  test("changes of its own are hinted at too", async ({ fs, root }) => {
    const log = await HintLog.start(fs, root);
    await log.expectHint(`${root}/a/b`, () => fs.append(`${root}/a/b/file`, utf8("x")));
    await log.expectHint(`${root}/a/b`, () => fs.append(`${root}/a/b/file`, utf8("y")));
    await log.expectHint(`${root}/a/b`, () => fs.write(`${root}/a/b/file`, utf8("z")));
  });

  test("a file that is replaced again and again is hinted at each time", async ({ fs, root }, outside) => {
    await outside.makeDirectory(`${root}/folder`);
    await outside.write(`${root}/folder/file`, "0");
    const log = await HintLog.start(fs, root);
    for (let time = 1; time <= 10; time += 1) {
      await log.expectHint(`${root}/folder`, () => outside.replace(`${root}/folder/file`, String(time)));
    }
    for (let time = 1; time <= 10; time += 1) {
      await outside.remove(`${root}/folder/file`);
      await log.expectHint(`${root}/folder`, () => outside.replace(`${root}/folder/file`, String(time)));
    }
    await log.expectHint(`${root}/folder`, () => outside.append(`${root}/folder/file`, "more"));
  });

  test("new folders that appear together with a file are hinted at, and so are later appends to it", async ({
    fs,
    root,
  }, outside) => {
    const log = await HintLog.start(fs, root);
    for (let time = 0; time < 20; time += 1) {
      const folder = `${root}/${time}/2026/01/02/03`;
      await log.expectHint(folder, async () => {
        await outside.makeDirectory(folder);
        await outside.write(`${folder}/file`, "x");
      });
      await log.expectHint(folder, () => outside.append(`${folder}/file`, "y"));
    }
  });

  test("a new folder that needs no watch is hinted at with what is in it, and other folders are still watched", async ({
    fs,
    root,
  }, outside) => {
    await fs.write(`${root}/elsewhere/a/file`, utf8("x"));
    await fs.write(`${root}/watched/kept/file`, utf8("x"));
    const log = await HintLog.start(fs, `${root}/watched`, { skips: (path) => path === "old" });
    await log.expectHint(`${root}/watched/old/a`, () => fs.rename(`${root}/elsewhere`, `${root}/watched/old`));
    await log.expectHint(`${root}/watched/kept`, () => outside.append(`${root}/watched/kept/file`, "y"));
  });

  test("a folder that was moved in is watched with everything below it", async ({ fs, root }, outside) => {
    await fs.write(`${root}/elsewhere/a/b/file`, utf8("x"));
    await fs.makeDirectory(`${root}/watched`);
    const log = await HintLog.start(fs, `${root}/watched`);
    await log.expectHint(`${root}/watched/new/a/b`, () => fs.rename(`${root}/elsewhere`, `${root}/watched/new`));
    await log.expectHint(`${root}/watched/new/a/b`, () => outside.append(`${root}/watched/new/a/b/file`, "y"));
  });

  test("a folder that was deleted and made again is watched again", async ({ fs, root }, outside) => {
    const log = await HintLog.start(fs, root);
    for (let time = 0; time < 5; time += 1) {
      await log.expectHint(`${root}/a/b`, async () => {
        await outside.remove(`${root}/a`);
        await outside.makeDirectory(`${root}/a/b`);
      });
      await log.expectHint(`${root}/a/b`, () => outside.write(`${root}/a/b/file`, "x"));
      await log.expectHint(`${root}/a/b`, () => outside.append(`${root}/a/b/file`, "x"));
    }
  });

  test("a watch waits for a missing folder", async ({ fs, root }, outside) => {
    const log = await HintLog.start(fs, `${root}/later`);
    await log.expectHint(`${root}/later`, () => outside.makeDirectory(`${root}/later`));
    await log.expectHint(`${root}/later`, () => outside.write(`${root}/later/file`, "x"));
  });

  test("two concurrent watches both get hints, and a watch that was ended gets no more", async ({ fs, root }, outside) => {
    const ended = await HintLog.start(fs, root);
    const other = await HintLog.start(fs, root);
    await ended.expectHint(root, () => other.expectHint(root, () => outside.write(`${root}/file`, "x")));
    await ended.end();
    const before = ended.hints.length;
    for (let time = 0; time < 5; time += 1) await other.expectHint(root, () => outside.append(`${root}/file`, "y"));
    expect(ended.hints).toHaveLength(before);
  });

  test("a watch can be ended twice and started again", async ({ fs, root }, outside) => {
    const end = await fs.watch?.(root, () => undefined);
    await end?.();
    await end?.();
    const log = await HintLog.start(fs, root);
    await log.expectHint(root, () => outside.write(`${root}/file`, "x"));
  });
}
