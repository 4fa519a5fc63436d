import { NAME_KEY, OLD_NAME_KEY, type ReplicatedTree, type Vertex } from "../tree/index.ts";

const FOREST_NAME = "app-forest";
const TREE_ID_KEY = "tid";
/** Name of an app tree's root. */
export const APP_TREE_ROOT_NAME = "app-tree";

/** Entry of an app tree in the space tree. */
export interface AppTreeReference {
  readonly vertexId: string;
  /** `undefined` in entries that name no tree. */
  readonly treeId: string | undefined;
  readonly name: string | undefined;
}

/** The app trees that a space tree names: children of its vertex `app-forest`. */
export function listReferences(spaceTree: ReplicatedTree): AppTreeReference[] {
  const forest = findForest(spaceTree);
  return (forest?.children ?? []).map((vertex) => {
    const treeId = vertex.getProperty(TREE_ID_KEY);
    return { vertexId: vertex.id, treeId: typeof treeId === "string" ? treeId : undefined, name: vertex.name };
  });
}

export function addReference(spaceTree: ReplicatedTree, treeId: string, name: string): void {
  ensureForest(spaceTree).newNamedChild(name, { [TREE_ID_KEY]: treeId });
}

/** The vertex that holds the references; made where it is missing. */
export function ensureForest(spaceTree: ReplicatedTree): Vertex {
  return findForest(spaceTree) ?? spaceTree.root!.newNamedChild(FOREST_NAME);
}

function findForest(spaceTree: ReplicatedTree): Vertex | undefined {
  const isForest = (vertex: Vertex): boolean =>
    vertex.getProperty(OLD_NAME_KEY) === FOREST_NAME ||
    (vertex.getProperty(OLD_NAME_KEY) === undefined && vertex.getProperty(NAME_KEY) === FOREST_NAME);
  return spaceTree.root?.children.find(isForest);
}
