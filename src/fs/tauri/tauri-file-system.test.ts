import { spawnSync } from "node:child_process";
import * as fsp from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { outsideHands } from "../../../tests/external-writer.ts";
import { FakeTauri, type Call, type FakeTauriOptions } from "../../../tests/tauri/fake-tauri.ts";
import { FoldspaceError } from "../../errors.ts";
import { expectFailure, readText, utf8 } from "../../testing/file-system-fixture.ts";
import { FileSystemPersistenceLayer } from "../../layers/folder/file-system-layer.ts";
import { SpaceManager } from "../../space/space-manager.ts";
import { newId } from "../../tree/index.ts";
import { TauriFileSystem } from "./tauri-file-system.ts";

const DISK_FULL = "failed to write bytes to file with error: No space left on device (os error 28)";

let root = "";
beforeEach(async () => {
  root = await fsp.mkdtemp(join(tmpdir(), "foldspace-tauri-"));
});
afterEach(() => fsp.rm(root, { recursive: true, force: true }));

function setup(options?: FakeTauriOptions): { tauri: FakeTauri; fs: TauriFileSystem } {
  return { tauri: FakeTauri.install(options), fs: new TauriFileSystem() };
}

const isWriting = (call: Call): boolean => call.command === "plugin:fs|write_file";

/** Makes a call write a part of its bytes and fail. */
function failAfter(part: number): (call: Call) => Promise<string | undefined> {
  return async (call) => {
    if (!isWriting(call)) return undefined;
    await fsp.appendFile(call.args["path"] as string, (call.body ?? new Uint8Array()).subarray(0, part));
    return DISK_FULL;
  };
}

describe("reading", () => {
  const content = Uint8Array.from({ length: 2_000_000 }, (_, index) => index % 251);

  test.each([
    ["has none", null],
    ["has one that does not arrive exactly", 2 ** 60],
  ])("no file is identified by an inode if the system %s", async (_, inode) => {
    const { tauri, fs } = setup();
    expect(await fs.identify(root)).toMatch(/^\d+:\d+$/);
    tauri.inodeFor = () => inode;
    expect(await fs.identify(root)).toBeUndefined();
  });

  test("a range of a large file is read through a handle, however few bytes each call returns", async () => {
    const { tauri, fs } = setup();
    await fsp.writeFile(join(root, "large"), content);
    tauri.maxReadBytes = 70_000;
    const bytes = await fs.read(join(root, "large"), { offset: 1_000_003, length: 500_000 });
    expect(Buffer.compare(bytes ?? new Uint8Array(), content.subarray(1_000_003, 1_500_003))).toBe(0);
    expect(tauri.pathsOf("plugin:fs|read_file")).toEqual([]);
    expect(tauri.openResources).toBe(0);
  });

  test("a short file or a whole file is read in one call", async () => {
    const { tauri, fs } = setup();
    await fsp.writeFile(join(root, "large"), content);
    await fsp.writeFile(join(root, "short"), "0123456789");
    expect(await fs.read(join(root, "short"), { offset: 3, length: 2 })).toEqual(utf8("34"));
    expect(await fs.read(join(root, "large"), { offset: 0, length: 3_000_000 })).toHaveLength(content.length);
    expect(tauri.pathsOf("plugin:fs|read_file")).toHaveLength(2);
    expect(tauri.pathsOf("plugin:fs|open")).toEqual([]);
  });

  test("a file that is truncated while it is read gives the remaining bytes", async () => {
    const { tauri, fs } = setup();
    const path = join(root, "large");
    await fsp.writeFile(path, content);
    tauri.maxReadBytes = 100_000;
    tauri.fault = async (call) => {
      if (call.command === "plugin:fs|read") await fsp.truncate(path, 1_050_000);
      return undefined;
    };
    const bytes = await fs.read(path, { offset: 1_000_000 });
    expect(Buffer.compare(bytes ?? new Uint8Array(), content.subarray(1_000_000, 1_050_000))).toBe(0);
  });

  test("a file that is replaced while it is read is read in the version that was opened", async () => {
    const { tauri, fs } = setup();
    const path = join(root, "large");
    await fsp.writeFile(path, content);
    tauri.maxReadBytes = 100_000;
    tauri.fault = async (call) => {
      if (call.command === "plugin:fs|read") await outsideHands.replace(path, "new");
      return undefined;
    };
    expect(await fs.read(path, { offset: 1 })).toHaveLength(content.length - 1);
    expect(await readText(fs, path)).toBe("new");
  });

  test("a handle is closed whatever happens", async () => {
    const { tauri, fs } = setup();
    await fsp.writeFile(join(root, "large"), content);
    tauri.fault = (call) => (call.command === "plugin:fs|read" ? "input/output error (os error 5)" : undefined);
    await expectFailure(fs.read(join(root, "large"), { offset: 1 }), "FOLD_IO");
    expect(tauri.openResources).toBe(0);
  });

  test.each([false, true])("links and pipes are never opened (hasCommands: %s)", async (hasCommands) => {
    const { tauri, fs } = setup({ hasCommands });
    await fsp.writeFile(join(root, "target"), "x");
    await fsp.symlink(join(root, "target"), join(root, "link"));
    await fsp.symlink(join(root, "missing"), join(root, "dangling"));
    expect(spawnSync("mkfifo", [join(root, "pipe")]).status).toBe(0);
    // the crate refuses to follow a link that leads out of scope
    tauri.inScope = (path) => !path.endsWith("/dangling");
    const scan = await fs.scan(root);
    expect(scan?.unreadable).toEqual([]);
    expect(scan?.files.map(({ path, kind }) => `${kind} ${path}`).sort()).toEqual([
      "file target",
      "other dangling",
      "other link",
      "other pipe",
    ]);
    for (const name of ["link", "pipe"]) {
      await expectFailure(fs.read(join(root, name)), "FOLD_IO");
      await expectFailure(fs.append(join(root, name), utf8("y")), "FOLD_IO");
    }
    expect(await fsp.readFile(join(root, "target"), "utf8")).toBe("x");
    expect(await fsp.readdir(root)).not.toContain("missing");
  });
});

