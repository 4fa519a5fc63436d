import { errorMessage, errorName, FoldspaceError, isFoldspaceError, type FoldspaceErrorCode } from "../../errors.ts";

/** By the browser's error name, the code of a space and the reason in plain words. */
const MEANINGS: Readonly<Record<string, readonly [FoldspaceErrorCode, string]>> = {
  NotAllowedError: ["FOLD_PERMISSION", "the user must grant access to the folder again"],
  SecurityError: ["FOLD_PERMISSION", "the browser does not permit it here"],
  QuotaExceededError: ["FOLD_DISK_FULL", "the disk, or the part of it that the browser grants, is full"],
  NoModificationAllowedError: ["FOLD_BUSY", "another tab or program is writing to it, or it is write-protected"],
  NotReadableError: ["FOLD_BUSY", "another program holds it, or it keeps changing while it is read"],
  TypeMismatchError: ["FOLD_IO", "it is a folder"],
  NotFoundError: ["FOLD_IO", "it is not there"],
};

export function isMissing(error: unknown): boolean {
  return errorName(error) === "NotFoundError";
}

/** Whether a file was found where a folder was expected, or vice versa. */
export function isWrongKind(error: unknown): boolean {
  return errorName(error) === "TypeMismatchError";
}

/** Whether a file was replaced since it was opened for reading. */
export function isReplaced(error: unknown): boolean {
  return errorName(error) === "NotReadableError";
}

/** Whether another page or program writes to the file; Chromium reports a write-protected file the same way. */
export function isLocked(error: unknown): boolean {
  return errorName(error) === "NoModificationAllowedError";
}

/**
 * Makes a typed error of an error that the browser threw.
 * @param action that failed, as in "Cannot read": `read`
 */
export function webFileSystemError(action: string, path: string, cause: unknown): FoldspaceError {
  if (isFoldspaceError(cause)) return cause;
  const [code, reason] = MEANINGS[errorName(cause) ?? ""] ?? ["FOLD_IO", errorMessage(cause)];
  return failure(code, action, path, reason, cause);
}

/** @param path relative to the opened folder; empty for that folder itself */
export function failure(code: FoldspaceErrorCode, action: string, path: string, reason: string, cause?: unknown): FoldspaceError {
  const message = `Cannot ${action} ${path === "" ? "the opened folder" : path}: ${reason}`;
  return new FoldspaceError(code, message, { data: { path }, cause });
}
