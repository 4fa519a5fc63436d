/**
 * Every error and every problem that foldspace reports has one of these codes. Codes are part of the public API and do
 * not change between major versions; messages may change.
 */
export type FoldspaceErrorCode =
  // the folder
  | "FOLD_NOT_FOUND" // the folder does not exist, or no layer has the space
  | "FOLD_NOT_A_FOLDER" // a file is where the folder should be
  | "FOLD_NOT_A_SPACE" // the folder holds no space
  | "FOLD_OLD_FORMAT" // the folder contains a space of version 0, which must be migrated
  | "FOLD_BAD_SPACE_FILE" // space.json is not JSON or names no id
  | "FOLD_SPACE_MISMATCH" // space.json names another space than the requested one
  | "FOLD_ALREADY_A_SPACE" // a space would be created in the folder of another one
  | "FOLD_NEWER_FORMAT" // written by a newer version, which this one must not touch
  | "FOLD_FOREIGN_STORAGE" // a database of this name belongs to another program
  | "FOLD_UNAVAILABLE" // the platform has no such storage, or does not allow it here
  | "FOLD_FOLDER_LOST" // the folder was there and is gone (unmounted, renamed, deleted)
  | "FOLD_UNTRUSTED_SERVER" // the server at the address does not know the token: another program, or a server with a new token
  // the folder's content
  | "FOLD_BAD_LINE" // a line is not an operation
  | "FOLD_TORN_LINE" // a line was cut off
  | "FOLD_MERGE_MARKER" // a version control program left this in a conflict
  | "FOLD_LINE_TOO_LONG"
  | "FOLD_TOO_DEEP" // a value is nested too deeply
  | "FOLD_BAD_COUNTER"
  | "FOLD_BAD_ID"
  | "FOLD_BAD_UTF8"
  | "FOLD_CONFLICT_COPY" // a sync service made this copy; its operations are read
  | "FOLD_NOT_DOWNLOADED" // a placeholder or pointer in the place of a file that has not been downloaded
  | "FOLD_FILES_MISSING" // many files are missing at once: what they contained is written again if they stay away
  | "FOLD_LINKED_FILE" // a link in the place of a file, as git-annex makes it; links are never followed
  | "FOLD_FOREIGN_FILE" // a file that does not belong to the space; ignored
  | "FOLD_BAD_RECORD" // a database record that holds no operations
  | "FOLD_ID_COLLISION" // two different operations have the same id
  | "FOLD_PEER_CLONED" // another instance makes operations under this instance's peer id
  | "FOLD_NO_ROOT" // a tree whose root operation is missing
  | "FOLD_TWO_SPACES" // another space began in the same folder
  | "FOLD_ONLY_IN_LOST_FOUND" // operations that only files in lost+found contain
  // secrets
  | "FOLD_SECRETS_BROKEN" // they do not decrypt: cut off, changed, or from another space
  | "FOLD_SECRETS_LOCKED" // they are sealed under a key that is not unlocked
  | "FOLD_SECRETS_PROTECTION" // they are already protected by a passphrase, or are not protected
  | "FOLD_SECRETS_ROLLED_BACK" // they are older than the version that this device has seen
  | "FOLD_SECRETS_UNPROTECTED" // other values of protected secrets are stored without protection
  | "FOLD_SECRETS_PARAMETERS" // checking a passphrase would cost too little or too much
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
  | "FOLD_IN_USE" // a layer, or the place in which it keeps a space, has another user
  | "FOLD_NO_LAYER"
  | "FOLD_NO_FILE_SYSTEM"
  | "FOLD_NOT_DURABLE" // not every layer has saved every operation
  // the machine
  | "FOLD_PERMISSION"
  | "FOLD_READ_ONLY"
  | "FOLD_DISK_FULL"
  | "FOLD_BUSY" // another program is using the file, or the system is busy: a retry may help
  | "FOLD_TIMEOUT" // no answer in time
  | "FOLD_IO";

/** Details of a new {@link FoldspaceError}. */
export interface FoldspaceErrorOptions {
  /** Details of the error, as plain data that survives structured cloning. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** foldspace's only error class: `code` is for programs, `message` for people. */
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

/** A defect of a space that the user should know about. It never prevents the rest from loading. */
export interface Problem {
  readonly code: FoldspaceErrorCode;
  /** The defect and its consequence, in one sentence. */
  readonly reason: string;
  /** Path relative to the space's folder. */
  readonly file?: string;
  /** Line number, counted from 1. */
  readonly line?: number;
  readonly treeId?: string;
  /** Counter of the operation on a torn line, if it is still readable. */
  readonly counter?: number;
  /** Whether nothing is lost: all operations of the line were read, or other lines of the folder contain them whole. */
  readonly isLossless?: boolean;
}

/**
 * Whether an error is a FoldspaceError, judged by its name and code. Its class may differ: a program may hold two copies
 * of the package, and an error may come from another realm (a frame, a worker, or Node's `vm`).
 */
export function isFoldspaceError(error: unknown): error is FoldspaceError {
  if (!isError(error) || error.name !== "FoldspaceError" || !("code" in error)) return false;
  return typeof error.code === "string" && error.code.startsWith("FOLD_");
}

/** The code of a FoldspaceError; `undefined` for any other error. */
export function errorCode(error: unknown): FoldspaceErrorCode | undefined {
  return isFoldspaceError(error) ? error.code : undefined;
}

/** The message of any thrown value. */
export function errorMessage(error: unknown): string {
  return isError(error) ? error.message : String(error);
}

/** Returns a FoldspaceError unchanged, and makes any other error the cause of a `FOLD_IO`. */
export function toFoldspaceError(error: unknown): FoldspaceError {
  return isFoldspaceError(error) ? error : new FoldspaceError("FOLD_IO", errorMessage(error), { cause: error });
}

/** The name of any thrown error, such as `NotFoundError`; `undefined` for any other thrown value. */
export function errorName(error: unknown): string | undefined {
  return isError(error) ? error.name : undefined;
}

/** The system's code of an error of Node, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  return isError(error) && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/**
 * Whether a value is an error or a `DOMException`, of any realm. Jest and Vitest's pools `vmThreads` and `vmForks` run all code in
 * a realm of its own, in which the errors of `node:fs` and of the platform are no `instanceof Error`.
 */
export function isError(value: unknown): value is Error {
  // oxlint-disable-next-line unicorn/no-instanceof-builtins -- an error of this realm may have a tag of its own
  return value instanceof Error || ERROR_TAGS.has(Object.prototype.toString.call(value));
}

const ERROR_TAGS: ReadonlySet<string> = new Set(["[object Error]", "[object DOMException]"]);
