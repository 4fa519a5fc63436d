import { APP_FOREST_NAME } from "../log/index.ts";
import type { ReplicatedTree, Vertex } from "../tree/index.ts";

const TREE_ID_KEY = "tid";
/** Name of an app tree's root. */
export const APP_TREE_ROOT_NAME = "app-tree";

/** Entry of an app tree in the space tree. */
export interface AppTreeReference {
  readonly vertexId: string;
  /** Every entry of the tree, {@link vertexId} first: two devices may have made an entry each. */
  readonly vertexIds: readonly string[];
  /** `undefined` in entries that name no tree. */
  readonly treeId: string | undefined;
  readonly name: string | undefined;
}

/**
 * The app trees that a space tree names, in the order of creation, each tree once. They are children of the vertices named
 * `app-forest` below its root; two devices may have made such a vertex each.
 */
export function listReferences(spaceTree: ReplicatedTree): AppTreeReference[] {
  const forests = findForests(spaceTree);
  // the children of a vertex may have another order
  const entries = forests.flatMap((forest) => forest.children).sort(compareCreation);
  const entriesOfTrees = new Map<unknown, Vertex[]>();
  for (const entry of entries) {
    const treeId = entry.getProperty(TREE_ID_KEY);
    // entries that name no tree are listed one by one
    const tree = typeof treeId === "string" ? treeId : entry;
    const known = entriesOfTrees.get(tree);
    if (known) known.push(entry);
    else entriesOfTrees.set(tree, [entry]);
  }
  return Array.from(entriesOfTrees, ([tree, [first, ...others]]) => ({
    vertexId: first!.id,
    vertexIds: [first!, ...others].map(({ id }) => id),
    treeId: typeof tree === "string" ? tree : undefined,
    name: first!.name,
  }));
}

export function addReference(spaceTree: ReplicatedTree, treeId: string, name: string): void {
  ensureForest(spaceTree).newNamedChild(name, { [TREE_ID_KEY]: treeId });
}

/** The vertex for new references: the oldest; it is created if missing. */
export function ensureForest(spaceTree: ReplicatedTree): Vertex {
  return findForests(spaceTree)[0] ?? spaceTree.root!.newNamedChild(APP_FOREST_NAME);
}

/** In the order of creation. */
function findForests(spaceTree: ReplicatedTree): Vertex[] {
  const forests = spaceTree.root?.children.filter((vertex) => vertex.name === APP_FOREST_NAME) ?? [];
  return forests.sort(compareCreation);
}

function compareCreation(a: Vertex, b: Vertex): number {
  const [createdA, createdB] = [createdOf(a), createdOf(b)];
  if (createdA !== createdB) return createdA < createdB ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

function createdOf(vertex: Vertex): string {
  const created = vertex.getProperty("_c", false);
  return typeof created === "string" ? created : "";
}
