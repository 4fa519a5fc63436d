import { errorCode, errorMessage, FoldspaceError, type Problem } from "../../../errors.ts";
import { joinPath } from "../../../fs/file-system.ts";
import { OperationTally } from "../operation-tally.ts";
import { readChunks, readEntry, type ReadingProgress } from "../read-entry.ts";
import type { LogEntry, SpaceFolder } from "../space-folder.ts";
import { examineCopies, type FoldableCopy } from "./copies.ts";
import { newDigest } from "./digest.ts";
import { completeFile } from "./own-file.ts";
import { planRepair, relayFor, type GroupPlan, type OwnFilePlan, type RepairPlan, type RepairStep } from "./plan.ts";
import { keptPath, newRepairId, parentOf, repairFolderOf, REPORT_FILE, writeRecord } from "./record.ts";
import { describeRepair } from "./report.ts";
import { undoRepair } from "./undo.ts";

export interface RepairOptions {
  /** Finds out what there is to do, and changes nothing. */
  readonly isDryRun?: boolean;
  /**
   * Peers whose files may be written, as nothing else does any more: instances of one's own that have ended.
   * By default no file that is another's to write is touched.
   */
  readonly ownPeerIds?: Iterable<string>;
  readonly now?: Date;
  readonly onProgress?: (progress: RepairProgress) => void;
}

export interface RepairProgress extends ReadingProgress {
  readonly phase: "examining" | "repairing" | "checking";
}

export interface Repair {
  /** Name of its folder in `lost+found`, for undoing it; `undefined` where nothing was changed. */
  readonly id: string | undefined;
  /** What was done, or would be. */
  readonly steps: readonly RepairStep[];
  /** Problems that are still there. */
  readonly left: readonly Problem[];
  /** Distinct operations that can be read, of all trees. */
  readonly operations: number;
}

/**
 * Repairs what is wrong in a space's folder as far as that is possible without touching what others write: copies whose
 * operations are safe elsewhere, and files that are none of the space, are moved to `lost+found`; operations that
 * stood in copies only go to relay files. Nothing is deleted, and `undoRepair` puts everything back.
 *
 * Interrupted anywhere, it loses nothing, and the next repair does the rest. Devices may repair at the same time.
 * @throws FoldspaceError as `SpaceFolder.open`; `FOLD_BUSY` where operations could not be found again afterwards, after
 *   what had been moved was put back; and what reading and writing fail with
 */
export async function repairFolder(folder: SpaceFolder, options: RepairOptions = {}): Promise<Repair> {
  const { isDryRun = false, ownPeerIds = [], now = new Date(), onProgress } = options;
  const { id: spaceId } = await folder.open();
  const id = newRepairId(now);
  await folder.assertNoLinks(repairFolderOf(id));
  const context = { id, now, ownPeerIds: new Set(ownPeerIds) };
  const plan = await planRepair(folder, context, (progress) => onProgress?.({ ...progress, phase: "examining" }));
  const operations = plan.before.total;
  if (isDryRun || plan.steps.length === 0) return { id: undefined, steps: plan.steps, left: plan.left, operations };

  await writeRecord(folder, { id, time: now.toISOString(), spaceId, ...changesOf(plan) });
  const work = new Work(folder, id, now);
  await work.do(plan, (done) => onProgress?.({ filesRead: done, files: plan.steps.length, opsRead: 0, phase: "repairing" }));
  const after = await tally(folder, (progress) => onProgress?.({ ...progress, phase: "checking" }));
  const lacking = after.findLacking(plan.before);
  if (lacking !== undefined) {
    const { left } = await undoRepair(folder, { id });
    const rest = `${left.length} files could not be put back as they were, which "foldspace repair --undo" tries again`;
    const outcome = left.length === 0 ? "everything was put back" : rest;
    throw new FoldspaceError(
      "FOLD_BUSY",
      `Operations of tree ${lacking} could be read before the repair and not after it, as something else writes to ${folder.path}: ${outcome}`,
      { data: { treeId: lacking, left } },
    );
  }
  const repair: Repair = { id, steps: work.done, left: [...plan.left, ...work.left], operations: after.total };
  const report = new TextEncoder().encode(describeRepair(repair, now));
  await folder.fs.write(folder.at(joinPath(repairFolderOf(id), REPORT_FILE)), report);
  return repair;
}

function changesOf({ steps, groups, ownFiles }: RepairPlan): {
  moved: { from: string; to: string }[];
  made: string[];
  rewritten: { file: string; kept: string; sha256: string }[];
} {
  const hashes = new Map(ownFiles.map(({ entry, sha256 }) => [entry.path, sha256]));
  return {
    moved: steps.flatMap((step) => (step.kind === "move" ? { from: step.file, to: step.to } : [])),
    made: groups.flatMap(({ relay }) => relay ?? []),
    rewritten: steps.flatMap((step) =>
      step.kind === "complete" ? { file: step.file, kept: step.to, sha256: hashes.get(step.file)! } : [],
    ),
  };
}

