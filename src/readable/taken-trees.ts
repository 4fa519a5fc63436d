import { ReplicatedTree, type VertexOperation } from "../tree/index.ts";

/** Trees in memory, made of operations that are read from a layer. */
export class TakenTrees {
  readonly #trees = new Map<string, ReplicatedTree>();

  take(treeId: string, ops: readonly VertexOperation[]): void {
    let tree = this.#trees.get(treeId);
    if (!tree) this.#trees.set(treeId, (tree = new ReplicatedTree("reader", [], { rootId: treeId })));
    tree.merge(ops);
  }

  get(treeId: string): ReplicatedTree | undefined {
    return this.#trees.get(treeId);
  }
}
