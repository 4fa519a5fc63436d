import { FoldspaceError } from "../errors.ts";

export type JsonPrimitive = string | number | boolean | null;
export type JsonValue = JsonPrimitive | JsonValue[] | { [key: string]: JsonValue };

/** Deepest nesting of arrays and objects that a value may have; readers may recurse that far safely. */
export const MAX_NESTING = 256;

/**
 * Longest value together with its key, in UTF-16 units of its JSON text. In UTF-8 that is at most three
 * times as many bytes, which with the ids fits into a line that every reader accepts.
 */
export const MAX_VALUE_LENGTH: number = 2 * 1024 * 1024;

/**
 * Copies a value into the form in which it will be read back: as `JSON.stringify` would write it
 * (`NaN` and infinities become `null`, members that are `undefined` are dropped, `-0` becomes `0`).
 * The copy shares nothing with the caller's object, so later changes to that cannot alter an operation.
 * @throws FoldspaceError `FOLD_BAD_VALUE` for what JSON has no notation for (functions, symbols, bigints,
 *   dates, maps, class instances, cycles), or where the value is too deep or too long
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
    if (depth > MAX_NESTING) throw bad(`is nested more than ${MAX_NESTING} levels deep, or contains itself`);
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
    // Array.from, unlike map, also visits the holes of a sparse array
    if (Array.isArray(part)) return Array.from(part, (item: unknown) => copy(item === undefined ? null : item, depth + 1));
    const prototype: unknown = Object.getPrototypeOf(part);
    if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
      throw bad("is or contains an instance of a class, which JSON cannot carry");
    }
    const entries: [string, JsonValue][] = [];
    for (const [name, member] of Object.entries(part)) {
      if (member === undefined) continue;
      spend(JSON.stringify(name).length + 2);
      entries.push([name, copy(member, depth + 1)]);
    }
    // fromEntries defines own members, so a member named "__proto__" stays data
    return Object.fromEntries(entries);
  };
  spend(JSON.stringify(key).length);
  return copy(value, 0);
}

/** Whether a value is nested more deeply than {@link MAX_NESTING}. Without recursion, because the depth is what is in doubt. */
export function isTooDeep(value: JsonValue | undefined): boolean {
  if (typeof value !== "object" || value === null) return false;
  let level: object[] = [value];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_NESTING) return true;
    const next: object[] = [];
    for (const parent of level) {
      for (const member of Object.values(parent)) if (typeof member === "object" && member !== null) next.push(member as object);
    }
    level = next;
  }
  return false;
}

/** Whether a number is in a value that JSON cannot write, as `1e999` is read. Recurses: only for values that are not too deep. */
export function hasInfinity(value: JsonValue | undefined): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  return typeof value === "object" && value !== null && Object.values(value).some(hasInfinity);
}

/** Whether two JSON values are equal, members in any order. */
export function jsonEquals(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((item, index) => jsonEquals(item, b[index]));
  }
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && jsonEquals(a[key], b[key]));
}
