import { isMtimeUntrusted } from "./file-signature.ts";
import { backoffMs } from "../../backoff.ts";
import type { Clock } from "../../clock.ts";
import { toFoldspaceError, type FoldspaceError, type Problem } from "../../errors.ts";
import { Semaphore } from "../../semaphore.ts";
import { staggered } from "../../staggered.ts";
import { endOfPeriod, OPS_DIR } from "../../log/paths.ts";
import { ProblemLedger } from "../../problem-ledger.ts";
import type { Trace } from "../../trace.ts";
import type { LogNumbers } from "../../tree/operation-columns.ts";
import type { Parsing } from "../../worker/parsing.ts";
import { mapLimit } from "../../map-limit.ts";
import type { LineProblem } from "../../log/line-problem.ts";
import { readLog, type LogCursor, type LogReading } from "./read-log.ts";
import { describeUnreadable, type LogEntry, type SpaceFolder } from "./space-folder.ts";

/** More concurrent reads gain little, and take file handles. */
const FILES_AT_ONCE = 8;
/** A sync service may remove a file for a moment while it replaces it. */
const LOST_AFTER_MS = 20_000;
/**
 * If more files are missing at once, the user has probably excluded a folder from syncing, or moved it for a while. To write all
 * of them again would double the space on every device. So each device waits for long, and for a different time, so that the
 * files that the first one writes arrive at the others before they do the same.
 */
const MAX_LOST_SOON = 8;
const MANY_LOST_AFTER_MS = 10 * 60_000;
const MANY_LOST_SPREAD_MS = 10 * 60_000;
/** Key of the problem that says how many files are missing. */
const MISSING = "";
const LAST_RETRY_MS = 60_000;

/** The known state of a file, which reveals later changes. */
export interface KnownFile {
  readonly entry: LogEntry;
  /** Only of files that have been read, and whose tree is followed. */
  readonly cursor: LogCursor | undefined;
  /** Whether its size and time cannot be trusted to show the next change. */
  readonly mtimeUntrusted: boolean;
  missingSince: number | undefined;
}

/** A file that could not be read. */
export interface FailedFile {
  readonly entry: LogEntry;
  readonly error: FoldspaceError;
  readonly tries: number;
  readonly retryAt: number;
  /**
   * Whether the platform owed an answer about the file when it was last asked. Then only the file's own retries read it, if its
   * tree is followed, so that it has any.
   */
  readonly isStalled: boolean;
  /** Whether a retry is under way. */
  isBusy: boolean;
}

/** Options for reading several files of one tree together. */
export interface ReadTogether {
  readonly numbers?: LogNumbers;
  /** Bytes of all these files. */
  readonly loadBytes?: number;
  /** Whether to continue where reading stopped, in files that have only grown. */
  readonly isContinued: boolean;
}

export interface LogFilesOptions {
  readonly folder: SpaceFolder;
  readonly clock: Clock;
  readonly parsing: Parsing;
  readonly peerId: string;
  /** Whether the platform owes an answer about the file with this full path. */
  readonly isLate: (path: string) => boolean;
  readonly trace?: Trace | undefined;
}

/**
 * Reads the log files of a folder. Remembers how far each was read, their problems, and which are missing. A failed file keeps
 * its state in `#known`:
 *
 * | state of a file | means | leaves it when |
 * | --- | --- | --- |
 * | in neither map | it was not seen yet, or is lost | it is passed or read, or fails |
 * | `#known`, no `cursor` | seen; it is ours and unchanged, or its tree is not followed | it is read |
 * | `#known`, `cursor` | read up to the cursor | it is passed: only we have written to it since, or its tree was released |
 * | `#known`, `missingSince` | a full scan lacked it | a scan lists it, or lacks it for long (`noteMissing`): it is lost |
 * | `#failed` | it could not be read | a retry or scan reads or passes it, or it is gone |
 * | `#failed`, `isStalled` | if its tree is followed, only its own retries read it | a retry reads it, or fails with an answer |
 * | `#failed`, `isBusy` | its own retry reads it, no other caller does | the retry reads it, or fails again |
 */
export class LogFiles {
  /** Problems of lines, and of files that cannot be read. */
  readonly problems: ProblemLedger = new ProblemLedger();
  readonly #folder: SpaceFolder;
  readonly #clock: Clock;
  readonly #parsing: Parsing;
  readonly #isLate: (path: string) => boolean;
  readonly #trace: Trace | undefined;
  readonly #manyLostAfterMs: number;
  readonly #semaphore = new Semaphore(FILES_AT_ONCE);
  readonly #known = new Map<string, KnownFile>();
  readonly #failed = new Map<string, FailedFile>();
  /** Folders in which files were found. */
  readonly #folders = new Set<string>();

