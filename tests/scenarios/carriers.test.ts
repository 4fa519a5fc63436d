import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { FileSystemPersistenceLayer } from "../../src/index.ts";
import { sealPlainFile } from "../../src/secrets/plain-file.ts";
import { foldspace, jsonLines, LOG_FILE, PEER_ID, SPACE_ID, spaceWith } from "./cli-harness.ts";

const SECRETS = "space-v1/secrets";
const ROOT = `["m",1,"0",null]\n["m",2,"${SPACE_ID}",null]\n["p",3,"${SPACE_ID}","name","Space"]\n`;

/** Pointers as their programs write them. */
const POINTERS: readonly (readonly [program: string, command: string, pointer: string])[] = [
  ["git-annex", "git annex get", `/annex/objects/SHA256E-s60--${"2b".repeat(32)}\n`],
  ["git-annex with an extension", "git annex get", `/annex/objects/SHA256E-s24--${"4b".repeat(32)}.jsonl\n`],
  ["git-annex without a newline", "git annex get", `/annex/objects/WORM-s60-m1764528000--secrets`],
  ["Git LFS", "git lfs pull", `version https://git-lfs.github.com/spec/v1\noid sha256:${"2b".repeat(32)}\nsize 60\n`],
  [
    "Git LFS with line ends of Windows",
    "git lfs pull",
    `version https://git-lfs.github.com/spec/v1\r\noid sha256:${"2b".repeat(32)}\r\nsize 60\r\n`,
  ],
  [
    "Git LFS in a conflict",
    "git lfs pull",
    `version https://git-lfs.github.com/spec/v1\n<<<<<<< HEAD\noid sha256:${"2b".repeat(32)}\nsize 60\n=======\noid sha256:${"3c".repeat(32)}\nsize 64\n>>>>>>> theirs\n`,
  ],
];

async function problemsOf(path: string): Promise<Record<string, unknown>[]> {
  return jsonLines((await foldspace(["verify", path, "--json"])).stdout);
}

const read = (path: string, file: string): string => readFileSync(join(path, file), "utf8");

describe.each(POINTERS)("a pointer of %s", (_program, command, pointer) => {
  test("in the place of the secrets is not downloaded, and is not replaced", async () => {
    const path = spaceWith({ [SECRETS]: pointer });
    expect(await problemsOf(path)).toMatchObject([{ code: "FOLD_NOT_DOWNLOADED", file: SECRETS }]);
    expect((await problemsOf(path))[0]!["reason"]).toContain(command);
    const set = await foldspace(["secrets", "set", path, "key"], { stdin: "value" });
    expect(set.code).toBe(1);
    expect(set.stderr).toContain(command);
    expect(read(path, SECRETS)).toBe(pointer);
    const content = await sealPlainFile(SPACE_ID, new Map([["old", "kept"]]));
    writeFileSync(join(path, SECRETS), content);
    expect((await foldspace(["secrets", "set", path, "key"], { stdin: "value" })).code).toBe(0);
    expect((await foldspace(["secrets", "get", path, "old"])).stdout).toBe("kept\n");
  });

  test("in the place of a log is not downloaded, and stays as it is", async () => {
    const other = LOG_FILE.replace(PEER_ID, "b".repeat(32));
    const path = spaceWith({ [LOG_FILE]: ROOT, [other]: pointer });
    const [problem, ...others] = await problemsOf(path);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: "FOLD_NOT_DOWNLOADED", file: other });
    expect(problem!["reason"]).toContain(command);
    await foldspace(["repair", path, "--own", "b".repeat(32)]);
    expect(read(path, other)).toBe(pointer);
  });

  test("in the place of space.json is waited for", async () => {
    const path = spaceWith({ [LOG_FILE]: ROOT, "space-v1/space.json": pointer });
    const { code, stderr } = await foldspace(["tree", path]);
    expect(code).toBe(1);
    expect(stderr).toContain(command);
    expect(stderr).toContain("FOLD_NOT_DOWNLOADED");
    await foldspace(["repair", path]);
    expect(read(path, "space-v1/space.json")).toBe(pointer);
    expect(await problemsOf(path)).toMatchObject([{ code: "FOLD_NOT_DOWNLOADED", file: "space-v1/space.json" }]);
  });
});