describe("writing", () => {
  test("a partial append is undone", async () => {
    const { tauri, fs } = setup();
    const path = join(root, "log");
    await fs.append(path, utf8("before\n"));
    tauri.fault = failAfter(3);
    await expect(fs.append(path, utf8("lost\n"))).rejects.toMatchObject({ code: "FOLD_DISK_FULL", data: { partial: false } });
    await expect(fs.append(join(root, "new"), utf8("lost\n"))).rejects.toMatchObject({ data: { partial: false } });
    tauri.fault = () => undefined;
    await fs.append(path, utf8("after\n"));
    expect(await readText(fs, path)).toBe("before\nafter\n");
    expect(await readText(fs, join(root, "new"))).toBe("");
  });

  test("a partial append that cannot be undone is reported", async () => {
    const { tauri, fs } = setup();
    const fault = failAfter(3);
    tauri.fault = (call) => (call.command === "plugin:fs|truncate" ? "fs.truncate not allowed. " : fault(call));
    await expect(fs.append(join(root, "log"), utf8("lost\n"))).rejects.toMatchObject({
      code: "FOLD_DISK_FULL",
      data: { partial: true },
    });
  });

  test("a file that another program has put in place meanwhile is not truncated", async () => {
    const { tauri, fs } = setup();
    const path = join(root, "log");
    await fs.append(path, utf8("before\n"));
    tauri.fault = async (call) => {
      if (!isWriting(call)) return undefined;
      await outsideHands.replace(path, "a longer file of another program\n");
      return DISK_FULL;
    };
    await expect(fs.append(path, utf8("lost\n"))).rejects.toMatchObject({ data: { partial: true } });
    expect(await readText(fs, path)).toBe("a longer file of another program\n");
  });

  test("a file whose replacing fails stays as it was, with nothing beside it", async () => {
    const { tauri, fs } = setup();
    const path = join(root, "file");
    await fs.write(path, utf8("old"));
    tauri.fault = failAfter(2);
    await expectFailure(fs.write(path, utf8("new")), "FOLD_DISK_FULL");
    tauri.fault = (call) => (call.command === "plugin:fs|rename" ? "input/output error (os error 5)" : undefined);
    await expectFailure(fs.write(path, utf8("new")), "FOLD_IO");
    expect(await readText(fs, path)).toBe("old");
    tauri.fault = (call) => (/rename|remove/.test(call.command) ? "input/output error (os error 5)" : undefined);
    const error: unknown = await fs.write(path, utf8("new")).catch((cause: unknown) => cause);
    expect(error).toMatchObject({ data: { leftBehind: expect.stringMatching(/~[^/]+\.tmp$/) as string } });
    expect(await fsp.readdir(root)).toHaveLength(3);
  });

  test("a private file stays private when it is replaced", async () => {
    const { fs } = setup();
    const path = join(root, "secrets");
    await fsp.writeFile(path, "old", { mode: 0o600 });
    await fs.write(path, utf8("new"));
    expect((await fsp.stat(path)).mode & 0o777).toBe(0o600);
    expect(await readText(fs, path)).toBe("new");
  });

  test("a link is replaced, not its target", async () => {
    const { fs } = setup();
    await fsp.writeFile(join(root, "target"), "x");
    await fsp.symlink(join(root, "target"), join(root, "link"));
    await fs.write(join(root, "link"), utf8("mine"));
    expect(await fsp.readFile(join(root, "target"), "utf8")).toBe("x");
    expect((await fsp.lstat(join(root, "link"))).isFile()).toBe(true);
  });
});

