import { toJsonValue, type JsonValue } from "./json-value.ts";

/** Properties to set; `undefined` removes one. */
export type Properties = Readonly<Record<string, JsonValue | undefined>>;

export interface VertexProperty {
  readonly key: string;
  readonly value: JsonValue;
}

/**
 * Properties in the form in which they are stored.
 * @throws FoldspaceError `FOLD_BAD_VALUE` if one of the values cannot be
 */
export function checkProperties(props: Properties | object | null): [string, JsonValue | undefined][] {
  return Object.entries(props ?? {}).map(([key, value]: [string, unknown]) => [
    key,
    value === undefined ? undefined : toJsonValue(value, key),
  ]);
}
