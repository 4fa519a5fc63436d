import { existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import { describe } from "vitest";
import { commandOf, type Program } from "./run.ts";

/** Packages of Debian that have other names than their programs. */
const PACKAGES: Partial<Record<Program, string>> = { hg: "mercurial", svn: "subversion", svnadmin: "subversion" };

/** Describes tests that need a program. Where it is missing they are left out, and that is said; in CI it is an error. */
export function describeWith(program: Program, title: string, tests: () => void): void {
  const isMissing = !isInstalled(program);
  if (isMissing) {
    const words = `${program} is not in PATH: \`apt-get install ${PACKAGES[program] ?? program}\` installs it.`;
    if (process.env["CI"] === "true") throw new Error(words);
    process.stderr.write(`TESTS WITH ${program.toUpperCase()} ARE LEFT OUT. ${words}\n`);
  }
  describe.skipIf(isMissing)(title, tests);
}

function isInstalled(program: Program): boolean {
  const command = commandOf(program);
  if (isAbsolute(command)) return existsSync(command);
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, command)));
}
