import { errorCode, errorMessage, type Problem } from "../../errors.ts";
import { joinPath } from "../../fs/file-system.ts";
import { OPS_DIR } from "../../log/index.ts";
import { OperationTally } from "../operation-tally.ts";
import type { ReadingProgress } from "../read-entry.ts";
import { classifyEntry, type LogEntry, type SpaceFolder } from "../../layers/folder/space-folder.ts";
import { examineFolder, groupByTree } from "../verify.ts";
import { examineCopies, type MergeableCopy } from "./copies.ts";
import { digestOf, digestOfFile } from "./digest.ts";
import { completeFile, type Completion } from "./own-file.ts";
import { keptPath, listMovedPaths, type MadeFile, type MovedFile, type RewrittenFile } from "./record.ts";
import { relayFor } from "./relay.ts";

/** A step that a repair does, or would do. Paths are relative to the space's folder. */
export type RepairStep =
  /** Writes `space.json` again, and keeps the damaged file if there is one. */
  | { readonly kind: "space-file"; readonly file: string; readonly to: string | undefined; readonly spaceId: string }
  /** Writes operations that only copies contained. */
  | { readonly kind: "relay"; readonly file: string; readonly operations: number }
  /** Moves a file out of the space and keeps it. */
  | { readonly kind: "move"; readonly file: string; readonly to: string; readonly reason: string }
  /** Rewrites a file of an owned peer without torn lines, and keeps the original. */
  | {
      readonly kind: "complete";
      readonly file: string;
      readonly to: string;
      readonly completed: number;
      readonly removed: number;
    };

/** The files of one peer in one tree that need repair. */
export interface GroupPlan {
  readonly logs: readonly LogEntry[];
  /** Copies to move out of the space. */
  readonly copies: readonly MovedFile[];
  readonly relay: MadeFile | undefined;
}

export interface OwnFilePlan {
  readonly entry: LogEntry;
  readonly logs: readonly LogEntry[];
  readonly change: RewrittenFile;
}

export interface RepairPlan {
  readonly steps: readonly RepairStep[];
  /** Problems that cannot be repaired here, and why. */
  readonly left: readonly Problem[];
  /** All operations that could be read before the repair. */
  readonly before: OperationTally;
  readonly groups: readonly GroupPlan[];
  readonly ownFiles: readonly OwnFilePlan[];
  readonly foreign: readonly MovedFile[];
}

/** Identity and time of a repair, and the peers whose files it may write. */
export interface RepairContext {
  readonly id: string;
  readonly now: Date;
  readonly ownPeerIds: ReadonlySet<string>;
}

