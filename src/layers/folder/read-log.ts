import { MAX_LISTED_OF_FILE } from "../../limits.ts";
import type { FileSystem } from "../../fs/file-system.ts";
import { IdPool } from "../../log/line.ts";
import type { LineProblem } from "../../log/line-problem.ts";
import type { LogPosition } from "../../log/parser.ts";
import type { VertexOperation } from "../../tree/index.ts";
import { Parsing, WorkerLost, type ParseJob } from "../../worker/parsing.ts";

/** Problems of lines of a file. */
export interface LineProblems {
  /** The first of them. */
  readonly listed: readonly LineProblem[];
  /** How many there are in all. */
  readonly count: number;
}

/**
 * How far a log file has been read. There is one for each file of each tree that is followed, so it holds nothing of what
 * was read.
 */
export interface LogCursor {
  readonly position: LogPosition;
  /** Of the bytes just before the position: if such bytes still stand there, the file has only grown. */
  readonly fingerprint: Fingerprint;
  /** Of the lines before the position. */
  readonly problems: LineProblems;
}

interface Fingerprint {
  readonly length: number;
  readonly hash: number;
}

export interface LogReading {
  readonly ops: VertexOperation[];
  /** Of the whole file, also of the part read earlier. */
  readonly problems: LineProblems;
  readonly cursor: LogCursor;
  /** Bytes in the file when it was read. */
  readonly size: number;
  /** Whether reading went on behind the cursor; otherwise the whole file was read. */
  readonly isContinued: boolean;
}

/** So large a piece of a file is read at once; more would only take memory. */
export const CHUNK_BYTES: number = 4 * 1024 * 1024;
/** Length of a fingerprint: several lines, each with a counter of its own, at a place that depends on all before them. */
const FINGERPRINT_BYTES = 512;

const NO_PROBLEMS: LineProblems = { listed: [], count: 0 };

/** Parses in this thread; layers bring one of their own. */
const PARSING_HERE = new Parsing({ worker: false });

export interface ReadLogOptions {
  /** How far the file has been read: if it has only grown since, reading goes on there. */
  readonly cursor?: LogCursor | undefined;
  /** Shared between the files of one tree, to keep each id once. */
  readonly ids?: IdPool;
  /** Where it is parsed; if its worker breaks meanwhile, the file is read again here. */
  readonly parsing?: Parsing;
  /** Bytes of all files that are being read together: what decides where they are parsed. */
  readonly loadBytes?: number;
  /**
   * Bytes that the file had when it was listed. What has been appended since is read no further than the piece in which
   * it begins, so that a file that grows as fast as it is read comes to an end; the rest is for the next look.
   */
  readonly listedSize?: number;
}

/**
 * Reads a log file: behind the cursor if the file has only grown since, else the whole file.
 * @returns `undefined` where the file is gone
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

/** @returns `undefined` where the file has not just grown */
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
  const job = await openJob(peerId, options, bytes.length);
  return await readOn(fs, path, job, { offset: 0, bytes }, { skip: 0, earlier: NO_PROBLEMS, listedSize: options.listedSize });
}

async function openJob(peerId: string, options: ReadLogOptions, bytes: number, from?: LogPosition): Promise<ParseJob> {
  const { ids = new IdPool(), parsing = PARSING_HERE, loadBytes = 0 } = options;
  return await parsing.open({ peerId, ids, ...(from && { from }) }, Math.max(bytes, loadBytes));
}

interface FirstChunk {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** What was known of a file before it is read on. */
interface Before {
  /** Bytes of the first chunk that were parsed earlier. */
  readonly skip: number;
  /** Problems found in those and before them. */
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
    // whoever parses waits for the end of the job; what this one has failed with is told already
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
  const {
    ops,
    problems,
    problemCount,
    finalProblems: settledProblems,
    finalProblemCount: settledCount,
    position,
  } = await job.end();
  // before the last chunk, or in the middle of it where the last line is unfinished
  const end = Math.max(0, position.offset - chunkOffset);
  return {
    ops,
    problems: joinProblems(earlier, { listed: problems, count: problemCount }),
    cursor: {
      position,
      fingerprint: fingerprintOf(chunk.subarray(Math.max(0, end - FINGERPRINT_BYTES), end)),
      problems: joinProblems(earlier, { listed: problems.slice(0, settledProblems), count: settledCount }),
    },
    size: chunkOffset + chunk.length,
    isContinued: skip > 0,
  };
}

/** Those of a part of a file and of the part behind it. */
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
