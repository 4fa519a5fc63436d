import { execFile } from "node:child_process";

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

export interface Finished {
  /** Exit code. */
  readonly code: number;
  /** What it printed, to both streams. */
  readonly output: string;
}

const LONGEST_RUN_MS = 60_000;

/** Programs that are run in place of those in PATH, by a variable of the environment with their path. */
const REPLACED: Partial<Record<Program, string | undefined>> = { syncthing: process.env["FOLDSPACE_SYNCTHING"] };

/** The command that starts a program. */
export function commandOf(program: Program): string {
  return REPLACED[program] ?? program;
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
    execFile(commandOf(program), args, { cwd, env, timeout: LONGEST_RUN_MS, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
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
