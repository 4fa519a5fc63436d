import { spawnSync } from "node:child_process";
import * as fsp from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { outsideHands as outside } from "../../../tests/external-writer.ts";
import { FoldspaceError } from "../../errors.ts";
import { expectFailure, readText, utf8, type FileSystemSetup } from "../../testing/file-system-fixture.ts";
import { testFileSystem } from "../../testing/file-system-suite.ts";
import { HintLog } from "../../testing/file-system-watch-tests.ts";
import type { FileSystem, WatchHint } from "../file-system.ts";
import { asyncCalls } from "./calls.ts";
import { NodeFileSystem } from "./node-file-system.ts";
import { watchRecursively } from "./watch.ts";

async function setup(fs: FileSystem): Promise<FileSystemSetup> {
  const root = await fsp.mkdtemp(join(tmpdir(), "foldspace-"));
  return { fs, root, outside, teardown: () => fsp.rm(root, { recursive: true, force: true }) };
}

const isLinux = process.platform === "linux";
const isRoot = process.geteuid?.() === 0;

/** Applies another user's permissions meanwhile, because none bind the superuser. */
async function asOrdinaryUser<T>(action: () => Promise<T>): Promise<T> {
  if (!isRoot) return action();
  process.seteuid?.(65534);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
  }
}

const tool = (command: string, ...args: string[]): boolean => spawnSync(command, args).status === 0;