/** Carries out a plan. What has changed since it was made is left alone, and told. */
class Work {
  readonly done: RepairStep[] = [];
  readonly left: Problem[] = [];
  readonly #folder: SpaceFolder;
  readonly #id: string;
  readonly #now: Date;

  constructor(folder: SpaceFolder, id: string, now: Date) {
    this.#folder = folder;
    this.#id = id;
    this.#now = now;
  }

  async do(plan: RepairPlan, onDone: (steps: number) => void): Promise<void> {
    const steps = new Map(plan.steps.map((step) => [step.file, step]));
    for (const group of plan.groups) {
      await this.#foldCopies(group, steps);
      onDone(this.done.length);
    }
    for (const file of plan.ownFiles) await this.#completeOwn(file, steps.get(file.entry.path)!);
    for (const path of plan.foreign) {
      await this.#move(path, steps.get(path)!);
      onDone(this.done.length);
    }
  }

  async #foldCopies({ logs, copies, relay }: GroupPlan, steps: ReadonlyMap<string, RepairStep>): Promise<void> {
    const findings = await examineCopies(this.#folder, logs);
    const made = await relayFor(logs[0]!, findings, this.#now);
    const foldable = new Map(findings.foldable.map((copy) => [copy.entry.path, copy]));
    if (made?.path !== relay || copies.some(({ path }) => !foldable.has(path))) {
      for (const { path } of copies) this.#leave(path, "FOLD_CONFLICT_COPY", "it changed while it was being repaired");
      return;
    }
    if (made) {
      await this.#folder.assertNoLinks(made.path);
      await this.#folder.fs.write(this.#folder.at(made.path), made.bytes);
      this.done.push(steps.get(made.path)!);
    }
    for (const { path } of copies) await this.#move(path, steps.get(path)!, foldable.get(path));
  }

  async #move(path: string, step: RepairStep, copy?: FoldableCopy): Promise<void> {
    const { fs } = this.#folder;
    const to = keptPath(this.#id, path);
    try {
      await fs.makeDirectory(this.#folder.at(parentOf(to)));
      await fs.rename(this.#folder.at(path), this.#folder.at(to));
    } catch (error) {
      const code = errorCode(error);
      if (code !== "FOLD_IO" && code !== "FOLD_BUSY" && code !== "FOLD_PERMISSION") throw error;
      // one file that cannot be moved, as its path would be too long, keeps no other from being moved
      this.#leave(path, code, `it could not be moved: ${errorMessage(error)}`);
      return;
    }
    if (copy && (await hashOf(this.#folder, to, copy.entry.size)) !== copy.sha256) {
      await fs.rename(this.#folder.at(to), this.#folder.at(path));
      this.#leave(path, "FOLD_CONFLICT_COPY", "it changed while it was being moved");
      return;
    }
    this.done.push(step);
  }

  async #completeOwn({ entry, logs, sha256 }: OwnFilePlan, step: RepairStep): Promise<void> {
    const { fs } = this.#folder;
    const { path } = entry;
    const moved = new Map(this.done.flatMap((each) => (each.kind === "move" ? [[each.file, each.to]] : [])));
    // copies may have been taken out since, and are as good a source where they are now
    const sources = logs.map((log) => ({ ...log, path: moved.get(log.path) ?? log.path }));
    const completion = await completeFile(this.#folder, entry, sources);
    if (completion?.sha256 !== sha256) {
      this.#leave(path, "FOLD_TORN_LINE", "the file changed while it was being repaired: is an app still writing it?");
      return;
    }
    await fs.write(this.#folder.at(keptPath(this.#id, path)), completion.before);
    await fs.write(this.#folder.at(path), completion.after);
    this.done.push(step);
  }

  #leave(file: string, code: Problem["code"], reason: string): void {
    this.left.push({ code, reason, file });
  }
}

async function tally(folder: SpaceFolder, onProgress: (progress: ReadingProgress) => void): Promise<OperationTally> {
  const found = new OperationTally();
  const { logs } = await folder.scan();
  let filesRead = 0;
  let opsRead = 0;
  for (const log of logs) {
    for await (const { ops } of readEntry(folder, log)) {
      found.add(log.treeId, ops);
      opsRead += ops.length;
    }
    onProgress({ filesRead: ++filesRead, files: logs.length, opsRead });
  }
  return found;
}

async function hashOf(folder: SpaceFolder, path: string, size: LogEntry["size"]): Promise<string> {
  const hash = await newDigest();
  for await (const bytes of readChunks(folder, path, size)) hash.update(bytes);
  return hash.digest();
}
