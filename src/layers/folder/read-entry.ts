import { errorCode, errorMessage, type Problem } from "../../errors.ts";
import { LogParser, type LogParserOptions } from "../../log/parser.ts";
import type { VertexOperation } from "../../tree/index.ts";
import type { LogEntry, SpaceFolder } from "./space-folder.ts";

export interface EntryReading {
  readonly ops: readonly VertexOperation[];
  /** Counters of operations that were not wanted. */
  readonly counted: readonly number[];
  readonly problems: readonly Problem[];
}

/** So large a piece of a file is read at once; more would only take memory. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * Reads a whole log file, once, and remembers nothing of it. That it cannot be read is a problem like any other; that it
 * is gone by now is none.
 */
export async function readEntry(
  folder: SpaceFolder,
  entry: LogEntry,
  options: Pick<LogParserOptions, "ids" | "wantedTarget"> = {},
): Promise<EntryReading> {
  const { path: file, treeId, peerId } = entry;
  const parser = new LogParser({ ...options, peerId });
  try {
    let offset = 0;
    let bytes: Uint8Array | undefined;
    do {
      bytes = await folder.fs.read(folder.at(file), { offset, length: CHUNK_BYTES });
      if (bytes) parser.push(bytes);
      offset += CHUNK_BYTES;
    } while (bytes?.length === CHUNK_BYTES);
    parser.end();
  } catch (error) {
    const reason = `cannot be read: ${errorMessage(error)}`;
    return { ops: [], counted: [], problems: [{ code: errorCode(error) ?? "FOLD_IO", reason, file, treeId }] };
  }
  const problems = parser.problems.map(({ code, reason, line }) => ({ code, reason, file, line, treeId }));
  return { ops: parser.ops, counted: parser.counted, problems };
}

/** How far going through the files of a folder has come. */
export interface ReadingProgress {
  readonly filesRead: number;
  readonly files: number;
  /** Lines that were operations, repeated ones included. */
  readonly opsRead: number;
}
