// The exports of npm's `reptree` 0.9.0, under their names. docs/from-reptree.md lists the differences.
export { RepTree } from "./rep-tree.ts";
export { StateVector } from "./state-vector.ts";
export type { OpIdRange } from "./state-vector.ts";
export { compareOpId, createOpId, equalsOpId, isOpIdGreaterThan, opIdToString, tryParseOpIdStr } from "./op-ids.ts";
export { newMoveVertexOp, newSetTransientVertexPropertyOp, newSetVertexPropertyOp } from "./operations.ts";
export { bindVertex } from "../tree/bind.ts";
export { isAnyPropertyOp, isMoveVertexOp, newId as uuid, Vertex } from "../tree/index.ts";
export type {
  BindOptions,
  BoundVertex as BindedVertex,
  JsonPrimitive,
  JsonValue,
  MoveVertex,
  OpId,
  SchemaLike,
  SetVertexProperty,
  VertexChangeEvent,
  VertexChildrenEvent as VertexChildrenChangeEvent,
  VertexMoveEvent,
  VertexOperation,
  VertexProperty as TreeVertexProperty,
  VertexPropertyEvent as VertexPropertyChangeEvent,
} from "../tree/index.ts";
export type { TreeVertexId, VertexPropertyType } from "./types.ts";
