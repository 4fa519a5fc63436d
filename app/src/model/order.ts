import { generateKeyBetween, generateNKeysBetween } from "fractional-indexing";

/** The sort keys of an item among its siblings. */
export interface Placed {
  readonly id: string;
  readonly order: string | undefined;
  /** ISO time; empty if the item has an order key, which comes first. */
  readonly createdAt: string;
}

/** The order key in a property's value; `undefined` if it is not one, as in items of other programs. */
export function orderOf(value: unknown): string | undefined {
  return typeof value === "string" && isOrderKey(value) ? value : undefined;
}

/** A quick check for common keys, which are not far from the middle of the range. */
const USUAL_KEY = /^(?:a[0-9A-Za-z]|b[0-9A-Za-z]{2}|c[0-9A-Za-z]{3})(?:[0-9A-Za-z]*[1-9A-Za-z])?$/;

function isOrderKey(text: string): boolean {
  if (USUAL_KEY.test(text)) return true;
  try {
    generateKeyBetween(text, null);
    return true;
  } catch {
    // the library throws if the text is not a key
    return false;
  }
}

/**
 * Sorts siblings by order key, those without a key behind them by creation, and ties by id. All comparisons are by code units,
 * so that every device gets the same order. Two devices that insert into the same gap at the same time make equal keys, so ties
 * are not rare.
 */
export function compareSiblings(a: Placed, b: Placed): number {
  if (a.order !== b.order) {
    if (a.order === undefined) return 1;
    if (b.order === undefined) return -1;
    return a.order < b.order ? -1 : 1;
  }
  if (a.order === undefined && a.createdAt !== b.createdAt) return a.createdAt < b.createdAt ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

export interface NewKeys {
  /** For the inserted items, in order. */
  readonly keys: readonly string[];
  /** Siblings that need another key, because there is no gap between two neighbours. */
  readonly rekeyed: readonly (readonly [id: string, key: string])[];
}

/**
 * Order keys for items that are inserted among others.
 * @param siblings in order
 * @param index of the sibling to insert before; the number of siblings: at the end
 */
export function keysBetween(siblings: readonly Placed[], index: number, count: number): NewKeys {
  const before = siblings[index - 1];
  // preceding siblings without a key need one, or they would sort behind the inserted items
  if (before && before.order === undefined) return keysBehindUnkeyed(siblings, index, count);
  const after = siblings[index];
  const low = before?.order ?? null;
  if (low === null || after?.order !== low) return { keys: generateNKeysBetween(low, after?.order ?? null, count), rekeyed: [] };
  let end = index;
  while (siblings[end]?.order === low) end++;
  const keys = generateNKeysBetween(low, siblings[end]?.order ?? null, count + end - index);
  const rekeyed = siblings.slice(index, end).map(({ id }, offset) => [id, keys[count + offset]!] as const);
  return { keys: keys.slice(0, count), rekeyed };
}

function keysBehindUnkeyed(siblings: readonly Placed[], index: number, count: number): NewKeys {
  let start = index;
  while (start > 0 && siblings[start - 1]!.order === undefined) start--;
  const keys = generateNKeysBetween(siblings[start - 1]?.order ?? null, null, index - start + count);
  const rekeyed = siblings.slice(start, index).map(({ id }, offset) => [id, keys[offset]!] as const);
  return { keys: keys.slice(index - start), rekeyed };
}
