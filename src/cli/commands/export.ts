import { Option, type Command } from "commander";
import { exportJson } from "../../space/export-json.ts";
import { exportMarkdown, treeMarkdown } from "../../space/export-markdown.ts";
import { outlineMarkdown, readItems } from "../../space/export-outline.ts";
import type { ReplicatedTree } from "../../tree/index.ts";
import type { Context } from "../context.ts";
import { findPlace, type Place } from "../find-place.ts";
import { noteProblems, openForReading, type OpenedSpace } from "../open.ts";
import { count, shortId } from "../output.ts";
import { keepCopy, makeCopy } from "../readable-copy.ts";

interface Options {
  readonly format: "json" | "markdown";
  readonly tree?: string;
  readonly output?: string;
  readonly to?: string;
  readonly watch?: true;
}

type LoadedTree = readonly [id: string, tree: ReplicatedTree];

export function register(program: Command, context: Context): void {
  program
    .command("export")
    .summary("print everything, as JSON or Markdown")
    .description(
      "Print the whole space, all trees in it, or one of them: as JSON for programs and comparisons, or as Markdown for people. Outlines are printed in the format that the app exports and imports. Writes nothing into the folder.",
    )
    .argument("<dir>", "folder of the space")
    .addOption(new Option("--format <format>", "what to make").choices(["json", "markdown"]).makeOptionMandatory())
    .option(
      "--tree <tree>",
      "only this tree, by its id, the beginning of its id, or its title; as Markdown also an item, by the /path behind it",
    )
    .option("--output <file>", "write to this file instead of printing")
    .addOption(
      new Option("--to <folder>", "write each page to a file of its own, in a folder that has nothing else in it").conflicts([
        "tree",
        "output",
      ]),
    )
    .option("--watch", "with --to: keep those files up to date until interrupted")
    .addHelpText(
      "after",
      "\nWith --to, files follow their pages when these are renamed or deleted. They are never read back: a file that" +
        "\nyou or another program has changed stays as it is, and so does everything else in that folder." +
        "\n\nExamples:\n  $ foldspace export ~/Notes --format markdown --output notes.md" +
        "\n  $ foldspace export ~/Notes --format markdown --to ~/Readable --watch",
    )
    .action(async (directory: string, options: Options, command: Command) => {
      const { output, environment } = context;
      if (options.watch && options.to === undefined) command.error("error: --watch needs --to");
      if (options.to !== undefined && options.format !== "markdown")
        command.error("error: --to makes Markdown files: --format markdown");
      if (options.to !== undefined && options.watch) {
        const end = environment.interrupted();
        const { id } = await context.folder(directory).open();
        const { ended } = await keepCopy(context, directory, id, options.to, end);
        return await ended;
      }
      const space = await openForReading(context, directory);
      if (options.to !== undefined) {
        await makeCopy(context, directory, space, options.to);
        return await noteProblems(context, directory, space);
      }
      const trees: LoadedTree[] = [];
      const place = options.tree === undefined ? undefined : await findPlace(space, options.tree);
      if (place?.item !== undefined && options.format === "json") command.error("error: JSON is of whole trees: name one");
      const wanted = place ? [place.listing] : space.trees;
      for (const { id } of wanted) {
        output.progress(() => `Loading tree ${trees.length + 1} of ${wanted.length}`);
        trees.push([id, await space.loadTree(id)]);
      }
      const parts = options.format === "json" ? [`${exportJson(space.id, trees)}\n`] : markdownOf(space, trees, place);
      if (options.output === undefined) {
        for (const part of parts) await output.print(part);
      } else {
        const path = context.path(options.output);
        await environment.fs.write(path, new TextEncoder().encode([...parts].join("")));
        await output.note(`Exported ${count(trees.length, "tree")} to ${path}`);
      }
      for (const [id, tree] of trees) {
        if (!tree.root)
          await output.note(
            `foldspace: the root of tree ${shortId(id)} is missing: ${count(tree.opCount, "operation")} could not be exported (FOLD_NO_ROOT)`,
          );
      }
      await noteProblems(context, directory, space);
    });
}

function* markdownOf(space: OpenedSpace, trees: readonly LoadedTree[], place: Place | undefined): Generator<string> {
  const titles = new Map(space.trees.map(({ id, title }) => [id, title]));
  const titled = trees.map(([id, tree]) => ({ title: titles.get(id) ?? `(no title) ${shortId(id)}`, tree }));
  const [single] = titled;
  const item = place?.item === undefined ? undefined : single?.tree.getVertex(place.item);
  const lines = item
    ? outlineMarkdown(readItems([item]))
    : place && single
      ? treeMarkdown(single.title, single.tree)
      : exportMarkdown(space.trees[0]?.title ?? "(no name)", titled);
  for (const line of lines) yield `${line}\n`;
}
