import type { Command } from "commander";
import type { Context } from "../context.ts";
import { findVertex, findVertexIn } from "../find.ts";
import { assertNotForest } from "../pages.ts";
import { editSpace } from "../open.ts";

interface Options {
  readonly tree?: string;
  readonly force?: true;
  readonly json?: true;
}

export function register(program: Command, context: Context): void {
  program
    .command("move")
    .summary("move a vertex under another parent")
    .description("Move a vertex, with all below it, under another parent of the same tree.")
    .argument("<dir>", "folder of the space")
    .argument(
      "<vertex>",
      "id of the vertex, the beginning of its id, or its path: /names in the space tree, Page/Item by the texts of an outline",
    )
    .argument("<parent>", "the new parent, named in the same ways; / is the root")
    .option("--tree <tree>", "tree to search: its id, the beginning of its id, or its title")
    .option("--force", "also move the vertex that leads to every page, /app-forest")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  $ foldspace move ~/Notes /Inbox/Bread /Done")
    .action(async (directory: string, wanted: string, wantedParent: string, options: Options) => {
      const result = await editSpace(context, directory, async (space) => {
        const vertex = await findVertex(space, wanted, options.tree);
        if (!options.force) assertNotForest(space, vertex, "move");
        const parent = findVertexIn([vertex.tree], wantedParent);
        vertex.tree.moveVertex(vertex.id, parent.id);
        return { id: vertex.id, parentId: parent.id, treeId: vertex.treeId };
      });
      if (options.json) await context.output.json(result);
      else await context.output.line(`${result.id} moved under ${result.parentId}`);
    });
}
