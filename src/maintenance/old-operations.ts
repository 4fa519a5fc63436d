import { errorCode, errorMessage, FoldspaceError, type Problem } from "../errors.ts";
import { joinPath } from "../fs/file-system.ts";
import { canNameLog, encodeLine, logFilePath, LogParser, OPS_DIR } from "../log/index.ts";
import type { VertexOperation } from "../tree/index.ts";
import { assertNoPointer } from "../layers/folder/read-log.ts";
import { CheckedChanges } from "./checked-changes.ts";
import type { OperationTally } from "./operation-tally.ts";
import { repairRemovals } from "./migrate-removals.ts";
import { digestOf } from "./repair/digest.ts";
import { classifyEntry, type LogEntry, type SpaceFolder } from "../layers/folder/space-folder.ts";

/** Folder of a space of version 0 that holds its log files. */
export const OLD_OPS_DIR = "ops";
/** Folder in which a migration keeps the files of version 0. */
export const KEPT_DIR = "space-v0";

/** Whether a log beside a space is of version 0, and not from a folder that happens to be called `ops`. */
export function isOfSpace({ treeId }: OldLog, known: OperationTally): boolean {
  return /^[0-9a-f]{32}$/.test(treeId) || known.hasTree(treeId);
}

/** A log file of a space of version 0; `path` is its place in a space of version 1. */
export interface OldLog extends LogEntry {
  readonly oldPath: string;
}

export interface OldLogs {
  readonly logs: OldLog[];
  /** Files of any kind, logs included. */
  readonly files: readonly string[];
  /** Problems of names; unreadable files and folders are in `waiting`. */
  readonly problems: Problem[];
  /** Why operations may be missing: files that have not been downloaded, and folders that cannot be read. */
  readonly waiting: readonly FoldspaceError[];
}

/**
 * Finds folders with log files of version 0, including those that a migration has moved: a sync service can put a file that
 * another device writes late into the moved folder as well as into a new one in the old place.
 */
export async function findOldRoots(folder: SpaceFolder): Promise<string[]> {
  const roots: string[] = [];
  const isMoved = (name: string): boolean => /^ops(-\d+)?$/.test(name);
  for (const name of await listFolders(folder, "")) {
    if (name === OLD_OPS_DIR) roots.push(name);
    if (name !== KEPT_DIR) continue;
    roots.push(...(await listFolders(folder, KEPT_DIR)).filter(isMoved).map((moved) => joinPath(KEPT_DIR, moved)));
  }
  return roots.sort();
}

async function listFolders(folder: SpaceFolder, path: string): Promise<string[]> {
  const entries = (await folder.fs.list(folder.at(path))) ?? [];
  return entries.flatMap(({ name, kind }) => (kind === "directory" ? name : []));
}

