import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FoldspaceError } from "../../src/errors.ts";
import type { ScanResult } from "../../src/fs/file-system.ts";
import { NodeFileSystem } from "../../src/fs/node/node-file-system.ts";
import {
  copyOfFixture,
  foldspace,
  jsonLines,
  listing,
  LOG_FILE,
  PEER_ID,
  SPACE_ID,
  spaceWith,
  temporaryFolder,
} from "./cli-harness.ts";
import { FailingFileSystem, readOnlyFileSystem } from "./failing-file-system.ts";

const READING: readonly (readonly string[])[] = [
  ["info", "DIR"],
  ["tree", "DIR", "--all"],
  ["export", "DIR", "--format", "json"],
  ["export", "DIR", "--format", "markdown"],
  ["log", "DIR"],
  ["watch", "DIR"],
  ["verify", "DIR"],
];
const EDITING: readonly (readonly string[])[] = [
  ["add", "DIR", "--name", "x"],
  ["set", "DIR", "/", "a=1"],
  ["move", "DIR", "/a", "/b"],
  ["rm", "DIR", "/a"],
];

function fill(args: readonly string[], path: string): string[] {
  return args.map((arg) => (arg === "DIR" ? path : arg));
}

describe("a folder that is no space", () => {
  const missing = (): string => join(temporaryFolder(), "nothing");
  const file = (): string => {
    const path = join(temporaryFolder(), "file");
    writeFileSync(path, "");
    return path;
  };
  test.each([
    ["that is missing", "FOLD_NOT_FOUND", missing],
    ["that is a file", "FOLD_NOT_A_FOLDER", file],
    ["that is empty", "FOLD_NOT_A_SPACE", temporaryFolder],
    ["that is the inside of a space", "FOLD_NOT_A_SPACE", () => join(spaceWith(), "space-v1")],
    ["of the first layout", "FOLD_OLD_FORMAT", () => copyOfFixture("v0")],
  ])("%s gives %s in every command", async (_name, code, make) => {
    const path = make();
    for (const args of [...READING, ...EDITING]) {
      const result = await foldspace(fill(args, path));
      expect({ args, ...result }).toMatchObject({ args, code: 1, stdout: "" });
      expect(result.stderr).toMatch(new RegExp(String.raw`^foldspace: .*\(${code}\)\n$`));
    }
  });

  test("is explained", async () => {
    expect((await foldspace(["info", join(spaceWith(), "space-v1")])).stderr).toContain("give the folder above it");
    expect((await foldspace(["info", copyOfFixture("v0")])).stderr).toContain("foldspace migrate");
    expect((await foldspace(["migrate", temporaryFolder()])).stderr).toContain("FOLD_NOT_A_SPACE");
  });

  test("is an object on stdout where JSON is wanted", async () => {
    for (const args of [
      ["info"],
      ["tree"],
      ["log"],
      ["watch"],
      ["verify"],
      ["repair"],
      ["add", "--name", "x"],
      ["rm", "/a"],
      ["migrate"],
    ]) {
      const { code, stdout } = await foldspace([args[0]!, missing(), ...args.slice(1), "--json"]);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toEqual({
        error: { code: "FOLD_NOT_FOUND", message: expect.stringContaining("no folder"), path: expect.any(String) },
      });
    }
  });
});

describe("a bad space.json", () => {
  test.each([
    ["text", "hello"],
    ["nothing", ""],
    ["an array", "[]"],
    ["no id", "{}"],
    ["an id that leads elsewhere", '{"id":"../../etc"}'],
    ["an id that is no text", '{"id":7}'],
  ])("with %s keeps every command from opening the space, and verify from nothing", async (_name, text) => {
    const path = spaceWith({ "space-v1/space.json": text, [LOG_FILE]: "garbage\n" });
    for (const args of [...READING, ...EDITING].filter(([name]) => name !== "verify")) {
      const result = await foldspace(fill(args, path));
      expect(result).toMatchObject({ code: 1, stdout: "" });
      expect(result.stderr).toContain("FOLD_BAD_SPACE_FILE");
    }
    const { code, stdout } = await foldspace(["verify", path, "--json"]);
    expect(code).toBe(1);
    expect(jsonLines(stdout)).toMatchObject([
      { file: "space-v1/space.json", line: 1, code: "FOLD_BAD_SPACE_FILE", reason: expect.any(String) },
      { file: LOG_FILE, line: 1, code: "FOLD_BAD_LINE", reason: expect.any(String), treeId: SPACE_ID },
      { code: "FOLD_NO_ROOT" },
    ]);
  });

  test("that is missing is told apart from a folder without a space", async () => {
    const path = spaceWith();
    rmSync(join(path, "space-v1/space.json"));
    expect((await foldspace(["info", path])).stderr).toContain("FOLD_BAD_SPACE_FILE");
  });
});

