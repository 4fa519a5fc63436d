import { errorCode, FoldspaceError } from "../errors.ts";
import { listReferences } from "../space/app-forest.ts";
import type { Space } from "../space/space.ts";
import type { ReplicatedTree, Vertex } from "../tree/index.ts";
import { ambiguous, findByPath, findInTree, MIN_PREFIX, toCandidate } from "./find-path.ts";
import type { TreeListing } from "./open.ts";
import { printable, shortId } from "./output.ts";
import { isComposedAlike } from "./same-text.ts";

/**
 * Finds a tree by its id, its title, or the beginning of its id.
 * @throws FoldspaceError `FOLD_NO_TREE` if none matches, or several do
 */
export function findTree(trees: readonly TreeListing[], wanted: string): TreeListing {
  const exact = trees.find(({ id }) => id === wanted);
  if (exact) return exact;
  const ways: readonly ((tree: TreeListing) => boolean)[] = [
    ({ title }) => title === wanted,
    ({ title }) => title !== undefined && isComposedAlike(title, wanted),
    ({ title }) => title !== undefined && isComposedAlike(title.toLowerCase(), wanted.toLowerCase()),
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
        found.map(({ id, title }) => ({ id, label: title === undefined ? undefined : JSON.stringify(printable(title)) })),
      );
  }
  throw new FoldspaceError(
    "FOLD_NO_TREE",
    `No tree of this space has the id or title ${JSON.stringify(printable(wanted))}: "foldspace info" lists them${noteOn(wanted)}`,
  );
}

/**
 * Finds a vertex to be edited, by its id, the beginning of its id, or its `/path` of names from the root, which are texts in
 * an outline. A path is searched in the space tree, and then as one that begins with the title of a tree; an id in the space
 * tree first and then in all other trees.
 * @param wantedTree the only tree to search
 * @throws FoldspaceError `FOLD_NO_VERTEX`, `FOLD_NO_TREE`
 */
export async function findVertex(space: Space, wanted: string, wantedTree?: string): Promise<Vertex> {
  if (wantedTree !== undefined) return findVertexIn([await loadTreeNamed(space, wantedTree)], wanted);
  const inSpaceTree = lookFor([space.tree], wanted);
  // so few characters may fit a vertex of another tree, too
  const isShort = inSpaceTree !== undefined && inSpaceTree.id !== wanted && wanted.length < shortId(inSpaceTree.id).length;
  if (isShort && inSpaceTree.id.startsWith(wanted)) return findVertexIn([space.tree, ...(await loadOtherTrees(space))], wanted);
  if (inSpaceTree) return inSpaceTree;
  const byPath = await findByPath(await listTreesWithTitles(space), wanted, (treeId) => loadIfThere(space, treeId));
  return byPath ?? findVertexIn(wanted.startsWith("/") ? [space.tree] : await loadOtherTrees(space), wanted);
}

/** What was typed may be the beginning of an id, but too short for one, or a name without the path that leads to it. */
function noteOn(wanted: string): string {
  if (/^[0-9a-f]+$/i.test(wanted))
    return wanted.length < MIN_PREFIX ? `; the beginning of an id needs ${MIN_PREFIX} characters` : "";
  return wanted.startsWith("/")
    ? ""
    : '; a path begins with a slash or with the title of a page, and "foldspace tree --all" shows them';
}

/** @throws FoldspaceError `FOLD_NO_VERTEX` */
export function findVertexIn(trees: readonly ReplicatedTree[], wanted: string): Vertex {
  const found = lookFor(trees, wanted);
  if (found) return found;
  throw new FoldspaceError(
    "FOLD_NO_VERTEX",
    `There is no vertex ${JSON.stringify(printable(wanted))}${trees.length === 1 ? " in this tree" : ""}${noteOn(wanted)}`,
  );
}

/** @throws FoldspaceError `FOLD_NO_TREE` */
export async function loadTreeNamed(space: Space, wanted: string): Promise<ReplicatedTree> {
  const { id } = findTree(await listTreesWithTitles(space), wanted);
  return id === space.id ? space.tree : (await space.loadAppTree(id)).tree;
}

async function listTreesWithTitles(space: Space): Promise<TreeListing[]> {
  const titles = new Map(listReferences(space.tree).map(({ treeId, name }) => [treeId, name]));
  titles.set(space.id, space.name);
  return (await space.listTrees()).map((id) => ({ id, title: titles.get(id) }));
}

async function loadOtherTrees(space: Space): Promise<ReplicatedTree[]> {
  const trees: ReplicatedTree[] = [];
  for (const id of await space.listTrees()) {
    const tree = id === space.id ? undefined : await loadIfThere(space, id);
    if (tree) trees.push(tree);
  }
  return trees;
}

/** @returns `undefined` for a tree without its root, which cannot be edited, and does not keep the others from being */
async function loadIfThere(space: Space, treeId: string): Promise<ReplicatedTree | undefined> {
  if (treeId === space.id) return space.tree;
  try {
    return (await space.loadAppTree(treeId)).tree;
  } catch (error) {
    if (errorCode(error) !== "FOLD_NO_TREE") throw error;
    return undefined;
  }
}

function lookFor(trees: readonly ReplicatedTree[], wanted: string): Vertex | undefined {
  const [only] = trees.length === 1 ? trees : [];
  if (wanted.startsWith("/")) return only && findInTree(only, wanted);
  for (const tree of trees) {
    const exact = tree.getVertex(wanted);
    if (exact) return exact;
  }
  const found =
    wanted.length < MIN_PREFIX ? [] : trees.flatMap((tree) => tree.getAllVertices().filter(({ id }) => id.startsWith(wanted)));
  if (found.length > 1) throw ambiguous("FOLD_NO_VERTEX", "vertices", wanted, found.map(toCandidate));
  return found[0] ?? (only && findInTree(only, wanted));
}
