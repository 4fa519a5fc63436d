import type { TreeNode } from "./node.ts";
import type { Vertex } from "./vertex.ts";

const MAX_CHANGES_IN_PLACE = 1_000;

/**
 * Children of one node: a set for adding and removing in O(1), and, once a caller has asked for the order,
 * an array that binary search keeps sorted. Bulk loading never pays for sorting.
 *
 * The order is by creation time, then by id, both in code units: the same on every device.
 */
export class ChildList {
  readonly #members = new Set<TreeNode>();
  #sorted: TreeNode[] | undefined;
  /** Changes of the sorted array since it was last read. */
  #changes = 0;
  /** The list handed out until something changes. */
  #vertices: readonly Vertex[] | undefined;

  add(node: TreeNode): void {
    this.#members.add(node);
    this.#noteChange();
    if (this.#sorted) this.#sorted.splice(positionOf(node, this.#sorted), 0, node);
  }

  delete(node: TreeNode): void {
    this.#members.delete(node);
    this.#noteChange();
    if (this.#sorted) this.#sorted.splice(positionOf(node, this.#sorted), 1);
  }

  /** Runs a change of the node's sort key, and keeps the list in order. */
  reorder(node: TreeNode, change: () => unknown): void {
    const sorted = this.#members.has(node) ? this.#sorted : undefined;
    sorted?.splice(positionOf(node, sorted), 1);
    change();
    this.#vertices = undefined;
    sorted?.splice(positionOf(node, sorted), 0, node);
  }

  /**
   * The children in order, as vertices: the same frozen list until a child comes, goes, changes its place or is
   * {@link noteChildChanged changed}.
   */
  vertices(vertexOf: (node: TreeNode) => Vertex): readonly Vertex[] {
    return (this.#vertices ??= Object.freeze(this.inOrder().map(vertexOf)));
  }

  /** Makes {@link vertices} return a new list. */
  noteChildChanged(): void {
    this.#vertices = undefined;
  }

  /** The children in order. The caller must not keep or change the list. */
  inOrder(): readonly TreeNode[] {
    this.#changes = 0;
    return (this.#sorted ??= [...this.#members].sort(compareSiblings));
  }

  /** Sorting once is cheaper than inserting very many children one by one. */
  #noteChange(): void {
    this.#vertices = undefined;
    if (this.#sorted && ++this.#changes > MAX_CHANGES_IN_PLACE) this.#sorted = undefined;
  }
}

function compareSiblings(a: TreeNode, b: TreeNode): number {
  const createdA = a.createdAt;
  const createdB = b.createdAt;
  if (createdA !== createdB) return createdA < createdB ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

/** Index of the node, or the index at which it belongs. */
function positionOf(node: TreeNode, sorted: readonly TreeNode[]): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareSiblings(sorted[middle]!, node) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
