import { mkdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeMount, findMount } from "../../src/cli/doctor/file-systems.ts";
import { foldspace, jsonLines, listing, spaceWith, temporaryFolder } from "./cli-harness.ts";

interface Finding {
  readonly name: string;
  readonly mark: string;
  readonly advice: readonly { readonly text: string; readonly isNeeded: boolean }[];
}

function put(path: string, files: Readonly<Record<string, string>>): void {
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, file)), { recursive: true });
    writeFileSync(join(path, file), content);
  }
}

/** The finding about a carrier, and the exit code. */
async function diagnose(path: string, name: string): Promise<{ finding: Finding | undefined; needed: string[]; code: number }> {
  const { code, stdout } = await foldspace(["doctor", path, "--json"]);
  const finding = (jsonLines(stdout) as unknown as Finding[]).find((each) => each.name === name);
  return { finding, needed: (finding?.advice ?? []).flatMap(({ text, isNeeded }) => (isNeeded ? [text] : [])), code };
}

test.each([
  ["Syncthing", ".stfolder/x"],
  ["Git", ".git/HEAD"],
  ["git-annex", ".git/annex/index"],
  ["jj", ".jj/repo"],
  ["Mercurial", ".hg/requires"],
  ["Subversion", ".svn/wc.db"],
  ["Fossil", ".fslckout"],
  ["Fossil", "_FOSSIL_"],
  ["Unison", ".unison.secrets.9f86d081.unison.tmp"],
  ["rclone bisync", "RCLONE_TEST"],
  ["Mutagen", "mutagen.yml"],
  ["Dropbox", ".dropbox.cache/x"],
  ["Nextcloud or ownCloud", ".sync_7d3f0b1a2c4e.db"],
  ["iCloud Drive", ".notes.md.icloud"],
  ["Google Drive", ".tmp.driveupload/x"],
  ["Resilio Sync", ".sync/ID"],
])("%s is recognised by %s, in the folder and above it, and nothing is written", async (name, mark) => {
  for (const above of [0, 1, 2]) {
    const root = spaceWith();
    const path = above === 0 ? root : join(root, ...["a", "b"].slice(0, above));
    put(path, { "space-v1/space.json": '{"id":"0123456789abcdef0123456789abcdef"}' });
    put(root, { [mark]: "" });
    const before = listing(root);
    const { finding } = await diagnose(path, name);
    expect(finding?.mark).toBe(join(root, mark.split("/x")[0]!.replace(/\/(HEAD|index|repo|requires|wc\.db|ID)$/, "")));
    expect(finding?.mark.startsWith(root)).toBe(true);
    expect(listing(root)).toEqual(before);
  }
});

describe("settings that can be seen are checked:", () => {
  test("the attributes of Git", async () => {
    const path = spaceWith({ ".git/HEAD": "ref: refs/heads/main\n" });
    const { needed, code } = await diagnose(path, "Git");
    expect(needed.join("\n")).toContain("*.jsonl -text merge=union");
    expect(needed.join("\n")).toContain("secrets* -text -merge");
    expect(code).toBe(1);
    put(path, { ".gitattributes": "*.jsonl -text merge=union\r\nsecrets* -text -merge\r\n" });
    expect((await diagnose(path, "Git")).needed.join()).toContain('lacks "space-v1/lost+found/"');
    put(path, { ".gitignore": "space-v1/lost+found/\r\n" });
    expect(await diagnose(path, "Git")).toMatchObject({ needed: [], code: 0 });
  });

  test("files of the space under Git LFS", async () => {
    const lfs = "*.jsonl filter=lfs diff=lfs merge=lfs -text\n*.jsonl -text merge=union\nsecrets* -text -merge\n";
    const path = spaceWith({ ".git/HEAD": "", ".gitattributes": lfs, ".gitignore": "space-v1/lost+found/\n" });
    const { needed } = await diagnose(path, "Git");
    expect(needed).toHaveLength(1);
    expect(needed[0]).toContain("git lfs track");
  });

  test("git-annex that adds links, also if space.json is one", async () => {
    const path = spaceWith({ ".git/annex/index": "", ".git/config": "[annex]\n\tuuid = 1\n" });
    unlinkSync(join(path, "space-v1/space.json"));
    symlinkSync("../.git/annex/objects/x", join(path, "space-v1/space.json"));
    expect((await diagnose(path, "git-annex")).needed.join()).toContain("annex.addunlocked");
    put(path, { ".git/config": "[annex]\n\tuuid = 1\n\taddunlocked = true\n" });
    expect((await diagnose(path, "git-annex")).needed).toEqual([]);
  });

  test("logs whose pointers of git-annex a merge would join", async () => {
    const union = "*.jsonl -text merge=union\n";
    const path = spaceWith({ ".git/annex/index": "", ".git/config": "[annex]\n\taddunlocked = true\n", ".gitattributes": union });
    expect((await diagnose(path, "git-annex")).needed.join()).toContain("annex.largefiles=nothing");
    put(path, { ".gitattributes": `${union}*.jsonl annex.largefiles=nothing\n` });
    expect((await diagnose(path, "git-annex")).needed).toEqual([]);
  });

  test("how Mercurial merges logs", async () => {
    const path = spaceWith({ ".hg/requires": "" });
    expect((await diagnose(path, "Mercurial")).needed.join()).toContain("**.jsonl = :union");
    put(path, { ".hg/hgrc": "[merge-patterns]\n**.jsonl = :union\n", ".hgignore": "glob:space-v1/lost+found\n" });
    expect((await diagnose(path, "Mercurial")).needed).toEqual([]);
  });

  test("what Syncthing ignores", async () => {
    const path = spaceWith({ ".stfolder/x": "", ".stignore": "// notes\n*.tmp\n(?d)*.jsonl\n" });
    expect((await diagnose(path, "Syncthing")).needed.join()).toContain("*.jsonl");
    put(path, { ".stignore": "*.tmp\n!*.jsonl\n" });
    expect((await diagnose(path, "Syncthing")).needed).toEqual([]);
  });
});

