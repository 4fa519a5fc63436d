import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { sealPlainFile } from "../../src/secrets/plain-file.ts";
import { foldspace, jsonLines, LOG_FILE, SPACE_ID } from "../scenarios/cli-harness.ts";
import { describeWith } from "./programs.ts";
import { run, runWell, type Program } from "./run.ts";

vi.setConfig({ testTimeout: 120_000 });

const SECRETS = "space-v1/secrets";
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n["p",3,"${SPACE_ID}","name","Space"]`;
const set = (counter: number, key: string): string => `["p",${counter},"${SPACE_ID}","${key}","value"]`;
const WHO = { HGUSER: "a device", USER: "device", FOSSIL_USER: "device", GIT_CONFIG_NOSYSTEM: "1" };
const WHO_GIT = ["-c", "user.name=a device", "-c", "user.email=device@example.org", "-c", "init.defaultBranch=main"];

/** What two devices have made of one space, and the version that both started from. */
interface Versions {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}

class Site {
  readonly root: string = mkdtempSync(join(tmpdir(), "foldspace-version-control-"));

  constructor() {
    onTestFinished(() => rmSync(this.root, { recursive: true, force: true }));
  }

  at(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  async do(program: Program, cwd: string, ...args: readonly string[]): Promise<string> {
    return await runWell(program, args, { home: this.root, cwd, variables: WHO });
  }

  /** Runs a program that may end with a conflict. */
  async try(program: Program, cwd: string, ...args: readonly string[]): Promise<void> {
    await run(program, args, { home: this.root, cwd, variables: WHO });
  }

  async git(cwd: string, ...args: readonly string[]): Promise<string> {
    return await this.do("git", cwd, ...WHO_GIT, ...args);
  }
}

/** Puts the files of a version into a folder. No file ends with a newline, as after an interrupted write. */
async function put(folder: string, version: keyof Versions): Promise<void> {
  const logs: Versions = { base: ROOT, ours: `${ROOT}\n${set(4, "ours")}`, theirs: `${ROOT}\n${set(5, "theirs")}` };
  const secrets: Record<keyof Versions, Record<string, string>> = {
    base: { gone: "deleted by theirs", kept: "same" },
    ours: { gone: "deleted by theirs", kept: "same", ours: "new" },
    theirs: { kept: "same", theirs: "new" },
  };
  const files = {
    "space-v1/space.json": JSON.stringify({ id: SPACE_ID }),
    [LOG_FILE]: logs[version],
    [SECRETS]: await sealPlainFile(SPACE_ID, new Map(Object.entries(secrets[version]))),
  };
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    writeFileSync(join(folder, file), content);
  }
}

async function problemsOf(folder: string): Promise<{ code: string; file: string; reason: string }[]> {
  return jsonLines((await foldspace(["verify", folder, "--json"])).stdout) as { code: string; file: string; reason: string }[];
}

/** Holds that a folder with a conflict shows the contents of both sides, and that saving resolves that of the secrets. */
async function holdBoth(folder: string, tool: string, { knowsAncestor }: { knowsAncestor: boolean }): Promise<void> {
  const problems = await problemsOf(folder);
  const ofLog = problems.filter(({ file }) => file === LOG_FILE);
  expect(ofLog.length).toBeGreaterThan(0);
  for (const { code } of ofLog) expect(code).toBe("FOLD_MERGE_MARKER");
  expect(ofLog.map(({ reason }) => reason).join("\n")).toContain(tool);
  const codes = new Set(problems.map(({ code }) => code));
  codes.delete("FOLD_CONFLICT_COPY");
  expect([...codes]).toEqual(["FOLD_MERGE_MARKER"]);
  const exported = JSON.parse((await foldspace(["export", folder, "--format", "json"])).stdout) as {
    trees: Record<string, { opCount: number }>;
  };
  expect(exported.trees[SPACE_ID]!.opCount).toBe(5);
  const names = [...(knowsAncestor ? [] : ["gone"]), "kept", "later", "ours", "theirs"];
  expect((await foldspace(["secrets", "set", folder, "later"], { stdin: "value" })).code).toBe(0);
  expect((await foldspace(["secrets", "list", folder])).stdout.trim().split("\n").sort()).toEqual(names);
  expect((await problemsOf(folder)).filter(({ file }) => file.startsWith(SECRETS))).toEqual([]);
  await foldspace(["repair", folder]);
  expect((await problemsOf(folder)).map(({ code }) => code)).not.toContain("FOLD_CONFLICT_COPY");
}

describeWith("git", "Git without attributes", () => {
  test.each([
    ["merge", false],
    ["diff3", true],
  ])("leaves a conflict in the style %s, of which both sides are read", async (style, knowsAncestor) => {
    const site = new Site();
    const folder = site.at("one");
    mkdirSync(folder);
    await site.git(folder, "init", "--quiet");
    const commit = async (version: keyof Versions): Promise<void> => {
      await put(folder, version);
      await site.git(folder, "add", "--all");
      await site.git(folder, "commit", "--quiet", `--message=${version}`);
    };
    await commit("base");
    await site.git(folder, "checkout", "--quiet", "-b", "theirs");
    await commit("theirs");
    await site.git(folder, "checkout", "--quiet", "main");
    await commit("ours");
    await site.try("git", folder, ...WHO_GIT, "-c", `merge.conflictStyle=${style}`, "merge", "theirs");
    await holdBoth(folder, "Git", { knowsAncestor });
  });
});

describeWith("hg", "Mercurial", () => {
  test.each([
    [":merge", false],
    [":merge3", true],
    [":mergediff", true],
  ])("leaves a conflict with %s, of which both sides are read", async (tool, knowsAncestor) => {
    const site = new Site();
    const folder = site.at("one");
    await site.do("hg", site.root, "init", folder);
    const commit = async (version: keyof Versions): Promise<void> => {
      await put(folder, version);
      await site.do("hg", folder, "commit", "--quiet", "--addremove", "--message", version);
    };
    await commit("base");
    await commit("theirs");
    await site.do("hg", folder, "update", "--quiet", "0");
    await commit("ours");
    await site.try("hg", folder, "merge", "--tool", tool, "1");
    await holdBoth(folder, "Mercurial", { knowsAncestor });
  });

  test("joins logs by itself, keeps the ancestor of secrets, and commits no temporary file, as `foldspace init` sets it up", async () => {
    const site = new Site();
    const folder = site.at("one");
    await site.do("hg", site.root, "init", folder);
    const commit = async (version: keyof Versions): Promise<void> => {
      await put(folder, version);
      writeFileSync(join(folder, "space-v1/.0123.tmp"), "");
      await site.do("hg", folder, "commit", "--quiet", "--addremove", "--message", version);
    };
    await put(folder, "base");
    expect((await foldspace(["init", folder, "--hg"])).code).toBe(0);
    expect((await foldspace(["doctor", folder])).code).toBe(0);
    await commit("base");
    await commit("theirs");
    await site.do("hg", folder, "update", "--quiet", "0");
    await commit("ours");
    await site.try("hg", folder, "merge", "1");
    expect(await site.do("hg", folder, "files")).not.toContain(".tmp");
    const withMarkers = (await problemsOf(folder)).filter(({ code }) => code === "FOLD_MERGE_MARKER");
    expect(withMarkers.map(({ file }) => file)).toEqual([SECRETS]);
    expect(readFileSync(join(folder, LOG_FILE), "utf8")).toContain('"ours"');
    expect(readFileSync(join(folder, LOG_FILE), "utf8")).toContain('"theirs"');
    expect((await foldspace(["secrets", "list", folder])).stdout.trim().split("\n").sort()).toEqual(["kept", "ours", "theirs"]);
  });
});

/** A file of another device in a folder whose files were packed. */
const LATE_FILE = `${dirname(dirname(dirname(dirname(LOG_FILE))))}/2026/06/01/${"d".repeat(32)}.jsonl`;

/** Puts logs of two days of June into a folder, which may be packed. */
async function putOldLogs(folder: string): Promise<void> {
  await put(folder, "base");
  for (const day of ["01", "02"]) {
    const file = join(folder, LATE_FILE, "../..", day, `${"c".repeat(32)}.jsonl`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, [1, 2, 3, 4, 5].map((number) => `${set(Number(day) * 100 + number, `key-${day}-${number}`)}\n`).join(""));
  }
}

/** Packs, as one device does while another one, which was away, has written an old day's file. */
async function pack(folder: string): Promise<void> {
  expect((await foldspace(["pack", folder])).code).toBe(0);
  expect(readdirSync(join(folder, "space-v1"))).toContain("lost+found");
}

function writeLate(folder: string): void {
  mkdirSync(join(folder, LATE_FILE, ".."), { recursive: true });
  writeFileSync(join(folder, LATE_FILE), `${set(900, "late")}\n`);
}

async function holdLate(folder: string): Promise<void> {
  expect((await foldspace(["log", folder])).stdout).toContain("late");
  expect((await problemsOf(folder)).map(({ code }) => code)).not.toContain("FOLD_ONLY_IN_LOST_FOUND");
}

describeWith("git", "Git, as `foldspace init` sets it up", () => {
  test.each([true, false])(
    "shows a late file of a folder that another device has packed (folders renamed: %s)",
    async (moves) => {
      const site = new Site();
      const folder = site.at("one");
      await putOldLogs(folder);
      await foldspace(["init", folder, "--git"]);
      await site.git(folder, "init", "--quiet");
      const commit = async (message: string): Promise<void> => {
        await site.git(folder, "add", "--all");
        await site.git(folder, "commit", "--quiet", `--message=${message}`);
      };
      await commit("base");
      await site.git(folder, "checkout", "--quiet", "-b", "late");
      writeLate(folder);
      await commit("late");
      await site.git(folder, "checkout", "--quiet", "main");
      await pack(folder);
      await commit("packed");
      const merge = ["-c", `merge.directoryRenames=${moves}`, "merge", "--quiet", "--message=merged", "late"];
      await site.git(folder, ...merge);
      expect(existsSync(join(folder, LATE_FILE))).toBe(!moves);
      await holdLate(folder);
    },
  );
});

describeWith("hg", "Mercurial, as `foldspace init` sets it up", () => {
  test("shows a late file of a folder that another device has packed", async () => {
    const site = new Site();
    const folder = site.at("one");
    await site.do("hg", site.root, "init", folder);
    await putOldLogs(folder);
    await foldspace(["init", folder, "--hg"]);
    const commit = async (message: string): Promise<void> => {
      await site.do("hg", folder, "addremove", "--quiet");
      await site.do("hg", folder, "commit", "--quiet", "--message", message);
    };
    await commit("base");
    writeLate(folder);
    await commit("late");
    await site.do("hg", folder, "update", "--quiet", "0");
    await pack(folder);
    await commit("packed");
    await site.do("hg", folder, "merge", "--quiet", "1");
    await holdLate(folder);
  });
});

describeWith("fossil", "Fossil", () => {
  test("leaves a conflict of which both sides are read", async () => {
    const site = new Site();
    const folder = site.at("one");
    mkdirSync(folder);
    await site.do("fossil", site.root, "init", "space.fossil");
    await site.do("fossil", folder, "open", "--force", site.at("space.fossil"));
    const commit = async (version: keyof Versions, ...more: readonly string[]): Promise<void> => {
      await put(folder, version);
      await site.do("fossil", folder, "addremove", "--dotfiles");
      await site.do("fossil", folder, "commit", "--no-warnings", "--comment", version, ...more);
    };
    await commit("base");
    await commit("theirs", "--branch", "theirs");
    await site.do("fossil", folder, "update", "trunk");
    await commit("ours");
    await site.try("fossil", folder, "merge", "theirs");
    await holdBoth(folder, "Fossil", { knowsAncestor: true });
  });
});

describeWith("svn", "Subversion", () => {
  test.each([
    ["of text", false],
    ["of binary files", true],
  ])("leaves a conflict %s, of which both sides are read", async (_name, isBinary) => {
    const site = new Site();
    const [one, two] = [site.at("one"), site.at("two")];
    await site.do("svnadmin", site.root, "create", "repository");
    const url = `file://${site.at("repository")}`;
    await site.do("svn", site.root, "checkout", "--quiet", url, one);
    await put(one, "base");
    await site.do("svn", one, "add", "--quiet", "space-v1");
    if (isBinary) await site.do("svn", one, "propset", "--quiet", "svn:mime-type", "application/octet-stream", SECRETS);
    await site.do("svn", one, "commit", "--quiet", "--message", "base");
    await site.do("svn", site.root, "checkout", "--quiet", url, two);
    await put(one, "theirs");
    await site.do("svn", one, "commit", "--quiet", "--message", "theirs");
    await put(two, "ours");
    await site.do("svn", two, "update", "--quiet", "--non-interactive");
    const names = readdirSync(join(two, "space-v1")).filter((name) => name.startsWith("secrets"));
    expect(names).toEqual(["secrets", ...(isBinary ? [] : ["secrets.mine"]), "secrets.r1", "secrets.r2"]);
    await holdBoth(two, "Subversion", { knowsAncestor: true });
  });
});

