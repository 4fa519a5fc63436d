import { FoldspaceError } from "../errors.ts";
import { labelOf } from "../space/export-markdown.ts";
import { isOutline, itemText } from "../space/export-outline.ts";
import type { ReplicatedTree, Vertex } from "../tree/index.ts";
import { cut, printable, shortId } from "./output.ts";
import type { TreeListing } from "./open.ts";
import { isComposedAlike } from "./same-text.ts";

/** Shorter beginnings of ids fit too many by chance. */
export const MIN_PREFIX = 4;
const MAX_CANDIDATES = 10;
const MAX_LABEL_LENGTH = 40;

/** Whether a text that was typed is meant to be the one that is stored. */
type IsSame = (text: string, wanted: string) => boolean;

/** A way to compare what was typed with the names of vertices, and with the titles of trees and the texts of items. */
interface Way {
  readonly name: IsSame;
  readonly text: IsSame;
}

const isEqual: IsSame = (text, wanted) => text === wanted;

/** The better ones first: as it is stored, then however its letters are composed, then as a text is shown, without regard to case. */
const WAYS: readonly Way[] = [
  { name: isEqual, text: isEqual },
  { name: isComposedAlike, text: isComposedAlike },
  { name: isComposedAlike, text: (text, wanted) => comparable(text) === comparable(wanted) },
];

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
  for (const way of WAYS) {
    const found: Vertex[] = [];
    for (const [name, rest] of splits(path)) {
      for (const { id, title } of trees) {
        const root = title !== undefined && way.text(title, name) ? (await loadTree(id))?.root : undefined;
        if (root) found.push(...(rest === "" ? [root] : findBelow(root, rest, way)));
      }
    }
    if (found.length > 0) return onlyOne(found, wanted);
  }
  return undefined;
}

/**
 * Finds a vertex of a tree by the path of names that leads to it; in an outline, an item by the texts.
 * @throws FoldspaceError `FOLD_NO_VERTEX` for several
 */
export function findInTree({ root }: ReplicatedTree, wanted: string): Vertex | undefined {
  for (const way of root ? WAYS : []) {
    const named = wanted.startsWith("/") ? findNamed(root!, wanted, way.name) : [];
    const found = named.length > 0 || !isOutline(root!.tree) ? named : findBelow(root!, wanted.replace(/^\//, ""), way);
    if (found.length > 0) return onlyOne(found, wanted);
  }
  return undefined;
}

/** A vertex or tree among several that fit. */
export interface Candidate {
  readonly id: string;
  /** Its name and place, as far as it has one. */
  readonly label: string | undefined;
}

/** @param what plural of what was looked for */
export function ambiguous(
  code: "FOLD_NO_TREE" | "FOLD_NO_VERTEX",
  what: string,
  wanted: string,
  fitting: readonly Candidate[],
): FoldspaceError {
  const candidates = fitting.slice(0, MAX_CANDIDATES);
  const length = distinguishingLength(fitting.map(({ id }) => id));
  const shown = candidates.map(({ id, label }) => {
    const start = printable(id.slice(0, Math.max(length, shortId(id).length)));
    return label === undefined ? start : `${start} (${label})`;
  });
  const others = fitting.length > candidates.length ? ", …" : "";
  return new FoldspaceError(
    code,
    `${JSON.stringify(printable(wanted))} fits several ${what}: ${shown.join(", ")}${others}. Give the id of one instead, or its first ${length} characters`,
    { data: { candidates: candidates.map(({ id }) => id) } },
  );
}

/** How many characters at the beginning of ids distinguish all of them. */
function distinguishingLength(ids: readonly string[]): number {
  const longest = Math.max(...ids.map((id) => id.length));
  let length = MIN_PREFIX;
  while (length < longest && new Set(ids.map((id) => id.slice(0, length))).size < ids.length) length++;
  return length;
}

export function toCandidate(vertex: Vertex): Candidate {
  const { id, parent } = vertex;
  // the root of an outline has a name that no user knows
  const isPage = (each: Vertex): boolean => isOutline(each.tree) && each.id === each.tree.root?.id;
  const quoted = (each: Vertex): string | undefined => {
    if (isPage(each)) return each.id === id ? "a page" : `page ${shortId(each.id)}`;
    const label = isOutline(each.tree) ? itemText(each) : labelOf(each);
    return label === undefined ? undefined : JSON.stringify(cut(printable(label), MAX_LABEL_LENGTH));
  };
  const above = parent && quoted(parent);
  const below = vertex.children.length === 0 ? "nothing" : vertex.children.length;
  return { id, label: `${quoted(vertex) ?? "no name"}${above === undefined ? "" : ` under ${above}`}, with ${below} below it` };
}

/** Every vertex to which a path of names leads. */
function findNamed(root: Vertex, path: string, isSame: IsSame): Vertex[] {
  let found = [root];
  for (const wanted of path.split("/").filter((part) => part !== ""))
    found = found.flatMap(({ children }) => children.filter(({ name }) => name !== undefined && isSame(name, wanted)));
  return found;
}

function findBelow(parent: Vertex, path: string, way: Way): Vertex[] {
  if (!isOutline(parent.tree)) return findNamed(parent, path, way.name);
  const parts = splits(path);
  return parent.children.flatMap((child) => {
    const text = itemText(child);
    return parts.flatMap(([name, rest]) => {
      if (!way.text(text, name)) return [];
      return rest === "" ? [child] : findBelow(child, rest, way);
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
  const distinct = [...new Map(found.map((vertex) => [vertex.id, vertex])).values()];
  if (distinct.length > 1) throw ambiguous("FOLD_NO_VERTEX", "vertices", wanted, distinct.map(toCandidate));
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
