import { ImportError } from "./import-error.ts";
import { asNote, COLLAPSED_KEY, CREATED_KEY, createdOf, DONE_KEY, NOTE_KEY, ORDER_KEY, TEXT_KEY, toLine } from "./item.ts";
import { compareSiblings, orderOf, type Placed } from "foldspace/tree";
import type { NodeDraft, OutlineNode } from "./outline-node.ts";
import { isPageOf } from "./pages.ts";

export interface ReadPage {
  readonly title?: string | undefined;
  readonly nodes: readonly OutlineNode[];
}

/** A vertex in the output of `exportJson`. */
interface JsonVertex {
  readonly id: string;
  readonly parentId: string | null;
  readonly properties: Readonly<Record<string, unknown>>;
}

/**
 * Reads the pages in the output of `exportJson`, in order: their current state, without their history.
 * @throws ImportError
 */
export function fromSpaceJson(text: string): ReadPage[] {
  const { spaceId, trees } = parse(text);
  const entries = verticesOf(trees[spaceId]).filter(({ properties }) => typeof properties["tid"] === "string");
  return inOrder(entries).flatMap(({ properties }) => {
    const tree = trees[String(properties["tid"])];
    const vertices = verticesOf(tree);
    const root = vertices.find(({ parentId }) => parentId === null);
    if (!root || !isPageOf(properties["appId"] ?? root.properties["appId"])) return [];
    const title = properties["name"] ?? properties["_n"];
    return [{ title: typeof title === "string" ? title : "", nodes: nodesBelow(root.id, vertices) }];
  });
}

function parse(text: string): { readonly spaceId: string; readonly trees: Readonly<Record<string, unknown>> } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ImportError(`It is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { spaceId, trees } = isObject(value) ? value : {};
  if (typeof spaceId !== "string" || !isObject(trees))
    throw new ImportError("It is JSON, but not an export of this app (“Everything as JSON”).");
  return { spaceId, trees };
}

function verticesOf(tree: unknown): JsonVertex[] {
  const vertices = isObject(tree) ? tree["vertices"] : undefined;
  return Array.isArray(vertices) ? vertices.filter(isVertex) : [];
}

function nodesBelow(rootId: string, vertices: readonly JsonVertex[]): OutlineNode[] {
  const below = new Map<string | null, JsonVertex[]>();
  for (const vertex of vertices) {
    const siblings = below.get(vertex.parentId);
    if (siblings) siblings.push(vertex);
    else below.set(vertex.parentId, [vertex]);
  }
  const top: NodeDraft[] = [];
  // the loop appends to the array; vertices that are not below the root are never reached
  const open = [{ id: rootId, into: top }];
  for (const { id, into } of open) {
    const children = inOrder(below.get(id) ?? []);
    // once, even if its id occurs twice
    below.delete(id);
    for (const child of children) {
      const node = toNode(child);
      into.push(node);
      open.push({ id: child.id, into: node.children });
    }
  }
  return top;
}

function toNode({ properties }: JsonVertex): NodeDraft {
  const text = properties[TEXT_KEY];
  const node: NodeDraft = { text: typeof text === "string" ? toLine(text) : "", children: [] };
  const note = asNote(properties[NOTE_KEY]);
  if (note !== "") node.note = note;
  if (properties[DONE_KEY] === true) node.isDone = true;
  if (properties[COLLAPSED_KEY] === true) node.isCollapsed = true;
  return node;
}

function inOrder(vertices: readonly JsonVertex[]): JsonVertex[] {
  return vertices.toSorted((a, b) => compareSiblings(placeOf(a), placeOf(b)));
}

function placeOf({ id, properties }: JsonVertex): Placed {
  const order = orderOf(properties[ORDER_KEY]);
  return { id, order, createdAt: order === undefined ? createdOf(properties[CREATED_KEY]) : "" };
}

function isVertex(value: unknown): value is JsonVertex {
  if (!isObject(value)) return false;
  const { id, parentId, properties } = value;
  return typeof id === "string" && (typeof parentId === "string" || parentId === null) && isObject(properties);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
