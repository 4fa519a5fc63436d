import { Option, type Command } from "commander";
import { FoldspaceError } from "../../errors.ts";
import { explainProblem } from "../../maintenance/explain.ts";
import { repairFolder, type Repair, type RepairProgress } from "../../maintenance/repair/repair.ts";
import { describeStep } from "../../maintenance/repair/report.ts";
import { undoRepair, type Undoing } from "../../maintenance/repair/undo.ts";
import { isPathSafeId, LOST_DIR } from "../../log/index.ts";
import type { Context } from "../context.ts";
import { count, printable, type Output } from "../output.ts";
import { showLeft, showProblem } from "./verify.ts";

interface Options {
  readonly dryRun?: true;
  readonly own?: readonly string[];
  /** `true` if given without an id. */
  readonly undo?: string | true;
  readonly json?: true;
}

export function register(program: Command, context: Context): void {
  program
    .command("repair")
    .summary("put a folder in order, without losing anything")
    .description(
      `Repair the problems that "foldspace verify" finds: copies that sync services made, and files that do not belong to the space, are moved to ${LOST_DIR} after every operation in them has been made safe. Files that other peers write are not touched. Nothing is deleted, and everything can be undone. It can be run again after an interruption, and on several devices at once.`,
    )
    .argument("<dir>", "folder of the space")
    .option("--dry-run", "show what would be done, and change nothing")
    .addOption(
      new Option(
        "--own <peer>",
        "also clean the files of this peer, which no running app writes any more: the id in their names; may be repeated",
      ).argParser((peerId, others: readonly string[] | undefined) => [...(others ?? []), peerId]),
    )
    .option("--undo [id]", "put back what a repair changed, by default the latest one")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      "\nThe exit code is 1 if problems remain.\n\nExample:\n  $ foldspace repair ~/Notes --dry-run\n  $ foldspace repair ~/Notes\n  $ foldspace repair ~/Notes --undo",
    )
    .action(async (directory: string, options: Options) => {
      const isDryRun = options.dryRun ?? false;
      if (options.undo === undefined) await repair(context, directory, options, isDryRun);
      else await undo(context, directory, options, isDryRun);
    });
}

async function repair(context: Context, directory: string, { own = [], json }: Options, isDryRun: boolean): Promise<void> {
  const { output } = context;
  for (const peerId of own) {
    if (!isPathSafeId(peerId)) throw new FoldspaceError("FOLD_BAD_ID", `${JSON.stringify(peerId)} cannot be a peer's id`);
  }
  const result = await repairFolder(context.folder(directory), {
    isDryRun,
    ownPeerIds: own,
    onProgress: (progress) => output.progress(() => describeProgress(progress)),
  });
  if (json) {
    const left = result.left.map((problem) => ({ ...problem, ...explainProblem(problem) }));
    await output.json({ ...result, left, isDryRun });
  } else await showRepair(result, isDryRun, directory, output);
  if (result.left.length > 0 || (isDryRun && result.steps.length > 0)) context.exitCode = 1;
}

function describeProgress({ phase, filesRead, files }: RepairProgress): string {
  switch (phase) {
    case "examining":
      return `Examined ${filesRead} of ${count(files, "file")}`;
    case "repairing":
      return `Repaired ${filesRead} of ${count(files, "file")}`;
    case "checking":
      return `Checked ${filesRead} of ${count(files, "file")}`;
  }
}

async function showRepair(
  { id, steps, left, operations }: Repair,
  isDryRun: boolean,
  directory: string,
  output: Output,
): Promise<void> {
  for (const step of steps) await output.line(printable(describeStep(step, isDryRun)));
  await showLeft(left, { isFirst: steps.length === 0, isDryRun }, output);
  if (steps.length === 0 && left.length === 0)
    await output.note(`Nothing to repair: all of ${count(operations, "operation")} are in order`);
  else if (steps.length === 0) await output.note("Nothing that this command can repair: see above what to do");
  else if (isDryRun) await output.note(`${count(steps.length, "step")} would be done; nothing was changed`);
  else {
    // a space.json that was written stays
    const canUndo = steps.some(({ kind }) => kind !== "space-file");
    const undoing = ` The moved files are in ${LOST_DIR}/${id}; to undo it: foldspace repair ${directory} --undo`;
    await output.note(
      `${count(steps.length, "step")} done; all ${count(operations, "operation")} can be read as before.${canUndo ? undoing : ""}`,
    );
  }
}

async function undo(context: Context, directory: string, { undo: id, json }: Options, isDryRun: boolean): Promise<void> {
  const { output } = context;
  const undone = await undoRepair(context.folder(directory), { id: id === true ? undefined : id, isDryRun });
  if (json) await output.json({ ...undone, isDryRun });
  else await showUndoing(undone, isDryRun, output);
  if (undone.left.length > 0) context.exitCode = 1;
}

export async function showUndoing(
  { id, restored, removed, staying, left }: Undoing,
  isDryRun: boolean,
  output: Output,
): Promise<void> {
  for (const file of restored) await output.line(`${printable(file)}: put back`);
  for (const file of removed) await output.line(`${printable(file)}: removed, because restored files contain its operations`);
  for (const file of staying) await output.line(`${printable(file)}: kept, because changes that need it may still arrive`);
  for (const problem of left) await showProblem(problem, output);
  const changed = restored.length + removed.length;
  if (changed + staying.length + left.length === 0)
    return await output.note(`Nothing to put back for ${id}: a space.json that a repair wrote stays`);
  const files = count(changed, "file");
  await output.note(
    isDryRun
      ? `${files} would be as before ${id}; nothing was changed`
      : `${files} ${changed === 1 ? "is" : "are"} as before ${id}`,
  );
}
