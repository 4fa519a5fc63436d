import type { Command } from "commander";
import { isOutline } from "../../space/export-outline.ts";
import type { Space } from "../../space/space.ts";
import {
  compareOpIds,
  NAME_KEY,
  OLD_NAME_KEY,
  opIdToString,
  type JsonValue,
  type OpId,
  type ReplicatedTree,
  type Vertex,
} from "../../tree/index.ts";
import { collect, collectAssignments, propertiesOf, type Assignment } from "../assignments.ts";
import type { Context } from "../context.ts";
import { findVertex } from "../find.ts";
import { assertNotForest, entriesOf, isPage } from "../pages.ts";
import { editSpace } from "../open.ts";
import { count } from "../output.ts";

const TEXT_KEY = "text";
/** The app's record of the text that a text replaces. */
const SEEN_KEY = "seen";

interface Options {
  readonly name?: string;
  readonly remove?: readonly string[];
  readonly tree?: string;
  readonly force?: true;
  readonly json?: true;
}

export function register(program: Command, context: Context): void {
  program
    .command("set")
    .summary("set and remove properties of a vertex")
    .description("Set and remove properties of a vertex.")
    .argument("<dir>", "folder of the space")
    .argument(
      "<vertex>",
      "id of the vertex, the beginning of its id, or its path: /names in the space tree, Page/Item by the texts of an outline",
    )
    .argument(
      "[key=value...]",
      "properties; a value is JSON if writing it back gives the same text, and text otherwise",
      collectAssignments,
    )
    .option("--name <text>", "rename the vertex, by whichever property the tree keeps names in; of an outline's item, its text")
    .option("--remove <key>", "remove a property; may be given several times", collect)
    .option("--tree <tree>", "tree to search: its id, the beginning of its id, or its title")
    .option("--force", "also rename the vertex that leads to every page, /app-forest")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  $ foldspace set ~/Notes /Inbox/Bread amount=2 done=true 'note=\"12\"' --remove price")
    .action(async (directory: string, wanted: string, assignments: readonly Assignment[], options: Options, command: Command) => {
      if (assignments.length === 0 && !options.remove && options.name === undefined) {
        command.error("error: nothing to do: give key=value, --name or --remove");
      }
      const result = await editSpace(context, directory, async (space) => {
        const vertex = await findVertex(space, wanted, options.tree);
        if (!options.force && renames(vertex, assignments, options)) assertNotForest(space, vertex, "rename");
        const changed = isPage(vertex) ? renamePage(space, vertex, assignments, options) : apply(vertex, assignments, options);
        return { id: vertex.id, treeId: vertex.treeId, changed };
      });
      if (options.json) await context.output.json(result);
      else await context.output.line(`${count(result.changed.length, "property", "properties")} of ${result.id} changed`);
    });
}

function renames({ tree }: Vertex, assignments: readonly Assignment[], { name, remove = [] }: Options): boolean {
  const keys = [...assignments.map(([key]) => key), ...remove];
  return name !== undefined || keys.some((key) => key === NAME_KEY || key === OLD_NAME_KEY || key === tree.nameKey);
}

/** The title of a page is the name of what leads to it in the space tree; the rest is of its root. */
function renamePage(space: Space, vertex: Vertex, assignments: readonly Assignment[], { name, ...options }: Options): string[] {
  const entries = name === undefined ? [] : entriesOf(space, vertex.treeId);
  for (const entry of entries) entry.name = name!;
  const changed = apply(vertex, assignments, options);
  return entries.length > 0 ? [space.tree.nameKey, ...changed] : changed;
}

/** Sets all or, if a value cannot be stored, nothing. @returns keys whose value is another now */
function apply(vertex: Vertex, assignments: readonly Assignment[], { name, remove = [] }: Options): string[] {
  const { tree, id } = vertex;
  const isItem = isOutline(tree) && id !== tree.root?.id;
  const wanted = new Map<string, JsonValue | undefined>(Object.entries(propertiesOf(assignments, isItem)));
  for (const key of remove) wanted.set(key, undefined);
  if (name !== undefined) wanted.set(isItem ? TEXT_KEY : tree.nameKey, name);
  const text = wanted.get(TEXT_KEY);
  if (isItem && typeof text === "string") {
    wanted.delete(TEXT_KEY);
    for (const [key, value] of textProperties(tree, id, text)) wanted.set(key, value);
  }
  const before = tree.versionVector;
  vertex.setProperties(Object.fromEntries(wanted));
  return tree.opsSince(before).flatMap((op) => (op.targetId === id && "key" in op && op.key !== SEEN_KEY ? [op.key] : []));
}

/** A text, preceded by the operation that it replaces: without it, the app would have to guess whether that text had been seen. */
function textProperties(tree: ReplicatedTree, id: string, text: string): [key: string, value: JsonValue][] {
  let last: OpId | undefined;
  for (const op of tree.getAllOps())
    if (op.targetId === id && "key" in op && op.key === TEXT_KEY && (!last || compareOpIds(op.id, last) > 0)) last = op.id;
  return [...(last ? [[SEEN_KEY, [opIdToString(last)]] as [string, JsonValue]] : []), [TEXT_KEY, text]];
}