/** @throws FoldspaceError `FOLD_IO` if the folder is a link */
export async function findOldLogs(folder: SpaceFolder, root: string): Promise<OldLogs> {
  await folder.assertNoLinks(root);
  const found = await folder.findFiles(root);
  const waiting = found.unreadable.map(({ path, error }) => unreadable(folder.at(joinPath(root, path)), error));
  const logs: OldLog[] = [];
  const problems: Problem[] = [];
  for (const file of found.files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    const oldPath = joinPath(root, file.path);
    const { log, problem } = classifyEntry(joinPath(OPS_DIR, file.path), file);
    if (log) logs.push({ ...log, path: log.path.replace(/\/(\d{4})-(\d{2})-(\d{2})\//, "/$1/$2/$3/"), oldPath });
    else if (problem?.code === "FOLD_NOT_DOWNLOADED" || problem?.code === "FOLD_LINKED_FILE")
      waiting.push(
        new FoldspaceError(problem.code, `${folder.at(oldPath)}: ${problem.reason}`, { data: { path: folder.at(oldPath) } }),
      );
    else if (problem) problems.push({ ...problem, file: oldPath });
  }
  return { logs, files: found.files.map(({ path }) => path), problems, waiting };
}

function unreadable(path: string, cause: Error): FoldspaceError {
  if (cause instanceof FoldspaceError) return cause;
  return new FoldspaceError("FOLD_IO", `${path} cannot be read`, { data: { path }, cause });
}

/**
 * Reads a log file of version 0, including removals as its apps wrote them.
 * @returns `undefined` if it is gone
 * @throws FoldspaceError `FOLD_NOT_DOWNLOADED` for a pointer, and errors of the file system
 */
export async function readOldLog(
  folder: SpaceFolder,
  { oldPath, peerId }: OldLog,
): Promise<{ readonly bytes: Uint8Array; readonly size: number; readonly ops: readonly VertexOperation[] } | undefined> {
  const found = await folder.fs.read(folder.at(oldPath));
  if (!found) return undefined;
  assertNoPointer(found, oldPath);
  const bytes = repairRemovals(found);
  const parser = new LogParser({ peerId });
  parser.push(bytes);
  parser.end();
  return { bytes, size: found.length, ops: parser.ops };
}

/** Imports operations of version 0 that a space of version 1 lacks. */
export class OldOperations {
  /** Number of imported operations, by tree. */
  readonly ingested: Map<string, number> = new Map<string, number>();
  readonly problems: Problem[] = [];
  readonly #source: SpaceFolder;
  readonly #changes: CheckedChanges;
  readonly #known: OperationTally;
  readonly #isOwner: boolean;
  readonly #now: Date;

  /**
   * @param known the operations of the target; this class keeps it up to date
   * @param isOwner whether missing files of the target may be created under their writers' names, because no other device
   *   writes to it yet. Otherwise this class writes relay files only, like one more device
   */
  constructor(
    source: SpaceFolder,
    target: SpaceFolder,
    known: OperationTally,
    { isOwner, now }: { readonly isOwner: boolean; readonly now: Date },
  ) {
    this.#source = source;
    this.#changes = new CheckedChanges(target);
    this.#known = known;
    this.#isOwner = isOwner;
    this.#now = now;
  }

  /** @returns the bytes read; `undefined` if the file is gone, or its operations could not be imported, which is a problem */
  async ingest(log: OldLog): Promise<number | undefined> {
    const read = await this.#read(log);
    if (!read) return undefined;
    const { treeId, peerId, path, oldPath } = log;
    const missing = new Map<number, string>();
    for (const op of read.ops) if (!this.#known.has(treeId, op.id)) missing.set(op.id.counter, encodeLine(op));
    const mayMakeFile = this.#isOwner && (await this.#changes.stat(path)) === undefined;
    if (mayMakeFile) await this.#changes.write(path, read.bytes);
    else if (missing.size > 0 && !(await this.#writeRelay(log, [...missing.values()]))) {
      const reason = `the id of peer ${peerId} cannot be part of a file's name: its operations were not imported`;
      this.problems.push({ code: "FOLD_BAD_ID", reason, file: oldPath, treeId });
      return undefined;
    }
    this.#known.add(treeId, read.ops);
    if (missing.size > 0) this.ingested.set(treeId, (this.ingested.get(treeId) ?? 0) + missing.size);
    return read.size;
  }

  /** The owner of a space changes nothing before it has all operations; later, a file that is not downloaded is a problem. */
  async #read(log: OldLog): ReturnType<typeof readOldLog> {
    try {
      return await readOldLog(this.#source, log);
    } catch (error) {
      if (this.#isOwner || errorCode(error) !== "FOLD_NOT_DOWNLOADED") throw error;
      this.problems.push({ code: "FOLD_NOT_DOWNLOADED", reason: errorMessage(error), file: log.oldPath, treeId: log.treeId });
      return undefined;
    }
  }

  /** Names the file after its content, so that several devices write the same file. */
  async #writeRelay({ treeId, peerId, path }: OldLog, lines: readonly string[]): Promise<boolean> {
    const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(""));
    const writerId = (await digestOf(bytes)).slice(0, 32);
    if (!canNameLog(treeId, peerId, writerId)) return false;
    await this.#changes.write(logFilePath(treeId, peerId, writerId, dayOf(path) ?? this.#now), bytes);
    return true;
  }
}

function dayOf(path: string): Date | undefined {
  const [, year, month, day] = /\/(\d{4})\/(\d{2})\/(\d{2})\/[^/]*$/.exec(path) ?? [];
  const time = Date.parse(`${year}-${month}-${day}T00:00:00Z`);
  return Number.isNaN(time) ? undefined : new Date(time);
}
