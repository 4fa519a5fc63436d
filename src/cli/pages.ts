import { isOutline } from "../space/export-outline.ts";
import type { Space } from "../space/space.ts";
import type { Vertex } from "../tree/index.ts";

/** Whether a vertex stands for a whole page of the app: the root of an outline. */
export function isPage(vertex: Vertex): boolean {
  return isOutline(vertex.tree) && vertex.id === vertex.tree.root?.id;
}

/** The vertices of the space tree that reference a tree: its entries in the app forests. */
export function entriesOf(space: Space, treeId: string): Vertex[] {
  const ids = space.appTrees.filter((reference) => reference.treeId === treeId).flatMap(({ vertexIds }) => vertexIds);
  return ids.flatMap((id) => space.tree.getVertex(id) ?? []);
}
