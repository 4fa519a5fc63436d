import { Table } from "./table.ts";

const UP = 0;
const LEFT = 1;
const RIGHT = 2;
const PARENT = 3;
const IS_CHANGED = 4;
const WIDTH = 5;

/**
 * Finds in O(log n), amortized, whether a vertex is below another one, however deep the tree is.
 *
 * This is the link-cut forest of Sleator and Tarjan, "A data structure for dynamic trees" (1983), with splay trees ("Self-adjusting
 * binary search trees", 1985). It divides the tree into paths. The vertices of a path form a binary tree, ordered from the top of
 * the path to its end; `UP` of its root is the parent of the path's top. {@link #access} makes the way from the top of the tree to
 * a vertex one path.
 *
 * Changed parents are applied when a question is asked: a replay changes most parents back to what they were.
 */
export class Ancestry {
  readonly #nodes = new Table(WIDTH);
  readonly #parentOf: (vertex: number) => number;
  #changed: number[] = [];

  /** @param parentOf gives the present parent, which must not be below the vertex; 0 or less for none */
  constructor(parentOf: (vertex: number) => number, lastVertex: number) {
    this.#parentOf = parentOf;
    for (let vertex = 1; vertex <= lastVertex; vertex++) {
      const parent = Math.max(0, parentOf(vertex));
      this.#nodes.add();
      // each vertex starts as a path of its own
      this.#nodes.set(vertex, UP, parent);
      this.#nodes.set(vertex, PARENT, parent);
    }
  }

  /** Must be called when the parent of a vertex has changed. */
  noteChanged(vertex: number): void {
    this.#ensure(vertex);
    if (this.#nodes.get(vertex, IS_CHANGED) === 1) return;
    this.#nodes.set(vertex, IS_CHANGED, 1);
    this.#changed.push(vertex);
  }

  isAtOrBelow(vertex: number, above: number): boolean {
    this.#applyChanges();
    this.#ensure(Math.max(vertex, above));
    this.#access(vertex);
    this.#splay(above);
    // then `above` is the root of the vertex's binary tree exactly if both are on one path
    let root = vertex;
    while (!this.#isRoot(root)) root = this.#nodes.get(root, UP);
    return root === above;
  }

  #ensure(vertex: number): void {
    while (this.#nodes.last < vertex) this.#nodes.add();
  }

  #applyChanges(): void {
    if (this.#changed.length === 0) return;
    const changed = this.#changed.filter((vertex) => {
      this.#nodes.set(vertex, IS_CHANGED, 0);
      return this.#nodes.get(vertex, PARENT) !== Math.max(0, this.#parentOf(vertex));
    });
    this.#changed = [];
    // all of them are cut first: otherwise there could be a cycle in between
    for (const vertex of changed) this.#cut(vertex);
    for (const vertex of changed) this.#link(vertex, Math.max(0, this.#parentOf(vertex)));
  }

  #cut(vertex: number): void {
    this.#access(vertex);
    const above = this.#nodes.get(vertex, LEFT);
    if (above === 0) return;
    this.#nodes.set(above, UP, 0);
    this.#nodes.set(vertex, LEFT, 0);
  }

  #link(vertex: number, parent: number): void {
    this.#nodes.set(vertex, PARENT, parent);
    if (parent === 0) return;
    this.#ensure(parent);
    this.#access(parent);
    this.#access(vertex);
    this.#nodes.set(vertex, UP, parent);
  }

  /** Makes the way from the top of the tree to the vertex one path, and the vertex the root of its binary tree. */
  #access(vertex: number): void {
    let below = 0;
    for (let end = vertex; end !== 0; end = this.#nodes.get(end, UP)) {
      this.#splay(end);
      this.#nodes.set(end, RIGHT, below);
      below = end;
    }
    this.#splay(vertex);
  }

  #splay(node: number): void {
    while (!this.#isRoot(node)) {
      const up = this.#nodes.get(node, UP);
      if (!this.#isRoot(up)) {
        const isStraight = this.#sideOf(node) === this.#sideOf(up);
        this.#rotate(isStraight ? up : node);
      }
      this.#rotate(node);
    }
  }

  /** Exchanges a node and the one above it in the binary tree. */
  #rotate(node: number): void {
    const nodes = this.#nodes;
    const up = nodes.get(node, UP);
    const top = nodes.get(up, UP);
    const side = this.#sideOf(node);
    const inner = nodes.get(node, LEFT + RIGHT - side);
    if (!this.#isRoot(up)) nodes.set(top, this.#sideOf(up), node);
    nodes.set(node, UP, top);
    nodes.set(node, LEFT + RIGHT - side, up);
    nodes.set(up, UP, node);
    nodes.set(up, side, inner);
    if (inner !== 0) nodes.set(inner, UP, up);
  }

  #sideOf(node: number): typeof LEFT | typeof RIGHT {
    return this.#nodes.get(this.#nodes.get(node, UP), LEFT) === node ? LEFT : RIGHT;
  }

  /** Whether the node is the root of its binary tree. */
  #isRoot(node: number): boolean {
    const up = this.#nodes.get(node, UP);
    return up === 0 || (this.#nodes.get(up, LEFT) !== node && this.#nodes.get(up, RIGHT) !== node);
  }
}
