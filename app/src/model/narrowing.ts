import type { ReplicatedTree } from "foldspace/tree";
import { COLLAPSED_KEY, isSet, noteOf, textOf } from "./item.ts";
import { matcherOf } from "./search.ts";

/** What of a page has the words of a query: items that have them all, with everything below them and the items above. */
export interface Narrowing {
  /** Items that are neither found, nor above or below one that is. */
  readonly hidden: ReadonlySet<string>;
  /** Collapsed items above found ones, which are shown expanded. */
  readonly expanded: Set<string>;
  /** Number of items that have the words. */
  readonly count: number;
}

interface Visited {
  readonly id: string;
  readonly above: Visited | undefined;
  readonly isBelowFound: boolean;
  isAboveFound: boolean;
}

/**
 * Looks through everything below an item once. Items that are made or changed later are not looked at, so that nothing goes
 * from under the hands of a person who writes.
 */
export function narrow(tree: ReplicatedTree, rootId: string, query: string): Narrowing {
  const isFound = matcherOf(query);
  const [hidden, expanded] = [new Set<string>(), new Set<string>()];
  let count = 0;
  // grows while it is walked; without recursion, as a tree may be deeper than the stack
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