describe("a conflict in the secrets", () => {
  const seal = (secrets: Record<string, string>): Promise<string> => sealPlainFile(SPACE_ID, new Map(Object.entries(secrets)));

  /** Versions with every length of the padding. */
  const CASES = ["x", "xx", "xxx"].map((padding) => ({
    base: { kept: "same", gone: "deleted by theirs", both: `base${padding}` },
    ours: { kept: "same", gone: "deleted by theirs", both: `ours${padding}`, mine: "new" },
    theirs: { kept: "same", both: "base", theirs: `new${padding}` },
  }));

  const PROGRAMS: readonly (readonly [
    program: string,
    hasAncestor: boolean,
    (base: string, ours: string, theirs: string) => string,
  ])[] = [
    ["Git", false, (_, ours, theirs) => `<<<<<<< HEAD\n${ours}\n=======\n${theirs}\n>>>>>>> 3f2a91c\n`],
    [
      "Git with the base",
      true,
      (base, ours, theirs) => `<<<<<<< HEAD\n${ours}\n||||||| 7cd21f4\n${base}\n=======\n${theirs}\n>>>>>>> x\n`,
    ],
    ["Git's union", false, (_, ours, theirs) => `${ours}\n${theirs}`],
    ["Mercurial", false, (_, ours, theirs) => `<<<<<<< working copy\n${ours}=======\n${theirs}>>>>>>> merge rev\n`],
    [
      "Mercurial with the base",
      true,
      (base, ours, theirs) =>
        `<<<<<<< working copy\n${ours}||||||| common ancestor\n${base}=======\n${theirs}>>>>>>> merge rev\n`,
    ],
    [
      "Mercurial with a list of changes",
      true,
      (base, ours, theirs) =>
        `<<<<<<<\n------- common ancestor\n+++++++ working copy\n-${base}+${ours}======= merge rev\n${theirs}>>>>>>>\n`,
    ],
    [
      "Fossil",
      true,
      (base, ours, theirs) =>
        `<<<<<<< BEGIN MERGE CONFLICT: local copy shown first <<<<<<<<<<<< (line 1)\n${ours}\n||||||| COMMON ANCESTOR content follows ||||||||||||||||||||||||| (line 1)\n${base}\n======= MERGED IN content follows =============================== (line 1)\n${theirs}\n>>>>>>> END MERGE CONFLICT >>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>>\n`,
    ],
    ["Subversion", true, (base, ours, theirs) => `<<<<<<< .mine\n${ours}||||||| .r1\n${base}=======\n${theirs}>>>>>>> .r2\n`],
    [
      "jj",
      true,
      (base, ours, theirs) =>
        `<<<<<<< conflict 1 of 1\n%%%%%%% diff from: base (no terminating newline)\n\\\\\\\\\\\\\\        to: ours\n-${base}\n+${ours}\n+++++++ theirs\n${theirs}\n>>>>>>> conflict 1 of 1 ends\n`,
    ],
    [
      "jj with snapshots",
      true,
      (base, ours, theirs) =>
        `<<<<<<< conflict 1 of 1\n+++++++ ours\n${ours}\n------- base\n${base}\n+++++++ theirs\n${theirs}\n>>>>>>> conflict 1 of 1 ends\n`,
    ],
  ];

  test.each(PROGRAMS)("of %s hides no secret, and the next save resolves it", async (program, hasAncestor, write) => {
    for (const { base, ours, theirs } of CASES) {
      const conflict = write(await seal(base), await seal(ours), await seal(theirs));
      const path = spaceWith({ [SECRETS]: conflict });
      expect(await problemsOf(path)).toMatchObject([{ code: "FOLD_MERGE_MARKER", file: SECRETS }]);
      const { stdout } = await foldspace(["secrets", "list", path]);
      const names = ["both", ...(hasAncestor ? [] : ["gone"]), "kept", "mine", "theirs"];
      expect(stdout.trim().split("\n"), program).toEqual(names);
      expect((await foldspace(["secrets", "set", path, "later"], { stdin: "value" })).code).toBe(0);
      expect((await foldspace(["secrets", "get", path, "both"])).stdout).toBe(`${ours.both}\n`);
      expect((await foldspace(["secrets", "list", path])).stdout.trim().split("\n").sort()).toEqual([...names, "later"].sort());
      expect(await problemsOf(path)).toEqual([]);
      // the conflict is kept, and nothing reads it again
      const kept = readdirSync(join(path, "space-v1")).filter((name) => name.startsWith("secrets.folded-"));
      expect(kept.map((name) => read(path, `space-v1/${name}`))).toEqual([conflict]);
    }
  });

  test.each([
    ["with markers", true],
    ["as a binary file", false],
  ])("of Subversion %s does not bring a deleted secret back from the ancestor beside it", async (_name, hasMarkers) => {
    const { base, ours, theirs } = CASES[0]!;
    const [sealedBase, sealedOurs, sealedTheirs] = [await seal(base), await seal(ours), await seal(theirs)];
    const path = spaceWith({
      [SECRETS]: hasMarkers ? `<<<<<<< .mine\n${sealedOurs}=======\n${sealedTheirs}>>>>>>> .r12\n` : sealedOurs,
      "space-v1/secrets.r9": sealedBase,
      "space-v1/secrets.r12": sealedTheirs,
      ...(hasMarkers && { "space-v1/secrets.mine": sealedOurs }),
    });
    expect((await foldspace(["secrets", "set", path, "later"], { stdin: "value" })).code).toBe(0);
    const { stdout } = await foldspace(["secrets", "list", path]);
    expect(stdout.trim().split("\n").sort()).toEqual(["both", "kept", "later", "mine", "theirs"]);
    expect(await problemsOf(path)).toEqual([]);
  });

  test("in which nothing decrypts is kept, as before", async () => {
    const path = spaceWith({ [SECRETS]: "<<<<<<< HEAD\nnothing\n=======\nat all\n>>>>>>> x\n" });
    expect(await problemsOf(path)).toMatchObject([{ code: "FOLD_SECRETS_BROKEN" }]);
  });
});

