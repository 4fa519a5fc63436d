/** Seven or more equal characters, then a blank or the end: Git, Mercurial, Subversion, Fossil and jj all write them so. */
const MARKER = /([<>|=+%#\\-])\1{6,}(?=\s|$)/y;

/** The version that follows a marker. The ancestor is the version from before both changes. */
export type ConflictSection = "side" | "ancestor";

/** A marker of a conflict, at some place in a line. The rest of the line is its label. */
export interface ConflictMarker {
  readonly section: ConflictSection;
  /** The program that writes such a marker, or words for any of them. */
  readonly tool: string;
}

/** By label, or by the characters of the marker. */
const TOOLS: readonly (readonly [tool: string, pattern: RegExp])[] = [
  ["Fossil", /^\S+ (?:BEGIN MERGE CONFLICT|COMMON ANCESTOR|MERGED IN|SUGGESTED CONFLICT|END MERGE CONFLICT)/],
  ["Subversion", /^\S+ \.(?:mine|r\d|working|merge-)/],
  ["Mercurial", /^\S+ (?:working copy|merge rev|common ancestor)/],
  ["jj", /^(?:%+|\\+)(?: |$)|^\S+ [Cc]onflict \d+ of \d+/],
  ["Git", /^\S+ (?:HEAD$|Updated upstream|Stashed changes)/],
];

/** The marker that begins at an index of a line; `undefined` if none does. */
export function conflictMarkerAt(line: string, index: number = 0): ConflictMarker | undefined {
  MARKER.lastIndex = index;
  const character = MARKER.exec(line)?.[1];
  if (character === undefined) return undefined;
  const text = line.slice(index);
  return {
    section: character === "|" || character === "-" ? "ancestor" : "side",
    tool: TOOLS.find(([, pattern]) => pattern.test(text))?.[0] ?? "a version control program",
  };
}

/** Whether a line begins with a character that the listing of a change puts in front: `+`, `-` or a blank. */
export function hasChangePrefix(line: string): boolean {
  return /^[-+ ]/.test(line);
}
