import { isOrderKey, orderKeyBetween, tagOf } from "./order-key.ts";

/** Property with the place of a vertex among its siblings, once a caller has chosen it: an order key. */
export const ORDER_KEY = "order";

/** A longer key is avoided by giving neighbours other keys, too. */
const MAX_KEY_LENGTH = 64;
/** The number of neighbours, in each direction, that get other keys at first. */
const FIRST_REACH = 16;

/** The sort keys of a vertex among its siblings. */
export interface Placed {
  readonly id: string;
  readonly order: string | undefined;
  /** ISO time of creation, which sorts vertices without an order key; empty if it is not known. */
  readonly createdAt: string;
}

/** The order key in a property's value; `undefined` for any other value, as in data of other programs. */
export function orderOf(value: unknown): string | undefined {
  return typeof value === "string" && isOrderKey(value) ? value : undefined;
}

/**
 * Sorts siblings by order key, those without one behind them by creation, and ties by id. All comparisons are by code units, so
 * every device gets the same order.
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

/** Order keys to set, so that vertices have the places that were asked for. */
export interface NewKeys<Sibling = string> {
  /** For the inserted vertices, in order. */
  readonly keys: readonly string[];
  /** Siblings that need another key, by id, with that key. Their order stays as it is. */
  readonly rekeyed: readonly (readonly [sibling: Sibling, key: string])[];
}

/**
 * Order keys for vertices that are inserted among others. Siblings get other keys only if it cannot be avoided: those without a key
 * in front of the place, those behind it that have the same key as the one in front, and neighbours of a place whose keys have
 * become long.
 * @param siblings in order
 * @param index of the sibling to insert before; the number of siblings: at the end
 * @param peerId of the inserting peer: it keeps what this peer inserts together, if another one inserts at the same place at the
 *   same time
 */
export function keysBetween(siblings: readonly Placed[], index: number, count: number, peerId: string): NewKeys {
  const { keys, rekeyed } = keysAmong((at) => siblings[at]?.order, index, count, peerId);
  return { keys, rekeyed: rekeyed.map(([at, key]) => [siblings[at]!.id, key]) };
}

/** As {@link keysBetween}. @param orderAt the key of the sibling at an index; `undefined` also beyond the last one */
export function keysAmong(
  orderAt: (index: number) => string | undefined,
  index: number,
  count: number,
  peerId: string,
): NewKeys<number> {
  const tag = tagOf(peerId);
  let start = index;
  // without keys, these would sort behind the inserted ones
  while (start > 0 && orderAt(start - 1) === undefined) start--;
  let range = keysOfRange(orderAt, start, index, count, tag);
  let limit = MAX_KEY_LENGTH;
  for (let reach = FIRST_REACH; range.keys.some(({ length }) => length > limit); reach *= 2) {
    // so short that many insertions pass before the next time
    limit = MAX_KEY_LENGTH / 2;
    let end = index;
    while (end < index + reach && orderAt(end) !== undefined) end++;
    range = keysOfRange(orderAt, Math.max(0, start - reach), end, count, tag);
    if (range.start === 0 && orderAt(range.end) === undefined) break;
  }
  const before = index - range.start;
  const rekeyed: (readonly [number, string])[] = [];
  for (let at = range.start; at < range.end; at++) {
    const key = range.keys[at - range.start + (at < index ? 0 : count)]!;
    if (key !== orderAt(at)) rekeyed.push([at, key]);
  }
  return { keys: range.keys.slice(before, before + count), rekeyed };
}

interface Range {
  readonly start: number;
  readonly end: number;
  /** Of the siblings in the range and of the inserted ones. */
  readonly keys: readonly string[];
}

function keysOfRange(
  orderAt: (index: number) => string | undefined,
  start: number,
  atLeastTo: number,
  count: number,
  tag: string,
): Range {
  const low = start > 0 ? orderAt(start - 1)! : null;
  let end = atLeastTo;
  // between equal keys is no other one
  if (low !== null) while (orderAt(end) === low) end++;
  const high = orderAt(end) ?? null;
  const keys: string[] = [];
  for (let last = low; keys.length < count + end - start; keys.push(last)) last = orderKeyBetween(last, high, tag);
  return { start, end, keys };
}