describe("wrong usage", () => {
  test.each([
    [["nonsense"], "unknown command"],
    [["constructor"], "unknown command"],
    [["info"], "missing required argument"],
    [["info", "DIR", "--nonsense"], "unknown option"],
    [["info", "DIR", "too", "many"], "too many arguments"],
    [["export", "DIR"], "--format"],
    [["export", "DIR", "--format", "xml"], "json, markdown"],
    [["add", "DIR"], "--name"],
    [["add", "DIR", "--name", "x", "--property", "novalue"], "novalue"],
    [["set", "DIR", "/"], "nothing to do"],
    [["set", "DIR", "/", "novalue"], "novalue"],
    [["set", "DIR", "/", "=1"], "key=value"],
    [["tree", "DIR", "some", "--all"], "--all"],
  ])("%j exits with 2 and says why", async (args, reason) => {
    const path = spaceWith();
    const before = listing(path);
    const { code, stdout, stderr } = await foldspace(fill(args, path));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("foldspace: ");
    expect(stderr).toContain(reason);
    expect(listing(path)).toEqual(before);
  });

  test("without any argument shows the help and exits with 2; asking for it exits with 0", async () => {
    expect(await foldspace([])).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("Commands:") });
    for (const args of [["--help"], ["help"], ["--version"]])
      expect(await foldspace(args)).toMatchObject({ code: 0, stderr: "" });
  });

  test("is answered by the help of each command, with its options and an example", async () => {
    for (const name of [
      "init",
      "info",
      "tree",
      "export",
      "log",
      "watch",
      "add",
      "set",
      "move",
      "rm",
      "verify",
      "repair",
      "migrate",
    ]) {
      const { code, stdout } = await foldspace([name, "--help"]);
      expect(code).toBe(0);
      expect(stdout).toMatch(
        new RegExp(String.raw`^Usage: foldspace ${name} [\s\S]*Options:[\s\S]*Examples?:\n {2}\$ foldspace ${name} `),
      );
      expect((await foldspace(["help", name])).stdout).toBe(stdout);
    }
  });
});

describe("edits that cannot be made", () => {
  test.each([
    [["set", "DIR", "/nowhere", "a=1"], "FOLD_NO_VERTEX"],
    [["set", "DIR", "nosuchid", "a=1"], "FOLD_NO_VERTEX"],
    [["add", "DIR", "--name", "x", "--parent", "/nowhere"], "FOLD_NO_VERTEX"],
    [["add", "DIR", "--name", "x", "--tree", "no such tree"], "FOLD_NO_TREE"],
    [["tree", "DIR", "../../etc"], "FOLD_NO_TREE"],
    [["move", "DIR", "/a", "/a/b"], "FOLD_CYCLE"],
    [["move", "DIR", "/a", "/a"], "FOLD_CYCLE"],
    [["move", "DIR", "/", "/a"], "FOLD_BAD_OPERATION"],
    [["rm", "DIR", "/"], "FOLD_BAD_OPERATION"],
    [["set", "DIR", "/a", `deep=${"[".repeat(300)}${"]".repeat(300)}`], "FOLD_BAD_VALUE"],
    [["init", "DIR"], "FOLD_ALREADY_A_SPACE"],
  ])("%j gives %s and changes nothing", async (args, code) => {
    const path = spaceWith();
    await foldspace(["add", path, "--name", "a"]);
    await foldspace(["add", path, "--name", "b", "--parent", "/a"]);
    const before = listing(path);
    const result = await foldspace(fill(args, path));
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toContain(`(${code})`);
    expect(listing(path)).toEqual(before);
  });

  test("the beginning of an id that fits several vertices names them", async () => {
    const path = spaceWith({
      [LOG_FILE]: `["m",1,"${SPACE_ID}",null]\n["m",2,"abcd1","${SPACE_ID}"]\n["m",3,"abcd2","${SPACE_ID}"]\n`,
    });
    const { code, stdout } = await foldspace(["rm", path, "abcd", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "FOLD_NO_VERTEX", candidates: ["abcd1", "abcd2"] } });
  });

  test("what cannot be saved gives FOLD_NOT_DURABLE", async () => {
    const path = spaceWith();
    const before = listing(path);
    const result = await foldspace(["add", path, "--name", "x", "--json"], { fs: readOnlyFileSystem() });
    expect(result.code).toBe(1);
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code: "FOLD_NOT_DURABLE" } });
    expect(result.stderr).toContain("read-only");
    expect(listing(path)).toEqual(before);
  });

  test("a space cannot be made in a file, inside another space, or over an old one", async () => {
    expect((await foldspace(["init", join(spaceWith(), LOG_FILE)])).stderr).toContain("FOLD_NOT_A_FOLDER");
    expect((await foldspace(["init", join(spaceWith(), "space-v1")])).stderr).toContain("FOLD_ALREADY_A_SPACE");
    expect((await foldspace(["init", copyOfFixture("v0")])).stderr).toContain("FOLD_OLD_FORMAT");
    expect((await foldspace(["init", temporaryFolder()], { fs: new FailingFileSystem(1) })).stderr).toContain("FOLD_READ_ONLY");
  });
});

