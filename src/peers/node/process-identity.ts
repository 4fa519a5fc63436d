import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { systemCode } from "../../errors.ts";
import { randomId } from "../../random-id.ts";

/**
 * Names this machine among those that may have the same files: in a copied home folder, or on a network. Processes that cannot see
 * each other by their process ids, such as those of two containers, are on different machines. The name does not reveal the
 * machine's id.
 */
export function machineName(): string {
  const parts = [readOrNothing("/etc/machine-id"), hostname(), linkOrNothing("/proc/self/ns/pid")];
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 32);
}

/** A new name of an owner: this process, and a use of its own. */
export function newOwner(): string {
  return `${process.pid}-${startOf(process.pid) ?? 0}-${randomId()}`;
}

/**
 * Whether the process of an owner may be running, on this machine.
 * @param owner as of {@link newOwner}; anything else may be the owner of a newer version, and counts as running
 */
export function isRunning(owner: string): boolean {
  const [, pid, start] = /^(\d+)-(\d+)-[0-9a-f]{32}$/.exec(owner) ?? [];
  if (pid === undefined) return true;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    // without the right to send a signal, there is a process to send it to
    return systemCode(error) !== "ESRCH";
  }
  const current = startOf(Number(pid));
  // another process has the same id now
  return current === undefined || start === "0" || current === start;
}

/** When a process was started, in ticks since the machine was (`man proc_pid_stat`, field 22); `undefined` if the system does not say. */
function startOf(pid: number): string | undefined {
  const stat = readOrNothing(`/proc/${pid}/stat`);
  // the name of the program comes before, in parentheses, and may contain any characters
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return stat === "" ? undefined : fields[19];
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    // only Linux has these files, and some containers hide them
    return "";
  }
}

function linkOrNothing(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // as above
    return "";
  }
}
