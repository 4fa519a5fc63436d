import type { JsonValue } from "../tree/index.ts";

/** The id of a vertex. New ones have 32 hexadecimal digits. */
export type TreeVertexId = string;

/** `undefined`: the property is removed. */
export type VertexPropertyType = JsonValue | undefined;
