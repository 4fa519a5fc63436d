import type { Command } from "commander";
import type { SpaceFolder } from "../../layers/folder/space-folder.ts";
import type { Context } from "../context.ts";
import { createSpace } from "../create.ts";

interface Options {
  readonly name?: string;
  readonly git?: true;
  readonly json?: true;
}

export function register(program: Command, context: Context): void {
  program
    .command("init")
    .summary("make a folder into a new space")
    .description("Make a folder into a new space and print the space's id.")
    .argument("<dir>", "folder; made if it is missing")
    .option("--name <text>", "name of the space")
    .option("--git", "also write .gitattributes, so that Git merges what several devices append")
    .option("--json", "print the result as JSON")
    .addHelpText("after", '\nExample:\n  $ foldspace init ~/Notes --name "My notes" --git')
    .action(async (directory: string, options: Options) => init(context, context.folder(directory), options));
}

async function init(context: Context, folder: SpaceFolder, options: Options): Promise<void> {
  const id = await createSpace(folder, options.name, context);
  if (options.git && !(await folder.writeGitAttributes())) {
    await context.output.note("foldspace: there is already a .gitattributes; it was not changed");
  }
  if (options.json) await context.output.json({ id, path: folder.path });
  else await context.output.line(id);
}
