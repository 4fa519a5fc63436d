import type { Command } from "commander";
import { FoldspaceError } from "../../errors.ts";
import { isOutline } from "../../space/export-outline.ts";
import type { Space } from "../../space/space.ts";
import type { Vertex } from "../../tree/index.ts";
import { collectAssignments, propertiesOf, type Assignment } from "../assignments.ts";
import type { Context } from "../context.ts";
import { findVertex, loadTreeNamed } from "../find.ts";
import { entriesOf } from "../pages.ts";
import { editSpace } from "../open.ts";

interface Options {
  readonly name: string;
  readonly parent?: string;
  readonly page?: true;
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
    .option(
      "--parent <vertex>",
      "id of the parent, the beginning of its id, or its path: /names in the space tree, Page/Item by the texts of an outline",
    )
    .option("--page", "make a page of the app, with the name as its title")
    .option("--tree <tree>", "tree to add to: its id, the beginning of its id, or its title")
    .option("--property <key=value>", "set a property as well; may be given several times", collectAssignments)
    .option("--json", "print the new vertex as JSON")
    .addHelpText(
      "after",
      '\nExample:\n  $ foldspace add ~/Notes --tree "Shopping list" --name Bread --property amount=2\n  $ foldspace add ~/Notes --parent "Shopping list/Bakery" --name Rolls',
    )
    .action(async (directory: string, options: Options, command: Command) => {
      if (options.page && (options.parent ?? options.tree ?? options.property) !== undefined)
        command.error("error: --page takes a name only");
      const vertex = await editSpace(context, directory, async (space) => {
        if (options.page) return addPage(space, options.name);
        const parent = await findParent(space, options);
        const properties = propertiesOf(options.property ?? [], isOutline(parent.tree));
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

/** Makes a page as the app does; without an order key it comes last. */
function addPage(space: Space, title: string): { id: string; parentId: string; treeId: string } {
  const { id: treeId, root } = space.newAppTree("outline", title);
  for (const entry of entriesOf(space, treeId)) entry.setProperty("appId", "outline");
  return { id: root.id, parentId: space.tree.root!.id, treeId };
}

async function findParent(space: Space, { parent, tree }: Options): Promise<Vertex> {
  if (parent !== undefined) return await findVertex(space, parent, tree);
  const { root } = tree === undefined ? space.tree : await loadTreeNamed(space, tree);
  if (!root) throw new FoldspaceError("FOLD_NO_ROOT", "The root of this tree is missing, so nothing can be put under it");
  return root;
}
