import { toJsonValue, type JsonValue } from "./json-value.ts";

/** Properties to set; `undefined` removes one. */
export type Properties = Readonly<Record<string, JsonValue | undefined>>;

export interface VertexProperty {
  readonly key: string;
  readonly value: JsonValue;
}

/**
 * A value in the form in which it is stored.
 * @throws FoldspaceError `FOLD_BAD_VALUE` if it cannot be, nor, where it is removed, its key
 */
export function checkValue(value: unknown, key: string): JsonValue | undefined {
  const stored = toJsonValue(value ?? null, key);
  return value === undefined ? undefined : stored;
}

/**
 * Properties in the form in which they are stored.
 * @throws FoldspaceError `FOLD_BAD_VALUE` if one of the values cannot be
 */
export function checkProperties(props: Properties | object | null): [string, JsonValue | undefined][] {
  return Object.entries(props ?? {}).map(([key, value]: [string, unknown]) => [key, checkValue(value, key)]);
}
