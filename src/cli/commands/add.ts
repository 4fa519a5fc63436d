import type { Command } from "commander";
import { FoldspaceError } from "../../errors.ts";
import { isOutline } from "../../space/export-outline.ts";
import type { Space } from "../../space/space.ts";
import type { Vertex } from "../../tree/index.ts";
import { collectAssignments, type Assignment } from "../assignments.ts";
import type { Context } from "../context.ts";
import { findVertex, loadTreeNamed } from "../find.ts";
import { editSpace } from "../open.ts";

interface Options {
  readonly name: string;
  readonly parent?: string;
  readonly tree?: string;
  readonly property?: readonly Assignment[];
  readonly json?: true;
}

export function register(program: Command, context: Context): void {
  program
    .command("add")
    .summary("add a vertex")
    .description(
      "Add a vertex and print its id. Without a parent it is put under the root of the space tree. In an outline, it is an item with the name as its text, behind its siblings.",
    )
    .argument("<dir>", "folder of the space")
    .requiredOption("--name <text>", "name of the new vertex")
    .option("--parent <vertex>", "id of the parent, the beginning of its id, or its /path of names")
    .option("--tree <tree>", "tree to add to: its id, the beginning of its id, or its title")
    .option("--property <key=value>", "set a property as well; may be given several times", collectAssignments)
    .option("--json", "print the new vertex as JSON")
    .addHelpText("after", '\nExample:\n  $ foldspace add ~/Notes --tree "Shopping list" --name Bread --property amount=2')
    .action(async (directory: string, options: Options) => {
      const vertex = await editSpace(context, directory, async (space) => {
        const parent = await findParent(space, options);
        const properties = Object.fromEntries(options.property ?? []);
        // the items of an outline have texts; without an order key they come last
        const created = isOutline(parent.tree)
          ? parent.newChild({ text: options.name, ...properties })
          : parent.newNamedChild(options.name, properties);
        return { id: created.id, parentId: parent.id, treeId: created.treeId };
      });
      if (options.json) await context.output.json(vertex);
      else await context.output.line(vertex.id);
    });
}

async function findParent(space: Space, { parent, tree }: Options): Promise<Vertex> {
  if (parent !== undefined) return await findVertex(space, parent, tree);
  const { root } = tree === undefined ? space.tree : await loadTreeNamed(space, tree);
  if (!root) throw new FoldspaceError("FOLD_NO_ROOT", "The root of this tree is missing, so nothing can be put under it");
  return root;
}
