import type { FileSystem } from "../../fs/file-system.ts";
import { IdPool } from "../../log/line.ts";
import { joinLineProblems, type LineProblem } from "../../log/line-problem.ts";
import type { LogPosition } from "../../log/parser.ts";
import type { VertexOperation } from "../../tree/index.ts";
import { Parsing, WorkerLost, type ParseJob } from "../../worker/parsing.ts";

/** How far a log file has been read. */
export interface LogCursor {
  readonly position: LogPosition;
  /** Bytes just before the position: if they still stand there, the file has only grown. */
  readonly fingerprint: Uint8Array;
  /** Of the lines before the position. */
  readonly problems: readonly LineProblem[];
}

export interface LogReading {
  readonly ops: VertexOperation[];
  /** Of the whole file, also of the part read earlier. */
  readonly problems: readonly LineProblem[];
  readonly cursor: LogCursor;
  /** Bytes in the file when it was read. */
  readonly size: number;
  /** Whether reading went on behind the cursor; otherwise the whole file was read. */
  readonly isContinued: boolean;
}

/** So large a piece of a file is read at once; more would only take memory. */
const CHUNK_BYTES = 4 * 1024 * 1024;
/** Length of a fingerprint: several lines, each with a counter of its own, at a place that depends on all before them. */
const FINGERPRINT_BYTES = 512;

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
  if (!bytes || !startsWith(bytes, fingerprint)) return undefined;
  const job = await openJob(peerId, options, bytes.length, position);
  const skip = fingerprint.length;
  return await readOn(fs, path, job, { offset, bytes }, { skip, earlier: cursor.problems, listedSize: options.listedSize });
}

async function readWhole(fs: FileSystem, path: string, peerId: string, options: ReadLogOptions): Promise<LogReading | undefined> {
  const bytes = await fs.read(path, { offset: 0, length: CHUNK_BYTES });
  if (!bytes) return undefined;
  const job = await openJob(peerId, options, bytes.length);
  return await readOn(fs, path, job, { offset: 0, bytes }, { skip: 0, earlier: [], listedSize: options.listedSize });
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
  readonly earlier: readonly LineProblem[];
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
  const { ops, problems, settledProblems, position } = await job.end();
  // before the last chunk, or in the middle of it where the last line is unfinished
  const end = Math.max(0, position.offset - chunkOffset);
  return {
    ops,
    problems: joinLineProblems(earlier, problems),
    cursor: {
      position,
      fingerprint: chunk.slice(Math.max(0, end - FINGERPRINT_BYTES), end),
      problems: joinLineProblems(earlier, problems.slice(0, settledProblems)),
    },
    size: chunkOffset + chunk.length,
    isContinued: skip > 0,
  };
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && start.every((byte, index) => byte === bytes[index]);
}
