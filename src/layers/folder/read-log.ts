import { FoldspaceError } from "../../errors.ts";
import { MAX_LISTED_OF_FILE } from "../../limits.ts";
import type { FileSystem } from "../../fs/file-system.ts";
import { describePointer } from "../../log/placeholders.ts";
import type { LineProblem } from "../../log/line-problem.ts";
import type { LogPosition } from "../../log/parser.ts";
import type { LogNumbers, OperationColumns } from "../../tree/operation-columns.ts";
import { Parsing, WorkerLost, type ParseJob } from "../../worker/parsing.ts";

/** Problems of the lines of a file. */
export interface LineProblems {
  /** The first problems. */
  readonly listed: readonly LineProblem[];
  /** Number of all problems. */
  readonly count: number;
}

/**
 * How far a log file has been read. Every file of every followed tree has a cursor, so it must not keep the contents.
 */
export interface LogCursor {
  readonly position: LogPosition;
  /** Fingerprint of the bytes just before the position: if the file still contains them there, it has only grown. */
  readonly fingerprint: Fingerprint;
  /** Problems of the lines before the position. */
  readonly problems: LineProblems;
}

interface Fingerprint {
  readonly length: number;
  readonly hash: number;
}

export interface LogReading {
  readonly columns: OperationColumns;
  /** Problems of the whole file, including the part read earlier. */
  readonly problems: LineProblems;
  readonly cursor: LogCursor;
  /** Size of the file when it was read, in bytes. */
  readonly size: number;
  /** Whether reading continued behind the cursor; otherwise the whole file was read. */
  readonly isContinued: boolean;
}

/** Size of the pieces in which files are read; larger ones would only take memory. */
export const CHUNK_BYTES: number = 4 * 1024 * 1024;
/** Length of a fingerprint: several lines, each with its own counter, at a position that depends on all lines before. */
const FINGERPRINT_BYTES = 512;

const NO_PROBLEMS: LineProblems = { listed: [], count: 0 };

/** Parses in this thread; layers pass their own. */
const PARSING_HERE = new Parsing({ worker: false });

export interface ReadLogOptions {
  /** How far the file has been read: if it has only grown since, reading continues there. */
  readonly cursor?: LogCursor | undefined;
  /** Shared by the files of one tree that are read together. */
  readonly numbers?: LogNumbers;
  /** Parses the file. If its worker breaks meanwhile, the file is read again and parsed in this thread. */
  readonly parsing?: Parsing;
  /** Bytes of all files that are read together, which decide where they are parsed. */
  readonly loadBytes?: number;
  /**
   * Size of the file when it was listed, in bytes. Reading stops after the piece that reaches this size, so that it ends even
   * if the file grows as fast as it is read; the next rescan reads the rest.
   */
  readonly listedSize?: number;
}

/**
 * Reads a log file: behind the cursor if the file has only grown since, else the whole file.
 * @returns `undefined` if the file is gone
 * @throws FoldspaceError `FOLD_NOT_DOWNLOADED` for a pointer, and errors of the file system
 */
export async function readLog(
  fs: FileSystem,
  path: string,
  peerId: string,
  options: ReadLogOptions = {},
): Promise<LogReading | undefined> {
  try {
    return (await continueReading(fs, path, peerId, options)) ?? (await readWhole(fs, path, peerId, options));
  } catch (error) {
    if (error instanceof WorkerLost) return await readWhole(fs, path, peerId, { ...options, parsing: PARSING_HERE });
    throw error;
  }
}

/** @returns `undefined` if the file has not just grown */
async function continueReading(
  fs: FileSystem,
  path: string,
  peerId: string,
  options: ReadLogOptions,
): Promise<LogReading | undefined> {
  const { cursor } = options;
  if (!cursor || cursor.fingerprint.length === 0) return undefined;
  const { position, fingerprint } = cursor;
  const offset = position.offset - fingerprint.length;
  const bytes = await fs.read(path, { offset, length: fingerprint.length + CHUNK_BYTES });
  if (!bytes || bytes.length < fingerprint.length) return undefined;
  if (hashOf(bytes.subarray(0, fingerprint.length)) !== fingerprint.hash) return undefined;
  const job = await openJob(peerId, options, bytes.length, position);
  const skip = fingerprint.length;
  return await readOn(fs, path, job, { offset, bytes }, { skip, earlier: cursor.problems, listedSize: options.listedSize });
}

