import type { FileStat } from "../../fs/file-system.ts";

/** What a listing says about a file's contents: while it is the same, the file counts as unchanged. */
export type FileSignature = Pick<FileStat, "size" | "modifiedMs">;

/** A file that was changed so recently may change again without another time of change (FAT counts in steps of 2 s). */
const MTIME_RESOLUTION_MS = 2_500;

/** Whether the next change of a file might leave its signature as it is. */
export function isMtimeUntrusted({ modifiedMs }: Pick<FileStat, "modifiedMs">, nowMs: number): boolean {
  return Math.abs(nowMs - modifiedMs) < MTIME_RESOLUTION_MS;
}
