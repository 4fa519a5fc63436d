import type { Problem } from "../../errors.ts";
import type { LogEntry, SpaceFolder } from "../../layers/folder/space-folder.ts";
import { encodeLine } from "../../log/line.ts";
import { canNameLog, logFilePath } from "../../log/paths.ts";
import { readEntry } from "../read-entry.ts";
import { digestOf, newDigest } from "../repair/digest.ts";

/** A file with operations of one peer in one tree. Its name and bytes are a function of the operations. */
export interface PackedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/** Lines of operations of one peer, by counter. */
export type Lines = ReadonlyMap<number, string>;

/** The contents of a log file. */
export interface LogContents {
  /** Of all its bytes. */
  readonly sha256: string;
  readonly lines: Lines;
}

/**
 * Makes the file for operations, in the order of their counters.
 * @param lastDay whose folder the file is in
 * @returns `undefined` if an id cannot be part of a file's name
 */
export async function packedFileFor(
  { treeId, peerId }: Pick<LogEntry, "treeId" | "peerId">,
  lines: Lines,
  lastDay: Date,
): Promise<PackedFile | undefined> {
  const sorted = Array.from(lines).sort(([a], [b]) => a - b);
  const bytes = new TextEncoder().encode(sorted.map(([, line]) => `${line}\n`).join(""));
  const sha256 = await digestOf(bytes);
  const count = lines.size.toString(16).padStart(COUNT_DIGITS, "0");
  const start = sha256.slice(0, CONTENT_DIGITS) + count;
  const writerId = start + (await markOf(start));
  if (!canNameLog(treeId, peerId, writerId)) return undefined;
  return { path: logFilePath(treeId, peerId, writerId, lastDay), bytes, sha256 };
}

/**
 * Reads a file that may be packed.
 * @returns a problem for a file that must stay as it is
 */
export async function readContents(folder: SpaceFolder, entry: LogEntry): Promise<LogContents | Problem> {
  const { path: file, treeId } = entry;
  const hash = await newDigest();
  const lines = new Map<number, string>();
  let newerLines = 0;
  for await (const part of readEntry(folder, entry, {}, (bytes) => hash.update(bytes))) {
    const [problem] = part.problems;
    if (problem) return { ...problem, reason: `${problem.reason}. The file is not packed` };
    for (const op of part.ops) if (!addLine(lines, op.id.counter, encodeLine(op))) return disputed(entry);
    newerLines = part.newerLines;
  }
  if (newerLines > 0)
    return { code: "FOLD_NEWER_FORMAT", reason: "it has lines of a newer format. The file is not packed", file, treeId };
  const promised = await countInName(entry.writerId);
  if (promised !== undefined && promised !== lines.size) {
    const reason = `a packed file of ${promised} operations has ${lines.size}: it was changed, or has not been delivered completely. It stays as it is`;
    return { code: "FOLD_BUSY", reason, file, treeId };
  }
  return { sha256: hash.end(), lines };
}

/** @returns whether there was no other line with this counter */
export function addLine(lines: Map<number, string>, counter: number, line: string): boolean {
  const known = lines.get(counter);
  if (known === undefined) lines.set(counter, line);
  return known === undefined || known === line;
}

/** The problem of a file with an operation that has other content under its id, in this file or in another one. */
export function disputed({ path: file, treeId }: LogEntry): Problem {
  const reason = "operations with one id differ, in this file or between it and another file of the peer. The file is not packed";
  return { code: "FOLD_ID_COLLISION", reason, file, treeId };
}

const CONTENT_DIGITS = 14;
const COUNT_DIGITS = 8;

/** Number of operations that a packed file promises by its name, as only a part of it may have been delivered. */
async function countInName(writerId: string): Promise<number | undefined> {
  if (!/^[0-9a-f]{32}$/.test(writerId)) return undefined;
  const start = writerId.slice(0, CONTENT_DIGITS + COUNT_DIGITS);
  return writerId === start + (await markOf(start)) ? parseInt(start.slice(CONTENT_DIGITS), 16) : undefined;
}

async function markOf(start: string): Promise<string> {
  const digest = await digestOf(new TextEncoder().encode(`foldspace pack ${start}`));
  return digest.slice(0, 32 - CONTENT_DIGITS - COUNT_DIGITS);
}