describeWith("git-annex", "git-annex", () => {
  /** A space on a device, and a clone of it, as git-annex adds and clones files by default. */
  async function annex(): Promise<{ site: Site; one: string; two: string }> {
    const site = new Site();
    const [one, two] = [site.at("one"), site.at("two")];
    await put(one, "base");
    await site.git(one, "init", "--quiet");
    const identity = ["config", "--global"];
    await site.git(one, ...identity, "user.name", "a device");
    await site.git(one, ...identity, "user.email", "device@example.org");
    await site.do("git-annex", one, "init", "one");
    await site.do("git-annex", one, "add", ".");
    await site.git(one, "commit", "--quiet", "--message=base");
    await site.git(site.root, "clone", "--quiet", one, two);
    await site.do("git-annex", two, "init", "two");
    // its objects are write-protected
    onTestFinished(async () => {
      for (const folder of [one, two]) await site.try("git-annex", folder, "uninit");
    });
    return { site, one, two };
  }

  test("makes links of files, which are named with the command that makes them files again", async () => {
    const { site, one } = await annex();
    expect(lstatSync(join(one, LOG_FILE)).isSymbolicLink()).toBe(true);
    const problems = await problemsOf(one);
    expect(problems.map(({ code }) => code)).toContain("FOLD_LINKED_FILE");
    for (const { reason } of problems.filter(({ code }) => code === "FOLD_LINKED_FILE"))
      expect(reason).toContain("git annex unlock");
    expect((await foldspace(["tree", one])).stderr).toContain("git annex unlock");
    await site.do("git-annex", one, "unlock", ".");
    expect(await problemsOf(one)).toEqual([]);
  });

  test("leaves pointers, which are named with the command that fetches them, and are not replaced", async () => {
    const { site, two } = await annex();
    await site.do("git-annex", two, "adjust", "--unlock");
    expect((await foldspace(["tree", two])).stderr).toContain("git annex get");
    await site.do("git-annex", two, "get", "space-v1/space.json");
    const problems = await problemsOf(two);
    expect(
      problems
        .filter(({ code }) => code !== "FOLD_NO_ROOT")
        .map(({ file }) => file)
        .sort(),
    ).toEqual([LOG_FILE, SECRETS].sort());
    for (const { code, reason } of problems.filter(({ code: each }) => each !== "FOLD_NO_ROOT")) {
      expect(code).toBe("FOLD_NOT_DOWNLOADED");
      expect(reason).toContain("git annex get");
    }
    const pointer = readFileSync(join(two, SECRETS), "utf8");
    expect((await foldspace(["secrets", "set", two, "later"], { stdin: "value" })).code).toBe(1);
    expect(readFileSync(join(two, SECRETS), "utf8")).toBe(pointer);
    await site.do("git-annex", two, "get", ".");
    expect(await problemsOf(two)).toEqual([]);
    expect((await foldspace(["secrets", "get", two, "kept"])).stdout).toBe("same\n");
  });

  test("keeps both versions of a log under names that are copies", async () => {
    const { site, one, two } = await annex();
    for (const folder of [one, two]) await site.do("git-annex", folder, "adjust", "--unlock");
    await site.do("git-annex", two, "get", ".");
    await put(one, "ours");
    await put(two, "theirs");
    for (const folder of [two, one, two]) await site.do("git-annex", folder, "sync", "--content", "--message", "sync");
    const names = readdirSync(join(two, LOG_FILE, ".."));
    expect(names.every((name) => /^a{32}\.variant-[0-9a-f]+\.jsonl$/.test(name))).toBe(true);
    const problems = await problemsOf(two);
    expect(problems.filter(({ file }) => file.endsWith(".jsonl")).map(({ code }) => code)).toEqual(
      names.map(() => "FOLD_CONFLICT_COPY"),
    );
    await foldspace(["repair", two]);
    expect((await problemsOf(two)).filter(({ file }) => file.endsWith(".jsonl"))).toEqual([]);
    const { stdout } = await foldspace(["export", two, "--format", "json"]);
    expect((JSON.parse(stdout) as { trees: Record<string, { opCount: number }> }).trees[SPACE_ID]!.opCount).toBe(5);
  });
});

