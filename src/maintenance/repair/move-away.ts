import { errorCode, errorMessage, type FoldspaceErrorCode } from "../../errors.ts";
import { newId } from "../../tree/index.ts";
import { besidePath, CheckedChanges } from "../checked-changes.ts";
import type { LogEntry, SpaceFolder } from "../../layers/folder/space-folder.ts";
import { digestOfFile } from "./digest.ts";
import type { MovedFile } from "./record.ts";

/** Errors for which a file stays in its place while the others are moved. */
const LEAVES_THE_FILE: ReadonlySet<FoldspaceErrorCode> = new Set<FoldspaceErrorCode>([
  "FOLD_BUSY",
  "FOLD_IO",
  "FOLD_PERMISSION",
  "FOLD_TIMEOUT",
]);

/** Why a file was not moved. */
export interface MoveFailure {
  readonly code: FoldspaceErrorCode;
  readonly reason: string;
}

/**
 * Moves a file out of the space.
 * @returns why it was not moved. One that cannot be moved, for example for its long path, must not stop the others
 * @throws FoldspaceError of the file system that concern all files
 */
export async function moveAway(changes: CheckedChanges, { from, to }: MovedFile): Promise<MoveFailure | undefined> {
  try {
    await changes.moveFile(from, to);
    return undefined;
  } catch (error) {
    const code = errorCode(error);
    if (!code || !LEAVES_THE_FILE.has(code)) throw error;
    return { code, reason: `it could not be moved: ${errorMessage(error)}` };
  }
}

/**
 * Moves a log file out of the space, if its content is the expected one until then.
 * @returns why it was not moved; without a code if it was changed meanwhile
 * @throws FoldspaceError as {@link moveAway}
 */
export async function moveLog(
  folder: SpaceFolder,
  file: MovedFile,
  { peerId, size }: Pick<LogEntry, "peerId" | "size">,
): Promise<MoveFailure | { readonly code?: undefined; readonly reason: string } | undefined> {
  const changes = new CheckedChanges(folder);
  const failure = await moveAway(changes, file);
  if (failure) return failure;
  if ((await digestOfFile(folder, file.to, size)) === file.sha256) return undefined;
  // The sync service replaced the file in between, and may have put a still newer one in its place. So this one goes beside
  // it, under a name that every reader recognizes as a copy.
  const beside = besidePath(file.from, `${peerId} (changed ${newId().slice(0, 8)}).jsonl`);
  await changes.moveFile(file.to, beside);
  return { reason: `it changed while it was being moved, and is in ${beside} now` };
}
