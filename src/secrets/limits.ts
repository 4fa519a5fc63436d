import { FoldspaceError } from "../errors.ts";

/** Size of all secrets of a space with their names, as JSON. No more can be added. */
const MAX_SECRETS_BYTES: number = 1024 * 1024;
/** Secrets that are not deleted. No more can be added. */
const MAX_SECRETS: number = 10_000;
/** Deletions that are remembered; beyond that number, the earliest are cleaned up. */
export const MAX_DELETIONS: number = 10_000;
/** A file with secrets, encrypted and in base64. Larger files are not read. */
export const MAX_SECRETS_FILE_BYTES: number = 2 * 1024 * 1024;
/**
 * JSON that fits such a file. This is more than can be added, because two devices that each keep to those limits may exceed them
 * together.
 */
export const MAX_CONTENT_BYTES: number = ((MAX_SECRETS_FILE_BYTES - 32 * 1024) / 4) * 3;
/** Files of peers that are read in one source, the latest first. */
export const MAX_SEALED_FILES: number = 256;
/** Size of all those files together. */
export const MAX_SEALED_BYTES: number = 16 * 1024 * 1024;
/** Conflict copies of `secrets` that are read at once. */
export const MAX_COPIES: number = 64;

/** @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE` */
export function assertFileSize(bytes: number): void {
  if (bytes > MAX_SECRETS_FILE_BYTES) throw tooLarge(`${bytes} bytes, of at most ${MAX_SECRETS_FILE_BYTES}`);
}

/** The size of the secrets that are not deleted. */
export interface SecretsSize {
  readonly count: number;
  /** As JSON. */
  readonly bytes: number;
}

/**
 * Refuses a change that exceeds the limits, unless it makes the secrets smaller.
 * @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`
 */
export function assertMayGrow(before: SecretsSize, after: SecretsSize): void {
  if (after.count > MAX_SECRETS && after.count > before.count)
    throw tooLarge(`${after.count} secrets, of at most ${MAX_SECRETS}`);
  if (after.bytes > MAX_SECRETS_BYTES && after.bytes > before.bytes)
    throw tooLarge(`${after.bytes} bytes of secrets, of at most ${MAX_SECRETS_BYTES}`);
}

/**
 * @param bytes size of the JSON before encryption
 * @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`
 */
export function assertFitsFile(bytes: number): void {
  if (bytes > MAX_CONTENT_BYTES) throw tooLarge(`${bytes} bytes in one file, of at most ${MAX_CONTENT_BYTES}`);
}

function tooLarge(what: string): FoldspaceError {
  return new FoldspaceError("FOLD_SECRETS_TOO_LARGE", `The secrets are too large: ${what}`);
}
