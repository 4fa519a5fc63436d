import * as fsp from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { utf8 } from "../../testing/file-system-fixture.ts";
import { NodeFileSystem } from "./node-file-system.ts";

const isWindows = process.platform === "win32";
const isRoot = process.geteuid?.() === 0;
/** A group that the user is no ordinary member of, if there is the right to give files to it. */
const GROUP = isRoot ? 54_321 : (process.getegid?.() ?? 0);

describe.skipIf(isWindows).each(["async", "sync"] as const)("io: %s", (io) => {
  const fs = new NodeFileSystem({ io });
  let root = "";
  let umask = 0;

  beforeEach(async () => {
    root = await fsp.mkdtemp(join(tmpdir(), "foldspace-sharing-"));
    await fsp.chown(root, -1, GROUP);
    umask = process.umask(0o022);
  });
  afterEach(async () => {
    process.umask(umask);
    await fsp.rm(root, { recursive: true, force: true });
  });

  async function rightsOf(path: string): Promise<readonly [mode: string, gid: number]> {
    const { mode, gid } = await fsp.stat(join(root, path));
    return [(mode & 0o7777).toString(8), gid];
  }

  async function makeAll(rootMode: number): Promise<void> {
    await fsp.chmod(root, rootMode);
    await fs.append(join(root, "a/b/log"), utf8("x"));
    await fs.write(join(root, "a/file"), utf8("x"));
  }

  test.each([
    ["2775", "2775", "664"],
    ["775", "775", "664"],
    ["2750", "2750", "640"],
    ["777", "777", "666"],
    ["2770", "2770", "660"],
    ["755", "755", "644"],
    ["750", "750", "640"],
    ["711", "711", "600"],
    ["700", "700", "600"],
  ])("in a folder of mode %s, folders have its group and mode %s, and files %s", async (mode, folders, files) => {
    await makeAll(Number.parseInt(mode, 8));
    // the system passes the bit for the group on by itself, or the group without it
    const isKept = (await rightsOf("a"))[0].length === folders.length;
    const expected = isKept ? folders : folders.slice(-3);
    for (const folder of ["a", "a/b"]) expect(await rightsOf(folder)).toEqual([expected, GROUP]);
    for (const file of ["a/b/log", "a/file"]) expect(await rightsOf(file)).toEqual([files, GROUP]);
  });

  test("a folder of strangers, like /tmp, passes nothing on", async () => {
    await makeAll(0o1777);
    expect((await rightsOf("a"))[0]).toBe("755");
    expect((await rightsOf("a/b/log"))[0]).toBe("644");
    if (isRoot) expect((await rightsOf("a"))[1]).not.toBe(GROUP);
  });

  test("a user who shares nothing by default shares what is in a shared folder, and nothing else", async () => {
    process.umask(0o077);
    await makeAll(0o755);
    expect([(await rightsOf("a"))[0], (await rightsOf("a/file"))[0]]).toEqual(["700", "600"]);
    await fsp.rm(join(root, "a"), { recursive: true });
    await makeAll(0o775);
    expect([(await rightsOf("a"))[0], (await rightsOf("a/file"))[0]]).toEqual(["770", "660"]);
  });

  test("a file that is replaced keeps its group and mode, whatever its folder has", async () => {
    const path = join(root, "file");
    for (const mode of [0o664, 0o600]) {
      await fsp.writeFile(path, "old");
      await fsp.chmod(path, mode);
      await fsp.chown(path, -1, GROUP);
      await fs.write(path, utf8("new"));
      expect(await rightsOf("file")).toEqual([mode.toString(8), GROUP]);
    }
  });
});
