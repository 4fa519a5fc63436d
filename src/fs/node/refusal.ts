import { readFileSync, statSync, type Stats } from "node:fs";
import { dirname, isAbsolute } from "node:path";

const READ_WRITE = 0o6;
const SEARCH = 0o1;

/** Who refused something, and how that is changed. */
export interface Refusal {
  /** The file or folder whose rights forbid it. */
  readonly path: string;
  readonly owner: string;
  readonly group: string;
  /** As `chmod` takes it, such as `755`. */
  readonly mode: string;
  /** In words. */
  readonly reason: string;
}

/** Who runs this program, and with which groups. */
export interface Runner {
  readonly uid: number;
  readonly gids: readonly number[];
}

/**
 * Finds the file or folder that the system protects from this program. Called for an error only, so that it may block for a moment.
 * @returns `undefined` where there are no owners and modes, or the rights are not the reason
 */
export function findRefusal(path: string): Refusal | undefined {
  const uid = process.geteuid?.();
  // rights bind everybody but the superuser
  if (uid === undefined || uid === 0 || !isAbsolute(path)) return undefined;
  const runner = { uid, gids: [process.getegid?.() ?? -1, ...(process.getgroups?.() ?? [])] };
  for (let next = path, below: string | undefined; next !== below; [next, below] = [dirname(next), next]) {
    const stats = statIfKnown(next);
    // what a file permits may be forbidden by its folder, in which nothing can be put, replaced or removed
    if (stats && lacksRights(stats, runner)) return describeRefusal(next, stats, runner);
    if (stats?.isDirectory() && next !== path) return undefined;
  }
  return undefined;
}

export function describeRefusal(path: string, stats: Stats, runner: Runner): Refusal {
  const owner = nameIn("/etc/passwd", stats.uid) ?? `user ${stats.uid}`;
  const group = nameIn("/etc/group", stats.gid) ?? String(stats.gid);
  const self = nameIn("/etc/passwd", runner.uid) ?? `user ${runner.uid}`;
  const mode = (stats.mode & 0o7777).toString(8);
  const what = stats.isDirectory() ? "folder" : "file";
  const chmod = (who: "u" | "g"): string => `chmod ${who}+rwX '${path}'`;
  const mayGroup = !lacksRights(stats, { uid: -1, gids: [stats.gid] });
  const remedy =
    stats.uid === runner.uid
      ? `to permit it: ${chmod("u")}`
      : runner.gids.includes(stats.gid)
        ? `${owner} can permit it to the group: ${chmod("g")}`
        : `an administrator can put ${self} into the group ${group}${mayGroup ? "" : `, and ${owner} can permit it to that group: ${chmod("g")}`}`;
  const reason = `the ${what} ${path} belongs to ${owner} (group ${group}, mode ${mode}), and this program runs as ${self}; ${remedy}`;
  return { path, owner, group, mode, reason };
}

/** Whether a user lacks a right that keeping a space there needs. */
export function lacksRights(stats: Stats, { uid, gids }: Runner): boolean {
  const needed = stats.isDirectory() ? READ_WRITE | SEARCH : READ_WRITE;
  // the system asks the first class that fits, even if another one has more rights
  const shift = stats.uid === uid ? 6 : gids.includes(stats.gid) ? 3 : 0;
  return ((stats.mode >> shift) & needed) !== needed;
}

/** @returns `undefined` if it is missing, or in a folder that may not be searched */
function statIfKnown(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    // the folder above is asked instead
    return undefined;
  }
}

/** The name of a user or group, where the system keeps them in a file. */
function nameIn(file: string, id: number): string | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // macOS and networks keep names elsewhere: the number has to do
    return undefined;
  }
  const line = text.split("\n").find((each) => each.split(":")[2] === String(id));
  return line?.split(":")[0];
}
