import { FoldspaceError } from "../errors.ts";
import type { ReplicatedTree, Vertex } from "../tree/index.ts";

/** A lazily loaded tree of an app. */
export interface AppTree {
  readonly id: string;
  readonly tree: ReplicatedTree;
  readonly root: Vertex;
}

export function toAppTree(id: string, tree: ReplicatedTree): AppTree {
  return {
    id,
    tree,
    get root(): Vertex {
      const { root } = tree;
      if (!root) throw new FoldspaceError("FOLD_NO_ROOT", `Tree ${id} has no root`);
      return root;
    },
  };
}
