import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("../scripts/release.mjs", import.meta.url));

/** A repository with a package of two files. */
function repository(changelog: string): string {
  const folder = mkdtempSync(join(tmpdir(), "foldspace-release-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "dist"));
  writeFileSync(join(folder, "dist/index.js"), "export {};\n");
  writeFileSync(join(folder, "dist/other.js"), "export {};\n");
  writeFileSync(join(folder, "package.json"), '{"name":"some","version":"1.2.3","license":"MIT","files":["dist"]}');
  writeFileSync(join(folder, "CHANGELOG.md"), changelog);
  git(folder, "init", "--quiet");
  git(folder, "add", ".");
  git(folder, "commit", "--quiet", "--message", "all");
  return folder;
}

function git(folder: string, ...args: string[]): void {
  execFileSync("git", ["-c", "user.name=tester", "-c", "user.email=tester@example.org", ...args], { cwd: folder });
}

function dryRun(folder: string): { readonly status: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SCRIPT, "--dry-run", "--no-tests"], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

const READY = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2030-01-02\n\n- News.\n\n## [1.2.2] - 2029-01-02\n\n- Old.\n";

test("a dry run of a release that is ready prints the notes and the files, and what would be published", () => {
  const { status, output } = dryRun(repository(READY));
  expect(status, output).toBe(0);
  expect(output).toContain("- News.");
  expect(output).not.toContain("- Old.");
  expect(output).toContain("dist/index.js");
  expect(output).toContain("Would publish some@1.2.3 and make the tag v1.2.3.");
});

test("a dry run lists all obstacles", () => {
  const folder = repository("# Changelog\n\n## [1.2.3] - 2030-01-02\n\n## [Unreleased]\n\n- News.\n");
  git(folder, "tag", "v1.2.3");
  writeFileSync(join(folder, "new"), "");
  const { status, output } = dryRun(folder);
  expect(status).toBe(1);
  for (const text of ["not committed", "tag v1.2.3 exists", 'no section "## [1.2.3]']) expect(output).toContain(text);
  expect(output).not.toContain("Would publish");
});

test("nothing is published untested", () => {
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, "--no-tests"], { cwd: repository(READY), encoding: "utf8" });
  expect([status, stderr]).toEqual([1, "--no-tests goes with --dry-run only: nothing is published untested\n"]);
});