describe("scope", () => {
  test("a path with .. is refused without a call", async () => {
    const { tauri, fs } = setup();
    const path = `${root}/a/../b`;
    const bytes = utf8("x");
    for (const action of [
      fs.list(path),
      fs.stat(path),
      fs.scan(path),
      fs.read(path),
      fs.append(path, bytes),
      fs.write(path, bytes),
    ]) {
      await expectFailure(action, "FOLD_IO");
    }
    for (const action of [fs.makeDirectory(path), fs.remove(path), fs.rename(path, root), fs.watch(path, () => undefined)]) {
      await expectFailure(action, "FOLD_IO");
    }
    await expectFailure(fs.rename(root, path), "FOLD_IO");
    expect(tauri.calls).toEqual([]);
  });

  test("a path out of scope is a lack of permission, with advice", async () => {
    const { tauri, fs } = setup();
    tauri.inScope = () => false;
    const path = join(root, "file");
    for (const action of [fs.list(root), fs.stat(root), fs.scan(root), fs.read(path), fs.append(path, utf8("x"))]) {
      const error: unknown = await action.catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: "FOLD_PERMISSION" });
      expect(error instanceof FoldspaceError && error.message).toContain("fs:scope");
    }
    for (const action of [fs.write(path, utf8("x")), fs.makeDirectory(path), fs.remove(path), fs.rename(path, root)]) {
      await expectFailure(action, "FOLD_PERMISSION");
    }
  });

  test.each([false, true])(
    "names with a leading dot that are out of scope are skipped, others are reported (hasCommands: %s)",
    async (hasCommands) => {
      const { tauri, fs } = setup({ hasCommands });
      for (const path of [".git/index", "a/.DS_Store", "a/file", "denied/file"]) {
        await fsp.mkdir(dirname(join(root, path)), { recursive: true });
        await fsp.writeFile(join(root, path), "x");
      }
      tauri.inScope = (path) => !path.includes("/.") && basename(path) !== "denied";
      const scan = await fs.scan(root);
      expect(scan?.files.map((file) => file.path)).toEqual(["a/file"]);
      expect(scan?.unreadable).toMatchObject([{ path: "denied", error: { code: "FOLD_PERMISSION" } }]);
    },
  );

  test("a space needs no names with a leading dot", async () => {
    const { tauri, fs } = setup();
    tauri.inScope = (path) => !path.includes("/.");
    const [spaceId, path] = [newId(), `${root}/space`];
    const createLayer = (): FileSystemPersistenceLayer => new FileSystemPersistenceLayer(path, spaceId, { fs });
    const manager = new SpaceManager();
    const space = await manager.createSpace({ id: spaceId, persistenceLayers: [createLayer()] });
    space.tree.root?.newNamedChild("Milk");
    space.secrets.set("api-key", "sk-1");
    await space.flush();
    await manager.closeSpace(space.id);
    await fsp.writeFile(`${path}/space-v1/ops/.DS_Store`, "x");
    const again = await new SpaceManager().loadSpace({ id: spaceId }, [createLayer()]);
    expect(again.tree.getVertexByPath("/Milk")).toBeDefined();
    await again.whenSynced();
    expect(again.secrets.get("api-key")).toBe("sk-1");
    expect(again.problems).toEqual([]);
    await again.close();
  });

  test("a scan continues if a folder or a file cannot be read", async () => {
    const { tauri, fs } = setup();
    for (const path of ["open/file", "closed/file", "open/sick"]) await outsideHands.makeDirectory(join(root, dirname(path)));
    for (const path of ["open/file", "closed/file", "open/sick"]) await fsp.writeFile(join(root, path), "x");
    tauri.fault = ({ args }) => {
      if (args["path"] === join(root, "closed")) return "failed with error: permission denied (os error 13)";
      if (args["path"] === join(root, "open/sick")) return "failed with error: input/output error (os error 5)";
      return undefined;
    };
    const scan = await fs.scan(root);
    expect(scan?.files.map((file) => file.path)).toEqual(["open/file"]);
    const codes = scan?.unreadable.map(({ path, error }) => [path, error instanceof FoldspaceError && error.code]);
    expect(Object.fromEntries(codes ?? [])).toEqual({ closed: "FOLD_PERMISSION", "open/sick": "FOLD_IO" });
  });
});

