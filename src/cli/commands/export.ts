import { Option, type Command } from "commander";
import { exportJson } from "../../space/export-json.ts";
import { exportMarkdown, treeMarkdown } from "../../space/export-markdown.ts";
import type { ReplicatedTree } from "../../tree/index.ts";
import type { Context } from "../context.ts";
import { findTree } from "../find.ts";
import { noteProblems, openForReading, type OpenedSpace } from "../open.ts";
import { count, shortId } from "../output.ts";

interface Options {
  readonly format: "json" | "markdown";
  readonly tree?: string;
  readonly output?: string;
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
    .addOption(new Option("--format <format>", "output format").choices(["json", "markdown"]).makeOptionMandatory())
    .option("--tree <tree>", "only this tree, by its id, the beginning of its id, or its title")
    .option("--output <file>", "write to this file instead of printing")
    .addHelpText("after", "\nExample:\n  $ foldspace export ~/Notes --format markdown --output notes.md")
    .action(async (directory: string, options: Options) => {
      const { output, environment } = context;
      const space = await openForReading(context, directory);
      const trees: LoadedTree[] = [];
      const wanted = options.tree === undefined ? space.trees : [findTree(space.trees, options.tree)];
      for (const { id } of wanted) {
        output.progress(() => `Loading tree ${trees.length + 1} of ${wanted.length}`);
        trees.push([id, await space.loadTree(id)]);
      }
      const parts = options.format === "json" ? [`${exportJson(space.id, trees)}\n`] : markdownOf(space, trees, options);
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

function* markdownOf(space: OpenedSpace, trees: readonly LoadedTree[], options: Options): Generator<string> {
  const titles = new Map(space.trees.map(({ id, title }) => [id, title]));
  const titled = trees.map(([id, tree]) => ({ title: titles.get(id) ?? `(no title) ${shortId(id)}`, tree }));
  const [single] = titled;
  const lines =
    options.tree !== undefined && single
      ? treeMarkdown(single.title, single.tree)
      : exportMarkdown(space.trees[0]?.title ?? "(no name)", titled);
  for (const line of lines) yield `${line}\n`;
}
