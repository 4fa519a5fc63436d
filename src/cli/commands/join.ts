import type { Command } from "commander";
import { joinSpaces, type Join } from "../../maintenance/join.ts";
import type { Context } from "../context.ts";
import { count, printable, type Output } from "../output.ts";
import { showProblem } from "./verify.ts";

interface Options {
  readonly dryRun?: true;
  readonly json?: true;
}

export function register(program: Command, context: Context): void {
  program
    .command("join")
    .summary("join two spaces that began in one folder")
    .description(
      'Join spaces that began in one folder, because two devices each began one before the folder was synced for the first time ("foldspace verify" finds that). The space of space.json gets the contents of the other one. Nothing is removed. It can be run again, and on several devices at once.',
    )
    .argument("<dir>", "folder of the spaces")
    .option("--dry-run", "show what would be done, and change nothing")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  $ foldspace join ~/Notes --dry-run\n  $ foldspace join ~/Notes")
    .action(async (directory: string, options: Options) => {
      const { dryRun: isDryRun = false, json } = options;
      const result = await joinSpaces(context.folder(directory), { isDryRun });
      if (json) await context.output.json({ ...result, isDryRun });
      else await show(result, isDryRun, context.output);
      if (result.left.length > 0) context.exitCode = 1;
    });
}

async function show({ spaceId, joined, written, moved, left }: Join, isDryRun: boolean, output: Output): Promise<void> {
  for (const { spaceId: other, name, operations } of joined)
    await output.line(
      `${printable(name === undefined ? other : `${name} (${other})`)}: ${count(operations, "operation")} ${isDryRun ? "would be joined" : "joined"}`,
    );
  for (const file of written) await output.line(`${printable(file)}: ${isDryRun ? "would be written" : "written"}`);
  for (const { from, to } of moved)
    await output.line(`${printable(from)}: ${isDryRun ? "would be moved" : "moved"} to ${printable(to)}`);
  for (const problem of left) await showProblem(problem, output);
  if (written.length + moved.length + left.length === 0) await output.note(`Nothing to join with ${spaceId}`);
  else if (isDryRun) await output.note("Nothing was changed");
}