describeWith("git-lfs", "Git LFS", () => {
  test("leaves pointers, which are named with the command that fetches them, and are not replaced", async () => {
    const site = new Site();
    const [one, two] = [site.at("one"), site.at("two")];
    await put(one, "base");
    await site.git(one, "init", "--quiet");
    await site.do("git-lfs", one, "install", "--local");
    writeFileSync(
      join(one, ".gitattributes"),
      "*.jsonl filter=lfs diff=lfs merge=lfs -text\nsecrets filter=lfs diff=lfs merge=lfs -text\n",
    );
    await site.git(one, "add", "--all");
    await site.git(one, "commit", "--quiet", "--message=base");
    await site.git(site.root, "clone", "--quiet", one, two);
    const problems = (await problemsOf(two)).filter(({ code }) => code !== "FOLD_NO_ROOT");
    expect(problems.map(({ code, file }) => `${code} ${file}`).sort()).toEqual(
      [LOG_FILE, SECRETS].map((file) => `FOLD_NOT_DOWNLOADED ${file}`).sort(),
    );
    for (const { reason } of problems) expect(reason).toContain("git lfs pull");
    const pointer = readFileSync(join(two, SECRETS), "utf8");
    expect((await foldspace(["secrets", "set", two, "later"], { stdin: "value" })).code).toBe(1);
    expect(readFileSync(join(two, SECRETS), "utf8")).toBe(pointer);
    await site.do("git-lfs", two, "install", "--local");
    await site.do("git-lfs", two, "pull");
    expect(await problemsOf(two)).toEqual([]);
    expect((await foldspace(["secrets", "get", two, "kept"])).stdout).toBe("same\n");
  });

  test("leaves one text of two pointers where Git joins logs, which is named and not appended to", async () => {
    const site = new Site();
    const one = site.at("one");
    await site.git(site.root, "init", "--quiet", one);
    await site.do("git-lfs", one, "install", "--local");
    writeFileSync(join(one, ".gitattributes"), "*.jsonl filter=lfs diff=lfs merge=lfs -text\n*.jsonl -text merge=union\n");
    const commit = async (version: keyof Versions): Promise<void> => {
      await put(one, version);
      await site.git(one, "add", ".gitattributes", LOG_FILE);
      await site.git(one, "commit", "--quiet", `--message=${version}`);
    };
    await commit("base");
    await site.git(one, "checkout", "--quiet", "-b", "theirs");
    await commit("theirs");
    await site.git(one, "checkout", "--quiet", "main");
    await commit("ours");
    await site.git(one, "merge", "--quiet", "--message=merged", "theirs");
    expect(readFileSync(join(one, LOG_FILE), "utf8").match(/^oid /gm)).toHaveLength(2);
    const ofLog = (await problemsOf(one)).filter(({ file }) => file === LOG_FILE);
    expect(ofLog.map(({ code }) => code)).toEqual(["FOLD_NOT_DOWNLOADED"]);
  });
});
