import { errorCode } from "../errors.ts";
import { conflictMarkerAt } from "../conflict-markers.ts";
import { openPlainFile } from "./plain-file.ts";
import { mergeMaps, type SecretMap } from "./secret-map.ts";

/** The content of a file of secrets. */
export interface PlainText {
  readonly secrets: Map<string, string>;
  /** Whether the file contains several versions, which `secrets` merges: a version control program found a conflict in it. */
  readonly isConflict: boolean;
  /** The version from before the changes of a conflict, if the file contains it. */
  readonly ancestor?: SecretMap;
}

interface Version {
  readonly secrets: SecretMap;
  readonly isAncestor: boolean;
}

/** The shortest text of secrets: base64 of IV, tag and two bytes. */
const MIN_VERSION_LENGTH = 40;
/** Each try decrypts, so that a hostile file must not cause many, nor long ones. */
const MAX_TRIES = 256;
const MAX_TRIED_CHARACTERS = 32 * 1024 * 1024;

/**
 * Opens a file of secrets, also one with several versions of it between the markers of a conflict.
 * @throws FoldspaceError as {@link openPlainFile}
 */
export async function openPlainText(spaceId: string, text: string): Promise<PlainText> {
  try {
    return { secrets: await openPlainFile(spaceId, text), isConflict: false };
  } catch (error) {
    if (errorCode(error) !== "FOLD_SECRETS_BROKEN") throw error;
    const versions = await new ConflictReader(spaceId).read(text);
    const sides = versions.flatMap(({ secrets, isAncestor }) => (isAncestor ? [] : [secrets]));
    if (sides.length === 0) throw error;
    const ancestor = versions.find(({ isAncestor }) => isAncestor)?.secrets;
    return { secrets: mergeSides(sides, ancestor), isConflict: true, ...(ancestor && { ancestor }) };
  }
}

function mergeSides([first, ...others]: readonly SecretMap[], ancestor: SecretMap | undefined): Map<string, string> {
  let merged = new Map(first);
  // without an ancestor, a secret that one side lacks may never have been there
  for (const side of others) merged = ancestor ? mergeMaps(ancestor, merged, side) : new Map([...side, ...merged]);
  return merged;
}

/**
 * Finds the versions in a conflict. Programs put `+` or `-` before a line that one side has added or removed, and markers and
 * further versions behind a last line without a newline. Only decrypting shows what is a version.
 */
class ConflictReader {
  readonly #spaceId: string;
  #tries = MAX_TRIES;
  #characters = MAX_TRIED_CHARACTERS;

  constructor(spaceId: string) {
    this.#spaceId = spaceId;
  }

  async read(text: string): Promise<Version[]> {
    const versions: Version[] = [];
    let isInAncestor = false;
    for (const line of text.replace(/^\uFEFF/, "").split(/\r?\n/)) {
      for (let rest = line; rest !== "";) {
        const marker = conflictMarkerAt(rest);
        if (marker) isInAncestor = marker.section === "ancestor";
        const found = marker ? undefined : await this.#openStart(rest);
        if (!found) break;
        versions.push({ secrets: found.secrets, isAncestor: isInAncestor || rest.startsWith("-") });
        rest = rest.slice(found.end);
      }
    }
    return versions;
  }

  async #openStart(line: string): Promise<{ readonly secrets: SecretMap; readonly end: number } | undefined> {
    for (const [start, end] of candidates(line)) {
      this.#characters -= end - start;
      if (this.#tries-- <= 0 || this.#characters < 0) return undefined;
      try {
        return { secrets: await openPlainFile(this.#spaceId, line.slice(start, end)), end };
      } catch (error) {
        if (errorCode(error) !== "FOLD_SECRETS_BROKEN") throw error;
      }
    }
    return undefined;
  }
}

/** The parts at the start of a line that may be a version. */
function* candidates(line: string): Generator<readonly [start: number, end: number]> {
  for (const start of /^[-+ ]/.test(line) ? [0, 1] : [0]) {
    const body = /^[A-Za-z0-9+/]*/.exec(line.slice(start))![0];
    // a marker of "=" may follow the padding
    const padding = (4 - (body.length % 4)) % 4;
    const end = start + body.length + padding;
    const isPadded = line.slice(start + body.length, end) === "=".repeat(padding);
    if (isPadded && padding < 3 && end - start >= MIN_VERSION_LENGTH) yield [start, end];
    for (let at = body.indexOf("+", MIN_VERSION_LENGTH); at !== -1; at = body.indexOf("+", at + 1))
      if (at % 4 === 0) yield [start, start + at];
  }
}
