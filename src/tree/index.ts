export { ReplicatedTree } from "./replicated-tree.ts";
export type { OpListener, TreeEdit } from "./replica.ts";
export { compareSiblings, keysBetween, ORDER_KEY, orderOf } from "./order.ts";
export type { NewKeys, Placed } from "./order.ts";
export type { Position, VertexOrId } from "./position.ts";
export type { ReplicatedTreeOptions, TreeChangeKind } from "./tree-options.ts";
export { NAME_KEY, OLD_NAME_KEY } from "./names.ts";
export type { Properties, VertexProperty } from "./properties.ts";
export { printTree } from "./print-tree.ts";
export type { PrintOptions } from "./print-tree.ts";
export { UndoManager } from "./undo-manager.ts";
export type { UndoEvent, UndoManagerOptions } from "./undo-manager.ts";
export type { UndoStep } from "./undo-step.ts";
export { Vertex } from "./vertex.ts";
export type { TypedObject } from "./vertex.ts";
export type { BindOptions, BoundVertex, BoundVertexMethods } from "./bind.ts";
export type { FieldSchema, ParseResult, SchemaIssue, SchemaLike, StandardResult } from "./schema.ts";
export type { VertexChangeEvent, VertexChildrenEvent, VertexMoveEvent, VertexPropertyEvent } from "./events.ts";
export {
  assertContents,
  assertOperations,
  BIN_ID,
  compareOpIds,
  findPropertyFault,
  isAnyPropertyOp,
  isMoveVertexOp,
  isValidCounter,
  isValidId,
  newId,
  opIdToString,
} from "./operation.ts";
export type { Placement, Conflicts } from "./ambiguous-places.ts";
export type { DifferingContents } from "./differing-contents.ts";
export type { MoveVertex, OpId, SetVertexProperty, VertexOperation } from "./operation.ts";
export { jsonEquals, toJsonValue } from "./json-value.ts";
export type { Frozen, JsonPrimitive, JsonValue, Storable, ValueFault } from "./json-value.ts";
export { OpIdSet } from "./op-id-set.ts";
export type { StateVector } from "./op-id-set.ts";
export { MAX_CLOCK, MAX_COUNTER, MAX_NESTING, MAX_OPERATION_BYTES, MAX_VALUE_LENGTH } from "../limits.ts";
