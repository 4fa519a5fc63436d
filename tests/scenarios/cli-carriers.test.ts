import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { GIT_ATTRIBUTES } from "../../src/log/index.ts";
import { foldspace, jsonLines, listing, SPACE_ID, spaceWith, temporaryFolder } from "./cli-harness.ts";

interface Result {
  readonly id: string;
  readonly carriers?: readonly {
    readonly name: string;
    readonly files: readonly { readonly path: string; readonly isNew: boolean; readonly added: readonly string[] }[];
    readonly advice: readonly { readonly text: string; readonly isNeeded: boolean }[];
  }[];
}

/** The options, each with the mark of its carrier, and the files that it writes. */
const OPTIONS: readonly (readonly [option: string, mark: string, files: readonly string[]])[] = [
  ["--git", ".git/HEAD", [".gitattributes", ".gitignore"]],
  ["--hg", ".hg/requires", [".hg/hgrc", ".hgignore"]],
  ["--jj", ".jj/repo", [".gitignore"]],
  ["--syncthing", ".stfolder/x", [".stignore"]],
  ["--rclone", "RCLONE_TEST", [".rclone-filters"]],
];

function put(path: string, files: Readonly<Record<string, string>>): void {
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), content);
  }
}

async function init(path: string, ...options: string[]): Promise<{ code: number; result: Result; stderr: string }> {
  const { code, stdout, stderr } = await foldspace(["init", path, ...options, "--json"]);
  return { code, stderr, result: (jsonLines(stdout) as unknown as Result[])[0]! };
}