  constructor({ folder, clock, parsing, peerId, isLate, trace }: LogFilesOptions) {
    this.#folder = folder;
    this.#clock = clock;
    this.#parsing = parsing;
    this.#isLate = isLate;
    this.#trace = trace;
    this.#manyLostAfterMs = MANY_LOST_AFTER_MS + staggered(MANY_LOST_SPREAD_MS, peerId);
  }

  get(path: string): KnownFile | undefined {
    return this.#known.get(path);
  }

  failureOf(path: string): FailedFile | undefined {
    return this.#failed.get(path);
  }

  /** Whether files were ever found in a folder. */
  wasSeen(folder: string): boolean {
    return this.#folders.has(folder);
  }

  /** Whether the platform still owes an answer about a file. */
  isUnanswered(path: string): boolean {
    return this.#isLate(this.#folder.at(path));
  }

  failures(): Iterable<FailedFile> {
    return this.#failed.values();
  }

  /** Folders of known files whose day ends after this time. */
  foldersSince(time: number): Set<string> {
    const folders = new Set<string>();
    for (const { entry } of this.#known.values()) {
      const folder = folderOf(entry);
      if (!folders.has(folder) && (endOfPeriod(folder.slice(OPS_DIR.length + 1)) ?? -Infinity) > time) folders.add(folder);
    }
    return folders;
  }

  isChanged({ path, size, modifiedMs }: LogEntry): boolean {
    const known = this.#known.get(path);
    return known?.entry.size !== size || known.entry.modifiedMs !== modifiedMs;
  }

