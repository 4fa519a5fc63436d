import { FoldspaceError } from "../errors.ts";
import { compareOpIds, opIdToString, type OpId } from "../tree/index.ts";

/** The id of a peer's operation with this counter, from 1. */
export function createOpId(counter: number, peerId: string): OpId {
  return { counter, peerId };
}

/**
 * Reads an id as `opIdToString` writes it, such as `5@peer`.
 * @throws FoldspaceError `FOLD_BAD_ID` if it is no such text
 */
export function tryParseOpIdStr(text: string): OpId {
  const [, counter, peerId] = /^(\d+)@([^]+)$/.exec(text) ?? [];
  if (counter !== undefined && peerId !== undefined) return createOpId(Number(counter), peerId);
  throw new FoldspaceError("FOLD_BAD_ID", `${JSON.stringify(text)} is not the id of an operation, such as "5@peer"`);
}

/**
 * @returns 1, 0 or -1; peer ids are compared by code units
 * @throws FoldspaceError as {@link tryParseOpIdStr}
 */
export function compareOpId(a: OpId | string, b: OpId | string): number {
  return compareOpIds(toId(a), toId(b));
}

/** Whether both are the same id, or both `null`. */
export function equalsOpId(a: OpId | string | null, b: OpId | string | null): boolean {
  return a === b || (a !== null && b !== null && compareOpId(a, b) === 0);
}

/** Whether the first id is higher, so that its operation wins. @throws FoldspaceError as {@link tryParseOpIdStr} */
export function isOpIdGreaterThan(a: OpId | string, b: OpId | string): boolean {
  return compareOpId(a, b) > 0;
}

function toId(id: OpId | string): OpId {
  return typeof id === "string" ? tryParseOpIdStr(id) : id;
}

export { opIdToString };
