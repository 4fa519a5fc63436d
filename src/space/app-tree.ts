import { FoldspaceError } from "../errors.ts";
import type { ReplicatedTree, Vertex } from "../tree/index.ts";
import type { TreeReplica } from "./tree-replica.ts";

/** A lazily loaded tree of an app. */
export interface AppTree {
  readonly id: string;
  readonly tree: ReplicatedTree;
  readonly root: Vertex;
}

export function toAppTree(replica: TreeReplica): AppTree {
  return {
    id: replica.treeId,
    tree: replica.tree,
    get root(): Vertex {
      const { root } = replica.tree;
      if (!root) throw new FoldspaceError("FOLD_NO_ROOT", `Tree ${replica.treeId} has no root`);
      return root;
    },
  };
}