/** Plans the repair of a folder. Changes nothing. */
export async function planRepair(
  folder: SpaceFolder,
  { id, now, ownPeerIds }: RepairContext,
  onProgress?: (progress: ReadingProgress) => void,
): Promise<RepairPlan> {
  const before = new OperationTally();
  const problems: Problem[] = [];
  for await (const problem of examineFolder(folder, { onProgress, onOperations: (treeId, ops) => before.add(treeId, ops) })) {
    problems.push(problem);
  }
  const { logs, foreign } = await findFiles(folder);
  const steps: RepairStep[] = [];
  const ownSteps: RepairStep[] = [];
  const groups: GroupPlan[] = [];
  const ownFiles: OwnFilePlan[] = [];
  const staying = new Map<string, string>();
  const earlier = await listMovedPaths(folder);
  const moveOf = (path: string, sha256: string): MovedFile => ({
    from: path,
    to: keptPath(id, path),
    sha256,
    ...(earlier.has(path) && { isRepeated: true }),
  });
  const troubled = new Set(problems.map(({ file }) => file));
  for (const group of [...groupByTree(logs).values()].flatMap((peers) => [...peers.values()])) {
    if (group.some(({ isCopy }) => isCopy)) {
      const findings = await examineCopies(folder, group);
      for (const [copy, why] of findings.staying) staying.set(copy.path, why);
      const relay = await relayFor(group[0]!, findings.missing, { id, now });
      if (findings.missing.length > 0 && !relay) {
        for (const { entry } of findings.mergeable) staying.set(entry.path, "its peer's id cannot name a file");
      } else if (findings.mergeable.length > 0) {
        const copies = findings.mergeable.map(({ entry, sha256 }) => moveOf(entry.path, sha256));
        const made = relay && { file: relay.path, sha256: await digestOf(relay.bytes) };
        groups.push({ logs: group, copies, relay: made });
        if (relay) steps.push({ kind: "relay", file: relay.path, operations: findings.missing.length });
        for (const copy of findings.mergeable) steps.push(moveCopy(id, copy));
      }
    }
    for (const entry of group) {
      if (entry.isCopy || !ownPeerIds.has(entry.writerId) || !troubled.has(entry.path)) continue;
      const completion = await completeFile(folder, entry, group);
      if (!completion) continue;
      ownFiles.push({ entry, logs: group, change: rewriteOf(id, completion) });
      ownSteps.push(completeOwn(id, completion));
    }
  }
  // after the copies, in the order of execution
  steps.push(...ownSteps);
  const moves: MovedFile[] = [];
  for (const { path, size } of foreign) {
    try {
      moves.push(moveOf(path, await digestOfFile(folder, path, size)));
    } catch (error) {
      if (errorCode(error) === undefined) throw error;
      staying.set(path, `it cannot be read: ${errorMessage(error)}`);
    }
  }
  for (const { from, to } of moves) steps.push({ kind: "move", file: from, to, reason: "it does not belong to the space" });
  return { steps, left: whatIsLeft(problems, steps, staying), before, groups, ownFiles, foreign: moves };
}

function rewriteOf(id: string, { entry: { path }, shaBefore, shaAfter }: Completion): RewrittenFile {
  return { file: path, kept: keptPath(id, path), before: shaBefore, after: shaAfter };
}

async function findFiles(folder: SpaceFolder): Promise<{ readonly logs: LogEntry[]; readonly foreign: ForeignFile[] }> {
  const logs: LogEntry[] = [];
  const foreign: ForeignFile[] = [];
  for (const file of (await folder.findFiles(OPS_DIR)).files) {
    const path = joinPath(OPS_DIR, file.path);
    const { log, problem } = classifyEntry(path, file);
    if (log) logs.push(log);
    else if (problem?.code === "FOLD_FOREIGN_FILE" && file.kind === "file") foreign.push({ path, size: file.size });
  }
  return { logs, foreign: foreign.sort((a, b) => (a.path < b.path ? -1 : 1)) };
}

interface ForeignFile {
  readonly path: string;
  readonly size: number;
}

function moveCopy(id: string, { entry: { path }, badLines }: MergeableCopy): RepairStep {
  const bad = badLines === 0 ? "" : `; ${badLines} of its lines could not be read and are kept with it`;
  return {
    kind: "move",
    file: path,
    to: keptPath(id, path),
    reason: `it is a copy, and other files contain all its operations${bad}`,
  };
}

function completeOwn(id: string, { entry: { path }, completed, removed }: Completion): RepairStep {
  return { kind: "complete", file: path, to: keptPath(id, path), completed, removed };
}

function whatIsLeft(problems: readonly Problem[], steps: readonly RepairStep[], staying: ReadonlyMap<string, string>): Problem[] {
  const repaired = new Set(steps.map(({ file }) => file));
  const left: Problem[] = [];
  for (const problem of problems) {
    const isOfFile = problem.file !== undefined && repaired.has(problem.file);
    // repairing the file does not resolve an operation with two contents
    if (isOfFile && problem.code !== "FOLD_ID_COLLISION") continue;
    const isOfName = problem.code === "FOLD_CONFLICT_COPY" || problem.code === "FOLD_FOREIGN_FILE";
    const why = isOfName ? staying.get(problem.file!) : undefined;
    left.push(why === undefined ? problem : { ...problem, reason: `${problem.reason}. It stays in place: ${why}` });
  }
  return left;
}
