// Programs that tests need besides Node come from Debian. They are installed only as root, and only if the user has not refused.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** `no`, `0` or `false` refuses: nothing is installed on the machine, and tests that need a missing program are left out. */
const VARIABLE = "FOLDSPACE_APT";
/** Time in which a person at a terminal can interrupt, in milliseconds. */
const PAUSE_MS = 5_000;

export function isInPath(program) {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => existsSync(join(directory, program)));
}

/**
 * Installs packages with apt-get, if the process is root and {@link VARIABLE} does not refuse. Prints first what it will run, and
 * how to refuse.
 * @param {readonly string[]} packages
 * @returns {string | undefined} the reason, in words, if packages are not installed; `undefined` if they are
 */
export function installPackages(packages) {
  if (packages.length === 0) return undefined;
  const missing = `NOT INSTALLED: ${packages.join(", ")}`;
  if (/^(?:no|0|false)$/i.test(process.env[VARIABLE] ?? "")) return `${missing} (${VARIABLE} refuses it)`;
  if (process.getuid?.() !== 0 || !isInPath("apt-get")) return `${missing} (that takes root and apt-get)`;
  const commands = [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", ...packages],
  ];
  console.log("Tests need Debian packages that are missing. This runs as root now:");
  for (const args of commands) console.log(`  apt-get ${args.join(" ")}`);
  console.log(`${VARIABLE}=no refuses: the tests that need these packages are left out then.`);
  pauseAtTerminal();
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of commands) {
    const { status } = spawnSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"], env: environment });
    if (status !== 0) return `${missing}: apt-get ${args[0]} failed`;
  }
  return undefined;
}

/** Gives a person the time to interrupt. Without a terminal, nothing waits. */
function pauseAtTerminal() {
  if (!process.stdout.isTTY || process.env.CI === "true") return;
  console.log(`It begins in ${PAUSE_MS / 1_000} s; Ctrl+C stops it.`);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
}
