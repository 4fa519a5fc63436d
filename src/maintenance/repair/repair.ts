import { FoldspaceError, type Problem } from "../../errors.ts";
import { joinPath } from "../../fs/file-system.ts";
import { SPACE_FILE } from "../../log/index.ts";
import { CheckedChanges } from "../checked-changes.ts";
import { tallyFolder } from "../operation-tally.ts";
import type { ReadingProgress } from "../read-entry.ts";
import type { SpaceFolder } from "../../layers/folder/space-folder.ts";
import { planRepair, type RepairPlan, type RepairStep } from "./plan.ts";
import { newRepairId, repairFolderOf, REPORT_FILE, writeRecord, type RepairRecord } from "./record.ts";
import { describeRepair } from "./report.ts";
import { undoRepair } from "./undo.ts";
import { planSpaceFile, writeSpaceFile } from "./space-file.ts";
import { RepairWork } from "./work.ts";

/** Options of `repairFolder`. */
export interface RepairOptions {
  /** Only plans the repair, and changes nothing. */
  readonly isDryRun?: boolean;
  /**
   * Peers whose files the repair may write: the caller's own instances that have ended, so that no program writes these files
   * any more. By default a repair writes no file of another peer.
   */
  readonly ownPeerIds?: Iterable<string>;
  readonly now?: Date;
  /** Called while the folder is read, repaired and checked. */
  readonly onProgress?: (progress: RepairProgress) => void;
}

/** Progress of a phase. During `repairing`, the files are the steps of the plan. */
export interface RepairProgress extends ReadingProgress {
  readonly phase: "examining" | "repairing" | "checking";
}

/** The outcome of `repairFolder`. */
export interface Repair {
  /** Name of its folder in `lost+found`, for undoing it; `undefined` if nothing was changed. */
  readonly id: string | undefined;
  /** The steps that were done, or would be. */
  readonly steps: readonly RepairStep[];
  /** Remaining problems. */
  readonly left: readonly Problem[];
  /** Number of distinct operations of all trees that can be read. */
  readonly operations: number;
}

/**
 * Repairs a space's folder as far as possible without changing files of other writers. Copies whose operations are safe
 * elsewhere, and files that do not belong to the space, are moved to `lost+found`. Operations that only copies contain go to
 * relay files. Nothing is deleted, and `undoRepair` moves the files back.
 *
 * An interrupted repair loses nothing, and the next repair does the rest. Devices may repair at the same time.
 * @throws FoldspaceError as `SpaceFolder.open`; `FOLD_BUSY` if operations could not be found again afterwards, in which case
 *   the moved files were put back; and errors of the file system
 */
export async function repairFolder(folder: SpaceFolder, options: RepairOptions = {}): Promise<Repair> {
  const { isDryRun = false, ownPeerIds = [], now = new Date(), onProgress } = options;
  const id = newRepairId(now);
  const { spaceId, step: spaceFile } = await planSpaceFile(folder, id);
  await folder.assertNoLinks(repairFolderOf(id));
  const context = { id, now, ownPeerIds: new Set(ownPeerIds) };
  const plan = await planRepair(folder, context, (progress) => onProgress?.({ ...progress, phase: "examining" }));
  const operations = plan.before.total;
  const first = spaceFile ? [spaceFile] : [];
  const steps = [...first, ...plan.steps];
  const left = plan.left.filter(({ file }) => !spaceFile || file !== SPACE_FILE);
  if (isDryRun || steps.length === 0) return { id: undefined, steps, left, operations };

  const record: RepairRecord = { id, time: now.toISOString(), spaceId, finished: false, ...plannedChanges(plan) };
  await writeRecord(folder, record);
  if (spaceFile) await writeSpaceFile(folder, spaceFile);
  const work = new RepairWork(folder, { id, now });
  await work.do(plan, (done) => onProgress?.({ filesRead: done, files: plan.steps.length, opsRead: 0, phase: "repairing" }));
  const after = await tallyFolder(folder, (progress) => onProgress?.({ ...progress, phase: "checking" }));
  const lacking = after.findLacking(plan.before);
  if (lacking !== undefined) {
    const { left: notBack } = await undoRepair(folder, { id, now });
    const files = notBack.length === 1 ? "1 file" : `${notBack.length} files`;
    const rest = `${files} could not be put back; "foldspace repair --undo" tries again`;
    const outcome = notBack.length === 0 ? "everything was put back" : rest;
    throw new FoldspaceError(
      "FOLD_BUSY",
      `Operations of tree ${lacking} could be read before the repair but not after it, as another program writes to ${folder.path}: ${outcome}`,
      { data: { treeId: lacking, left: notBack } },
    );
  }
  const { moved, made, rewritten } = work;
  await writeRecord(folder, { ...record, finished: true, moved, made, rewritten });
  const repair: Repair = { id, steps: [...first, ...work.done], left: [...left, ...work.left], operations: after.total };
  const report = new TextEncoder().encode(describeRepair(repair, now));
  await new CheckedChanges(folder).write(joinPath(repairFolderOf(id), REPORT_FILE), report);
  return repair;
}

function plannedChanges({ groups, ownFiles, foreign }: RepairPlan): Pick<RepairRecord, "moved" | "made" | "rewritten"> {
  return {
    moved: [...groups.flatMap(({ copies }) => copies), ...foreign],
    made: groups.flatMap(({ relay }) => relay ?? []),
    rewritten: ownFiles.map(({ change }) => change),
  };
}
