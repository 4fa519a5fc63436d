import type { ReplicatedTree } from "foldspace/tree";
import { COLLAPSED_KEY, isSet, noteOf, textOf } from "./item.ts";
import { matcherOf } from "./search.ts";

/** The part of a page that matches a query: items that contain all words, their descendants and ancestors. */
export interface Narrowing {
  /** Items that neither match nor have a matching ancestor or descendant. */
  readonly hidden: ReadonlySet<string>;
  /** Collapsed ancestors of matching items, which are shown expanded. */
  readonly expanded: Set<string>;
  /** Number of matching items. */
  readonly count: number;
}

interface Visited {
  readonly id: string;
  readonly above: Visited | undefined;
  readonly isBelowFound: boolean;
  isAboveFound: boolean;
}

/**
 * Searches all descendants of an item once. Items that are created or changed later are not checked, so that no item
 * disappears while the user writes in it.
 */
export function narrow(tree: ReplicatedTree, rootId: string, query: string): Narrowing {
  const isFound = matcherOf(query);
  const [hidden, expanded] = [new Set<string>(), new Set<string>()];
  let count = 0;
  // the loop appends to the array; without recursion, as a tree may be deeper than the stack
  const visited: Visited[] = tree.getChildrenIds(rootId).map((id) => visit(id, undefined, false));
  for (const item of visited) {
    const isItself = isFound(`${textOf(tree, item.id)}\n${noteOf(tree, item.id)}`);
    if (isItself) count++;
    if (isItself) for (let each = item.above; each && !each.isAboveFound; each = each.above) each.isAboveFound = true;
    for (const id of tree.getChildrenIds(item.id)) visited.push(visit(id, item, isItself || item.isBelowFound));
    if (!isItself && !item.isBelowFound) hidden.add(item.id);
  }
  for (const { id, isAboveFound } of visited) {
    if (!isAboveFound) continue;
    hidden.delete(id);
    if (isSet(tree, id, COLLAPSED_KEY)) expanded.add(id);
  }
  return { hidden, expanded, count };
}

function visit(id: string, above: Visited | undefined, isBelowFound: boolean): Visited {
  return { id, above, isBelowFound, isAboveFound: false };
}
