import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const MODULE = fileURLToPath(new URL("../scripts/debian-packages.mjs", import.meta.url));
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "foldspace-apt-"));
  // stands in for the real one, and leaves a trace of every call
  writeFileSync(join(folder, "apt-get"), `#!/bin/sh\necho "$@" >> "${join(folder, "calls")}"\n`);
  chmodSync(join(folder, "apt-get"), 0o755);
});

afterEach(() => rmSync(folder, { recursive: true }));

function install(apt?: string): string {
  const script = `import { installPackages } from ${JSON.stringify(MODULE)}; console.log(installPackages(["some-browser"]));`;
  const env = { PATH: folder, ...(apt === undefined ? {} : { FOLDSPACE_APT: apt }) };
  return spawnSync(process.execPath, ["--input-type=module", "--eval", script], { encoding: "utf8", env }).stdout;
}

test.each(["no", "0", "false", "NO"])("FOLDSPACE_APT=%s refuses every package, and the reason says so", (apt) => {
  expect(install(apt)).toBe("NOT INSTALLED: some-browser (FOLDSPACE_APT refuses it)\n");
  expect(existsSync(join(folder, "calls"))).toBe(false);
});

describe.skipIf(process.getuid?.() !== 0)("as root", () => {
  test("the commands and the way to refuse them are printed before anything runs", () => {
    const lines = install().split("\n");
    expect(lines.slice(1, 3)).toEqual(["  apt-get update -qq", "  apt-get install -y -qq --no-install-recommends some-browser"]);
    expect(lines[3]).toContain("FOLDSPACE_APT=no");
    expect(lines[4]).toBe("undefined");
    expect(existsSync(join(folder, "calls"))).toBe(true);
  });
});