  /** The known files of a tree. */
  ofTree(treeId: string): KnownFile[] {
    return [...this.#known.values()].filter(({ entry }) => entry.treeId === treeId);
  }

  /** Takes over what an earlier instance knew of a file. */
  adopt(known: KnownFile): void {
    const { path, treeId } = known.entry;
    this.#folders.add(folderOf(known.entry));
    this.#known.set(path, known);
    const { listed, count } = known.cursor?.problems ?? { listed: [], count: 0 };
    this.#noteProblems(path, treeId, listed, count);
  }

  /** Forgets what is known of a file. */
  forget(path: string): void {
    this.#known.delete(path);
    this.forgive(path);
  }

  /** Notes that a file was seen and needs no reading. */
  pass(entry: LogEntry): void {
    this.#folders.add(folderOf(entry));
    this.#known.set(entry.path, { entry, cursor: undefined, mtimeUntrusted: false, missingSince: undefined });
    this.#failed.delete(entry.path);
    // such as one of a line that was being written when it was read
    this.problems.delete(entry.path);
  }

  /**
   * Reads files. Checks before and after that no link leads to a file, and that the folder is still the space's, so that
   * callers can use the result.
   * @returns for each file its contents, or the error; `undefined` if it is gone
   * @throws FoldspaceError as `SpaceFolder.assertPresent`
   */
  async readAll(entries: readonly LogEntry[], how: ReadTogether): Promise<(LogReading | FoldspaceError | undefined)[]> {
    if (entries.length > 0) await this.#folder.assertPresent();
    const before = await this.#findLinked(entries);
    const readings = await Promise.all(
      entries.map(async (entry) => before.get(folderOf(entry)) ?? (await this.#semaphore.run(() => this.#read(entry, how)))),
    );
    const after = await this.#findLinked(entries);
    if (entries.length > 0) await this.#folder.assertPresent();
    return readings.map((reading, index) => after.get(folderOf(entries[index]!)) ?? reading);
  }

  /**
   * Notes the contents of a file.
   * @returns whether its earlier contents may be gone
   */
  apply(entry: LogEntry, reading: LogReading): boolean {
    const { path, treeId } = entry;
    this.#folders.add(folderOf(entry));
    this.#trace?.emit("read", { treeId, ops: [...reading.columns], file: path });
    const known = this.#known.get(path);
    const hadBytes = (known?.cursor?.position.offset ?? known?.entry.size ?? 0) > 0;
    const { listed, count } = reading.problems;
    // without room for more problems, the first one represents all of the file
    const isRoom = this.problems.hasRoomFor(path);
    const { cursor } = reading;
    this.#failed.delete(path);
    this.#known.set(path, {
      entry: { ...entry, size: reading.size },
      cursor: isRoom ? cursor : { ...cursor, problems: { ...cursor.problems, listed: cursor.problems.listed.slice(0, 1) } },
      mtimeUntrusted: isMtimeUntrusted(entry, this.#clock.now()),
      missingSince: undefined,
    });
    this.#noteProblems(path, treeId, listed.slice(0, isRoom ? listed.length : 1), count);
    return known !== undefined && hadBytes && !reading.isContinued;
  }

  #noteProblems(path: string, treeId: string, listed: readonly LineProblem[], count: number): void {
    const problems = listed.map(({ code, reason, line, isLossless }): Problem => ({
      code,
      reason,
      file: path,
      line,
      treeId,
      ...(isLossless === undefined ? {} : { isLossless }),
    }));
    this.problems.set(path, problems, count);
  }

  /** Notes that a file could not be read, and schedules a retry. */
  fail(entry: LogEntry, error: FoldspaceError): void {
    const { path, treeId } = entry;
    this.#trace?.emit("failed", { treeId, file: path, code: error.code });
    const tries = (this.#failed.get(path)?.tries ?? 0) + 1;
    const delayMs = backoffMs(tries, undefined, LAST_RETRY_MS);
    const isStalled = this.isUnanswered(path);
    this.#failed.set(path, { entry, error, tries, retryAt: this.#clock.now() + delayMs, isStalled, isBusy: false });
    this.problems.set(path, [{ code: error.code, reason: describeUnreadable(error), file: path, treeId }]);
  }

  /** Forgets the failure of a file that is gone. */
  forgive(path: string): void {
    this.#failed.delete(path);
    this.problems.delete(path);
  }

  /**
   * Finds files that have been missing for long and count as lost: their operations must be written again. If many are missing,
   * it takes longer.
   * @param outOfReach folders and files that may still exist
   * @returns the trees of the lost files
   */
  noteMissing(present: ReadonlySet<string>, outOfReach: ReadonlySet<string>): Set<string> {
    const now = this.#clock.now();
    const isMissing = (path: string): boolean => !present.has(path) && !isIn(outOfReach, path);
    for (const path of [...this.problems.keys()])
      if (path !== MISSING && !this.#known.has(path) && isMissing(path)) this.forgive(path);
    const missing = [...this.#known].filter(([path]) => isMissing(path));
    const lostAfterMs = missing.length > MAX_LOST_SOON ? this.#manyLostAfterMs : LOST_AFTER_MS;
    const lossy = new Set<string>();
    let missingCount = 0;
    for (const [path, known] of missing) {
      known.missingSince ??= now;
      if (now - known.missingSince < lostAfterMs) {
        missingCount++;
        continue;
      }
      this.#known.delete(path);
      this.forgive(path);
      lossy.add(known.entry.treeId);
    }
    this.problems.set(MISSING, missingCount > MAX_LOST_SOON ? [this.#describeMissing(missingCount)] : []);
    return lossy;
  }

  #describeMissing(count: number): Problem {
    const minutes = Math.round(this.#manyLostAfterMs / 60_000);
    const reason = `${count} log files are missing at once. If they are not back within ${minutes} minutes, what they contained is written again`;
    return { code: "FOLD_FILES_MISSING", reason };
  }

  async #read(
    entry: LogEntry,
    { numbers, loadBytes, isContinued }: ReadTogether,
  ): Promise<LogReading | FoldspaceError | undefined> {
    try {
      return await readLog(this.#folder.fs, this.#folder.at(entry.path), entry.peerId, {
        parsing: this.#parsing,
        listedSize: entry.size,
        cursor: isContinued ? this.#known.get(entry.path)?.cursor : undefined,
        ...(numbers && { numbers }),
        ...(loadBytes !== undefined && { loadBytes }),
      });
    } catch (error) {
      return toFoldspaceError(error);
    }
  }

  /** Returns the folders of these files that a link leads to, or that cannot be checked, with the errors. */
  async #findLinked(entries: readonly LogEntry[]): Promise<Map<string, FoldspaceError>> {
    const links = this.#folder.checkLinks();
    const found = new Map<string, FoldspaceError>();
    await mapLimit(FILES_AT_ONCE, [...new Set(entries.map(folderOf))], async (folder) => {
      try {
        await links.assertInside(folder);
      } catch (error) {
        found.set(folder, toFoldspaceError(error));
      }
    });
    return found;
  }
}

function folderOf({ path }: LogEntry): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** Whether a path, or a folder above it, is in `paths`. */
function isIn(paths: ReadonlySet<string>, path: string): boolean {
  for (let part = path; part !== ""; part = part.slice(0, Math.max(0, part.lastIndexOf("/")))) if (paths.has(part)) return true;
  return false;
}
