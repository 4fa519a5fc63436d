import type { Clock } from "../../clock.ts";
import { endOfPeriod, OPS_DIR, SPACE_DIR } from "../../log/paths.ts";
import { SEALED_SECRETS_DIR } from "../../log/secrets-paths.ts";

/** Devices that were offline for a while still write into the folders of days that are this young. */
const RECENT_MS = 31 * 24 * 60 * 60 * 1000;
/** Enough that a small space is watched as a whole. Linux counts the watches of all programs of a user together. */
const MAX_OLD_FOLDERS = 128;

const OPS = OPS_DIR.slice(SPACE_DIR.length + 1);
const READ_FOLDERS = new Set([OPS, SEALED_SECRETS_DIR.slice(SPACE_DIR.length + 1)]);

/**
 * Decides which folders of a space are not watched: those that are never read, and those of days long ago, if there are many.
 * Rescans find changes in the latter.
 * @returns takes a path relative to `space-v1`
 */
export function foldersWithoutWatch(clock: Clock): (path: string) => boolean {
  const old = new Set<string>();
  return (path) => {
    if (!READ_FOLDERS.has(path.split("/", 1)[0]!)) return true;
    const isRecent = (endOfPeriod(path.slice(OPS.length + 1)) ?? Infinity) >= clock.now() - RECENT_MS;
    if (isRecent || old.has(path)) return false;
    if (old.size === MAX_OLD_FOLDERS) return true;
    old.add(path);
    return false;
  };
}