test("a person gets a line for each sentence, and what must change is marked", async () => {
  const { code, stdout, stderr } = await foldspace(["doctor", spaceWith({ ".git/HEAD": "" })]);
  expect(stdout).toMatch(/^Git {2}\S+\/\.git\n {2}Change: \.gitattributes /m);
  expect(stderr).toContain("Settings to change: 3");
  expect(code).toBe(1);
});

test("a folder that does not exist is an error", async () => {
  expect(await foldspace(["doctor", "/nowhere/at/all"])).toMatchObject({ code: 1, stdout: "" });
});

test("the mount of a folder is found, with spaces in its path, and the later of two on one path", () => {
  const mountinfo = [
    "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw",
    "23 22 0:40 / /mnt/my\\040disk rw - vfat /dev/sdb1 rw",
    "24 22 0:41 / /mnt/my\\040disk rw shared:1 - exfat /dev/sdb1 rw",
    "25 22 0:42 / /mnt/my rw - nfs4 host:/ rw",
  ].join("\n");
  expect(findMount(mountinfo, "/mnt/my disk/space")).toEqual({ type: "exfat", path: "/mnt/my disk", source: "/dev/sdb1" });
  expect(findMount(mountinfo, "/mnt/my/space")).toEqual({ type: "nfs4", path: "/mnt/my", source: "host:/" });
  expect(findMount(mountinfo, "/mnt/mysterious")).toEqual({ type: "ext4", path: "/", source: "/dev/vda" });
});

test("a mount of rclone gets the option that it needs", () => {
  const { advice } = describeMount({ type: "fuse.rclone", path: "/", source: "remote:" })!;
  expect(advice[0]?.text).toContain("--vfs-cache-mode writes");
});

test("a mount of davfs2 gets the setting without which no folder is listed", () => {
  for (const source of ["https://example.org/dav/", "http://127.0.0.1:1/"])
    expect(describeMount({ type: "fuse", path: "/", source })?.advice[0]?.text).toContain("buf_size 64");
  expect(describeMount({ type: "fuse", path: "/", source: "other" })?.name).not.toContain("WebDAV");
});

test("a vault of gocryptfs must be made with names that all devices encrypt alike", () => {
  const source = temporaryFolder();
  const needed = (flags: readonly string[] | undefined): (boolean | undefined)[] => {
    rmSync(join(source, "gocryptfs.conf"), { force: true });
    if (flags) put(source, { "gocryptfs.conf": JSON.stringify({ Version: 2, FeatureFlags: flags }) });
    const { advice } = describeMount({ type: "fuse.gocryptfs", path: "/", source })!;
    return advice.filter(({ text }) => text.includes("-deterministic-names")).map(({ isNeeded }) => isNeeded);
  };
  expect(needed(["HKDF", "DirIV", "EMENames"])).toEqual([true]);
  expect(needed(["HKDF", "EMENames"])).toEqual([]);
  expect(needed(undefined)).toEqual([false]);
});

test.each(["nfs4", "cifs", "9p", "fuse.sshfs", "fuse.bindfs", "vfat", "exfat", "fuseblk", "overlay", "tmpfs"])(
  "%s gets a sentence",
  (type) => {
    expect(describeMount({ type, path: "/", source: "" })?.advice[0]?.text).toMatch(/^[A-Z].*\.$/);
    expect(describeMount({ type: "ext4", path: "/", source: "" })).toBeUndefined();
  },
);