describe("reading", () => {
  test("writes nothing into the folder, even where nothing could be written", async () => {
    for (const path of [copyOfFixture("two-devices"), copyOfFixture("old-sync"), spaceWith({ [LOG_FILE]: "garbage" })]) {
      const before = listing(path);
      for (const args of READING) {
        const fs = readOnlyFileSystem();
        const { stderr } = await foldspace(fill(args, path), { fs, interrupted: Promise.resolve() });
        expect({ args, writes: fs.writes }).toEqual({ args, writes: 0 });
        expect(stderr).not.toContain("FOLD_READ_ONLY");
      }
      expect(listing(path)).toEqual(before);
    }
  });

  test("goes on around what is bad, and says where to find out more", async () => {
    const path = spaceWith({ [`space-v1/ops/01/${SPACE_ID.slice(2)}/2026/11/23/${PEER_ID}.jsonl`]: "garbage\n" });
    for (const args of READING.filter(([name]) => name !== "verify" && name !== "watch" && name !== "info")) {
      const { code, stdout, stderr } = await foldspace(fill(args, path));
      expect(code).toBe(0);
      expect(stdout).toContain("Space");
      expect(stderr).toBe(`foldspace: 1 problem in this folder, see: foldspace verify ${path}\n`);
    }
    expect((await foldspace(["info", path])).stdout).toMatch(/problems {2}1, see: foldspace verify/);
  });

  test("says that there is more in folders that cannot be looked into", async () => {
    const path = spaceWith({ [`space-v1/ops/ab/${"c".repeat(30)}/2026/11/22/${PEER_ID}.jsonl`]: "" });
    class Closed extends NodeFileSystem {
      override async scan(folder: string): Promise<ScanResult | undefined> {
        const found = await super.scan(folder);
        if (!folder.endsWith("/ops")) return found;
        const error = new FoldspaceError("FOLD_PERMISSION", "permission denied");
        return found && { files: found.files.filter((file) => !file.path.startsWith("ab")), unreadable: [{ path: "ab", error }] };
      }
    }
    const { code, stderr } = await foldspace(["export", path, "--format", "json"], { fs: new Closed({ io: "sync" }) });
    expect(code).toBe(0);
    expect(stderr).toContain("1 problem in this folder");
  });

  test("goes on around files that cannot be read", async () => {
    const bad = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.jsonl";
    const path = spaceWith({ [`space-v1/ops/01/${SPACE_ID.slice(2)}/2026/11/22/${bad}`]: "" });
    class Unreadable extends NodeFileSystem {
      override async read(...args: Parameters<NodeFileSystem["read"]>): Promise<Uint8Array | undefined> {
        if (args[0].endsWith(bad)) throw new FoldspaceError("FOLD_PERMISSION", "Cannot read: permission denied");
        return await super.read(...args);
      }
    }
    const fs = new Unreadable({ io: "sync" });
    expect(await foldspace(["tree", path], { fs })).toMatchObject({ code: 0, stdout: expect.stringContaining("Space") });
    const { code, stdout } = await foldspace(["verify", path, "--json"], { fs });
    expect(code).toBe(1);
    expect(jsonLines(stdout)).toMatchObject([
      { file: expect.stringContaining(bad), code: "FOLD_PERMISSION", reason: expect.any(String), treeId: SPACE_ID },
    ]);
  });

  test("does not follow a tree id out of the folder", async () => {
    const path = spaceWith();
    mkdirSync(join(path, "outside"));
    const { code, stderr } = await foldspace(["tree", path, "../../outside"]);
    expect(code).toBe(1);
    expect(stderr).toContain("FOLD_NO_TREE");
  });
});
