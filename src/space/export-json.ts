import type { ReplicatedTree, Vertex } from "../tree/index.ts";

/**
 * The canonical export of a space: the state after loading it, as JSON text. Spaces with the same operations give the same
 * bytes: trees and vertices by id, properties by key, all in code units, without removed properties.
 * @param trees the space tree and all app trees
 */
export function exportJson(spaceId: string, trees: readonly (readonly [treeId: string, tree: ReplicatedTree])[]): string {
  const members = trees
    .toSorted(([a], [b]) => compareCodeUnits(a, b))
    .map(([id, tree]) => `${JSON.stringify(id)}:${exportTree(tree)}`);
  return `{"spaceId":${JSON.stringify(spaceId)},"trees":{${members.join(",")}}}`;
}

function exportTree(tree: ReplicatedTree): string {
  const vertices = reachable(tree).sort((a, b) => compareCodeUnits(a.id, b.id));
  const root = JSON.stringify(tree.root?.id ?? null);
  return `{"root":${root},"opCount":${tree.opCount},"vertices":[${vertices.map(exportVertex).join(",")}]}`;
}

function exportVertex(vertex: Vertex): string {
  const properties = vertex.tree
    .getVertexProperties(vertex.id, false)
    .sort((a, b) => compareCodeUnits(a.key, b.key))
    // members of nested objects keep the order in which they were written, which is the same in every copy of an operation
    .map(({ key, value }) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{"id":${JSON.stringify(vertex.id)},"parentId":${JSON.stringify(vertex.parentId)},"properties":{${properties.join(",")}}}`;
}

/** The vertices from the root down, without recursion: a tree may be deeper than the stack. */
function reachable(tree: ReplicatedTree): Vertex[] {
  const found: Vertex[] = tree.root ? [tree.root] : [];
  // grows while it is walked
  for (const vertex of found) for (const child of vertex.children) found.push(child);
  return found;
}

function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