describe.skipIf(process.platform === "win32")("a link that git-annex put in the place of", () => {
  /** Locks a file as git-annex does. @returns the path of its contents */
  function lock(path: string, file: string, isFetched: boolean): string {
    const object = join(path, ".git/annex/objects/xW/zX", "SHA256E-s24--4b", "SHA256E-s24--4b");
    mkdirSync(join(object, ".."), { recursive: true });
    const contents = readFileSync(join(path, file));
    unlinkSync(join(path, file));
    if (isFetched) writeFileSync(object, contents);
    symlinkSync(join("../".repeat(file.split("/").length - 1), object.slice(path.length + 1)), join(path, file));
    return object;
  }

  test.each([true, false])("a log is named with the command that makes it a file (contents fetched: %s)", async (isFetched) => {
    const other = LOG_FILE.replace(PEER_ID, "b".repeat(32));
    const path = spaceWith({ [LOG_FILE]: ROOT, [other]: `["p",9,"${SPACE_ID}","color","red"]\n` });
    lock(path, other, isFetched);
    const { stdout } = await foldspace(["verify", path]);
    expect(stdout).toContain("git annex unlock");
    expect(stdout).toContain("FOLD_LINKED_FILE");
    expect(stdout).toContain("missing here");
    expect(stdout).not.toMatch(/You can delete/);
    await foldspace(["repair", path]);
    expect(readdirSync(join(path, other, ".."))).toContain("b".repeat(32) + ".jsonl");
    expect(existsSync(join(path, "space-v1/lost+found"))).toBe(false);
  });

  test.each([true, false])("the log of a writer lets it continue in another file (contents fetched: %s)", async (isFetched) => {
    const path = spaceWith({ [LOG_FILE]: ROOT });
    const own = LOG_FILE.replace(/\d{4}\/\d\d\/\d\d/, new Date().toISOString().slice(0, 10).replaceAll("-", "/"));
    for (const isKnown of [true, false]) {
      const layer = new FileSystemPersistenceLayer(path, SPACE_ID);
      await layer.connect({ peerId: PEER_ID });
      const save = async (counter: number): Promise<void> => {
        const id = { counter, peerId: PEER_ID };
        const op = { id, targetId: SPACE_ID, key: "color", value: counter, transient: false };
        await Promise.all([layer.saveTreeOps(SPACE_ID, [op]), layer.flush()]);
      };
      if (isKnown) {
        await save(10);
        lock(path, own, isFetched);
      }
      await save(isKnown ? 11 : 12);
      await layer.disconnect();
    }
    expect(lstatSync(join(path, own)).isSymbolicLink()).toBe(true);
    const others = readdirSync(dirname(join(path, own))).filter((name) => !own.endsWith(name));
    const written = others.map((name) => read(path, join(dirname(own), name))).join("");
    expect(written.match(/"color",\d+/g)?.sort()).toEqual(['"color",11', '"color",12']);
  });

  test("space.json is named with the command, and verify examines the rest", async () => {
    const path = spaceWith({ [LOG_FILE]: `${ROOT}broken\n` });
    lock(path, "space-v1/space.json", true);
    const { code, stderr } = await foldspace(["tree", path]);
    expect(code).toBe(1);
    expect(stderr).toContain("git annex unlock");
    expect((await problemsOf(path)).map((problem) => problem["code"])).toEqual(["FOLD_LINKED_FILE", "FOLD_BAD_LINE"]);
  });

  test("the secrets is named with the command, and is not replaced", async () => {
    const path = spaceWith({ [SECRETS]: await sealPlainFile(SPACE_ID, new Map([["old", "kept"]])) });
    const object = lock(path, SECRETS, true);
    const before = readFileSync(object, "utf8");
    const { code, stderr } = await foldspace(["secrets", "set", path, "key"], { stdin: "value" });
    expect(code).toBe(1);
    expect(stderr).toContain("git annex unlock");
    expect(readFileSync(object, "utf8")).toBe(before);
  });
});
