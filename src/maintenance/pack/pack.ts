import { FoldspaceError, type Problem } from "../../errors.ts";
import { joinPath } from "../../fs/file-system.ts";
import { classifyEntry, type SpaceFolder } from "../../layers/folder/space-folder.ts";
import { CheckedChanges, parentOf } from "../checked-changes.ts";
import { tallyFolder } from "../operation-tally.ts";
import type { ReadingProgress } from "../read-entry.ts";
import { keptPath, newRepairId, repairFolderOf, REPORT_FILE, writeRecord, type RepairRecord } from "../repair/record.ts";
import { undoChange, type Undoing, type UndoOptions } from "../repair/undo.ts";
import { EmptyFolders } from "./empty-folders.ts";
import { assertOldEnough, DEFAULT_OLDER_THAN_MS } from "./periods.ts";
import { planPack, stepsOf, type PackPlan, type PackStep } from "./plan.ts";
import { describePack } from "./report.ts";
import { PackWork } from "./work.ts";

/** What {@link packFolder} packs, and what becomes of the joined files. */
export interface PackOptions {
  /** Only plans the packing, and changes nothing. */
  readonly isDryRun?: boolean;
  /**
   * How long ago a month must have ended before its files are packed, in milliseconds. At least 31 days, because until then an
   * app may append to these files; 90 days by default.
   */
  readonly olderThanMs?: number;
  /** Whether the joined files are deleted in the end, instead of kept in `lost+found`. Then it cannot be undone. */
  readonly deletes?: boolean;
  readonly now?: Date;
  /** Called after each file that was read. */
  readonly onProgress?: (progress: PackProgress) => void;
}

export interface PackProgress extends ReadingProgress {
  readonly phase: "examining" | "packing" | "checking";
}

/** A number before a packing, and after it. */
export interface BeforeAndAfter {
  readonly before: number;
  readonly after: number;
}

/** The result of {@link packFolder}. */
export interface Pack {
  /** Name of its folder in `lost+found`, for undoing it; `undefined` if no file was moved there, or all were deleted. */
  readonly id: string | undefined;
  /** The steps that were done, or would be. */
  readonly steps: readonly PackStep[];
  /** Files that were not packed for a problem. */
  readonly left: readonly Problem[];
  /** Number of distinct operations in the files that are old enough. */
  readonly operations: number;
  /** Number of log files in the space. */
  readonly files: BeforeAndAfter;
  /** Number of folders with log files. */
  readonly folders: BeforeAndAfter;
}

/**
 * Joins old log files of a space, so that it has fewer files and folders. The files of one peer, tree and year become one file;
 * of the present year, those of a month. Every reader of the format reads it. The joined files go to `lost+found` after every
 * operation has been read back from it, and `undoPack` moves them back.
 *
 * Files with problems, and copies that sync services made, stay as they are. An interrupted packing loses nothing, and the next
 * one does the rest. Devices may pack at the same time: name and bytes of a packed file are a function of its operations.
 * @throws FoldspaceError `FOLD_BAD_VALUE` for a time that is too short; as `SpaceFolder.open`; `FOLD_BUSY` if operations could
 *   not be found again afterwards, in which case the moved files were put back; and errors of the file system
 */
