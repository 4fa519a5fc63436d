import { FoldspaceError, type Problem } from "../../errors.ts";
import type { SpaceFolder } from "../../layers/folder/space-folder.ts";
import {
  listRepairs,
  markUndone,
  readRecord,
  writeRecord,
  type ChangeKind,
  type ListedRepair,
  type RepairRecord,
} from "./record.ts";
import { UndoWork } from "./undo-work.ts";

/** The outcome of `undoRepair`. Paths are relative to the folder of the space. */
export interface Undoing {
  readonly id: string;
  /** Restored files. */
  readonly restored: readonly string[];
  /** Relay files that were removed again, because the restored files contain all their operations. */
  readonly removed: readonly string[];
  /** Relay files that stay, because changes of this or another device that are on their way may need them. */
  readonly staying: readonly string[];
  /** Files that could not be put back, and why. */
  readonly left: readonly Problem[];
}

/** Options of `undoRepair`: the repair, by its id, and whether only to plan the undo. */
export interface UndoOptions {
  /** The latest by default. */
  readonly id?: string | undefined;
  readonly isDryRun?: boolean;
  readonly now?: Date;
}

/**
 * Restores the files that a repair moved or rewrote, byte for byte. Leaves and reports files that have changed since.
 *
 * A sync service may have delivered only a part of the repair, or of its undo on another device. So a relay file is removed
 * only if this undo itself puts back every copy whose operations it contains; otherwise it stays. After an interruption the
 * next call continues, and a repair can be undone again when more of its files arrive.
 * @throws FoldspaceError `FOLD_NOT_FOUND` if the repair does not exist, `FOLD_BAD_RECORD`, `FOLD_IO` for a link on the way,
 *   and errors of the file system
 */
export async function undoRepair(folder: SpaceFolder, options: UndoOptions = {}): Promise<Undoing> {
  return await undoChange(folder, "repair", options);
}

/** Undoes the latest change of a kind, or the one with the id. Like {@link undoRepair}. */
export async function undoChange(folder: SpaceFolder, kind: ChangeKind, options: UndoOptions): Promise<Undoing> {
  const { isDryRun = false, now = new Date() } = options;
  const listed = await chooseRepair(folder, kind, options.id);
  const record = await readRecord(folder, listed);
  const work = new UndoWork(folder, record, { isDryRun, now });
  const returned = [...new Set([...(record.returned ?? []), ...(await work.findReturnable())])];
  // after an interruption, this shows which files the undo has moved back itself
  if (!isDryRun && returned.length > 0) await writeRecord(folder, { ...record, returned });
  await work.do(returned);
  const { restored, removed, staying, left } = work;
  if (!isDryRun && left.length === 0 && !(listed.isUndone && returned.length === 0)) await markUndone(folder, record.id);
  return { id: record.id, restored, removed, staying, left };
}

/** @throws FoldspaceError `FOLD_NOT_FOUND`, `FOLD_BAD_RECORD` */
async function chooseRepair(folder: SpaceFolder, kind: ChangeKind, wanted: string | undefined): Promise<ListedRepair> {
  const undoable: ListedRepair[] = [];
  for (const repair of await listRepairs(folder, kind)) {
    const isWanted = repair.id === wanted;
    if (!repair.isUndone || (await hasMoreToUndo(folder, repair, isWanted))) undoable.push(repair);
  }
  const found = wanted === undefined ? undoable.at(-1) : undoable.find(({ id }) => id === wanted);
  if (found) return found;
  const reason =
    wanted === undefined ? `no ${kind} that can be undone` : `no ${kind} ${JSON.stringify(wanted)} that can be undone`;
  throw new FoldspaceError("FOLD_NOT_FOUND", `There is ${reason} in ${folder.path}`, {
    data: { path: folder.path, repairs: undoable.map(({ id }) => id) },
  });
}

/**
 * Whether an undone repair still has files to put back.
 * @param isWanted whether to read the whole space, to find out if it needs a removed relay file
 */
async function hasMoreToUndo(folder: SpaceFolder, repair: ListedRepair, isWanted: boolean): Promise<boolean> {
  let record: RepairRecord;
  try {
    record = await readRecord(folder, repair);
  } catch (error) {
    // the damaged record of an undone repair must not block the undo of other repairs
    if (error instanceof FoldspaceError && error.code === "FOLD_BAD_RECORD") return false;
    throw error;
  }
  const work = new UndoWork(folder, record, { isDryRun: true, now: new Date() });
  return (await work.findReturnable()).length > 0 || (isWanted && (await work.lacksRelays()));
}
