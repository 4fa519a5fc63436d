import { errorCode } from "../errors.ts";
import { findByPath } from "./find-path.ts";
import { findTree } from "./find.ts";
import type { OpenedSpace, TreeListing } from "./open.ts";

/** A tree, or an item in it with everything below. */
export interface Place {
  readonly listing: TreeListing;
  /** Id of the item; `undefined`: the whole tree. */
  readonly item?: string;
}

/**
 * Finds what is to be shown: a tree as `findTree` does, or an item by a path of names that begins with the title of its tree.
 * @throws FoldspaceError `FOLD_NO_TREE`, `FOLD_NO_VERTEX`
 */
export async function findPlace(space: OpenedSpace, wanted: string): Promise<Place> {
  const { trees } = space;
  try {
    return { listing: findTree(trees, wanted) };
  } catch (error) {
    if (errorCode(error) !== "FOLD_NO_TREE") throw error;
    const vertex = await findByPath(trees, wanted, (treeId) => space.loadTree(treeId));
    const listing = vertex && trees.find(({ id }) => id === vertex.treeId);
    if (!vertex || !listing) throw error;
    return vertex.id === vertex.tree.root?.id ? { listing } : { listing, item: vertex.id };
  }
}
