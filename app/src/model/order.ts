import { generateKeyBetween, generateNKeysBetween } from "fractional-indexing";

/** What decides on an item's place among its siblings. */
export interface Placed {
  readonly id: string;
  readonly order: string | undefined;
  /** ISO time; empty where there is an order key, as it is of no use then. */
  readonly createdAt: string;
}

/** The order key in a property's value; `undefined` where it is none, as in items that other programs made. */
export function orderOf(value: unknown): string | undefined {
  return typeof value === "string" && isOrderKey(value) ? value : undefined;
}

/** What keys look like that are not far from the middle of all there can be. */
const USUAL_KEY = /^(?:a[0-9A-Za-z]|b[0-9A-Za-z]{2}|c[0-9A-Za-z]{3})(?:[0-9A-Za-z]*[1-9A-Za-z])?$/;

function isOrderKey(text: string): boolean {
  if (USUAL_KEY.test(text)) return true;
  try {
    generateKeyBetween(text, null);
    return true;
  } catch {
    // the library's way of saying that it is no key
    return false;
  }
}

/**
 * Siblings by order key, those without one behind them by creation; ties by id. All in code units: the same on every
 * device. Two devices that put an item into the same gap at the same time give both the same key, so ties are no rarity.
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
  /** For what is put in, in order. */
  readonly keys: readonly string[];
  /** Siblings that need another key, because the gap between two neighbours is none. */
  readonly rekeyed: readonly (readonly [id: string, key: string])[];
}

/**
 * Order keys for items that are put among others.
 * @param siblings in order
 * @param index of the sibling that they come before; the number of siblings: at the end
 */
export function keysBetween(siblings: readonly Placed[], index: number, count: number): NewKeys {
  const before = siblings[index - 1];
  // what stands in front without a key has to get one, or it would sort behind what is put in
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
