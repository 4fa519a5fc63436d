import { errorCode, FoldspaceError } from "../../errors.ts";
import { joinPath } from "../../fs/file-system.ts";
import { LOST_DIR, OPS_DIR, SPACE_DIR } from "../../log/index.ts";
import { newId } from "../../tree/index.ts";
import { CheckedChanges } from "../checked-changes.ts";
import type { SpaceFolder } from "../../layers/folder/space-folder.ts";

/** The command that moved files to `lost+found`; ids begin with it. */
export type ChangeKind = "repair" | "pack";

/**
 * The changes of a repair, written before the first change and again when the repair has finished. The record contains all
 * that undoing needs, whether the repair has finished or not, also on a device that has received only a part of the changes.
 * Packing writes such a record too, without the packed files, because an undo leaves these.
 */
export interface RepairRecord {
  /** Name of its folder in `lost+found`. */
  readonly id: string;
  /** ISO time. */
  readonly time: string;
  readonly spaceId: string;
  /** Whether the record lists the changes made. Before that, it lists the planned ones. */
  readonly finished: boolean;
  /** Files moved out of `ops`. */
  readonly moved: readonly MovedFile[];
  /** Relay files that the repair created. */
  readonly made: readonly MadeFile[];
  /** Files of owned peers that were rewritten. */
  readonly rewritten: readonly RewrittenFile[];
  /** Files that an undo moved back, by their paths in `ops`. The undo records them before it moves the first. */
  readonly returned?: readonly string[];
}

export interface MovedFile {
  readonly from: string;
  readonly to: string;
  readonly sha256: string;
  /** Present if an earlier repair lists the same path: it may have left its place and come back before. */
  readonly isRepeated?: boolean;
}

export interface MadeFile {
  readonly file: string;
  readonly sha256: string;
}

export interface RewrittenFile {
  readonly file: string;
  /** Path of the kept original. */
  readonly kept: string;
  /** SHA-256 of the original. */
  readonly before: string;
  /** SHA-256 of the rewritten file. */
  readonly after: string;
}

const FORMAT = "foldspace-repair";
const VERSION = 2;
const UNDO_FILE = "undo.json";
const UNDONE_FILE = "undone.json";
export const REPORT_FILE = "report.txt";
const MAX_RECORD_BYTES = 64 * 1024 * 1024;
const REPAIR_ID = /^(repair|pack)-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z-[0-9a-f]{8}$/;

/** Makes an id that sorts by time, and is never the same on two devices. */
export function newRepairId(now: Date, kind: ChangeKind = "repair"): string {
  return `${kind}-${now.toISOString().replaceAll(/[:.]/g, "-")}-${newId().slice(0, 8)}`;
}

export function repairFolderOf(id: string): string {
  return joinPath(LOST_DIR, id);
}

/** Path at which a file from the space is kept. */
export function keptPath(id: string, path: string): string {
  return joinPath(repairFolderOf(id), path.slice(SPACE_DIR.length + 1));
}

export async function writeRecord(folder: SpaceFolder, record: RepairRecord): Promise<void> {
  const text = JSON.stringify({ format: FORMAT, version: VERSION, ...record }, undefined, 2);
  await new CheckedChanges(folder).write(recordPath(record.id, UNDO_FILE), new TextEncoder().encode(`${text}\n`));
}

/** A repair whose folder has a record. */
export interface ListedRepair {
  readonly id: string;
  /** Whether it was undone. More of its files may have been delivered since. */
  readonly isUndone: boolean;
}

