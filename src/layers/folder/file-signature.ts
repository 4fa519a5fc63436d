import type { FileStat } from "../../fs/file-system.ts";

/** Properties in a listing that reveal a change of contents: as long as they are the same, the file counts as unchanged. */
export type FileSignature = Pick<FileStat, "size" | "modifiedMs">;

/** A file changed so recently may change again without a new modification time (FAT has a resolution of 2 s). */
const MTIME_RESOLUTION_MS = 2_500;

/** Whether the next change of a file might keep its signature. */
export function isMtimeUntrusted({ modifiedMs }: Pick<FileStat, "modifiedMs">, nowMs: number): boolean {
  return Math.abs(nowMs - modifiedMs) < MTIME_RESOLUTION_MS;
}
