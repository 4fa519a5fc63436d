import { errorMessage, FoldspaceError, isFoldspaceError, type FoldspaceErrorCode } from "../../errors.ts";

type Meaning = readonly [FoldspaceErrorCode, string];

const MISSING: Meaning = ["FOLD_IO", "it is not there"];
const DENIED: Meaning = ["FOLD_PERMISSION", "permission denied"];
const READ_ONLY: Meaning = ["FOLD_READ_ONLY", "the disk is read-only"];
const DISK_FULL: Meaning = ["FOLD_DISK_FULL", "the disk is full"];
const QUOTA: Meaning = ["FOLD_DISK_FULL", "the quota of this user is used up"];
const IN_USE: Meaning = ["FOLD_BUSY", "another program is using it"];
const SYSTEM_BUSY: Meaning = ["FOLD_BUSY", "the system is busy"];
const NO_ANSWER: Meaning = ["FOLD_TIMEOUT", "the disk did not answer in time"];
const MANY_OPEN: Meaning = ["FOLD_BUSY", "too many files are open"];
const NO_FOLDER: Meaning = ["FOLD_NOT_A_FOLDER", "a file is where a folder should be"];
const NOT_EMPTY: Meaning = ["FOLD_IO", "a folder that is not empty is in its place"];
const IS_FOLDER: Meaning = ["FOLD_IO", "it is a folder"];
const IS_LINK: Meaning = ["FOLD_IO", "it is a link"];
const IRREGULAR: Meaning = ["FOLD_IO", "it is not a regular file"];
const LONG_PATH: Meaning = ["FOLD_IO", "its path is too long"];

/** Error numbers of Linux and macOS. If the two differ, only one of them uses the number for files. */
const UNIX: Readonly<Record<number, Meaning>> = {
  1: ["FOLD_PERMISSION", "the system does not permit it"],
  2: MISSING,
  6: IRREGULAR,
  11: SYSTEM_BUSY,
  13: DENIED,
  16: IN_USE,
  17: NO_FOLDER,
  20: NO_FOLDER,
  21: IS_FOLDER,
  23: MANY_OPEN,
  24: MANY_OPEN,
  26: IN_USE,
  28: DISK_FULL,
  30: READ_ONLY,
  35: SYSTEM_BUSY,
  36: LONG_PATH,
  39: NOT_EMPTY,
  40: IS_LINK,
  60: NO_ANSWER,
  62: IS_LINK,
  63: LONG_PATH,
  66: NOT_EMPTY,
  69: QUOTA,
  110: NO_ANSWER,
  122: QUOTA,
};

const WINDOWS: Readonly<Record<number, Meaning>> = {
  2: MISSING,
  3: MISSING,
  4: MANY_OPEN,
  5: DENIED,
  19: READ_ONLY,
  32: IN_USE,
  33: IN_USE,
  39: DISK_FULL,
  80: NO_FOLDER,
  112: DISK_FULL,
  121: NO_ANSWER,
  145: NOT_EMPTY,
  183: NO_FOLDER,
  206: LONG_PATH,
  267: NO_FOLDER,
  1295: QUOTA,
};

/** At the end of the text, because a path in it may look the same. The text before it is in the user's language. */
const SYSTEM_NUMBER = /\(os error (\d+)\)(?: about \[.*\])?$/s;
const FORBIDDEN = /^forbidden path: /;
const COMMAND_DENIED = /^\S+ not allowed\b|^Command \S+ not allowed by ACL/;
const NO_WATCHING = /^Command watch not found/;

const SCOPE_REASON =
  "the scope of Tauri's fs plugin does not allow it. Let the user pick the folder with the dialog plugin " +
  '(`open({ directory: true, recursive: true })`) or name it under "fs:scope" in a capability. Names that start with ' +
  'a dot also need `"plugins": { "fs": { "requireLiteralLeadingDot": false } }` in tauri.conf.json';

/** Interprets an error of the plugin, which is a plain string. */
function meaningOf(cause: unknown, path: string): Meaning {
  if (!("__TAURI_INTERNALS__" in globalThis)) return ["FOLD_UNAVAILABLE", "this page does not run in Tauri"];
  const text = errorMessage(cause);
  if (FORBIDDEN.test(text)) return ["FOLD_PERMISSION", SCOPE_REASON];
  if (COMMAND_DENIED.test(text)) return ["FOLD_PERMISSION", `no capability of the application grants it (${text})`];
  if (NO_WATCHING.test(text)) return ["FOLD_IO", "the crate tauri-plugin-fs was built without its feature `watch`"];
  const number = systemNumber(cause);
  const meaning = number === undefined ? undefined : (isWindowsPath(path) ? WINDOWS : UNIX)[number];
  return meaning ?? ["FOLD_IO", text];
}

function systemNumber(cause: unknown): number | undefined {
  const number = SYSTEM_NUMBER.exec(errorMessage(cause))?.[1];
  return number === undefined ? undefined : Number(number);
}

/** Windows has different numbers for the same errors, and the page cannot query its system. */
export function isWindowsPath(path: string): boolean {
  return /^[a-z]:|^\\\\/i.test(path);
}

/** Whether the file or folder, or a folder above it, is missing. */
export function isMissing(cause: unknown): boolean {
  return [2, 3].includes(systemNumber(cause) ?? 0);
}

/** Whether the application's scope denies access. */
export function isOutOfScope(cause: unknown): boolean {
  return FORBIDDEN.test(errorMessage(isFoldspaceError(cause) ? cause.cause : cause));
}

/** Whether another program holds the file to be replaced; Windows reports that as a lack of permission. */
export function isHeldByOthers(path: string, cause: unknown): boolean {
  return isWindowsPath(path) && [5, 32, 33].includes(systemNumber(cause) ?? 0);
}

/**
 * Makes a typed error of an error that the plugin threw.
 * @param action that failed, as in "Cannot read": `read`
 */
export function tauriFileSystemError(
  action: string,
  path: string,
  cause: unknown,
  data: Readonly<Record<string, unknown>> = {},
): FoldspaceError {
  if (isFoldspaceError(cause)) return cause;
  const [code, reason] = meaningOf(cause, path);
  return new FoldspaceError(code, `Cannot ${action} ${path}: ${reason}`, { data: { path, ...data }, cause });
}

/** An error that does not come from the plugin. */
export function failure(code: FoldspaceErrorCode, action: string, path: string, reason: string): FoldspaceError {
  return new FoldspaceError(code, `Cannot ${action} ${path}: ${reason}`, { data: { path } });
}
