import { FoldspaceError } from "../errors.ts";
import { excerpt } from "./line.ts";
import { isPathSafeId, SPACE_FILE } from "./paths.ts";

/** Names of the file that explains the folder to people. A space has one of them. */
export const README_FILES: readonly string[] = ["supa.md", "sila.md", "README.md"];

/** Written if the folder has none of {@link README_FILES}. */
export const README_FILE = "supa.md";

/** The content of {@link README_FILE}: what a person must know about the folder. */
export const README_TEXT = `# A space

This folder holds a space: a tree of data that an app keeps here as plain text.

- \`space-v1/ops\` has one line of JSON for every change ever made, in a file per day and device.
- Back it up, put it in Git, or carry it to other devices with any program that syncs folders.
- Please do not rename, edit or delete what is in \`space-v1\`, not even files of old days: apps need all of it.
`;

/**
 * Keeps Git from changing line ends, lets it join lines that several devices appended, and keeps it from merging
 * files that cannot be merged.
 */
export const GIT_ATTRIBUTES = `*.jsonl -text merge=union
secrets* -text -merge
space.json -text
`;

/** Name of a vertex below the root of a space tree whose children name the app trees. */
export const APP_FOREST_NAME = "app-forest";

/** `space.json` as read, with its unknown members. */
export interface SpaceFile {
  readonly id: string;
  readonly [member: string]: unknown;
}

/** Text of `space.json`, with unknown members as they are. */
export function encodeSpaceFile(file: SpaceFile): string {
  return JSON.stringify(file);
}

/**
 * @param text content of `space.json`
 * @param path of the file, for the error
 * @throws FoldspaceError `FOLD_BAD_SPACE_FILE`
 */
export function parseSpaceFile(text: string, path: string = SPACE_FILE): SpaceFile {
  const bad = (reason: string, cause?: unknown): FoldspaceError =>
    new FoldspaceError("FOLD_BAD_SPACE_FILE", `${path}: ${reason}`, { data: { file: path, line: 1 }, cause });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw bad(text.trim() === "" ? "the file is empty" : "the file is not JSON", cause);
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) throw bad("the file holds no JSON object");
  const { id } = parsed as { id?: unknown };
  if (id === undefined) throw bad('the member "id" is missing');
  if (typeof id !== "string" || !isPathSafeId(id)) throw bad(`${describeId(id)} cannot be a space's id`);
  return parsed as SpaceFile;
}

/** Avoids `JSON.stringify` of arrays and objects, which recurses as deep as the file is nested. */
function describeId(id: unknown): string {
  if (typeof id === "object" && id !== null) return "an array or object";
  return typeof id === "string" ? excerpt(id) : String(id);
}
