import type { Command } from "commander";
import { migrateFolder, type Migration } from "../../maintenance/migrate.ts";
import type { Context } from "../context.ts";
import { count, printable, type Output } from "../output.ts";

export function register(program: Command, context: Context): void {
  program
    .command("migrate")
    .summary("convert a space of version 0")
    .description(
      "Convert a space of version 0. The old files are kept under space-v0. Run it again if it was interrupted, or when a device that still wrote version 0 has synced: its operations are then added.",
    )
    .argument("<dir>", "folder of the space")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  $ foldspace migrate ~/OldNotes")
    .action(async (directory: string, options: { json?: true }) => {
      const migration = await migrateFolder(context.folder(directory));
      if (options.json) await context.output.json({ ...migration, opCounts: Object.fromEntries(migration.opCounts) });
      else await show(migration, context.output);
    });
}

async function show({ done, opCounts, files, problems }: Migration, output: Output): Promise<void> {
  for (const { file, line, reason, code } of problems) {
    await output.line(
      `${printable(`${file ?? ""}${line === undefined ? "" : `:${line}`}: ${reason}`)} ${output.colors.dim(`[${code}]`)}`,
    );
  }
  const operations = [...opCounts.values()].reduce((sum, size) => sum + size, 0);
  switch (done) {
    case "none":
      return await output.line("Nothing to do: the space already has the current format");
    case "finished":
      return await output.line("Finished: the old files are under space-v0 now");
    case "taken-in":
      return await output.line(`Added ${count(operations, "operation")} of version 0; their files are under space-v0 now`);
    case "migrated": {
      const copied = `${count(operations, "operation")} of ${count(opCounts.size, "tree")} in ${count(files, "file")}`;
      await output.line(`Migrated ${copied}; the old files are under space-v0`);
      if (problems.length > 0) await output.line(`${count(problems.length, "problem")} above: everything was kept unchanged`);
    }
  }
}
