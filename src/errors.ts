/**
 * Every failure and every problem that foldspace reports carries one of these codes. Codes are part of
 * the public API and do not change between major versions; messages may.
 */
export type FoldspaceErrorCode =
  // the folder
  | "FOLD_NOT_FOUND" // the folder does not exist
  | "FOLD_NOT_A_FOLDER" // a file stands where the folder should be
  | "FOLD_NOT_A_SPACE" // the folder holds no space
  | "FOLD_OLD_FORMAT" // the folder holds a space of version 0, which has to be migrated
  | "FOLD_BAD_SPACE_FILE" // space.json is not JSON or names no id
  | "FOLD_SPACE_MISMATCH" // space.json names another space than the one that was asked for
  | "FOLD_ALREADY_A_SPACE" // a space would be created where one is
  | "FOLD_NEWER_FORMAT" // written by a newer version, which this one must not touch
  | "FOLD_FOREIGN_STORAGE" // a database of this name is something else
  | "FOLD_UNAVAILABLE" // the platform has no such storage, or does not allow it here
  | "FOLD_FOLDER_LOST" // the folder was there and is gone (unmounted, renamed, deleted)
  | "FOLD_UNTRUSTED_SERVER" // what answers at the server's address does not know the token: another program, or a server with a new one
  // what stands in it
  | "FOLD_BAD_LINE" // a line is not an operation
  | "FOLD_TORN_LINE" // a line was cut off
  | "FOLD_MERGE_MARKER" // a line that Git left in a conflict
  | "FOLD_LINE_TOO_LONG"
  | "FOLD_TOO_DEEP" // a value is nested too deeply
  | "FOLD_BAD_COUNTER"
  | "FOLD_BAD_ID"
  | "FOLD_BAD_UTF8"
  | "FOLD_CONFLICT_COPY" // a copy that a sync service made; its operations are read
  | "FOLD_NOT_DOWNLOADED" // a placeholder of a file that the sync service has not fetched
  | "FOLD_FOREIGN_FILE" // nothing of ours, ignored
  | "FOLD_BAD_RECORD" // a database record that holds no operations
  | "FOLD_ID_COLLISION" // one operation id, two different operations
  | "FOLD_PEER_CLONED" // somebody else makes operations under this instance's peer id
  | "FOLD_NO_ROOT" // a tree whose root operation is missing
  | "FOLD_ONLY_IN_LOST_FOUND" // operations that only files in lost+found contain
  // secrets
  | "FOLD_SECRETS_BROKEN" // they do not decrypt: cut off, changed, or of another space
  | "FOLD_SECRETS_LOCKED" // they are sealed under a key that is not unlocked
  | "FOLD_SECRETS_PROTECTION" // they are protected by a passphrase already, or are not
  | "FOLD_SECRETS_ROLLED_BACK" // older than what this device has seen
  | "FOLD_SECRETS_UNPROTECTED" // other values of protected ones stand without protection
  | "FOLD_SECRETS_PARAMETERS" // a passphrase would be checked too cheaply, or at too high a cost
  | "FOLD_SECRETS_TOO_LARGE"
  | "FOLD_WRONG_PASSPHRASE"
  | "FOLD_NO_SECRET"
  // use
  | "FOLD_BAD_VALUE" // a property value that JSON cannot carry
  | "FOLD_BAD_OPERATION"
  | "FOLD_COUNTER_EXHAUSTED"
  | "FOLD_NO_VERTEX"
  | "FOLD_NO_TREE"
  | "FOLD_CYCLE" // a vertex would be moved under itself
  | "FOLD_CLOSED"
  | "FOLD_IN_USE" // a layer, or the place it keeps a space in, has another user
  | "FOLD_NO_LAYER"
  | "FOLD_NO_FILE_SYSTEM"
  | "FOLD_NOT_DURABLE" // not every layer has taken every operation
  // the machine
  | "FOLD_PERMISSION"
  | "FOLD_READ_ONLY"
  | "FOLD_DISK_FULL"
  | "FOLD_BUSY" // another program is using it, or the system is: trying again may help
  | "FOLD_TIMEOUT" // no answer in time
  | "FOLD_IO";

export interface FoldspaceErrorOptions {
  /** What the error is about, as plain data that survives structured cloning. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one error class of foldspace: `code` is for programs, `message` for people. */
export class FoldspaceError extends Error {
  override readonly name = "FoldspaceError";
  readonly code: FoldspaceErrorCode;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: FoldspaceErrorCode, message: string, options: FoldspaceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.data = options.data ?? {};
  }
}

/** Something in a space that a person should know about. It never stopped the rest from loading. */
export interface Problem {
  readonly code: FoldspaceErrorCode;
  /** What is wrong and what follows from it, in one sentence. */
  readonly reason: string;
  /** Path relative to the space's folder. */
  readonly file?: string;
  /** Line number, counted from 1. */
  readonly line?: number;
  readonly treeId?: string;
  /** Of the operation that a torn line was to hold, where that can still be read. */
  readonly counter?: number;
  /** Whether nothing is lost: all operations of the line were read, or stand whole elsewhere in the folder. */
  readonly isLossless?: boolean;
}

/**
 * Whether an error is one of ours, by its name and code: a program may hold two copies of the package, and an error may come
 * from another realm (a frame, a worker's or Node's `vm`), so that its class is not ours.
 */
export function isFoldspaceError(error: unknown): error is FoldspaceError {
  if (!isError(error) || error.name !== "FoldspaceError" || !("code" in error)) return false;
  return typeof error.code === "string" && error.code.startsWith("FOLD_");
}

/** The code of an error, or `undefined` where it is not one of ours. */
export function errorCode(error: unknown): FoldspaceErrorCode | undefined {
  return isFoldspaceError(error) ? error.code : undefined;
}

/** The message of whatever was thrown. */
export function errorMessage(error: unknown): string {
  return isError(error) ? error.message : String(error);
}

/** One of ours as it is; anything else as the cause of a `FOLD_IO`. */
export function toFoldspaceError(error: unknown): FoldspaceError {
  return isFoldspaceError(error) ? error : new FoldspaceError("FOLD_IO", errorMessage(error), { cause: error });
}

/** Also of another realm, where the class `Error` is another. */
function isError(error: unknown): error is Error {
  return error instanceof Error || Object.prototype.toString.call(error) === "[object Error]";
}
