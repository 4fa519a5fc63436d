import { jsonEquals } from "./json-value.ts";
import type { ReplicatedTree } from "./replicated-tree.ts";

/** Whether two trees show the same vertices below their roots, with the same parents, order and properties. */
export function haveSameStructure(one: ReplicatedTree, other: ReplicatedTree): boolean {
  const { root } = one;
  if (root?.id !== other.root?.id) return false;
  const open = root ? [root.id] : [];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const children = one.getChildrenIds(id);
    const theirs = other.getChildrenIds(id);
    if (children.length !== theirs.length || children.some((child, index) => child !== theirs[index])) return false;
    const properties = one.getVertexProperties(id, false);
    if (properties.length !== other.getVertexProperties(id, false).length) return false;
    for (const { key, value } of properties) if (!jsonEquals(value, other.getVertexProperty(id, key, false))) return false;
    for (const child of children) open.push(child);
  }
  return true;
}
