import { Option, type Command } from "commander";
import type { SpaceFolder } from "../../layers/folder/space-folder.ts";
import type { Context } from "../context.ts";
import { createSpace } from "../create.ts";
import { CARRIERS, type Carrier } from "../doctor/carriers.ts";
import type { Setup, SetupOption } from "../doctor/setups.ts";
import { writeSetup, type WrittenSettings } from "../doctor/write-setup.ts";
import { printable } from "../output.ts";
import { commandTrace } from "../trace.ts";

type Options = { readonly [option in SetupOption]?: true } & {
  readonly name?: string;
  readonly json?: true;
};

type CarrierWithSetup = Carrier & { readonly setup: Setup };

const SET_UP = CARRIERS.filter((carrier): carrier is CarrierWithSetup => carrier.setup !== undefined);

export function register(program: Command, context: Context): void {
  const command = program
    .command("init")
    .summary("make a folder into a new space, or set up what carries it")
    .description(
      "Make a folder into a new space and print the space's id. With an option for a program that carries folders, also write the settings that a space needs there; the folder may contain a space already. Files that exist are only appended to.",
    )
    .argument("<dir>", "folder; made if it is missing")
    .option("--name <text>", "name of the space");
  for (const { name, setup } of SET_UP) {
    const files = setup.files.map((file) => file.name).join(" and ");
    command.addOption(new Option(`--${setup.option}`, `also set up ${name}: ${files}`));
  }
  command
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      '\nExamples:\n  $ foldspace init ~/Notes --name "My notes" --git\n  $ foldspace init ~/Notes --syncthing',
    )
    .action(async (directory: string, options: Options) => init(context, context.folder(directory), options));
}

async function init(context: Context, folder: SpaceFolder, options: Options): Promise<void> {
  const { output } = context;
  const carriers = SET_UP.filter(({ setup }) => options[setup.option]);
  const id =
    (carriers.length > 0 && options.name === undefined ? await existingSpace(folder) : undefined) ??
    (await createSpace(folder, options.name, commandTrace(context)));
  if (!options.json) await output.line(id);
  const carried = [];
  for (const carrier of carriers) {
    const { name } = carrier;
    const { files, advice } = await writeSetup(folder.fs, carrier, folder.path);
    if (advice.some(({ isNeeded }) => isNeeded)) context.exitCode = 1;
    carried.push({ name, files, advice });
    if (options.json) continue;
    for (const file of files) await output.note(describe(file));
    for (const { text, isNeeded } of advice) await output.note(`${name}: ${isNeeded ? "Change: " : ""}${printable(text)}`);
  }
  if (options.json) await output.json({ id, path: folder.path, ...(carried.length === 0 ? {} : { carriers: carried }) });
}

async function existingSpace(folder: SpaceFolder): Promise<string | undefined> {
  const state = await folder.inspect();
  return state.kind === "space" ? state.spaceFile.id : undefined;
}

function describe({ path, isNew, added }: WrittenSettings): string {
  const file = printable(path);
  if (added.length === 0) return `${file} needs no change`;
  return `${isNew ? "Made" : "Added to"} ${file}: ${added.map((line) => `"${line}"`).join(", ")}`;
}
