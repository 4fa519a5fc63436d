import { MAX_COUNTER, MAX_OPERATION_BYTES, MAX_ID_LENGTH } from "../limits.ts";
import { FoldspaceError } from "../errors.ts";
import { utf8Length } from "../bytes.ts";
import { randomId } from "../random-id.ts";
import { findValueFault, type JsonValue, type TextLength, type ValueFault } from "./json-value.ts";

/** Lamport timestamp: unique per operation, totally ordered by {@link compareOpIds}. */
export interface OpId {
  /** Integer from 1 to {@link MAX_COUNTER}. */
  readonly counter: number;
  readonly peerId: string;
}

/** Puts a vertex under a parent. The first move of a vertex is its creation. */
export interface MoveVertex {
  readonly id: OpId;
  readonly targetId: string;
  /** `null` for a root. */
  readonly parentId: string | null;
}

/** Sets a property; `value: undefined` removes it. */
export interface SetVertexProperty {
  readonly id: OpId;
  readonly targetId: string;
  readonly key: string;
  readonly value: JsonValue | undefined;
  /** A draft: shown and exchanged between live peers, but never stored. */
  readonly transient: boolean;
}

/** The two kinds of operations from which a tree is built. */
export type VertexOperation = MoveVertex | SetVertexProperty;

/** The parent of deleted vertices. It is not below the root, so its contents are hidden. */
export const BIN_ID = "0";

// oxlint-disable-next-line no-control-regex -- the expression finds control characters
const UNSAFE_IN_ID = /[\u0000-\u001f\u007f"'\\/]/;

/** Whether a vertex id can be written into a line and named in a path: short, no control characters, quotes or slashes. */
export function isValidId(id: unknown): id is string {
  return typeof id === "string" && id.length > 0 && id.length <= MAX_ID_LENGTH && !UNSAFE_IN_ID.test(id);
}

/** Whether it is an integer from 1 to {@link MAX_COUNTER}. */
export function isValidCounter(counter: unknown): counter is number {
  return Number.isInteger(counter) && (counter as number) >= 1 && (counter as number) <= MAX_COUNTER;
}

/** Whether the operation moves or creates a vertex. */
export function isMoveVertexOp(op: VertexOperation): op is MoveVertex {
  return "parentId" in op;
}

/** Whether the operation sets or removes a property, as a draft or not. */
export function isAnyPropertyOp(op: VertexOperation): op is SetVertexProperty {
  return "key" in op;
}

/** Orders operation ids by counter, then by peer id in code units: the same on every device and in every locale. */
export function compareOpIds(a: OpId, b: OpId): number {
  if (a.counter !== b.counter) return a.counter < b.counter ? -1 : 1;
  if (a.peerId === b.peerId) return 0;
  return a.peerId < b.peerId ? -1 : 1;
}

/** Text of the form `COUNTER@PEER`. */
export function opIdToString(id: OpId): string {
  return `${id.counter}@${id.peerId}`;
}

/**
 * Refuses values that are not operations, before they can change a tree.
 * @throws FoldspaceError what {@link assertContents} throws; `FOLD_BAD_ID` also for the peer
 */
export function assertOperations(ops: readonly VertexOperation[]): void {
  assertAll(ops, true);
}

/**
 * Refuses operations that could not be read back unchanged from their lines, which do not name the peer.
 * @throws FoldspaceError `FOLD_BAD_OPERATION`, `FOLD_BAD_COUNTER`, `FOLD_BAD_ID`, `FOLD_BAD_VALUE` or `FOLD_TOO_DEEP`
 */
export function assertContents(ops: readonly VertexOperation[]): void {
  assertAll(ops, false);
}

function assertAll(ops: readonly VertexOperation[], withPeers: boolean): void {
  // operations on one vertex mostly follow one another: an id that was just found valid is not checked again
  let validPeer: string | undefined;
  let validTarget: string | undefined;
  if (!Array.isArray(ops)) throw new FoldspaceError("FOLD_BAD_OPERATION", "Operations must be given as a list");
  for (const op of ops) {
    const id: OpId | undefined = op?.id;
    if (typeof id !== "object" || id === null)
      throw new FoldspaceError("FOLD_BAD_OPERATION", "An operation must be an object with an id");
    if (!isValidCounter(id.counter)) {
      throw new FoldspaceError(
        "FOLD_BAD_COUNTER",
        `An operation's counter must be an integer from 1 to 2^48, not ${String(id.counter)}`,
      );
    }
    if (withPeers && (validPeer === undefined || id.peerId !== validPeer)) validPeer = validId("peer", id.peerId);
    if (validTarget === undefined || op.targetId !== validTarget) validTarget = validId("target", op.targetId);
    if ("parentId" in op) {
      if (op.parentId !== null) validId("parent", op.parentId);
    } else if (typeof op.key !== "string") {
      throw new FoldspaceError("FOLD_BAD_OPERATION", `Operation ${opIdToString(id)} has neither a parentId nor a key`);
    } else {
      const fault = findPropertyFault(id.counter, op.targetId, op.key, op.value);
      if (fault) throw new FoldspaceError(fault.code, `The value of operation ${opIdToString(id)} ${fault.reason}`);
    }
  }
}

/** In UTF-16 units: even if each takes six bytes, enough room is left for the ids. */
const ALWAYS_FITS_LENGTH = Math.floor(MAX_OPERATION_BYTES / 6) - 2 * MAX_ID_LENGTH;

/** Finds the reason why a property's new value cannot be stored, or would be read back as another. */
export function findPropertyFault(counter: number, targetId: string, key: string, value: unknown): ValueFault | undefined {
  if (key.length + (typeof value === "string" ? value.length : 0) <= ALWAYS_FITS_LENGTH && isPrimitive(value)) return undefined;
  const length: TextLength = { least: 0, most: 6 * key.length };
  const fault = value === undefined ? undefined : findValueFault(value, length, MAX_OPERATION_BYTES);
  if (fault) return fault;
  if (length.most <= 6 * ALWAYS_FITS_LENGTH) return undefined;
  const isTooLong =
    length.least > MAX_OPERATION_BYTES || utf8Length(JSON.stringify(["p", counter, targetId, key, value])) > MAX_OPERATION_BYTES;
  return isTooLong ? { code: "FOLD_BAD_VALUE", reason: `is too long for a line of ${MAX_OPERATION_BYTES} bytes` } : undefined;
}

/** Whether the value, like nearly all, needs no deeper check. */
function isPrimitive(value: unknown): boolean {
  return (
    typeof value === "string" || value === undefined || value === null || typeof value === "boolean" || Number.isFinite(value)
  );
}

/** @throws FoldspaceError `FOLD_BAD_ID` if {@link isValidId} does not hold */
export function validId(role: string, id: unknown): string {
  if (isValidId(id)) return id;
  throw new FoldspaceError(
    "FOLD_BAD_ID",
    `${showId(id)} cannot be a ${role} id: 1 to ${MAX_ID_LENGTH} characters, no control characters, quotes or slashes`,
  );
}

/** Formats any value as an id in a message. */
export function showId(id: unknown): string {
  return typeof id === "string" ? JSON.stringify(id.slice(0, 80)) : String(id);
}

/** A new random id: 32 lower-case hexadecimal digits. */
export function newId(): string {
  return randomId();
}
