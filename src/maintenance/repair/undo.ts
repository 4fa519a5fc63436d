import { FoldspaceError, type Problem } from "../../errors.ts";
import type { SpaceFolder } from "../../layers/folder/space-folder.ts";
import { listRepairs, markUndone, readRecord, writeRecord, type ListedRepair, type RepairRecord } from "./record.ts";
import { UndoWork } from "./undo-work.ts";

export interface Undoing {
  readonly id: string;
  /** Files that are again as they were. */
  readonly restored: readonly string[];
  /** Relay files taken out again, as all that they contain is in what was put back. */
  readonly removed: readonly string[];
  /** Relay files that stay, as changes of this or another device may be on their way that need them. */
  readonly staying: readonly string[];
  /** What could not be put back, and why. */
  readonly left: readonly Problem[];
}

export interface UndoOptions {
  /** The latest by default. */
  readonly id?: string | undefined;
  readonly isDryRun?: boolean;
  readonly now?: Date;
}

/**
 * Puts back what a repair moved or rewrote, byte for byte. What has been changed since is left as it is, and reported.
 *
 * A sync service may have delivered only a part of the repair, or of another device's undoing it. So a relay file is
 * taken out only if this undo itself puts back every copy whose operations it contains; otherwise it stays. Interrupted,
 * undoing goes on when it is called again, and a repair can be undone again when files of it arrive later.
 * @throws FoldspaceError `FOLD_NOT_FOUND` if there is no such repair, `FOLD_BAD_RECORD`, `FOLD_IO` for a link on the way,
 *   and what reading and writing fail with
 */
export async function undoRepair(folder: SpaceFolder, options: UndoOptions = {}): Promise<Undoing> {
  const { isDryRun = false, now = new Date() } = options;
  const listed = await chooseRepair(folder, options.id);
  const record = await readRecord(folder, listed);
  const work = new UndoWork(folder, record, { isDryRun, now });
  const returned = [...new Set([...(record.returned ?? []), ...(await work.findReturnable())])];
  // an undo that is interrupted knows by this what it has moved back itself
  if (!isDryRun && returned.length > 0) await writeRecord(folder, { ...record, returned });
  await work.do(returned);
  const { restored, removed, staying, left } = work;
  if (!isDryRun && left.length === 0 && !(listed.isUndone && returned.length === 0)) await markUndone(folder, record.id);
  return { id: record.id, restored, removed, staying, left };
}

/** @throws FoldspaceError `FOLD_NOT_FOUND`, `FOLD_BAD_RECORD` */
async function chooseRepair(folder: SpaceFolder, wanted: string | undefined): Promise<ListedRepair> {
  const undoable: ListedRepair[] = [];
  for (const repair of await listRepairs(folder)) {
    const isWanted = repair.id === wanted;
    if (!repair.isUndone || (await hasMoreToUndo(folder, repair, isWanted))) undoable.push(repair);
  }
  const found = wanted === undefined ? undoable.at(-1) : undoable.find(({ id }) => id === wanted);
  if (found) return found;
  const reason =
    wanted === undefined ? "no repair that could be undone" : `no repair ${JSON.stringify(wanted)} that could be undone`;
  throw new FoldspaceError("FOLD_NOT_FOUND", `There is ${reason} in ${folder.path}`, {
    data: { path: folder.path, repairs: undoable.map(({ id }) => id) },
  });
}

/**
 * Whether a repair that was undone has files to put back nevertheless.
 * @param isWanted whether to read the whole space, to find out if a relay file that was taken out is needed
 */
async function hasMoreToUndo(folder: SpaceFolder, repair: ListedRepair, isWanted: boolean): Promise<boolean> {
  let record: RepairRecord;
  try {
    record = await readRecord(folder, repair);
  } catch (error) {
    // a damaged record of what has been undone keeps no other repair from being undone
    if (error instanceof FoldspaceError && error.code === "FOLD_BAD_RECORD") return false;
    throw error;
  }
  const work = new UndoWork(folder, record, { isDryRun: true, now: new Date() });
  return (await work.findReturnable()).length > 0 || (isWanted && (await work.lacksRelays()));
}
