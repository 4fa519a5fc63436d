import { execFileSync } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NodeFileSystem } from "../../src/fs/node/index.ts";
import { FileSystemPersistenceLayer } from "../../src/layers/folder/file-system-layer.ts";
import { SpaceManager } from "../../src/space/space-manager.ts";
import { newId } from "../../src/tree/index.ts";
import { missingFrom, WritingProcess, type WritingOptions } from "./writing-process.ts";

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const mayMount = isRoot && canMount();
if (!mayMount)
  process.stderr.write("TESTS OF DISKS THAT FILL UP AND GO AWAY ARE LEFT OUT. They mount file systems, which needs root.\n");

let scratch: string;
let id: string;
let mounts: string[] = [];
let writers: WritingProcess[] = [];

beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), "foldspace-disks-"));
  await chmod(scratch, 0o755);
  id = newId();
});
afterEach(async () => {
  for (const writer of writers.splice(0)) await writer.kill();
  for (const folder of mounts.splice(0).toReversed()) execFileSync("umount", ["--lazy", folder]);
  await rm(scratch, { recursive: true });
});

function canMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    // containers mostly do not allow it, and other systems have no such command
    return false;
  }
}

function mount(folder: string, ...args: string[]): void {
  execFileSync("mount", [...args, folder]);
  mounts.push(folder);
}

function unmount(folder: string): void {
  execFileSync("umount", [folder]);
  mounts = mounts.filter((other) => other !== folder);
}

async function makeSpace(folder: string): Promise<void> {
  const layer = new FileSystemPersistenceLayer(folder, id, { fs: new NodeFileSystem() });
  await (await new SpaceManager().createSpace({ id, name: "disk", persistenceLayers: [layer] })).close();
}

async function writeInto(folder: string, options: WritingOptions = {}): Promise<WritingProcess> {
  const writer = new WritingProcess(folder, id, { mostBytes: 20_000, pauseMs: 1, ...options });
  writers.push(writer);
  await writer.ready();
  return writer;
}

/** Waits until a writer has saved something that it had not. */
async function goesOn(writer: WritingProcess): Promise<void> {
  const before = writer.saved.length;
  await writer.until("it saves again", () => writer.saved.length > before);
}

async function isRefused(writer: WritingProcess, code: string): Promise<void> {
  const before = writer.refusals.length;
  await writer.until(`it is refused with ${code}`, () => writer.refusals.slice(before).includes(code));
}

/** Checks that all that was said to be safe is there, and that no line is torn but the last of a failed append. */
async function expectEverything(folder: string, writer: WritingProcess): Promise<void> {
  await writer.kill();
  expect(writer.saved.length).toBeGreaterThan(0);
  const layer = new FileSystemPersistenceLayer(folder, id, { fs: new NodeFileSystem() });
  await layer.connect({ peerId: newId(), isReadOnly: true });
  const ops = await layer.loadSpaceTreeOps();
  expect(missingFrom(ops, writer.saved)).toEqual([]);
  const others = layer.problems.filter(({ code }) => code !== "FOLD_TORN_LINE" && code !== "FOLD_BAD_UTF8");
  expect(others).toEqual([]);
  await layer.disconnect();
}

describe.skipIf(!mayMount)("on disks of their own (needs root)", { timeout: 60_000 }, () => {
  test("a disk that is full refuses, and takes everything when it is enlarged", async () => {
    const folder = join(scratch, "small");
    await mkdir(folder);
    mount(folder, "-t", "tmpfs", "-o", "size=256k", "tmpfs");
    await makeSpace(folder);
    const writer = await writeInto(folder);
    await isRefused(writer, "FOLD_DISK_FULL");
    execFileSync("mount", ["-o", "remount,size=64m", folder]);
    await goesOn(writer);
    await expectEverything(folder, writer);
  });

  test("a folder that is unmounted is waited for, and goes on when it is mounted again", async () => {
    const [disk, folder] = [join(scratch, "disk"), join(scratch, "mounted")];
    await mkdir(disk);
    await mkdir(folder);
    mount(folder, "--bind", disk);
    await makeSpace(folder);
    const writer = await writeInto(folder);
    for (let round = 0; round < 3; round++) {
      await goesOn(writer);
      execFileSync("umount", ["--lazy", folder]);
      mounts = [];
      await isRefused(writer, "FOLD_FOLDER_LOST");
      // what was being written may have come to stand in its place, but not a space
      expect(await readdir(folder, { recursive: true })).not.toContain("space-v1/space.json");
      mount(folder, "--bind", disk);
    }
    await goesOn(writer);
    await expectEverything(folder, writer);
  });

  test("a disk that becomes read-only refuses, and takes everything when it is writable again", async () => {
    const folder = join(scratch, "disk");
    await mkdir(folder);
    mount(folder, "-t", "tmpfs", "tmpfs");
    await makeSpace(folder);
    const writer = await writeInto(folder, { pauseMs: 5 });
    await goesOn(writer);
    await remount(folder, "ro");
    await isRefused(writer, "FOLD_READ_ONLY");
    await remount(folder, "rw");
    await goesOn(writer);
    await expectEverything(folder, writer);
    unmount(folder);
  });
});

/** A file system is busy while a file is open for writing. */
async function remount(folder: string, how: "ro" | "rw"): Promise<void> {
  await expect
    .poll(
      () => {
        try {
          execFileSync("mount", ["-o", `remount,${how}`, folder], { stdio: "ignore" });
          return true;
        } catch {
          return false;
        }
      },
      { timeout: 20_000, interval: 1 },
    )
    .toBe(true);
}

test.skipIf(process.platform === "win32")(
  "a folder whose permissions are taken away refuses, and takes everything when they are back",
  { timeout: 60_000 },
  async () => {
    const folder = join(scratch, "folder");
    await mkdir(folder);
    await makeSpace(folder);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const folders = [
      folder,
      ...entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name)),
    ];
    // root may write wherever it likes
    if (isRoot) for (const each of folders) await chown(each, NOBODY, NOBODY);
    for (const each of folders) await chmod(each, 0o555);
    const writer = await writeInto(folder, isRoot ? { uid: NOBODY } : {});
    await isRefused(writer, "FOLD_PERMISSION");
    for (const each of folders) await chmod(each, 0o755);
    await goesOn(writer);
    for (let round = 0; round < 3; round++) {
      // a file cannot be written to, and none can be made to be written to instead
      const logs = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".jsonl"));
      for (const log of logs) await chmod(join(folder, log), 0o444);
      for (const log of logs) await chmod(dirname(join(folder, log)), 0o555);
      await isRefused(writer, "FOLD_PERMISSION");
      for (const log of logs) await chmod(dirname(join(folder, log)), 0o755);
      for (const log of logs) await chmod(join(folder, log), 0o644);
      await goesOn(writer);
    }
    await expectEverything(folder, writer);
  },
);
