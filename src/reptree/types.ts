import type { JsonValue } from "../tree/index.ts";

export type TreeVertexId = string;

/** `undefined`: the property is removed. */
export type VertexPropertyType = JsonValue | undefined;
