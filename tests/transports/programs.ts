import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe } from "vitest";

/** Programs that carry folders. */
export type Program =
  | "fossil"
  | "git"
  | "git-annex"
  | "git-lfs"
  | "hg"
  | "rclone"
  | "rsync"
  | "svn"
  | "svnadmin"
  | "syncthing"
  | "unison";

/** Packages of Debian that have other names than their programs. */
const PACKAGES: Partial<Record<Program, string>> = { hg: "mercurial", svn: "subversion", svnadmin: "subversion" };

export interface Finished {
  /** Exit code. */
  readonly code: number;
  /** What it printed, to both streams. */
  readonly output: string;
}

const LONGEST_RUN_MS = 60_000;

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
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}

/**
 * Runs a program to its end.
 * @param home stands for the user's, so that no settings of this machine count
 * @throws Error where it cannot be started or does not end
 */
export async function run(
  program: Program,
  args: readonly string[],
  options: { readonly home: string; readonly cwd?: string; readonly variables?: Record<string, string> },
): Promise<Finished> {
  const { home, cwd = home, variables } = options;
  const env = { PATH: process.env["PATH"], HOME: home, LC_ALL: "C.UTF-8", TZ: "UTC", ...variables };
  return await new Promise((resolve, reject) => {
    execFile(program, args, { cwd, env, timeout: LONGEST_RUN_MS, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`;
      if (!error) resolve({ code: 0, output });
      else if (typeof error.code === "number") resolve({ code: error.code, output });
      else reject(new Error(`${program} ${args.join(" ")} was ended by ${error.signal ?? error.message}: ${output}`));
    });
  });
}

/** Runs a program that has to succeed. @throws Error also with what it printed where it does not */
export async function runWell(...[program, args, options]: Parameters<typeof run>): Promise<string> {
  const { code, output } = await run(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${code}: ${output}`);
  return output;
}
