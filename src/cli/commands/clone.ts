import type { Command } from "commander";
import { cloneSpace } from "../../maintenance/clone.ts";
import type { Context } from "../context.ts";
import { count } from "../output.ts";
import { showProblem } from "./verify.ts";

interface Options {
  readonly json?: true;
}

export function register(program: Command, context: Context): void {
  program
    .command("clone")
    .summary("copy a space to a new folder, as a space of its own")
    .description(
      "Copy a space to a new folder with an id of its own, as a template or to look at a backup, and print the id. A plain copy of a folder is the same space: apps that know both bring what is written in one into the other. Secrets under a passphrase, lost+found and hidden files are not copied.",
    )
    .argument("<dir>", "folder of the space")
    .argument("<new-dir>", "folder of the copy; made if it is missing, otherwise it must be empty")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  $ foldspace clone ~/Backup/Notes ~/Look")
    .action(async (directory: string, newDirectory: string, { json }: Options) => {
      const { output } = context;
      const { spaceId, files, left } = await cloneSpace(context.folder(directory), context.folder(newDirectory));
      if (json) await output.json({ id: spaceId, files, left });
      else {
        await output.line(spaceId);
        for (const problem of left) await showProblem(problem, output);
        await output.note(`${count(files, "file")} copied${left.length === 0 ? "" : "; what is named above was not"}`);
      }
      if (left.length > 0) context.exitCode = 1;
    });
}
