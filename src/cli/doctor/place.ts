import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

/** A sentence about a setting. */
export interface Advice {
  readonly text: string;
  /** Whether a check has found that the setting is wrong; otherwise it cannot be seen from here. */
  readonly isNeeded: boolean;
}

/** A folder that a program may carry: the space's folder, or one above it. */
export interface Place {
  readonly path: string;
  readonly names: readonly string[];
  readonly has: (name: string) => boolean;
  /** Reads a small file of settings; `undefined` if it is missing or unreadable. */
  readonly read: (name: string) => string | undefined;
  readonly readInSpace: (name: string) => string | undefined;
  /** Name of a profile of Unison that has the folder as a root. */
  readonly unisonProfile: string | undefined;
  /** Name of a listing that rclone keeps of the folder. */
  readonly rcloneListing: string | undefined;
}

const MAX_SETTINGS_BYTES = 1024 * 1024;

/** The space's folder and all folders above it. */
export function placesOf(space: string, home: string = homedir()): Place[] {
  const places: Place[] = [];
  for (let path = space; ; path = dirname(path)) {
    places.push(placeAt(path, space, home));
    if (dirname(path) === path) return places;
  }
}

function placeAt(path: string, space: string, home: string): Place {
  const profiles = join(home, ".unison");
  const listings = join(home, ".cache/rclone/bisync");
  const isRoot = (text: string | undefined): boolean =>
    text?.split("\n").some((line) => line.trim() === `root = ${path}`) ?? false;
  const inListing = path.replace(/^\//, "").replaceAll(/[^\w.-]/g, "_");
  return {
    path,
    names: namesIn(path),
    has: (name) => existsSync(join(path, name)),
    read: (name) => readSettings(join(path, name)),
    readInSpace: (name) => readSettings(join(space, name)),
    unisonProfile: namesIn(profiles).find((name) => name.endsWith(".prf") && isRoot(readSettings(join(profiles, name)))),
    rcloneListing: path === space ? namesIn(listings).find((name) => name.includes(inListing)) : undefined,
  };
}

/** No names if the folder cannot be listed: then it has no marks that count. */
function namesIn(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Reads a small file; `undefined` if it is missing, large or unreadable. */
export function readSettings(path: string): string | undefined {
  try {
    const { size } = statSync(path);
    return size > MAX_SETTINGS_BYTES ? undefined : readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
