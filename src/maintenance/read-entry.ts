import { assertNoPointer, CHUNK_BYTES } from "../layers/folder/read-log.ts";
import { LF } from "../bytes.ts";
import { errorCode, type Problem } from "../errors.ts";
import { LogParser, type LogParserOptions } from "../log/parser.ts";
import type { VertexOperation } from "../tree/index.ts";
import { describeUnreadable, type LogEntry, type SpaceFolder } from "../layers/folder/space-folder.ts";

/** The contents of a part of a log file. */
export interface EntryPart {
  readonly ops: readonly VertexOperation[];
  /** Counters of operations that were not wanted. */
  readonly counted: readonly number[];
  readonly problems: readonly Problem[];
  /** Number of lines of newer formats. */
  readonly newerLines: number;
}

/**
 * Reads a log file once, in parts. If the file cannot be read, it yields a problem without a line; if the file is gone, it
 * yields no problem.
 * @param onBytes gets all bytes that are read
 */
export async function* readEntry(
  folder: SpaceFolder,
  entry: LogEntry,
  options: Pick<LogParserOptions, "ids" | "wantedTarget" | "columns"> = {},
  onBytes?: (bytes: Uint8Array) => void,
): AsyncGenerator<EntryPart> {
  const { path: file, treeId, peerId } = entry;
  const parser = new LogParser({ ...options, peerId });
  let reported = 0;
  const endPart = (): EntryPart => {
    const lines = parser.problems.slice(reported);
    reported = parser.problems.length;
    return {
      ops: parser.ops.splice(0),
      counted: parser.counted.splice(0),
      problems: lines.map(({ code, reason, line, counter, isLossless }) => ({
        code,
        reason,
        file,
        line,
        treeId,
        ...(counter === undefined ? {} : { counter }),
        ...(isLossless === undefined ? {} : { isLossless }),
      })),
      newerLines: parser.newerLines,
    };
  };
  let isFirst = true;
  try {
    for await (const bytes of readChunks(folder, file, entry.size)) {
      if (isFirst) assertNoPointer(bytes, file);
      isFirst = false;
      onBytes?.(bytes);
      parser.push(bytes);
      yield endPart();
    }
  } catch (error) {
    yield { ...endPart(), problems: [{ code: errorCode(error) ?? "FOLD_IO", reason: describeUnreadable(error), file, treeId }] };
    return;
  }
  parser.end();
  yield endPart();
}

/** Reads the operations of a log file with the numbers of their lines. */
export async function* operationsByLine(
  folder: SpaceFolder,
  { path, peerId, size }: LogEntry,
): AsyncGenerator<{ readonly op: VertexOperation; readonly line: number }> {
  const parser = new LogParser({ peerId });
  for await (const bytes of readChunks(folder, path, size)) {
    for (let start = 0; start < bytes.length;) {
      const newline = bytes.indexOf(LF, start);
      const end = newline === -1 ? bytes.length : newline + 1;
      parser.push(bytes.subarray(start, end));
      for (const op of parser.ops.splice(0)) yield { op, line: parser.position.line };
      start = end;
    }
  }
  parser.end();
  for (const op of parser.ops) yield { op, line: parser.position.line + 1 };
}

/**
 * Reads the bytes of a file, piece by piece; yields nothing if it is gone.
 * @param size of the file when it was listed. Reading stops after the piece that reaches this size, so that it ends even if
 *   the file grows as fast as it is read
 */
export async function* readChunks(folder: SpaceFolder, path: string, size: number): AsyncGenerator<Uint8Array> {
  let offset = 0;
  let bytes: Uint8Array | undefined;
  do {
    bytes = await folder.fs.read(folder.at(path), { offset, length: CHUNK_BYTES });
    if (!bytes) return;
    yield bytes;
    offset += bytes.length;
  } while (bytes.length === CHUNK_BYTES && offset < size);
}

/** Progress of reading all files of a folder. */
export interface ReadingProgress {
  readonly filesRead: number;
  readonly files: number;
  /** Number of lines that were operations, including repeated ones, which `verifyFolder` counts once. */
  readonly opsRead: number;
}