describe.each(OPTIONS)("init %s", (option, mark, files) => {
  test("writes what doctor checks, into a new space and one that exists, once", async () => {
    const made = temporaryFolder();
    for (const path of [made, spaceWith()]) {
      put(path, { [mark]: "" });
      const { code, result } = await init(path, option);
      expect(code).toBe(0);
      expect(result.id).toBe(path === made ? result.id : SPACE_ID);
      expect(result.carriers?.[0]?.files.map((file) => [file.path, file.isNew])).toEqual(
        files.map((file) => [join(path, file), true]),
      );
      const { code: health, stdout } = await foldspace(["doctor", path]);
      expect(health).toBe(0);
      expect(stdout).not.toContain("lacks");

      const before = listing(path);
      const again = await init(path, option);
      expect(again.result.carriers?.[0]?.files.map(({ added }) => added)).toEqual(files.map(() => []));
      expect(listing(path)).toEqual(before);
    }
  });

  test("keeps what is in a file, with its line ends, and adds only what is missing", async () => {
    const [file] = files;
    const complete = temporaryFolder();
    put(complete, { [mark]: "" });
    await init(complete, option);
    const first = readFileSync(join(complete, file!), "utf8")
      .split("\n")
      .find((line) => !/^(?:#|\/\/|\[|$)/.test(line));
    const section = file === ".hg/hgrc" ? "[merge-patterns]\r\n" : "";
    const own = `${section}${first}\r\nown`;
    const path = spaceWith({ [mark]: "", [file!]: own });
    const { stderr } = await foldspace(["init", path, option]);
    const text = readFileSync(join(path, file!), "utf8");
    expect(text.startsWith(own)).toBe(true);
    expect(text.replaceAll("\r\n", "")).not.toContain("\n");
    expect(text.split(first!)).toHaveLength(2);
    expect(stderr).toContain(`Added to ${join(path, file!)}: "`);
    expect((await foldspace(["doctor", path])).stdout).not.toContain("lacks");
  });

  test("does not touch a link, nor a text that is not UTF-8", async () => {
    const [file] = files;
    const elsewhere = join(temporaryFolder(), "elsewhere");
    const linked = spaceWith({ [mark]: "" });
    symlinkSync(elsewhere, join(linked, file!));
    expect((await foldspace(["init", linked, option])).stderr).toContain(file);
    expect(existsSync(elsewhere)).toBe(false);
    writeFileSync(elsewhere, "own\n");
    expect((await foldspace(["init", linked, option])).code).toBe(1);
    expect(readFileSync(elsewhere, "utf8")).toBe("own\n");

    const utf16 = spaceWith({ [mark]: "" });
    writeFileSync(join(utf16, file!), "\uFEFFown\n", "utf16le");
    const { code, stderr } = await foldspace(["init", utf16, option]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("FOLD_BAD_UTF8") as string });
    expect(readFileSync(join(utf16, file!), "utf16le")).toBe("\uFEFFown\n");
  });
});

test("the attributes of Git are those of the format", async () => {
  const path = temporaryFolder();
  await foldspace(["init", path, "--git"]);
  expect(readFileSync(join(path, ".gitattributes"), "utf8")).toMatch(
    new RegExp(`^#.*\n${GIT_ATTRIBUTES.replaceAll(/[.*]/g, "\\$&")}$`),
  );
});

test("several carriers are set up at once, and a person reads what was done and what is left to do", async () => {
  const path = spaceWith({ ".gitattributes": "*.png binary\n" });
  const { code, stdout, stderr } = await foldspace(["init", path, "--git", "--syncthing"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: `${SPACE_ID}\n` });
  expect(stderr).toContain(`Added to ${join(path, ".gitattributes")}: "*.jsonl -text merge=union"`);
  expect(stderr).toContain(`Made ${join(path, ".stignore")}: `);
  expect(stderr).toContain("Syncthing: Keep maxConflicts above 0");
  expect((await foldspace(["init", path, "--git"])).stderr).toContain(`${join(path, ".gitattributes")} needs no change`);
});

test("files that a carrier reads only in its own folder are written there, and others into the space", async () => {
  const root = temporaryFolder();
  put(root, { ".hg/requires": "", ".stfolder/x": "", ".git/HEAD": "", ".gitignore": ".*.tmp\n" });
  const path = join(root, "notes/space");
  await foldspace(["init", path, "--hg", "--syncthing", "--git"]);
  for (const file of [".hg/hgrc", ".hgignore", ".stignore"]) expect(existsSync(join(root, file))).toBe(true);
  for (const file of [".hg", ".hgignore", ".stignore"]) expect(existsSync(join(path, file))).toBe(false);
  expect(existsSync(join(path, ".gitattributes"))).toBe(true);
  expect(readFileSync(join(path, ".gitignore"), "utf8")).not.toContain(".*.tmp");
  expect((await foldspace(["doctor", path])).stdout).not.toContain("lacks");
});

test("Mercurial is set up only if it has a repository, because `hg init` would refuse the folder otherwise", async () => {
  const path = temporaryFolder();
  const { code, result } = await init(path, "--hg");
  expect(code).toBe(1);
  expect(result.carriers?.[0]?.advice[0]).toMatchObject({ isNeeded: true });
  expect(existsSync(join(path, ".hg"))).toBe(false);
  expect(existsSync(join(path, "space-v1/space.json"))).toBe(true);
});

test("a later line of .gitattributes that undoes the settings is noticed, and followed by them", async () => {
  const path = spaceWith({ ".git/HEAD": "", ".gitattributes": `${GIT_ATTRIBUTES}*.jsonl merge=binary\n* !merge\n` });
  expect((await foldspace(["doctor", path])).code).toBe(1);
  await foldspace(["init", path, "--git"]);
  expect((await foldspace(["doctor", path])).code).toBe(0);
});

test("a name, or no carrier, needs a folder without a space", async () => {
  for (const options of [[], ["--name", "New", "--git"]]) {
    const path = spaceWith();
    const { code, stderr } = await foldspace(["init", path, ...options]);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining("FOLD_ALREADY_A_SPACE") as string });
    expect(existsSync(join(path, ".gitattributes"))).toBe(false);
  }
});
