import type { Problem } from "../errors.ts";
import { isWriterOf } from "../log/own-writers.ts";
import { IdPool } from "../log/line.ts";
import {
  compareOpIds,
  type ReplicatedTree,
  OpIdSet,
  type JsonValue,
  type SetVertexProperty,
  type VertexOperation,
} from "../tree/index.ts";
import { newLogNumbers, OperationColumns } from "../tree/operation-columns.ts";
import { DirectoryRows } from "./directory-rows.ts";
import { readEntry, type EntryPart, type ReadingProgress } from "./read-entry.ts";
import { findOtherSpaces, findSpaceTrees } from "./space-trees.ts";
import type { LogEntry, SpaceFolder } from "../layers/folder/space-folder.ts";

/** Amounts of one tree of a folder. */
export interface TreeSummary {
  readonly treeId: string;
  /** Number of distinct operations. */
  readonly opCount: number;
  readonly files: number;
  readonly bytes: number;
  /** Whether the folder contains the operation that creates the tree's root. */
  readonly hasRoot: boolean;
  readonly rootProperties: ReadonlyMap<string, JsonValue>;
}

/** The outcome of `summarizeFolder`. */
export interface FolderSummary {
  /** By id, including the space tree if the folder has any of its operations. */
  readonly trees: readonly TreeSummary[];
  /** The space tree as a directory: only the vertices that reference trees and those above them, with names and references. */
  readonly directory: ReplicatedTree;
  /** Peers whose operations the folder contains, by id. */
  readonly peerIds: readonly string[];
  /** The latest UTC day on which each peer itself saved operations, by its id. */
  readonly lastDays: ReadonlyMap<string, string>;
  readonly files: number;
  readonly bytes: number;
  /** UTC days with saved operations, as `YYYY-MM-DD`, in order. */
  readonly days: readonly string[];
  /** Problems that reading found, and spaces beside this one (`FOLD_TWO_SPACES`); `verifyFolder` finds more. */
  readonly problems: readonly Problem[];
}

/**
 * Summarizes a folder after reading every line once. Of the space tree it keeps the directory; of the other trees it only
 * counts the operations. Trees that the space tree has never referenced are read again, as they may be other spaces.
 */
export async function summarizeFolder(
  folder: SpaceFolder,
  spaceId: string,
  onProgress?: (progress: ReadingProgress) => void,
): Promise<FolderSummary> {
  const scan = await folder.scan();
  const problems: Problem[] = [...scan.problems];
  const tallies = new Map<string, TreeTally>();
  const numbers = newLogNumbers();
  const directory = new DirectoryRows(spaceId, numbers);
  let filesRead = 0;
  let opsRead = 0;
  // by date: a peer's counters then come in rising order, which is the cheapest to count
  for (const entry of scan.logs.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const { treeId } = entry;
    let tally = tallies.get(treeId);
    if (!tally) tallies.set(treeId, (tally = new TreeTally(treeId)));
    tally.addFile(entry);
    const columns = treeId === spaceId ? new OperationColumns(entry.peerId, numbers) : undefined;
    if (columns) directory.addFile(entry.peerId);
    for await (const part of readEntry(folder, entry, columns ? { columns } : { ids: tally.ids, wantedTarget: treeId })) {
      for (const problem of part.problems) problems.push(problem);
      tally.add(entry.peerId, part);
      opsRead += part.ops.length + part.counted.length;
      if (!columns) continue;
      tally.addRows(columns);
      opsRead += columns.length;
      directory.add(columns);
      columns.clear();
    }
    onProgress?.({ filesRead: ++filesRead, files: scan.logs.length, opsRead });
  }
  const unnamed = scan.logs.filter(({ treeId }) => treeId !== spaceId && !directory.everReferenced.has(treeId));
  const own = scan.logs.filter(({ treeId }) => treeId === spaceId);
  const spaceTrees = unnamed.length === 0 ? [] : await findSpaceTrees(folder, [...own, ...unnamed]);
  problems.push(...(await findOtherSpaces(folder, spaceId, scan.logs, spaceTrees)));
  return {
    trees: [...tallies.values()].map((tally) => tally.toSummary()).sort((a, b) => (a.treeId < b.treeId ? -1 : 1)),
    directory: directory.toTree(),
    peerIds: [...new Set(scan.logs.map((log) => log.peerId))].sort(),
    lastDays: lastDaysOf(scan.logs),
    files: scan.logs.length,
    bytes: scan.logs.reduce((sum, log) => sum + log.size, 0),
    days: [...new Set(scan.logs.flatMap((log) => dayOf(log.path) ?? []))].sort(),
    problems,
  };
}

class TreeTally {
  readonly ids: IdPool = new IdPool();
  readonly #treeId: string;
  readonly #known = new OpIdSet();
  readonly #rootProperties = new Map<string, SetVertexProperty>();
  #hasRoot = false;
  #files = 0;
  #bytes = 0;

  constructor(treeId: string) {
    this.#treeId = treeId;
  }

  addFile({ size }: LogEntry): void {
    this.#files++;
    this.#bytes += size;
  }

  add(peerId: string, { ops, counted }: EntryPart): void {
    this.#known.addCounters(peerId, counted);
    for (const op of ops) {
      this.#known.add(op.id);
      if (op.targetId === this.#treeId) this.#applyRootOperation(op);
    }
  }

  addRows(columns: OperationColumns): void {
    const root = columns.numbers.ids.numberOf(this.#treeId);
    for (let row = 1; row <= columns.length; row++) {
      this.#known.add(columns.idAt(row));
      if (columns.targetAt(row) === root) this.#applyRootOperation(columns.opAt(row));
    }
  }

  #applyRootOperation(op: VertexOperation): void {
    if ("parentId" in op) {
      this.#hasRoot = true;
      return;
    }
    const winner = this.#rootProperties.get(op.key);
    if (!winner || compareOpIds(op.id, winner.id) > 0) this.#rootProperties.set(op.key, op);
  }

  toSummary(): TreeSummary {
    const rootProperties = new Map<string, JsonValue>();
    for (const [key, { value }] of this.#rootProperties) if (value !== undefined) rootProperties.set(key, value);
    const { size: opCount } = this.#known;
    return { treeId: this.#treeId, opCount, files: this.#files, bytes: this.#bytes, hasRoot: this.#hasRoot, rootProperties };
  }
}

/** A file that another peer wrote does not show when its peer was active. */
function lastDaysOf(logs: readonly LogEntry[]): Map<string, string> {
  const lastDays = new Map<string, string>();
  for (const { path, peerId, writerId } of logs) {
    const day = isWriterOf(peerId, writerId) ? dayOf(path) : undefined;
    if (day !== undefined && day > (lastDays.get(peerId) ?? "")) lastDays.set(peerId, day);
  }
  return lastDays;
}

/** The UTC day in the path of a log file, as `YYYY-MM-DD`; `undefined` if it contains none, as that of a copy may. */
export function dayOf(path: string): string | undefined {
  const [, year, month, day] = /\/(\d{4})[/-](\d{2})[/-](\d{2})\//.exec(path) ?? [];
  return year === undefined ? undefined : `${year}-${month}-${day}`;
}
