import { MAX_NESTING, MAX_VALUE_LENGTH } from "../limits.ts";
import { FoldspaceError } from "../errors.ts";

/** A JSON value without parts. Numbers are finite. */
export type JsonPrimitive = string | number | boolean | null;
/** Lists and objects read from a tree are frozen, and so are their types. */
export type JsonValue = JsonPrimitive | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A type of values as they are read: lists and objects in them are frozen. */
export type Frozen<T> = [JsonValue] extends [T] ? T : T extends object ? { readonly [Key in keyof T]: Frozen<T[Key]> } : T;

/**
 * A type of values that can be stored as JSON, among them those with interfaces as types, which have no index signature and so
 * do not fit `JsonValue`. It is `never` for others, such as dates and functions.
 */
export type Storable<T> = T extends JsonValue | undefined
  ? T
  : T extends bigint | symbol | ((...args: never) => unknown)
    ? never
    : { readonly [Key in keyof T]: Storable<T[Key]> };

/**
 * Copies a value into the form in which it will be read back: as `JSON.stringify` would write it
 * (`NaN` and infinities become `null`, members that are `undefined` are dropped, `-0` becomes `0`).
 * The copy is frozen and shares nothing with the caller's object, so later changes to that cannot alter an operation.
 * @throws FoldspaceError `FOLD_BAD_VALUE` if the value contains something that JSON has no notation for (functions, symbols,
 *   bigints, dates, maps, class instances, cycles), or is too deep or too long
 */
export function toJsonValue(value: unknown, key: string): JsonValue {
  let budget = MAX_VALUE_LENGTH;
  const spend = (length: number): void => {
    budget -= length;
    if (budget < 0) throw bad(`is longer than ${MAX_VALUE_LENGTH} characters`);
  };
  const bad = (reason: string): FoldspaceError =>
    new FoldspaceError("FOLD_BAD_VALUE", `The value of property ${JSON.stringify(key)} ${reason}`, { data: { key } });

  const copy = (part: unknown, depth: number): JsonValue => {
    switch (typeof part) {
      case "string":
        spend(JSON.stringify(part).length + 1);
        return part;
      case "number":
        spend(24);
        return Number.isFinite(part) ? part + 0 : null;
      case "boolean":
        spend(6);
        return part;
      case "object":
        break;
      default:
        throw bad(`is or contains a ${typeof part}, which JSON cannot carry`);
    }
    spend(5);
    if (part === null) return null;
    if (depth >= MAX_NESTING) throw bad(`is nested more than ${MAX_NESTING} levels deep, or contains itself`);
    // Array.from, unlike map, also visits the holes of a sparse array
    if (Array.isArray(part))
      return frozen(Array.from(part, (item: unknown) => copy(item === undefined ? null : item, depth + 1)));
    if (!isPlainObject(part)) throw bad("is or contains an instance of a class, which JSON cannot carry");
    const entries: [string, JsonValue][] = [];
    for (const [name, member] of Object.entries(part)) {
      if (member === undefined) continue;
      spend(JSON.stringify(name).length + 2);
      entries.push([name, copy(member, depth + 1)]);
    }
    // fromEntries defines own members, so a member named "__proto__" stays data
    return frozen(Object.fromEntries(entries));
  };
  spend(JSON.stringify(key).length);
  return copy(value, 0);
}

/**
 * Freezes a value and everything in it, so that a value read from a tree cannot change an operation. Recurses: only for values
 * that are not too deep.
 */
export function freezeValue<T extends JsonValue | undefined>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const member of Object.values(value)) freezeValue(member);
  return frozen(value);
}

/** Freezes without changing the type, like `reptree`. */
function frozen<T extends object>(value: T): T {
  Object.freeze(value);
  return value;
}

/** A frozen copy that shares nothing with the value. Recurses: only for values that are not too deep. */
export function copyValue<T extends JsonValue | undefined>(value: T): T;
export function copyValue(value: JsonValue | undefined): JsonValue | undefined {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return frozen(value.map((item) => copyValue(item)));
  return frozen(Object.fromEntries(Object.entries(value).map(([name, member]) => [name, copyValue(member)])));
}

/** The reason why a value cannot be stored: a clause without its subject. */
export interface ValueFault {
  readonly code: "FOLD_BAD_VALUE" | "FOLD_TOO_DEEP";
  readonly reason: string;
}

/** Bounds of the length, in bytes, of the JSON text of a value and its surroundings. */
export interface TextLength {
  least: number;
  most: number;
}

/**
 * Finds a part that could not be read back, or would be read back as another value.
 * @param length grows by the length of the value. Above `limit`, the count may be incomplete
 */
export function findValueFault(value: unknown, length: TextLength, limit: number, depth = 0): ValueFault | undefined {
  switch (typeof value) {
    case "string":
      // in UTF-8, or escaped
      grow(length, value.length + 2, 6 * value.length + 3);
      return undefined;
    case "number":
      grow(length, 1, 25);
      return Number.isFinite(value) ? undefined : badValue("holds a number that JSON cannot write");
    case "boolean":
      grow(length, 4, 6);
      return undefined;
    case "object":
      break;
    default:
      return badValue(`is or contains a ${typeof value}, which JSON cannot carry`);
  }
  grow(length, 2, 5);
  if (value === null) return undefined;
  if (depth >= MAX_NESTING) return { code: "FOLD_TOO_DEEP", reason: `is nested more than ${MAX_NESTING} levels deep` };
  if (!Array.isArray(value)) {
    if (!isPlainObject(value)) return badValue("is or contains an instance of a class, which JSON cannot carry");
    for (const name of Object.keys(value)) grow(length, name.length + 3, 6 * name.length + 3);
  }
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    // values that share their members can be far bigger than they are in memory
    if (length.least > limit) return undefined;
    const fault = findValueFault(member, length, limit, depth + 1);
    if (fault) return fault;
  }
  return undefined;
}

function grow(length: TextLength, least: number, most: number): void {
  length.least += least;
  length.most += most;
}

function badValue(reason: string): ValueFault {
  return { code: "FOLD_BAD_VALUE", reason };
}

export function isPlainObject(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** `Array.isArray` does not recognise readonly lists in types. */
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Whether two JSON values are equal, members in any order. */
export function jsonEquals(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (isList(a) || isList(b)) {
    return isList(a) && isList(b) && a.length === b.length && a.every((item, index) => jsonEquals(item, b[index]));
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && jsonEquals(a[key], b[key]));
}
