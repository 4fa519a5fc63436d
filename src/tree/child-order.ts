import { compareSiblings, type Placed } from "./order.ts";
import type { Vertex } from "./vertex.ts";
import type { VertexTable } from "./vertex-table.ts";

const MAX_CHANGES_IN_PLACE = 1_000;
const NO_CHILDREN: readonly Vertex[] = Object.freeze([]);

/** The children of one vertex, since a caller has asked for their order. */
interface OrderedChildren {
  readonly sorted: number[];
  /** Changes of the sorted list since it was last read. */
  changes: number;
  /** The list handed out until something changes. Only callers keep it. */
  handles: WeakRef<readonly Vertex[]> | undefined;
}

/**
 * The order of siblings, as {@link compareSiblings} defines it. Once a caller has asked for the order of some children, binary search
 * keeps it. Bulk loading never pays for sorting.
 */
export class ChildOrder {
  readonly #vertices: VertexTable;
  readonly #placed: (vertex: number) => Placed;
  readonly #ordered = new Map<number, OrderedChildren>();

  /** @param placed the sort keys of a vertex */
  constructor(vertices: VertexTable, placed: (vertex: number) => Placed) {
    this.#vertices = vertices;
    this.#placed = placed;
  }

  add(parent: number, child: number): void {
    this.#vertices.addChild(parent, child);
    const children = this.#noteChange(parent);
    children?.sorted.splice(this.#positionOf(child, children.sorted), 0, child);
  }

  remove(parent: number, child: number): void {
    this.#vertices.removeChild(parent, child);
    const children = this.#noteChange(parent);
    children?.sorted.splice(this.#positionOf(child, children.sorted), 1);
  }

  /** Runs a change of a child's sort key, and keeps the children in order. @returns what the change returns */
  reorder<Result>(parent: number, child: number, change: () => Result): Result {
    const children = this.#ordered.get(parent);
    children?.sorted.splice(this.#positionOf(child, children.sorted), 1);
    const result = change();
    children?.sorted.splice(this.#positionOf(child, children.sorted), 0, child);
    this.noteChildChanged(parent);
    return result;
  }

  /** The children in order. The caller must not keep or change the list. */
  inOrder(parent: number): readonly number[] {
    return this.#orderedOf(parent)?.sorted ?? [];
  }

  /**
   * The children in order, as vertices: the same frozen list until a child comes, goes, changes its place or is
   * {@link noteChildChanged changed}.
   */
  handles(parent: number, handleOf: (vertex: number) => Vertex): readonly Vertex[] {
    const children = this.#orderedOf(parent);
    if (!children) return NO_CHILDREN;
    const known = children.handles?.deref();
    if (known) return known;
    const handles = Object.freeze(children.sorted.map(handleOf));
    children.handles = new WeakRef(handles);
    return handles;
  }

  /** Makes {@link handles} return a new list. */
  noteChildChanged(parent: number): void {
    const children = this.#ordered.get(parent);
    if (children) children.handles = undefined;
  }

  #orderedOf(parent: number): OrderedChildren | undefined {
    let children = this.#ordered.get(parent);
    if (!children) {
      const sorted = this.#sort(this.#vertices.childrenOf(parent));
      if (sorted.length === 0) return undefined;
      this.#ordered.set(parent, (children = { sorted, changes: 0, handles: undefined }));
    }
    children.changes = 0;
    return children;
  }

  /** Sorting once is cheaper than inserting very many children one by one. */
  #noteChange(parent: number): OrderedChildren | undefined {
    const children = this.#ordered.get(parent);
    if (!children) return undefined;
    children.handles = undefined;
    if (++children.changes <= MAX_CHANGES_IN_PLACE) return children;
    this.#ordered.delete(parent);
    return undefined;
  }

  #sort(children: number[]): number[] {
    if (children.length < 2) return children;
    return children
      .map((vertex) => ({ vertex, placed: this.#placed(vertex) }))
      .sort((a, b) => compareSiblings(a.placed, b.placed))
      .map(({ vertex }) => vertex);
  }

  /** Index of the vertex, or the index at which it belongs. */
  #positionOf(vertex: number, sorted: readonly number[]): number {
    const placed = this.#placed(vertex);
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareSiblings(this.#placed(sorted[middle]!), placed) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
