import { concatBytes, LF } from "../../bytes.ts";
import { encodeLine, LogParser } from "../../log/index.ts";
import { describePointer } from "../../log/placeholders.ts";
import type { VertexOperation } from "../../tree/index.ts";
import { readEntry } from "../read-entry.ts";
import type { LogEntry, SpaceFolder } from "../../layers/folder/space-folder.ts";
import { digestOf } from "./digest.ts";
import { isLasting } from "./relay.ts";

/** A file of a peer that the caller owns, before and after its repair. */
export interface Completion {
  readonly entry: LogEntry;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
  readonly shaBefore: string;
  readonly shaAfter: string;
  /** Number of torn lines whose operation is whole elsewhere in the space or in this file, including lines without any loss. */
  readonly completed: number;
  /** Number of lines that could not be repaired; the kept original file contains them. */
  readonly removed: number;
}

interface BadLine {
  readonly start: number;
  readonly end: number;
  /** Counters of the torn operations. */
  readonly torn: readonly number[];
  /** Whole operations around the torn parts. */
  readonly ops: readonly VertexOperation[];
  /** Whether the line contains nothing else. */
  readonly isLossless: boolean;
}

/** Limit, because the file is read as a whole. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/**
 * Completes torn lines, and removes lines that are not operations. All other bytes stay. Operations are taken from lasting
 * files only, because other repairs rely on the operations in this file, and undoing the repair removes the line again.
 * @param logs all files of the same peer and tree
 * @returns `undefined` if nothing needs repair, or the file is too large
 */
export async function completeFile(
  folder: SpaceFolder,
  entry: LogEntry,
  logs: readonly LogEntry[],
): Promise<Completion | undefined> {
  const before = await folder.fs.read(folder.at(entry.path), { offset: 0, length: MAX_FILE_BYTES + 1 });
  if (!before || before.length > MAX_FILE_BYTES || describePointer(before) !== undefined) return undefined;
  const badLines = findBadLines(before, entry.peerId);
  if (badLines.length === 0) return undefined;
  const torn = new Set(badLines.flatMap((line) => line.torn));
  const standing = new Set<number>();
  const found = new Map<number, string | undefined>();
  const lasting = new Set<number>();
  for (const log of logs) {
    const isSource = await isLasting(log);
    for await (const { ops } of readEntry(folder, log)) {
      for (const op of ops) {
        const { counter } = op.id;
        if (!torn.has(counter)) continue;
        if (log.path === entry.path) standing.add(counter);
        const line = encodeLine(op);
        // of two different contents, neither can be trusted
        found.set(counter, found.has(counter) && found.get(counter) !== line ? undefined : line);
        if (isSource) lasting.add(counter);
      }
    }
  }
  const parts: Uint8Array[] = [];
  let kept = 0;
  let completed = 0;
  for (const { start, end, torn: counters, ops, isLossless } of badLines) {
    const lines = ops.map(encodeLine);
    for (const counter of counters) {
      const whole = found.get(counter);
      if (whole !== undefined && lasting.has(counter) && !standing.has(counter)) lines.push(whole);
      standing.add(counter);
    }
    const isWhole = counters.length > 0 && counters.every((counter) => found.get(counter) !== undefined);
    if (isWhole || isLossless) completed++;
    parts.push(before.subarray(kept, start), new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
    kept = end;
  }
  parts.push(before.subarray(kept));
  const after = concatBytes(parts);
  const [shaBefore, shaAfter] = [await digestOf(before), await digestOf(after)];
  return { entry, before, after, shaBefore, shaAfter, completed, removed: badLines.length - completed };
}

function findBadLines(bytes: Uint8Array, peerId: string): BadLine[] {
  const bad: BadLine[] = [];
  const parser = new LogParser({ peerId });
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(LF, start);
    const end = newline === -1 ? bytes.length : newline + 1;
    parser.push(bytes.subarray(start, end));
    if (newline === -1) parser.end();
    const ops = parser.ops.splice(0);
    const problems = parser.problems.splice(0);
    const torn = problems.flatMap(({ counter }) => counter ?? []);
    const isLossless = problems.every((problem) => problem.isLossless === true);
    if (problems.length > 0) bad.push({ start, end, torn, ops, isLossless });
    start = end;
  }
  return bad;
}
