// Tests need some programs besides Node. They come from Debian if this script may install them.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export function isInPath(program) {
  return (process.env.PATH ?? "").split(delimiter).some((directory) => existsSync(join(directory, program)));
}

/**
 * Installs packages if that is allowed.
 * @param {readonly string[]} packages
 * @returns {string | undefined} why they could not be installed; `undefined` if they are installed
 */
export function installPackages(packages) {
  if (packages.length === 0) return undefined;
  const missing = `NOT INSTALLED: ${packages.join(", ")}`;
  if (process.getuid?.() !== 0 || !isInPath("apt-get")) return `${missing} (that needs root and apt-get)`;
  console.log(`Installing ${packages.join(", ")} (once) …`);
  const environment = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", ...packages],
  ]) {
    const { status } = spawnSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"], env: environment });
    if (status !== 0) return `${missing}: apt-get ${args[0]} failed`;
  }
  return undefined;
}
