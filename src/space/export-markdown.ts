import type { ReplicatedTree, Vertex } from "../tree/index.ts";
import { isOutline, toMarkdownHeading, treeOutlineMarkdown } from "./export-outline.ts";

/** A tree, and the heading under which the document has it. */
export interface MarkdownTree {
  readonly title: string;
  readonly tree: ReplicatedTree;
}

/** Deeper lists are indented to this depth: otherwise the indentation would outgrow the text. */
const MAX_INDENT = 40;

/**
 * A space as a Markdown document for people: a heading per tree, below it a nested list of the vertices by their
 * names, and texts below the names. Outlines have the app's own notation: see {@link treeMarkdown}. The document is generated
 * line by line, because it may be large.
 */
export function* exportMarkdown(spaceTitle: string, trees: readonly MarkdownTree[]): Generator<string> {
  yield `# ${escapeInline(spaceTitle)}`;
  for (const { title, tree } of trees) {
    yield "";
    yield* treeMarkdown(title, tree, 2);
  }
}

/**
 * One tree as Markdown, below its title as a heading. An outline becomes a list of its items, with their check boxes and the
 * inline notation of their texts, so that the app can read it back unchanged.
 */
export function* treeMarkdown(title: string, tree: ReplicatedTree, level: number = 1): Generator<string> {
  const isOfApp = isOutline(tree);
  yield isOfApp ? toMarkdownHeading(title, level) : `${"#".repeat(level)} ${escapeInline(title)}`;
  yield "";
  if (!tree.root) yield "*(the root of this tree has not arrived)*";
  else if (isOfApp) yield* treeOutlineMarkdown(tree);
  else for (const { vertex, depth } of walk(tree.root)) if (depth > 0) yield* bullet(vertex, Math.min(depth - 1, MAX_INDENT));
}

/**
 * Every vertex from the root down, parents first, siblings in order. Without recursion, because a tree may be deeper than the
 * stack.
 */
export function* walk(root: Vertex): Generator<{ readonly vertex: Vertex; readonly depth: number }> {
  const open = [{ vertex: root, depth: 0 }];
  for (let next = open.pop(); next; next = open.pop()) {
    yield next;
    const { children } = next.vertex;
    for (let index = children.length - 1; index >= 0; index--) open.push({ vertex: children[index]!, depth: next.depth + 1 });
  }
}

/** A label for a vertex: its name, or else the first line of its title or text. */
export function labelOf(vertex: Vertex): string | undefined {
  if (vertex.name !== undefined && vertex.name.trim() !== "") return vertex.name;
  for (const key of ["title", "text"]) {
    const value = vertex.getProperty(key);
    if (typeof value === "string" && value.trim() !== "") return value.trim().split(/\r?\n/, 1)[0];
  }
  return undefined;
}

function* bullet(vertex: Vertex, depth: number): Generator<string> {
  const indent = "  ".repeat(depth);
  const text = vertex.getProperty("text");
  const lines = typeof text === "string" && text.trim() !== "" ? text.trim().split(/\r?\n/) : [];
  const label = labelOf(vertex);
  // a text that is its own label is not repeated
  const isLabelOfText = label !== undefined && label === lines[0];
  yield `${indent}- ${isLabelOfText ? lines.shift()! : escapeInline(label ?? "(no name)")}`;
  if (lines.length > 0 && !isLabelOfText) yield "";
  for (const line of lines) yield line === "" ? "" : `${indent}  ${line}`;
  if (lines.length > 0) yield "";
}

function escapeInline(text: string): string {
  return text.replaceAll(/\s+/g, " ").replaceAll(/[\\`*_[\]<>#|]/g, String.raw`\$&`);
}
