import { FoldspaceError } from "../errors.ts";
import { isOutline, itemText, outlineChildren } from "../space/export-outline.ts";
import type { ReplicatedTree, Vertex } from "../tree/index.ts";
import type { TreeListing } from "./open.ts";

const MAX_CANDIDATES = 10;

/** Whether a name that was typed is meant to be a text. */
type IsSame = (text: string, wanted: string) => boolean;

/** The better ones first: as it is stored, then as it is shown, without regard to case. */
const WAYS: readonly IsSame[] = [(text, wanted) => text === wanted, (text, wanted) => comparable(text) === comparable(wanted)];

/**
 * Finds what a path of names leads to: the title of a tree, and then the texts of items, one below the other. Titles and texts
 * may contain slashes themselves.
 * @param loadTree @returns `undefined` for a tree that cannot be shown
 * @throws FoldspaceError `FOLD_NO_VERTEX` where the path leads to several
 */
export async function findByPath(
  trees: readonly TreeListing[],
  wanted: string,
  loadTree: (treeId: string) => Promise<ReplicatedTree | undefined>,
): Promise<Vertex | undefined> {
  const path = wanted.replace(/^\//, "");
  for (const isSame of WAYS) {
    const found: Vertex[] = [];
    for (const [name, rest] of splits(path)) {
      for (const { id, title } of trees) {
        const root = title !== undefined && isSame(title, name) ? (await loadTree(id))?.root : undefined;
        if (root) found.push(...(rest === "" ? [root] : findBelow(root, rest, isSame)));
      }
    }
    if (found.length > 0) return onlyOne(found, wanted);
  }
  return undefined;
}

/** Finds an item of an outline by the path of texts that leads to it. @throws FoldspaceError `FOLD_NO_VERTEX` for several */
export function findItem(tree: ReplicatedTree, wanted: string): Vertex | undefined {
  const { root } = tree;
  if (!root || !isOutline(tree)) return undefined;
  for (const isSame of WAYS) {
    const found = findBelow(root, wanted.replace(/^\//, ""), isSame);
    if (found.length > 0) return onlyOne(found, wanted);
  }
  return undefined;
}

/** @param what plural of what was looked for */
export function ambiguous(
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

function findBelow(parent: Vertex, path: string, isSame: IsSame): Vertex[] {
  if (!isOutline(parent.tree)) {
    const named = parent.tree.getVertexByPath(`/${path}`);
    return named ? [named] : [];
  }
  const parts = splits(path);
  return outlineChildren(parent).flatMap((child) => {
    const text = itemText(child);
    return parts.flatMap(([name, rest]) => {
      if (!isSame(text, name)) return [];
      return rest === "" ? [child] : findBelow(child, rest, isSame);
    });
  });
}

/** The ways to take a first name off a path. */
function splits(path: string): [name: string, rest: string][] {
  const ways: [string, string][] = [[path, ""]];
  for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) ways.push([path.slice(0, at), path.slice(at + 1)]);
  return ways;
}

function onlyOne(found: readonly Vertex[], wanted: string): Vertex {
  const ids = [...new Set(found.map(({ id }) => id))];
  if (ids.length > 1) throw ambiguous("FOLD_NO_VERTEX", "vertices", wanted, ids);
  return found[0]!;
}

/** A text as it is shown: without the signs of its inline notation. */
function comparable(text: string): string {
  return text
    .replaceAll(/\[\[(?:[^[\]|]*\|)?([^[\]|]*)\]\]/g, "$1")
    .replaceAll(/\[([^[\]]*)\]\([^()]*\)/g, "$1")
    .replaceAll(/[*_~`\\]/g, "")
    .replaceAll(/\s+/g, " ")
    .trim()
    .normalize("NFC")
    .toLowerCase();
}
