import type { Command } from "commander";
import { verifyFolder } from "../../layers/folder/verify.ts";
import type { Context } from "../context.ts";
import { count, printable } from "../output.ts";

export function define(program: Command, context: Context): void {
  program
    .command("verify")
    .summary("list every problem of a folder")
    .description("List every problem of a space's folder. Changes nothing. The exit code is 1 if there is any.")
    .argument("<dir>", "folder of the space")
    .option("--json", "print one JSON object per problem and line")
    .addHelpText("after", "\nExample:\n  $ foldspace verify ~/Notes --json")
    .action(async (directory: string, options: { json?: true }) => {
      const { output } = context;
      const { dim } = output.colors;
      let checked = { files: 0, filesRead: 0, opsRead: 0 };
      let found = 0;
      const problems = verifyFolder(context.folder(directory), (progress) => {
        checked = progress;
        output.progress(() => `Checked ${progress.filesRead} of ${count(progress.files, "file")}`);
      });
      for await (const { file, line, code, reason, treeId } of problems) {
        found++;
        const place = printable(`${file ?? ""}${line === undefined ? "" : `:${line}`}`);
        if (options.json) await output.json({ file, line, code, reason, treeId });
        else await output.line(`${place}: ${reason} ${dim(`[${code}]`)}`);
      }
      const scope = `in ${count(checked.filesRead, "log file")} with ${count(checked.opsRead, "operation")}`;
      await output.note(found === 0 ? `No problems ${scope}` : `${count(found, "problem")} ${scope}`);
      if (found > 0) context.exitCode = 1;
    });
}
