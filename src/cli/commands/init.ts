import type { Command } from "commander";
import { FoldspaceError } from "../../errors.ts";
import { FileSystemPersistenceLayer } from "../../layers/folder/file-system-layer.ts";
import type { SpaceFolder } from "../../layers/folder/space-folder.ts";
import { SpaceManager } from "../../space/space-manager.ts";
import { newId } from "../../tree/index.ts";
import type { Context } from "../context.ts";

interface Options {
  readonly name?: string;
  readonly git?: true;
  readonly json?: true;
}

export function define(program: Command, context: Context): void {
  program
    .command("init")
    .summary("make a folder into a new space")
    .description("Make a folder into a new space and print the space's id.")
    .argument("<dir>", "folder; made if it is not there")
    .option("--name <text>", "name of the space")
    .option("--git", "also write .gitattributes, so that Git joins what several devices append")
    .option("--json", "print the result as JSON")
    .addHelpText("after", '\nExample:\n  $ foldspace init ~/Notes --name "My notes" --git')
    .action(async (directory: string, options: Options) => init(context, context.folder(directory), options));
}

async function init(context: Context, folder: SpaceFolder, options: Options): Promise<void> {
  await assertNoSpace(folder);
  const id = newId();
  const manager = new SpaceManager();
  const layer = new FileSystemPersistenceLayer(folder.path, id, { fs: context.environment.fs });
  await manager.createSpace({ id, persistenceLayers: [layer], ...(options.name === undefined ? {} : { name: options.name }) });
  await manager.closeSpace(id);
  if (options.git && !(await folder.writeGitAttributes())) {
    await context.output.note("foldspace: there is a .gitattributes already, which was left as it is");
  }
  if (options.json) await context.output.json({ id, path: folder.path });
  else await context.output.line(id);
}

async function assertNoSpace(folder: SpaceFolder): Promise<void> {
  const state = await folder.inspect();
  const { path } = folder;
  if (state.kind === "space")
    throw new FoldspaceError("FOLD_ALREADY_A_SPACE", `${path} holds the space ${state.spaceFile.id} already`, { data: { path } });
  if (state.kind === "old-format") throw folder.errorFor("old-format");
  if (state.kind === "empty" && (await folder.fs.stat(folder.at("space.json")))) {
    throw new FoldspaceError("FOLD_ALREADY_A_SPACE", `${path} is the inside of a space: a new one needs a folder of its own`, {
      data: { path },
    });
  }
}
