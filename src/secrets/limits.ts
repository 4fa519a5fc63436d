import { FoldspaceError } from "../errors.ts";
import { utf8 } from "./encoding.ts";

/** All secrets of a space with their names, as JSON. */
export const MAX_SECRETS_BYTES: number = 1024 * 1024;
/** A file with them, sealed and in base64. Larger ones are not read. */
export const MAX_SECRETS_FILE_BYTES: number = 2 * 1024 * 1024;
/** Names, those of deleted secrets included. */
export const MAX_SECRETS: number = 10_000;
/** Files of peers that are read in one place, the latest first. */
export const MAX_SEALED_FILES: number = 256;
/** Conflict copies of `secrets` that are read. */
export const MAX_COPIES: number = 64;

/** @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE` */
export function assertFileSize(bytes: number): void {
  if (bytes > MAX_SECRETS_FILE_BYTES) throw tooLarge(`${bytes} bytes, of at most ${MAX_SECRETS_FILE_BYTES}`);
}

/**
 * @param json all secrets as they are about to be sealed
 * @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`
 */
export function assertWithinLimits(count: number, json: string): void {
  if (count > MAX_SECRETS) throw tooLarge(`${count} secrets, of at most ${MAX_SECRETS}, those deleted included`);
  const bytes = utf8(json).length;
  if (bytes > MAX_SECRETS_BYTES) throw tooLarge(`${bytes} bytes of secrets, of at most ${MAX_SECRETS_BYTES}`);
}

function tooLarge(what: string): FoldspaceError {
  return new FoldspaceError("FOLD_SECRETS_TOO_LARGE", `The secrets are too large: ${what}`);
}