async function readWhole(fs: FileSystem, path: string, peerId: string, options: ReadLogOptions): Promise<LogReading | undefined> {
  const bytes = await fs.read(path, { offset: 0, length: CHUNK_BYTES });
  if (!bytes) return undefined;
  assertNoPointer(bytes, path);
  const job = await openJob(peerId, options, bytes.length);
  return await readOn(fs, path, job, { offset: 0, bytes }, { skip: 0, earlier: NO_PROBLEMS, listedSize: options.listedSize });
}

/**
 * @param bytes the beginning of a file
 * @throws FoldspaceError `FOLD_NOT_DOWNLOADED` if the file is a pointer to contents that have not been fetched
 */
export function assertNoPointer(bytes: Uint8Array, path: string): void {
  const pointer = describePointer(bytes);
  if (pointer !== undefined) throw new FoldspaceError("FOLD_NOT_DOWNLOADED", pointer, { data: { path } });
}

async function openJob(peerId: string, options: ReadLogOptions, bytes: number, from?: LogPosition): Promise<ParseJob> {
  const { numbers, parsing = PARSING_HERE, loadBytes = 0 } = options;
  return await parsing.open({ peerId, ...(numbers && { numbers }), ...(from && { from }) }, Math.max(bytes, loadBytes));
}

interface FirstChunk {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Results of the earlier part of a file. */
interface Before {
  /** Bytes of the first chunk that were parsed earlier. */
  readonly skip: number;
  /** Problems in those bytes and before them. */
  readonly earlier: LineProblems;
  readonly listedSize: number | undefined;
}

/**
 * Reads to the end of the file.
 * @param first chunk, already read
 */
async function readOn(fs: FileSystem, path: string, job: ParseJob, first: FirstChunk, before: Before): Promise<LogReading> {
  try {
    return await readToEnd(fs, path, job, first, before);
  } catch (error) {
    // the parser waits for the end of the job; the caller gets the first error
    job.end().catch(() => undefined);
    throw error;
  }
}

async function readToEnd(
  fs: FileSystem,
  path: string,
  job: ParseJob,
  first: FirstChunk,
  { skip, earlier, listedSize = Infinity }: Before,
): Promise<LogReading> {
  let chunk = first.bytes;
  let chunkOffset = first.offset;
  let isLast = chunk.length < CHUNK_BYTES + skip;
  await job.push(chunk.subarray(skip));
  while (!isLast && chunkOffset + chunk.length < listedSize) {
    const next = await fs.read(path, { offset: chunkOffset + chunk.length, length: CHUNK_BYTES });
    if (!next || next.length === 0) break;
    chunkOffset += chunk.length;
    chunk = next;
    isLast = chunk.length < CHUNK_BYTES;
    await job.push(chunk);
  }
  const { columns, problems, problemCount, finalProblems, finalProblemCount, position } = await job.end();
  // before the last chunk, or in the middle of it if the last line is unfinished
  const end = Math.max(0, position.offset - chunkOffset);
  return {
    columns,
    problems: joinProblems(earlier, { listed: problems, count: problemCount }),
    cursor: {
      position,
      fingerprint: fingerprintOf(chunk.subarray(Math.max(0, end - FINGERPRINT_BYTES), end)),
      problems: joinProblems(earlier, { listed: problems.slice(0, finalProblems), count: finalProblemCount }),
    },
    size: chunkOffset + chunk.length,
    isContinued: skip > 0,
  };
}

/** Joins the problems of a part of a file and of the part behind it. */
function joinProblems(earlier: LineProblems, later: LineProblems): LineProblems {
  if (later.count === 0) return earlier;
  return { listed: [...earlier.listed, ...later.listed].slice(0, MAX_LISTED_OF_FILE), count: earlier.count + later.count };
}

function fingerprintOf(bytes: Uint8Array): Fingerprint {
  return { length: bytes.length, hash: hashOf(bytes) };
}

/** 53 bits that depend on every byte, of two running products (as in FNV-1a) with different starts and factors. */
function hashOf(bytes: Uint8Array): number {
  let low = 0x811c9dc5;
  let high = 0x2c1b3c6d;
  for (const byte of bytes) {
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul(high ^ byte, 0x297a2d39);
  }
  return (high >>> 11) * 2 ** 32 + (low >>> 0);
}
