import { FoldspaceError } from "../errors.ts";
import { isPlainObject, toJsonValue, type JsonValue } from "./json-value.ts";

/** Properties to set; `undefined` removes one. */
export type Properties = Readonly<Record<string, JsonValue | undefined>>;

/** A property of a vertex, as read. */
export interface VertexProperty {
  readonly key: string;
  readonly value: JsonValue;
}

/**
 * Converts a value to the form in which it is stored.
 * @throws FoldspaceError `FOLD_BAD_VALUE` if the value or the key cannot be stored
 */
export function checkValue(value: unknown, key: unknown): JsonValue | undefined {
  if (typeof key !== "string")
    throw new FoldspaceError("FOLD_BAD_VALUE", `A property's key must be a text, not ${describe(key)}`);
  const stored = toJsonValue(value ?? null, key);
  return value === undefined ? undefined : stored;
}

/**
 * Converts properties to the form in which they are stored.
 * @throws FoldspaceError `FOLD_BAD_VALUE` if one of the values cannot be stored, or if `props` is not a plain object
 */
export function checkProperties(props: Properties | object): [string, JsonValue | undefined][] {
  // for anything else, `Object.entries` would return other entries than the caller means, or none
  if (typeof props !== "object" || props === null || Array.isArray(props) || !isPlainObject(props))
    throw new FoldspaceError("FOLD_BAD_VALUE", `Properties must be given as a plain object, not as ${describe(props)}`);
  return Object.entries(props).map(([key, value]: [string, unknown]) => [key, checkValue(value, key)]);
}

/** @throws FoldspaceError `FOLD_BAD_VALUE` if it is not a text */
export function checkName(name: unknown): string {
  if (typeof name === "string") return name;
  throw new FoldspaceError("FOLD_BAD_VALUE", `A name must be a text, not ${describe(name)}`);
}

function describe(value: unknown): string {
  if (typeof value === "string") return "a text";
  if (typeof value === "number") return String(value);
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an instance of a class" : `a ${typeof value}`;
}
