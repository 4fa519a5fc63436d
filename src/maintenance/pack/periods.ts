import { FoldspaceError } from "../../errors.ts";
import { OPS_DIR } from "../../log/index.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** How long ago a month must have ended before its files are packed, by default, in milliseconds. */
export const DEFAULT_OLDER_THAN_MS: number = 90 * DAY_MS;
/**
 * The shortest such time. It exceeds the time for which an instance may continue to write to the folder of an
 * earlier day (`EARLIER_MS` of `layers/folder/day-folders.ts`), so that no program appends to a file that is packed.
 */
export const LEAST_OLDER_THAN_MS: number = 31 * DAY_MS;

/** The month or year whose files of one peer and tree become one file. */
export interface Period {
  readonly key: string;
  readonly year: number;
  /** The last day of the period, whose folder the packed file is in. */
  readonly lastDay: Date;
}

/** @throws FoldspaceError `FOLD_BAD_VALUE` for a time that is too short */
export function assertOldEnough(olderThanMs: number): void {
  if (olderThanMs >= LEAST_OLDER_THAN_MS) return;
  const least = LEAST_OLDER_THAN_MS / DAY_MS;
  throw new FoldspaceError("FOLD_BAD_VALUE", `Files can be packed ${least} days after their month at the earliest`, {
    data: { olderThanMs, leastMs: LEAST_OLDER_THAN_MS },
  });
}

/**
 * Returns the period to which a file of a day belongs: the year if it ended long enough ago, else the month.
 * @param path of the file, relative to the space's folder
 * @returns `undefined` if its month did not end long enough ago, or if no day names its folder
 */
export function periodOf(path: string, now: Date, olderThanMs: number): Period | undefined {
  const date = /^(?:[^/]+\/){1,2}(\d{4})\/(\d{2})\/\d{2}\/[^/]+$/.exec(path.slice(OPS_DIR.length + 1));
  if (!date) return undefined;
  const [year, month] = [Number(date[1]), Number(date[2])];
  const isOver = (end: number): boolean => end + olderThanMs <= now.getTime();
  if (isOver(Date.UTC(year + 1, 0))) return { key: date[1]!, year, lastDay: new Date(Date.UTC(year, 11, 31)) };
  const end = Date.UTC(year, month);
  return isOver(end) ? { key: `${date[1]}/${date[2]}`, year, lastDay: new Date(end - DAY_MS) } : undefined;
}