describe("the commands of tauri-plugin-foldspace", () => {
  const ownCalls = (tauri: FakeTauri): string[] =>
    tauri.calls.map((call) => call.command).filter((command) => command.startsWith("plugin:foldspace|"));

  test("a missing command is called only once", async () => {
    const { tauri, fs } = setup();
    for (let time = 0; time < 3; time += 1) {
      await fs.scan(root);
      await fs.append(join(root, "file"), utf8("x"), { sync: true });
    }
    expect(ownCalls(tauri)).toEqual(["plugin:foldspace|scan", "plugin:foldspace|append"]);
    expect(fs.supports).toEqual({ watch: true, sync: false });
  });

  test.each(["Command plugin:foldspace|scan not allowed by ACL", "Command scan not found", "plugin foldspace not found"])(
    "%s: there are none",
    async (answer) => {
      const { tauri, fs } = setup();
      await fsp.writeFile(join(root, "file"), "x");
      tauri.fault = (call) => (call.command.startsWith("plugin:foldspace|") ? answer : undefined);
      for (let time = 0; time < 2; time += 1) expect((await fs.scan(root))?.files).toHaveLength(1);
      expect(ownCalls(tauri)).toHaveLength(1);
    },
  );

  test("a folder is scanned in one call, and an append in one call can wait for the device", async () => {
    const { tauri, fs } = setup({ hasCommands: true });
    expect(fs.supports.sync).toBe(false);
    for (let index = 0; index < 30; index += 1) await outsideHands.makeDirectory(join(root, `a/${index}`));
    for (let index = 0; index < 30; index += 1) await outsideHands.write(join(root, `a/${index}/file`), "x");
    expect((await fs.scan(root))?.files).toHaveLength(30);
    expect(fs.supports.sync).toBe(true);
    await fs.append(join(root, "a/file"), utf8("x"), { sync: true });
    expect(tauri.calls.map((call) => call.command)).toEqual(["plugin:foldspace|scan", "plugin:foldspace|append"]);
    expect(tauri.calls[1]?.args).toMatchObject({ sync: "true" });
  });

  test("an application may grant only one of them", async () => {
    const { tauri, fs } = setup({ hasCommands: true });
    tauri.fault = (call) => (call.command === "plugin:foldspace|append" ? "foldspace.append not allowed. " : undefined);
    await fs.append(join(root, "file"), utf8("x"));
    await fs.scan(root);
    expect(fs.supports.sync).toBe(false);
    await fs.append(join(root, "file"), utf8("y"));
    expect(ownCalls(tauri).filter((command) => command.endsWith("append"))).toHaveLength(1);
    expect(await readText(fs, join(root, "file"))).toBe("xy");
  });

  test("a folder too large for one answer is listed folder by folder, each time", async () => {
    const { tauri, fs } = setup({ hasCommands: true });
    await fsp.writeFile(join(root, "file"), "x");
    tauri.fault = (call) => (call.command === "plugin:foldspace|scan" ? `too many files: more than 1 below ${root}` : undefined);
    for (let time = 0; time < 2; time += 1) expect((await fs.scan(root))?.files).toHaveLength(1);
    expect(ownCalls(tauri)).toHaveLength(2);
  });

  test("their errors are ordinary errors, and the commands are still used afterwards", async () => {
    const { tauri, fs } = setup({ hasCommands: true });
    tauri.fault = (call) => (call.command === "plugin:foldspace|append" ? DISK_FULL : undefined);
    await expect(fs.append(join(root, "file"), utf8("x"))).rejects.toMatchObject({
      code: "FOLD_DISK_FULL",
      data: { partial: false },
    });
    tauri.fault = () => "failed to append to file at path: x, of which a part was written, with error: full (os error 28)";
    await expect(fs.append(join(root, "file"), utf8("x"))).rejects.toMatchObject({
      code: "FOLD_DISK_FULL",
      data: { partial: true },
    });
    expect(tauri.pathsOf("plugin:fs|write_file")).toEqual([]);
  });
});
