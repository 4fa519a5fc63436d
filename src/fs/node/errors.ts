import { errorMessage, FoldspaceError, isFoldspaceError, systemCode, type FoldspaceErrorCode } from "../../errors.ts";
import { findRefusal } from "./refusal.ts";

/** By the system's error code, the code of a space and the reason in plain words. */
const MEANINGS: Readonly<Record<string, readonly [FoldspaceErrorCode, string]>> = {
  EACCES: ["FOLD_PERMISSION", "permission denied"],
  EPERM: ["FOLD_PERMISSION", "the system does not permit it"],
  EROFS: ["FOLD_READ_ONLY", "the disk is read-only"],
  ENOSPC: ["FOLD_DISK_FULL", "the disk is full"],
  EDQUOT: ["FOLD_DISK_FULL", "the quota of this user is used up"],
  EBUSY: ["FOLD_BUSY", "another program is using it"],
  EAGAIN: ["FOLD_BUSY", "the system is busy"],
  EDEADLK: ["FOLD_BUSY", "the system is busy"],
  ETIMEDOUT: ["FOLD_TIMEOUT", "the disk did not answer in time"],
  EMFILE: ["FOLD_BUSY", "too many files are open in this program"],
  ENFILE: ["FOLD_BUSY", "too many files are open on this machine"],
  ENOTDIR: ["FOLD_NOT_A_FOLDER", "a file is where a folder should be"],
  EISDIR: ["FOLD_IO", "it is a folder"],
  ELOOP: ["FOLD_IO", "it is a link"],
  ENXIO: ["FOLD_IO", "it is not a regular file"],
  ENOENT: ["FOLD_IO", "it is not there"],
  ENAMETOOLONG: ["FOLD_IO", "its path is too long"],
};

export function isMissing(error: unknown): boolean {
  return systemCode(error) === "ENOENT";
}

/**
 * Makes a typed error of an error that a system call threw.
 * @param action that failed, as in "Cannot read": `read`
 */
export function fileSystemError(
  action: string,
  path: string,
  cause: unknown,
  data: Readonly<Record<string, unknown>> = {},
): FoldspaceError {
  if (isFoldspaceError(cause)) return cause;
  const [code, reason] = MEANINGS[systemCode(cause) ?? ""] ?? ["FOLD_IO", errorMessage(cause)];
  const refusal = code === "FOLD_PERMISSION" ? findRefusal(path) : undefined;
  // rclone answers so if a file is continued without its write cache
  const isMount = !refusal && action === "append to" && systemCode(cause) === "EPERM";
  const more = refusal?.reason ?? (isMount ? "a mount of rclone permits it only with --vfs-cache-mode writes" : undefined);
  return new FoldspaceError(code, `Cannot ${action} ${path}: ${reason}${more === undefined ? "" : `: ${more}`}`, {
    data: { path, ...data, ...(refusal && { refusedBy: refusal.path, owner: refusal.owner, group: refusal.group }) },
    cause,
  });
}

/** An error that the system does not know: the entry at the path is of the wrong kind. */
export function wrongKind(action: string, path: string, reason: string): FoldspaceError {
  return new FoldspaceError("FOLD_IO", `Cannot ${action} ${path}: ${reason}`, { data: { path } });
}