export async function packFolder(folder: SpaceFolder, options: PackOptions = {}): Promise<Pack> {
  const { isDryRun = false, olderThanMs = DEFAULT_OLDER_THAN_MS, deletes = false, now = new Date(), onProgress } = options;
  assertOldEnough(olderThanMs);
  const { id: spaceId } = await folder.open();
  const id = newRepairId(now, "pack");
  await folder.assertNoLinks(repairFolderOf(id));
  const context = { now, olderThanMs };
  const plan = await planPack(folder, context, (progress) => onProgress?.({ ...progress, phase: "examining" }));
  const operations = plan.before.total;
  if (isDryRun || plan.steps.length === 0) {
    const counts = countFiles(plan.paths, inputsOf(plan), outputsOf(plan));
    return { id: undefined, steps: plan.steps, left: plan.left, operations, ...counts };
  }

  const record: RepairRecord = {
    id,
    time: now.toISOString(),
    spaceId,
    finished: false,
    moved: plan.peers.flatMap(({ groups }) =>
      groups.flatMap(({ inputs }) =>
        inputs.map(({ entry, sha256 }) => ({ from: entry.path, to: keptPath(id, entry.path), sha256 })),
      ),
    ),
    made: [],
    rewritten: [],
  };
  await writeRecord(folder, record);
  const work = new PackWork(folder, id);
  await work.do(plan, (filesRead) => onProgress?.({ filesRead, files: record.moved.length, opsRead: 0, phase: "packing" }));
  const after = await tallyFolder(folder, (progress) => onProgress?.({ ...progress, phase: "checking" }));
  const lacking = after.findLacking(plan.before);
  if (lacking !== undefined) await putBack(folder, id, now, lacking);
  await writeRecord(folder, { ...record, finished: true, moved: work.moved });
  await removeEmptyFolders(folder, id, work);
  const pack: Pack = {
    id: deletes || work.moved.length === 0 ? undefined : id,
    steps: work.done.flatMap(stepsOf),
    left: [...plan.left, ...work.left],
    operations,
    ...countFiles(
      plan.paths,
      work.moved.map(({ from }) => from),
      work.written,
    ),
  };
  const changes = new CheckedChanges(folder);
  if (pack.id === undefined) await changes.remove(repairFolderOf(id));
  else await changes.write(joinPath(repairFolderOf(id), REPORT_FILE), new TextEncoder().encode(describePack(pack, now)));
  return pack;
}

/**
 * Moves the files back that a packing moved to `lost+found`. The packed files stay, because another device may rely on them: they
 * only repeat the others, and the next packing joins these again. Like `undoRepair` otherwise.
 * @throws FoldspaceError as `undoRepair`
 */
export async function undoPack(folder: SpaceFolder, options: UndoOptions = {}): Promise<Undoing> {
  return await undoChange(folder, "pack", options);
}

/** @throws FoldspaceError `FOLD_BUSY` */
async function putBack(folder: SpaceFolder, id: string, now: Date, treeId: string): Promise<never> {
  const { left } = await undoPack(folder, { id, now });
  const files = left.length === 1 ? "1 file" : `${left.length} files`;
  const rest = `${files} could not be put back; "foldspace pack --undo" tries again`;
  const outcome = left.length === 0 ? "everything was put back" : rest;
  throw new FoldspaceError(
    "FOLD_BUSY",
    `Operations of tree ${treeId} could be read before the packing but not after it, as another program writes to ${folder.path}: ${outcome}`,
    { data: { treeId, left } },
  );
}

async function removeEmptyFolders(folder: SpaceFolder, id: string, { moved }: PackWork): Promise<void> {
  const byTree = new Map<string, string[]>();
  for (const { from } of moved) {
    const { log } = classifyEntry(from, { kind: "file", size: Infinity, modifiedMs: 0 });
    const files = log && byTree.get(log.treeId);
    if (files) files.push(from);
    else if (log) byTree.set(log.treeId, [from]);
  }
  // where `verify` would find a file that a sync service puts there after an interruption
  const empty = new EmptyFolders(folder, joinPath(repairFolderOf(id), "made"));
  for (const [treeId, files] of byTree) await empty.remove(treeId, files);
}

function inputsOf({ peers }: PackPlan): string[] {
  return peers.flatMap(({ groups }) => groups.flatMap(({ inputs }) => inputs.map(({ entry }) => entry.path)));
}

function outputsOf({ peers }: PackPlan): string[] {
  return peers.flatMap(({ groups }) => groups.flatMap(({ output }) => output?.path ?? []));
}

/** @param written some may be among `paths` */
function countFiles(
  paths: readonly string[],
  moved: readonly string[],
  written: readonly string[],
): Pick<Pack, "files" | "folders"> {
  const [before, after] = [new Set(paths), new Set([...paths, ...written])];
  for (const path of moved) after.delete(path);
  const countFolders = (files: ReadonlySet<string>): number => new Set(Array.from(files, parentOf)).size;
  return {
    files: { before: before.size, after: after.size },
    folders: { before: countFolders(before), after: countFolders(after) },
  };
}