describe.each(["async", "sync"] as const)("io: %s", (io) => {
  const fs = new NodeFileSystem({ io });
  testFileSystem("NodeFileSystem", () => setup(fs));

  let root = "";
  beforeEach(async () => {
    ({ root } = await setup(fs));
  });
  afterEach(() => fsp.rm(root, { recursive: true, force: true }));

  test.skipIf(process.platform === "win32")("a pipe is never opened, whatever its name", async () => {
    const pipe = join(root, "peer.jsonl");
    expect(tool("mkfifo", pipe)).toBe(true);
    expect(await fs.list(root)).toEqual([{ name: "peer.jsonl", kind: "other" }]);
    expect((await fs.scan(root))?.files).toMatchObject([{ path: "peer.jsonl", kind: "other" }]);
    await expectFailure(fs.read(pipe), "FOLD_IO");
    await expectFailure(fs.append(pipe, utf8("x")), "FOLD_IO");
  });

  test.skipIf(process.platform === "win32")("links are refused, so that nothing outside is read or written", async () => {
    await fsp.writeFile(join(root, "target"), "x");
    await fsp.symlink(join(root, "target"), join(root, "link"));
    await fsp.symlink(join(root, "missing"), join(root, "dangling"));
    await fsp.symlink(join(root, "circle"), join(root, "circle"));
    for (const name of ["link", "dangling", "circle"]) {
      await expectFailure(fs.read(join(root, name)), "FOLD_IO");
      await expectFailure(fs.append(join(root, name), utf8("y")), "FOLD_IO");
    }
    await fs.write(join(root, "link"), utf8("mine"));
    expect(await readText(fs, join(root, "target"))).toBe("x");
    expect(await readText(fs, join(root, "link"))).toBe("mine");
    expect(await fs.stat(join(root, "missing"))).toBeUndefined();
  });

  test("a scan survives 1,500 folders in each other", async () => {
    await fs.write(join(root, "d/".repeat(1500), "file"), utf8("x"));
    const result = await fs.scan(root);
    expect(result?.files).toHaveLength(1);
    expect(result?.unreadable).toEqual([]);
  });

  test.skipIf(!isLinux)("a folder that cannot be read is reported and the rest is found", async () => {
    await fsp.chmod(root, 0o777);
    await fs.write(join(root, "open/file"), utf8("x"));
    await fs.write(join(root, "closed/file"), utf8("x"));
    await fsp.chmod(join(root, "closed"), 0o000);
    const result = await asOrdinaryUser(() => fs.scan(root));
    expect(result?.files.map((file) => file.path)).toEqual(["open/file"]);
    expect(result?.unreadable).toMatchObject([{ path: "closed", error: { code: "FOLD_PERMISSION" } }]);
    await asOrdinaryUser(() => expectFailure(fs.list(join(root, "closed")), "FOLD_PERMISSION"));
    await asOrdinaryUser(() => expectFailure(fs.append(join(root, "closed/file"), utf8("y")), "FOLD_PERMISSION"));
    await asOrdinaryUser(() => expectFailure(fs.write(join(root, "closed/file"), utf8("y")), "FOLD_PERMISSION"));
    await fsp.chmod(join(root, "closed"), 0o700);
    expect(await readText(fs, join(root, "closed/file"))).toBe("x");
  });

  test.skipIf(process.platform === "win32")("a private file stays private when it is replaced", async () => {
    const path = join(root, "secrets");
    await fsp.writeFile(path, "old", { mode: 0o600 });
    await fs.write(path, utf8("new"));
    expect((await fsp.stat(path)).mode & 0o777).toBe(0o600);
  });

  test.skipIf(!isLinux || !tool("prlimit", "--version"))("a partial append is undone (needs prlimit)", async () => {
    const path = join(root, "file");
    await fs.append(path, utf8("before\n"));
    // The signal that comes with the limit would end the process.
    const ignore = (): void => undefined;
    process.on("SIGXFSZ", ignore);
    try {
      expect(tool("prlimit", "--pid", String(process.pid), "--fsize=65536:")).toBe(true);
      const error: unknown = await fs.append(path, new Uint8Array(1_000_000)).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(FoldspaceError);
      expect(error).toMatchObject({ code: "FOLD_IO", data: { path, partial: false } });
    } finally {
      tool("prlimit", "--pid", String(process.pid), "--fsize=unlimited:");
      process.off("SIGXFSZ", ignore);
    }
    expect(await readText(fs, path)).toBe("before\n");
    await fs.append(path, utf8("after\n"));
    expect(await readText(fs, path)).toBe("before\nafter\n");
  });

  const canMount = isLinux && isRoot && tool("unshare", "--mount", "true");
  test.skipIf(!canMount)("a full disk is an error that leaves files as they were (needs the right to mount)", async () => {
    const disk = join(root, "disk");
    await fs.makeDirectory(disk);
    expect(tool("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk)).toBe(true);
    try {
      await fs.append(join(disk, "log"), utf8("before\n"));
      await fs.write(join(disk, "file"), utf8("old"));
      await expectFailure(fs.append(join(disk, "log"), new Uint8Array(1_000_000)), "FOLD_DISK_FULL");
      await expectFailure(fs.write(join(disk, "file"), new Uint8Array(1_000_000)), "FOLD_DISK_FULL");
      expect(await readText(fs, join(disk, "log"))).toBe("before\n");
      expect(await readText(fs, join(disk, "file"))).toBe("old");
      expect(await fs.list(disk)).toHaveLength(2);
      expect(tool("mount", "-o", "remount,ro", disk)).toBe(true);
      await expectFailure(fs.append(join(disk, "log"), utf8("x")), "FOLD_READ_ONLY");
      await expectFailure(fs.write(join(disk, "file"), utf8("x")), "FOLD_READ_ONLY");
      await expectFailure(fs.makeDirectory(join(disk, "new")), "FOLD_READ_ONLY");
    } finally {
      tool("umount", disk);
    }
  });

  test("a root that is renamed away and made again is reported and watched again", async () => {
    const watched = join(root, "watched");
    await fs.write(join(watched, "folder/file"), utf8("x"));
    const log = await HintLog.start(fs, watched);
    const rescans = (): string[] => log.hints.flatMap((hint) => (hint.kind === "rescan" ? [hint.reason] : []));
    await fsp.rename(watched, join(root, "away"));
    await expect.poll(rescans, { timeout: 10_000 }).toContain("the folder is gone");
    await fs.write(join(watched, "folder/file"), utf8("y"));
    await expect.poll(rescans, { timeout: 10_000 }).toContain("the folder is back");
    await log.expectHint(`${watched}/folder`, () => outside.append(join(watched, "folder/file"), "z"));
    const before = log.hints.length;
    await outside.append(join(root, "away/folder/file"), "nobody cares");
    await log.expectHint(watched, () => outside.write(join(watched, "other"), "x"));
    expect(log.hints.slice(before)).not.toContainEqual(expect.objectContaining({ directory: `${watched}/folder` }));
  }, 30_000);

  test("a root that is deleted and made again at once is watched again", async () => {
    const watched = join(root, "watched");
    await fs.makeDirectory(watched);
    const log = await HintLog.start(fs, watched);
    for (let time = 0; time < 5; time += 1) {
      await log.expectHint(watched, async () => {
        await fsp.rm(watched, { recursive: true });
        await fsp.mkdir(watched);
      });
      await expect.poll(() => log.hints.some((hint) => hint.kind === "rescan"), { timeout: 10_000 }).toBe(true);
      log.hints.length = 0;
      await log.expectHint(watched, () => outside.write(join(watched, "file"), "x"));
    }
  }, 30_000);

  test.skipIf(!isLinux)(
    "a folder that cannot be watched is reported, and watched once it can be",
    async () => {
      await fsp.chmod(root, 0o777);
      await fs.makeDirectory(join(root, "closed"));
      await fsp.chmod(join(root, "closed"), 0o000);
      const log = await asOrdinaryUser(() => HintLog.start(fs, root));
      expect(log.hints).toMatchObject([{ kind: "rescan" }]);
      await log.expectHint(`${root}/closed`, () => fsp.chmod(join(root, "closed"), 0o777));
      log.hints.length = 0;
      await log.expectHint(`${root}/closed`, () => outside.write(join(root, "closed/file"), "x"));
    },
    30_000,
  );
});

test.skipIf(!isLinux)("folders that need no watch have none, nor have those in them", async () => {
  const { fs, root, teardown } = await setup(new NodeFileSystem());
  for (const folder of ["kept/a", "old/a/b"]) await fs.makeDirectory(join(root, folder));
  const log = await HintLog.start(fs, root, { skips: (path) => path === "old" });
  await outside.write(join(root, "old/file"), "x");
  await outside.write(join(root, "old/a/b/file"), "x");
  await log.expectHint(`${root}/kept/a`, () => outside.write(join(root, "kept/a/file"), "x"));
  expect(log.hints).not.toContainEqual(expect.objectContaining({ directory: expect.stringContaining("/old") }));
  expect(log.hints).toContainEqual({ kind: "dirty", directory: `${root}/kept/a`, names: ["file"] });
  await teardown?.();
});

test.skipIf(!isLinux)("a watch skips names with a leading dot", async () => {
  const { fs, root, teardown } = await setup(new NodeFileSystem());
  await fs.makeDirectory(`${root}/.git/objects`);
  const log = await HintLog.start(fs, root);
  await outside.append(`${root}/.git/index`, "x");
  await outside.append(`${root}/.syncthing.file.tmp`, "x");
  await outside.makeDirectory(`${root}/.stversions/a`);
  await log.expectHint(root, () => outside.write(`${root}/file`, "x"));
  expect(new Set(log.hints.map((hint) => JSON.stringify(hint)))).toEqual(
    new Set([JSON.stringify({ kind: "dirty", directory: root, names: ["file"] })]),
  );
  await teardown?.();
});

test.skipIf(!isLinux)(
  "a flood of events ends in a rescan, and new folders are still watched",
  async () => {
    const { fs, root, teardown } = await setup(new NodeFileSystem());
    const log = await HintLog.start(fs, root);
    // While this thread is busy, nothing empties the system's queue of 16,384 events.
    expect(tool("sh", "-c", `cd '${root}' && seq 20000 | xargs touch && mkdir -p a/b`)).toBe(true);
    await expect.poll(() => log.hints.some((hint) => hint.kind === "rescan"), { timeout: 10_000 }).toBe(true);
    log.hints.length = 0;
    await log.expectHint(`${root}/a/b`, () => outside.write(`${root}/a/b/file`, "x"));
    await teardown?.();
  },
  30_000,
);

/** macOS and Windows use it. Here only our part of it can be tested, because Linux's recursive watch loses events. */
test("the recursive watch names folders, reports those below a new one, and stops", async () => {
  const { root, teardown } = await setup(new NodeFileSystem());
  const hints: WatchHint[] = [];
  const directories = (): unknown[] => hints.map((hint) => (hint.kind === "dirty" ? hint.directory : hint.reason));
  await fsp.mkdir(join(root, "watched"));
  await fsp.mkdir(join(root, "elsewhere/a/b"), { recursive: true });
  const watched = join(root, "watched");
  const end = await watchRecursively(asyncCalls, watched, (hint) => hints.push(hint));
  await fsp.rename(join(root, "elsewhere"), join(watched, "new"));
  await expect.poll(directories, { timeout: 10_000 }).toEqual(expect.arrayContaining([watched, `${watched}/new/a/b`]));
  await fsp.writeFile(join(watched, "file"), "x");
  await expect.poll(() => directories().filter((directory) => directory === watched).length).toBeGreaterThan(1);
  await fsp.rm(watched, { recursive: true });
  await expect.poll(directories, { timeout: 10_000 }).toContain("the folder is gone");
  await fsp.mkdir(watched);
  await expect.poll(directories, { timeout: 10_000 }).toContain("the folder is back");
  await end();
  await teardown?.();
}, 30_000);
