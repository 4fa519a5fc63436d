import { FoldspaceError } from "../errors.ts";
import { APP_FOREST_NAME } from "../log/index.ts";
import { isOutline } from "../space/export-outline.ts";
import type { Space } from "../space/space.ts";
import type { Vertex } from "../tree/index.ts";
import { count } from "./output.ts";

/** Whether a vertex stands for a whole page of the app: the root of an outline. */
export function isPage(vertex: Vertex): boolean {
  return isOutline(vertex.tree) && vertex.id === vertex.tree.root?.id;
}

/**
 * Refuses to take away the vertex that leads to every app tree: without it, each app shows an empty space.
 * @throws FoldspaceError `FOLD_BAD_OPERATION`
 */
export function assertNotForest(space: Space, vertex: Vertex, action: string): void {
  const isForest = vertex.treeId === space.id && vertex.parentId === space.tree.root?.id && vertex.name === APP_FOREST_NAME;
  if (!isForest) return;
  const trees = count(space.appTrees.length, "page or app tree", "pages and app trees");
  throw new FoldspaceError(
    "FOLD_BAD_OPERATION",
    `/${APP_FOREST_NAME} leads apps to everything in the space (${trees}): to ${action} it all the same, use --force`,
  );
}

/** The vertices of the space tree that reference a tree: its entries in the app forests. */
export function entriesOf(space: Space, treeId: string): Vertex[] {
  const ids = space.appTrees.filter((reference) => reference.treeId === treeId).flatMap(({ vertexIds }) => vertexIds);
  return ids.flatMap((id) => space.tree.getVertex(id) ?? []);
}