/** Lists the repairs, the latest last. @param only those of this kind */
export async function listRepairs(folder: SpaceFolder, only?: ChangeKind): Promise<ListedRepair[]> {
  await folder.assertNoLinks(LOST_DIR);
  const repairs: ListedRepair[] = [];
  for (const { name: id, kind } of (await folder.fs.list(folder.at(LOST_DIR))) ?? []) {
    const made = kind === "directory" ? kindOfRepair(id) : undefined;
    if (made === undefined || (only !== undefined && made !== only)) continue;
    const inside = (await folder.fs.list(folder.at(repairFolderOf(id)))) ?? [];
    const files = new Set(inside.flatMap((entry) => (entry.kind === "file" ? entry.name : [])));
    if (files.has(UNDO_FILE)) repairs.push({ id, isUndone: false });
    else if (files.has(UNDONE_FILE)) repairs.push({ id, isUndone: true });
  }
  return repairs.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** @returns `undefined` if it is not the id of a repair or a packing */
export function kindOfRepair(id: string): ChangeKind | undefined {
  return REPAIR_ID.exec(id)?.[1] as ChangeKind | undefined;
}

/** @throws FoldspaceError `FOLD_BAD_RECORD` if the record is damaged, or contains paths that a repair must not touch */
export async function readRecord(folder: SpaceFolder, { id, isUndone }: ListedRepair): Promise<RepairRecord> {
  const path = recordPath(id, isUndone ? UNDONE_FILE : UNDO_FILE);
  const bytes = await new CheckedChanges(folder).read(path, { offset: 0, length: MAX_RECORD_BYTES + 1 });
  const parsed = bytes && bytes.length <= MAX_RECORD_BYTES ? parseRecord(new TextDecoder().decode(bytes), id) : undefined;
  if (parsed) return parsed;
  throw new FoldspaceError("FOLD_BAD_RECORD", `${folder.at(path)} is damaged, so this change can be undone only by hand`, {
    data: { file: path },
  });
}

/** Returns the paths in `ops` that repairs here have moved, whether they were undone or not. */
export async function listMovedPaths(folder: SpaceFolder): Promise<Set<string>> {
  const paths = new Set<string>();
  for (const repair of await listRepairs(folder)) {
    try {
      for (const { from } of (await readRecord(folder, repair)).moved) paths.add(from);
    } catch (error) {
      // a damaged record must not block other repairs
      if (errorCode(error) !== "FOLD_BAD_RECORD") throw error;
    }
  }
  return paths;
}

/** Marks a repair as undone, so that it is not undone twice. The record stays readable. */
export async function markUndone(folder: SpaceFolder, id: string): Promise<void> {
  await new CheckedChanges(folder).moveFile(recordPath(id, UNDO_FILE), recordPath(id, UNDONE_FILE));
}

function recordPath(id: string, name: string): string {
  return joinPath(repairFolderOf(id), name);
}

/** @returns `undefined` for a text that no repair writes: anyone who shares the folder may have written the file */
export function parseRecord(text: string, id: string): RepairRecord | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // the text was cut off or edited; the caller reports it
    return undefined;
  }
  if (!isObject(parsed) || parsed["format"] !== FORMAT || parsed["version"] !== VERSION || parsed["id"] !== id) return undefined;
  const { time, spaceId, finished, moved, made, rewritten, returned = [] } = parsed;
  const isKept = (path: unknown): boolean => isPathIn(path, repairFolderOf(id));
  const isLog = (path: unknown): boolean => isPathIn(path, OPS_DIR);
  const isRecord =
    typeof time === "string" &&
    !Number.isNaN(Date.parse(time)) &&
    typeof spaceId === "string" &&
    typeof finished === "boolean" &&
    isListOf(moved, (item) => {
      if (!isObject(item) || !isLog(item["from"]) || !isKept(item["to"]) || !isDigest(item["sha256"])) return false;
      return item["isRepeated"] === undefined || typeof item["isRepeated"] === "boolean";
    }) &&
    isListOf(made, (item) => isObject(item) && isLog(item["file"]) && isDigest(item["sha256"])) &&
    isListOf(rewritten, (item) => {
      if (!isObject(item) || !isLog(item["file"]) || !isKept(item["kept"])) return false;
      return isDigest(item["before"]) && isDigest(item["after"]);
    }) &&
    isListOf(returned, isLog);
  return isRecord ? (parsed as unknown as RepairRecord) : undefined;
}

function isPathIn(path: unknown, folder: string): boolean {
  if (typeof path !== "string" || !path.startsWith(`${folder}/`)) return false;
  // Windows accepts both separators
  return path.split(/[/\\]/).every((part) => part !== "" && part !== "." && part !== "..");
}

function isDigest(value: unknown): boolean {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

function isListOf(list: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(list) && list.every(isItem);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
