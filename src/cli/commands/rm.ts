import type { Command } from "commander";
import type { Context } from "../context.ts";
import { findVertex } from "../find.ts";
import { assertNotForest, entriesOf, isPage } from "../pages.ts";
import { editSpace } from "../open.ts";

interface Options {
  readonly tree?: string;
  readonly force?: true;
  readonly json?: true;
}

export function register(program: Command, context: Context): void {
  program
    .command("rm")
    .summary("delete a vertex")
    .description(
      "Delete a vertex, or a page of the app, with all below it, by moving it into the tree's bin. Moving it out again restores it.",
    )
    .argument("<dir>", "folder of the space")
    .argument(
      "<vertex>",
      "id of the vertex, the beginning of its id, or its path: /names in the space tree, Page/Item by the texts of an outline",
    )
    .option("--tree <tree>", "tree to search: its id, the beginning of its id, or its title")
    .option("--force", "also delete the vertex that leads to every page, /app-forest")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  $ foldspace rm ~/Notes /Inbox/Bread")
    .action(async (directory: string, wanted: string, options: Options) => {
      const result = await editSpace(context, directory, async (space) => {
        const vertex = await findVertex(space, wanted, options.tree);
        if (!options.force) assertNotForest(space, vertex, "delete");
        const { treeId } = vertex;
        const deleted = isPage(vertex) ? entriesOf(space, treeId) : [vertex];
        for (const { tree, id } of deleted) tree.deleteVertex(id);
        return { id: vertex.id, treeId };
      });
      if (options.json) await context.output.json(result);
      else await context.output.line(`${result.id} deleted`);
    });
}
