import { errorCode, FoldspaceError } from "../errors.ts";
import { listReferences } from "../space/app-forest.ts";
import type { Space } from "../space/space.ts";
import type { ReplicatedTree, Vertex } from "../tree/index.ts";
import type { TreeListing } from "./open.ts";
import { printable } from "./output.ts";

/** Shorter prefixes match too many ids by chance. */
const MIN_PREFIX = 4;
const MAX_CANDIDATES = 10;

/**
 * Finds a tree by its id, its title, or the beginning of its id.
 * @throws FoldspaceError `FOLD_NO_TREE` if none matches, or several do
 */
export function findTree(trees: readonly TreeListing[], wanted: string): TreeListing {
  const exact = trees.find(({ id }) => id === wanted);
  if (exact) return exact;
  const ways: readonly ((tree: TreeListing) => boolean)[] = [
    ({ title }) => title === wanted,
    ({ title }) => title?.toLowerCase() === wanted.toLowerCase(),
    ({ id }) => wanted.length >= MIN_PREFIX && id.startsWith(wanted.toLowerCase()),
  ];
  for (const fits of ways) {
    const found = trees.filter(fits);
    if (found.length === 1) return found[0]!;
    if (found.length > 1)
      throw ambiguous(
        "FOLD_NO_TREE",
        "trees",
        wanted,
        found.map(({ id }) => id),
      );
  }
  throw new FoldspaceError(
    "FOLD_NO_TREE",
    `No tree of this space has the id or title ${JSON.stringify(wanted)}: "foldspace info" lists them`,
  );
}

/**
 * Finds a vertex to be edited, by its id, the beginning of its id, or its `/path` of names from the root.
 * A path is searched in the space tree, an id there first and then in all other trees.
 * @param wantedTree the only tree to search
 * @throws FoldspaceError `FOLD_NO_VERTEX`, `FOLD_NO_TREE`
 */
export async function findVertex(space: Space, wanted: string, wantedTree?: string): Promise<Vertex> {
  if (wantedTree !== undefined) return findVertexIn([await loadTreeNamed(space, wantedTree)], wanted);
  if (wanted.startsWith("/")) return findVertexIn([space.tree], wanted);
  const inSpaceTree = lookFor([space.tree], wanted);
  return inSpaceTree ?? findVertexIn(await loadOtherTrees(space), wanted);
}

/** @throws FoldspaceError `FOLD_NO_VERTEX` */
export function findVertexIn(trees: readonly ReplicatedTree[], wanted: string): Vertex {
  const found = lookFor(trees, wanted);
  if (found) return found;
  throw new FoldspaceError(
    "FOLD_NO_VERTEX",
    `There is no vertex ${JSON.stringify(printable(wanted))}${trees.length === 1 ? " in this tree" : ""}`,
  );
}

/** @throws FoldspaceError `FOLD_NO_TREE` */
export async function loadTreeNamed(space: Space, wanted: string): Promise<ReplicatedTree> {
  const titles = new Map(listReferences(space.tree).map(({ treeId, name }) => [treeId, name]));
  titles.set(space.id, space.name);
  const { id } = findTree(
    (await space.listTrees()).map((treeId) => ({ id: treeId, title: titles.get(treeId) })),
    wanted,
  );
  return id === space.id ? space.tree : (await space.loadAppTree(id)).tree;
}

async function loadOtherTrees(space: Space): Promise<ReplicatedTree[]> {
  const trees: ReplicatedTree[] = [];
  for (const id of await space.listTrees()) {
    if (id === space.id) continue;
    try {
      trees.push((await space.loadAppTree(id)).tree);
    } catch (error) {
      // a tree without its root cannot be edited; it must not prevent editing the others
      if (errorCode(error) !== "FOLD_NO_TREE") throw error;
    }
  }
  return trees;
}

function lookFor(trees: readonly ReplicatedTree[], wanted: string): Vertex | undefined {
  if (wanted.startsWith("/")) return trees[0]?.getVertexByPath(wanted);
  for (const tree of trees) {
    const exact = tree.getVertex(wanted);
    if (exact) return exact;
  }
  if (wanted.length < MIN_PREFIX) return undefined;
  const found = trees.flatMap((tree) => tree.getAllVertices().filter(({ id }) => id.startsWith(wanted)));
  if (found.length > 1)
    throw ambiguous(
      "FOLD_NO_VERTEX",
      "vertices",
      wanted,
      found.map(({ id }) => id),
    );
  return found[0];
}

function ambiguous(
  code: "FOLD_NO_TREE" | "FOLD_NO_VERTEX",
  what: string,
  wanted: string,
  ids: readonly string[],
): FoldspaceError {
  const candidates = ids.slice(0, MAX_CANDIDATES);
  return new FoldspaceError(
    code,
    `${JSON.stringify(wanted)} fits several ${what}: ${candidates.join(", ")}${ids.length > candidates.length ? ", …" : ""}`,
    {
      data: { candidates },
    },
  );
}
