import type { Command } from "commander";
import { labelOf, walk } from "../../space/export-markdown.ts";
import { isItemDone, isOutline, itemNote, itemText } from "../../space/export-outline.ts";
import type { ReplicatedTree, Vertex } from "../../tree/index.ts";
import type { Context } from "../context.ts";
import { findPlace } from "../find-place.ts";
import { noteProblems, openForReading, type TreeListing } from "../open.ts";
import { count, cut, printable, shortId, type Output } from "../output.ts";

interface Options {
  readonly all?: true;
  readonly properties?: true;
  readonly json?: true;
}

/** Deeper vertices are drawn at this depth, with their depth in front. */
const MAX_INDENT = 30;
const MIN_LABEL_LENGTH = 20;
const MAX_DETAIL_LENGTH = 80;

export function register(program: Command, context: Context): void {
  program
    .command("tree")
    .summary("show a tree as an outline")
    .description("Show a tree as an outline: the space tree, or an app tree. Writes nothing.")
    .argument("<dir>", "folder of the space")
    .argument("[tree]", "id of the tree, the beginning of its id, or its title; with the /path of an item behind it, only that")
    .option("--all", "show all trees of the space")
    .option("--properties", "show the properties of every vertex")
    .option("--json", "print every vertex with its parent, depth and properties, as JSON")
    .addHelpText(
      "after",
      '\nExample:\n  $ foldspace tree ~/Notes "Shopping list" --properties\n  $ foldspace tree ~/Notes "Shopping list/Bakery"',
    )
    .action(async (directory: string, wanted: string | undefined, options: Options, command: Command) => {
      if (options.all && wanted !== undefined) command.error("error: --all shows every tree: name one, or none");
      const { output } = context;
      const space = await openForReading(context, directory);
      const place = wanted === undefined ? undefined : await findPlace(space, wanted);
      const listings = options.all ? space.trees : [place?.listing ?? space.trees[0]!];
      const trees: object[] = [];
      for (const [index, listing] of listings.entries()) {
        const tree = await space.loadTree(listing.id);
        const from = place?.item === undefined ? tree.root : tree.getVertex(place.item);
        if (options.json) trees.push(toJson(listing, tree, from));
        else await showTree(listing, tree, from, options, output, index > 0);
      }
      if (options.json) await output.json({ trees });
      await noteProblems(context, directory, space);
    });
}

async function showTree(
  { id, title }: TreeListing,
  tree: ReplicatedTree,
  from: Vertex | undefined,
  options: Options,
  output: Output,
  hasOthersAbove: boolean,
): Promise<void> {
  const { bold, dim } = output.colors;
  if (hasOthersAbove) await output.line("");
  await output.line(`${bold(printable(title ?? "(no title)"))}  ${dim(id)}`);
  if (!from) {
    await output.line(`  (its root is missing; ${count(tree.opCount, "operation")} cannot be shown until it arrives)`);
    return;
  }
  const isPart = from.id !== tree.root?.id;
  for (const { vertex, depth: below } of walk(from)) {
    const depth = isPart ? below + 1 : below;
    if (depth > 0) await output.line(toLine(vertex, depth, output));
    if (depth > 0 && !options.properties) for (const line of noteLines(vertex, depth, output)) await output.line(line);
    if (options.properties) for (const line of propertyLines(vertex, depth, output)) await output.line(line);
  }
}

function toLine(vertex: Vertex, depth: number, output: Output): string {
  const { dim } = output.colors;
  const indent = indentOf(depth);
  const room = output.columns === undefined ? undefined : Math.max(MIN_LABEL_LENGTH, output.columns - indent.length - 10);
  const label = cut(printable(isOutline(vertex.tree) ? itemLabel(vertex) : (labelOf(vertex) ?? "(no name)")), room);
  const rest = cut(printable(detailOf(vertex)), room === undefined ? MAX_DETAIL_LENGTH : Math.max(0, room - label.length - 2));
  return `${indent}${label}  ${dim(shortId(vertex.id))}${rest === "" ? "" : `  ${dim(rest)}`}`;
}

/** An item of an outline, in its Markdown form. */
function itemLabel(vertex: Vertex): string {
  return `${isItemDone(vertex) ? "[x] " : ""}${itemText(vertex) || "(empty)"}`;
}

/** Distinguishes vertices of the same name: the tree that an entry references, or the beginning of a text. */
function detailOf(vertex: Vertex): string {
  const treeId = vertex.getProperty("tid");
  if (typeof treeId === "string") return `→ tree ${shortId(treeId)}`;
  if (isOutline(vertex.tree)) return "";
  const text = vertex.getProperty("text");
  return typeof text === "string" && vertex.name !== undefined ? text.trim().replaceAll(/\s+/g, " ") : "";
}

/** The note of an item, below its text. */
function noteLines(vertex: Vertex, depth: number, { columns, colors }: Output): string[] {
  const note = isOutline(vertex.tree) ? itemNote(vertex) : "";
  if (note === "") return [];
  const indent = `${indentOf(depth)}  `;
  const room = columns === undefined ? undefined : Math.max(MIN_LABEL_LENGTH, columns - indent.length);
  return note.split("\n").map((line) => colors.dim(indent + cut(printable(line), room)));
}

function propertyLines(vertex: Vertex, depth: number, output: Output): string[] {
  const indent = `${indentOf(depth)}  `;
  return vertex.tree.getVertexProperties(vertex.id).map(({ key, value }) => {
    const text = `${printable(key)}: ${printable(JSON.stringify(value))}`;
    return output.colors.dim(
      indent + cut(text, output.columns === undefined ? undefined : Math.max(MIN_LABEL_LENGTH, output.columns - indent.length)),
    );
  });
}

function indentOf(depth: number): string {
  return "  ".repeat(Math.min(depth, MAX_INDENT)) + (depth > MAX_INDENT ? `[depth ${depth}] ` : "");
}

function toJson({ id, title }: TreeListing, tree: ReplicatedTree, from: Vertex | undefined): object {
  const vertices = from ? Array.from(walk(from), ({ vertex, depth }) => vertexToJson(vertex, depth)) : [];
  return { id, title, root: tree.root?.id ?? null, operations: tree.opCount, vertices };
}

function vertexToJson(vertex: Vertex, depth: number): object {
  return { id: vertex.id, parentId: vertex.parentId, depth, name: vertex.name, properties: vertex.getProperties() };
}
