import { conflictMarkerAt } from "../conflict-markers.ts";
import { decodeAsUtf8 } from "./utf8.ts";
import { VERSION_WORD } from "./copy-marks.ts";

/**
 * Recognises the file that a sync service leaves in the place of a file that it has not downloaded: `.NAME.icloud`, or, with at
 * most one byte in it, `NAME.WORD` (`.nextcloud`, `.owncloud`, `.cloud`, and whatever a themed client calls it).
 * @param name of the found file
 * @param size in bytes
 * @returns the name of the file that is not downloaded
 */
export function placeholderTarget(name: string, size: number): string | undefined {
  const hidden = /^\.(.+)\.icloud$/i.exec(name)?.[1];
  if (hidden !== undefined) return hidden;
  const [, target, word] = size <= 1 ? (/^((?:[^.~#][^/]*)?\.jsonl?|secrets)\.([A-Za-z][A-Za-z0-9_]*)$/.exec(name) ?? []) : [];
  return word === undefined || VERSION_WORD.test(word) ? undefined : target;
}

/** The problem of a placeholder, in words. */
export const NOT_DOWNLOADED = "the sync service has not downloaded this file yet; set it to keep the folder on this device";

interface PointerKind {
  readonly tool: string;
  /** The command that fetches the contents. */
  readonly command: string;
  readonly firstLine: RegExp;
  readonly otherLines: RegExp;
}

/** Programs that put a short text in the place of a file whose contents they have not fetched. */
const POINTER_KINDS: readonly PointerKind[] = [
  {
    tool: "git-annex",
    command: "git annex get",
    firstLine: /^[/\\]annex[/\\]objects[/\\][^/\\\s]+$/,
    otherLines: /^[/\\]annex[/\\]/,
  },
  {
    tool: "Git LFS",
    command: "git lfs pull",
    firstLine: /^version https:\/\/[a-z.-]+\/spec\/v\d+$/,
    otherLines: /^(?:version|oid|size|ext-\d+-\S+) \S+$/,
  },
];

/** Longest pointer, in bytes. git-annex accepts no longer ones, and those of Git LFS have less than 1,024. */
export const MAX_POINTER_BYTES: number = 32 * 1024;

/**
 * Recognises a pointer in the place of a file, whole or with the markers of a conflict in it.
 * @param bytes all of the file, or at least its beginning
 * @returns the reason why the contents are missing, in words; `undefined` for any other file
 */
export function describePointer(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_POINTER_BYTES || !MAY_BEGIN_POINTER.has(bytes[0] ?? 0)) return undefined;
  const lines = decodeAsUtf8(bytes).split(/\r?\n/);
  const [first, ...others] = lines.filter((line) => line !== "" && !conflictMarkerAt(line));
  const kind = POINTER_KINDS.find(({ firstLine }) => first !== undefined && firstLine.test(first));
  if (!kind || others.some((line) => !kind.otherLines.test(line))) return undefined;
  return `${kind.tool} has not fetched this file yet, and it is only a pointer: "${kind.command}" fetches it`;
}

/** Of the kinds of pointers, a byte order mark, and a conflict. Spares most files the decoding. */
const MAY_BEGIN_POINTER: ReadonlySet<number> = new Set(
  ["/", "\\", "v", "<"].map((character) => character.charCodeAt(0)).concat(0xef),
);
