import { InvalidArgumentError, Option, type Command } from "commander";
import { explainProblem } from "../../maintenance/explain.ts";
import { packFolder, undoPack, type Pack, type PackProgress } from "../../maintenance/pack/pack.ts";
import { describePackStep } from "../../maintenance/pack/report.ts";
import { LOST_DIR } from "../../log/index.ts";
import type { Context } from "../context.ts";
import { count, printable, type Output } from "../output.ts";
import { showUndoing } from "./repair.ts";
import { showLeft } from "./verify.ts";

interface Options {
  readonly dryRun?: true;
  readonly olderThan?: number;
  readonly delete?: true;
  /** `true` if given without an id. */
  readonly undo?: string | true;
  readonly json?: true;
}

const DAY_MS = 24 * 60 * 60 * 1000;

export function register(program: Command, context: Context): void {
  program
    .command("pack")
    .summary("join old files, so that a folder has fewer")
    .description(
      `Join the files of months that ended long ago: those that have the changes of one device session in one tree become one file for each year, or for each month of the present year. Every app that reads the space reads it. The joined files are moved to ${LOST_DIR} after every change has been read back. It can be undone, run again after an interruption, and run on several devices at once.`,
    )
    .argument("<dir>", "folder of the space")
    .option("--dry-run", "show what would be done, and change nothing")
    .addOption(
      new Option(
        "--older-than <days>",
        "pack months that ended so long ago, such as 120d: at least 31d (default: 90d)",
      ).argParser(parseDays),
    )
    .addOption(new Option("--delete", `delete the joined files instead of keeping them in ${LOST_DIR}`).conflicts("undo"))
    .option("--undo [id]", "put back the files that were joined, by default by the latest packing")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      "\nThe exit code is 1 if files could not be packed for a problem.\n\nExample:\n  $ foldspace pack ~/Notes --dry-run\n  $ foldspace pack ~/Notes\n  $ foldspace pack ~/Notes --undo",
    )
    .action(async (directory: string, options: Options) => {
      if (options.undo === undefined) await pack(context, directory, options);
      else await undo(context, directory, options);
    });
}

/** @throws InvalidArgumentError */
function parseDays(text: string): number {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  if (days !== undefined) return Number(days) * DAY_MS;
  throw new InvalidArgumentError("It is not a number of days such as 90d.");
}

async function pack(context: Context, directory: string, options: Options): Promise<void> {
  const { output } = context;
  const isDryRun = options.dryRun ?? false;
  const result = await packFolder(context.folder(directory), {
    isDryRun,
    deletes: options.delete ?? false,
    ...(options.olderThan !== undefined && { olderThanMs: options.olderThan }),
    onProgress: (progress) => output.progress(() => describeProgress(progress)),
  });
  if (options.json) {
    const left = result.left.map((problem) => ({ ...problem, ...explainProblem(problem) }));
    await output.json({ ...result, left, isDryRun });
  } else await showPack(result, isDryRun, directory, output);
  if (result.left.length > 0 || (isDryRun && result.steps.length > 0)) context.exitCode = 1;
}

function describeProgress({ phase, filesRead, files }: PackProgress): string {
  const done = { examining: "Examined", packing: "Packed", checking: "Checked" }[phase];
  return `${done} ${filesRead} of ${count(files, "file")}`;
}

async function showPack(
  { id, steps, left, files, folders }: Pack,
  isDryRun: boolean,
  directory: string,
  output: Output,
): Promise<void> {
  for (const step of steps) await output.line(printable(describePackStep(step, isDryRun)));
  await showLeft(left, { isFirst: steps.length === 0, isDryRun }, output);
  if (steps.length === 0)
    return await output.note(left.length === 0 ? "Nothing to pack: no old files can be joined" : "No file that can be packed");
  const before = `${count(files.before, "file")} in ${count(folders.before, "folder")}`;
  const became = `${before} ${isDryRun ? "would become" : "became"} ${files.after} in ${folders.after}`;
  if (isDryRun) return await output.note(`${became}; nothing was changed`);
  const kept = `The joined files are in ${LOST_DIR}/${id}; to undo it: foldspace pack ${directory} --undo`;
  await output.note(`${became}; all operations can be read as before.${id === undefined ? "" : ` ${kept}`}`);
}

async function undo(context: Context, directory: string, { undo: id, dryRun, json }: Options): Promise<void> {
  const { output } = context;
  const isDryRun = dryRun ?? false;
  const undone = await undoPack(context.folder(directory), { id: id === true ? undefined : id, isDryRun });
  if (json) await output.json({ ...undone, isDryRun });
  else await showUndoing(undone, isDryRun, output);
  if (undone.left.length > 0) context.exitCode = 1;
}
