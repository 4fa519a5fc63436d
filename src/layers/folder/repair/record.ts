import { FoldspaceError } from "../../../errors.ts";
import { joinPath } from "../../../fs/file-system.ts";
import { LOST_DIR, OPS_DIR, SPACE_DIR } from "../../../log/index.ts";
import { newId } from "../../../tree/index.ts";
import type { SpaceFolder } from "../space-folder.ts";

/** What a repair changes, written before it changes anything: all that is needed to undo it, finished or not. */
export interface RepairRecord {
  /** Name of its folder in `lost+found`. */
  readonly id: string;
  /** ISO time. */
  readonly time: string;
  readonly spaceId: string;
  /** Files taken out of `ops`. */
  readonly moved: readonly { readonly from: string; readonly to: string }[];
  /** Relay files made. */
  readonly made: readonly string[];
  /** Files of one's own that were written again. */
  readonly rewritten: readonly { readonly file: string; readonly kept: string; readonly sha256: string }[];
}

const FORMAT = "foldspace-repair";
const VERSION = 1;
const UNDO_FILE = "undo.json";
const UNDONE_FILE = "undone.json";
export const REPORT_FILE = "report.txt";
const MAX_RECORD_BYTES = 64 * 1024 * 1024;
const REPAIR_ID = /^repair-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z-[0-9a-f]{8}$/;

/** By time, and never the same on two devices. */
export function newRepairId(now: Date): string {
  return `repair-${now.toISOString().replaceAll(/[:.]/g, "-")}-${newId().slice(0, 8)}`;
}

export function repairFolderOf(id: string): string {
  return joinPath(LOST_DIR, id);
}

/** Where a file that is taken out of the space is kept. */
export function keptPath(id: string, path: string): string {
  return joinPath(repairFolderOf(id), path.slice(SPACE_DIR.length + 1));
}

export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

export async function writeRecord(folder: SpaceFolder, record: RepairRecord): Promise<void> {
  const text = JSON.stringify({ format: FORMAT, version: VERSION, ...record }, undefined, 2);
  await folder.fs.write(folder.at(joinPath(repairFolderOf(record.id), UNDO_FILE)), new TextEncoder().encode(`${text}\n`));
}

/** Ids of the repairs that can be undone, the latest last. */
export async function listRepairs(folder: SpaceFolder): Promise<string[]> {
  await folder.assertNoLinks(LOST_DIR);
  const ids: string[] = [];
  for (const { name, kind } of (await folder.fs.list(folder.at(LOST_DIR))) ?? []) {
    if (kind !== "directory" || !REPAIR_ID.test(name)) continue;
    const inside = (await folder.fs.list(folder.at(repairFolderOf(name)))) ?? [];
    if (inside.some((entry) => entry.name === UNDO_FILE && entry.kind === "file")) ids.push(name);
  }
  return ids.sort();
}

/** @throws FoldspaceError `FOLD_BAD_RECORD` where it was damaged, or leads outside of what a repair may touch */
export async function readRecord(folder: SpaceFolder, id: string): Promise<RepairRecord> {
  const path = joinPath(repairFolderOf(id), UNDO_FILE);
  const bytes = await folder.fs.read(folder.at(path), { offset: 0, length: MAX_RECORD_BYTES + 1 });
  const parsed = bytes && bytes.length <= MAX_RECORD_BYTES ? parseRecord(new TextDecoder().decode(bytes), id) : undefined;
  if (parsed) return parsed;
  throw new FoldspaceError("FOLD_BAD_RECORD", `${folder.at(path)} is damaged, so this repair can be undone only by hand`, {
    data: { file: path },
  });
}

/** So that it is not undone twice; the record stays readable. */
export async function markUndone(folder: SpaceFolder, id: string): Promise<void> {
  const at = (name: string): string => folder.at(joinPath(repairFolderOf(id), name));
  await folder.fs.rename(at(UNDO_FILE), at(UNDONE_FILE));
}

/** @returns `undefined` for what a repair could not have written: the file came with the folder, from whoever shares it */
export function parseRecord(text: string, id: string): RepairRecord | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    // it was cut off or edited; the caller says so
    return undefined;
  }
  if (!isObject(parsed) || parsed["format"] !== FORMAT || parsed["version"] !== VERSION || parsed["id"] !== id) return undefined;
  const { time, spaceId, moved, made, rewritten } = parsed;
  const isKept = (path: unknown): path is string => isPathIn(path, repairFolderOf(id));
  const isLog = (path: unknown): path is string => isPathIn(path, OPS_DIR);
  const isRecord =
    typeof time === "string" &&
    typeof spaceId === "string" &&
    isListOf(moved, (item) => isObject(item) && isLog(item["from"]) && isKept(item["to"])) &&
    isListOf(made, isLog) &&
    isListOf(
      rewritten,
      (item) => isObject(item) && isLog(item["file"]) && isKept(item["kept"]) && typeof item["sha256"] === "string",
    );
  return isRecord ? (parsed as unknown as RepairRecord) : undefined;
}

function isPathIn(path: unknown, folder: string): path is string {
  if (typeof path !== "string" || !path.startsWith(`${folder}/`)) return false;
  // Windows takes both for a separator
  return path.split(/[/\\]/).every((part) => part !== "" && part !== "." && part !== "..");
}

function isListOf(list: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(list) && list.every(isItem);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
