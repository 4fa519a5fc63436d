import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { copyOfFixture, FIXTURES, foldspace, listing } from "./cli-harness.ts";
import { FailingFileSystem, readOnlyFileSystem } from "./failing-file-system.ts";

function canonical(name: string): unknown {
  return JSON.parse(readFileSync(join(FIXTURES, name, "canonical.json"), "utf8"));
}

async function exported(path: string): Promise<unknown> {
  const { code, stdout, stderr } = await foldspace(["export", path, "--format", "json"], { fs: readOnlyFileSystem() });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.endsWith("}\n")).toBe(true);
  return JSON.parse(stdout);
}

test.each(["demo-getting-started", "two-devices", "old-sync", "v0-migrated", "files-cas"])(
  "%s exports to its canonical form",
  async (name) => {
    expect(await exported(join(FIXTURES, name, "space"))).toEqual(canonical(name));
  },
);

test.each(["demo-getting-started", "two-devices", "old-sync", "v0-migrated", "files-cas"])("%s has no problems", async (name) => {
  const { code, stdout } = await foldspace(["verify", join(FIXTURES, name, "space")]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
});

describe("migrating the first layout", () => {
  test("gives its canonical form, keeps the old files, and has nothing left to do afterwards", async () => {
    const path = copyOfFixture("v0");
    const { code, stdout } = await foldspace(["migrate", path]);
    expect(code).toBe(0);
    expect(stdout).toContain("181 operations of 2 trees in 3 files");
    expect(await exported(path)).toEqual(canonical("v0"));
    expect(readFileSync(join(path, "space-v1/secrets"))).toEqual(readFileSync(join(FIXTURES, "v0/space/secrets")));
    expect(readdirSync(path).sort()).toEqual(["space-v0", "space-v1", "supa.md"]);
    const migrated = JSON.parse(readFileSync(join(path, "space-v0/migrated.json"), "utf8")) as unknown;
    expect(migrated).toMatchObject({ fromVersion: 0, toVersion: 1, status: "completed" });
    const before = listing(path);
    const again = await foldspace(["migrate", path, "--json"], { fs: readOnlyFileSystem() });
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({ done: "none" });
    expect(listing(path)).toEqual(before);
  });

  test("finishes when it is run again after being interrupted at any step, and never leaves neither space", async () => {
    for (let step = 1; ; step++) {
      const path = copyOfFixture("v0");
      const fs = new FailingFileSystem(step);
      const { code, stderr } = await foldspace(["migrate", path], { fs });
      if (fs.writes < step) break;
      expect({ step, code }).toEqual({ step, code: 1 });
      expect(stderr).toContain("FOLD_READ_ONLY");
      const isNew = existsSync(join(path, "space-v1"));
      if (isNew) expect(await exported(path)).toEqual(canonical("v0"));
      else expect((await foldspace(["info", path])).stderr).toContain("FOLD_OLD_FORMAT");
      expect((await foldspace(["migrate", path])).code).toBe(0);
      expect(await exported(path)).toEqual(canonical("v0"));
      expect(readdirSync(path).sort()).toEqual(["space-v0", "space-v1", "supa.md"]);
      expect(readdirSync(join(path, "space-v0")).sort()).toEqual(["migrated.json", "ops", "secrets", "space.json"]);
    }
  });

  test("turns the bare word undefined into a removal, and carries bad lines over as they are", async () => {
    const path = copyOfFixture("v0");
    const tree = "ops/bc/d5938f611b4d718ff6ece69943fe64";
    const file = "e93e3e51c86d46afbc73f552325acd6c.jsonl";
    const old = join(path, tree, "2025-04-02", file);
    const torn = '["p",9001,"799b3a6d9b6d4261afc445f2426fbe51","te';
    const lines = [
      '["p",9000,"799b3a6d9b6d4261afc445f2426fbe51","text",undefined]',
      torn,
      '["p",9002,"799b3a6d9b6d4261afc445f2426fbe51","a",",undefined]"]',
    ];
    writeFileSync(old, `${readFileSync(old, "utf8")}${lines.join("\r\n")}\n`);
    const { code, stdout } = await foldspace(["migrate", path]);
    expect(code).toBe(0);
    expect(stdout).toContain("FOLD_TORN_LINE");
    const copied = readFileSync(join(path, "space-v1", tree, "2025/04/02", file), "utf8");
    expect(copied).toContain('["p",9000,"799b3a6d9b6d4261afc445f2426fbe51","text",{}]\r\n');
    expect(copied).toContain(`${torn}\r\n`);
    expect(copied).toContain('"a",",undefined]"]');
    expect(readFileSync(join(path, "space-v0", tree, "2025-04-02", file), "utf8")).toContain("undefined]\r\n");
  });

  test("takes secrets from secrets.json, as the earliest spaces have them", async () => {
    const path = copyOfFixture("v0");
    renameSync(join(path, "secrets"), join(path, "secrets.json"));
    expect((await foldspace(["migrate", path])).code).toBe(0);
    expect(readFileSync(join(path, "space-v1/secrets"))).toEqual(readFileSync(join(FIXTURES, "v0/space/secrets")));
  });

  test("refuses before anything has changed where files have not been downloaded", async () => {
    const waiting = copyOfFixture("v0");
    writeFileSync(join(waiting, "ops/bc/.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.jsonl.icloud"), "");
    const before = listing(waiting);
    const refused = await foldspace(["migrate", waiting]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("FOLD_NOT_DOWNLOADED");
    expect(listing(waiting)).toEqual(before);
  });
});
