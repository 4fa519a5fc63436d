import { MAX_OPERATION_BYTES } from "../limits.ts";
import { FoldspaceError, type FoldspaceErrorCode } from "../errors.ts";
import { findPropertyFault, isValidCounter, isValidId, type JsonValue, type VertexOperation } from "../tree/index.ts";

/** Longest line that is read, in bytes. A longer line is a problem: the parser skips it, and it stays in its file. */
export const MAX_LINE_BYTES: number = MAX_OPERATION_BYTES;

/** The reason why a line is not an operation. */
export interface LineFault {
  readonly code: FoldspaceErrorCode;
  readonly reason: string;
  /** Counter of the operation that was cut off, if that much of it is left. */
  readonly counter?: number;
  /** Whether everything in the line was read nevertheless. */
  readonly isLossless?: boolean;
}

/**
 * Line of an operation, without the newline. It does not contain the peer id, which comes from the file's name.
 * @throws FoldspaceError `FOLD_BAD_OPERATION` for a transient property, which is never stored
 */
export function encodeLine(op: VertexOperation): string {
  if ("parentId" in op) {
    return `["m",${op.id.counter},${JSON.stringify(op.targetId)},${JSON.stringify(op.parentId)}]`;
  }
  if (op.transient) throw new FoldspaceError("FOLD_BAD_OPERATION", "A transient property is never stored");
  return `["p",${op.id.counter},${JSON.stringify(op.targetId)},${JSON.stringify(op.key)},${encodeValue(op.value)}]`;
}

/** `{}` means that the property is removed. A `1` behind it marks a real empty object. */
function encodeValue(value: JsonValue | undefined): string {
  if (value === undefined) return "{}";
  return isEmptyObject(value) ? "{},1" : JSON.stringify(value);
}

/** Checks ids and keys, and may return an equal string in their place. */
export interface IdCheck {
  /** @returns `undefined` if the id is not valid */
  get(id: unknown): string | undefined;
  key(key: string): string;
}

/** Checks without pooling, for operations that are not kept. */
export class IdChecker implements IdCheck {
  #last: string | undefined;
  #lastButOne: string | undefined;

  get(id: unknown): string | undefined {
    // consecutive operations mostly concern one vertex, with its parent in between
    if (typeof id !== "string") return undefined;
    if (id === this.#last || id === this.#lastButOne) return id;
    if (!isValidId(id)) return undefined;
    this.#lastButOne = this.#last;
    this.#last = id;
    return id;
  }

  key(key: string): string {
    return key;
  }
}

/** Apps have few property names. A tree with ever new names must not fill the memory. */
const MAX_POOLED_KEYS = 10_000;

/** Ids and keys seen while reading, so that equal ones share one string in memory and are checked once. */
export class IdPool implements IdCheck {
  readonly #ids = new Map<string, string>();
  readonly #keys = new Map<string, string>();
  #last: string | undefined;

  get(id: unknown): string | undefined {
    // consecutive operations mostly concern one vertex
    if (id === this.#last) return this.#last;
    if (typeof id !== "string") return undefined;
    const known = this.#ids.get(id);
    if (known !== undefined) return (this.#last = known);
    if (!isValidId(id)) return undefined;
    this.#ids.set(id, id);
    return (this.#last = id);
  }

  key(key: string): string {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    if (this.#keys.size < MAX_POOLED_KEYS) this.#keys.set(key, key);
    return key;
  }
}

/** A parsed line that is an operation: kind, counter, target, parent or key, value, flag. */
export type OperationFields =
  | readonly ["m", number, string, string | null]
  | readonly ["p", number, string, string, JsonValue, 1?];

/**
 * Checks a parsed line.
 * @returns `undefined` if its kind belongs to a newer format; such a line is skipped silently
 * @throws LineError if it is not an operation
 */
export function checkFields(parsed: unknown, ids: IdCheck): OperationFields | undefined {
  if (!Array.isArray(parsed) || typeof parsed[0] !== "string") {
    throw new LineError("FOLD_BAD_LINE", "a line must be a JSON array that starts with its kind");
  }
  const fields = parsed as unknown[];
  const kind = fields[0];
  if (kind !== "m" && kind !== "p") return undefined;
  if (!isValidCounter(fields[1])) {
    throw new LineError("FOLD_BAD_COUNTER", `the counter must be an integer from 1 to 2^48, not ${describeCounter(fields[1])}`);
  }
  fields[2] = knownId(ids, "vertex", fields[2]);
  if (kind === "m") {
    if (fields.length !== 4) throw new LineError("FOLD_BAD_LINE", `a move has 4 elements, not ${fields.length}`);
    if (fields[3] !== null) fields[3] = knownId(ids, "parent", fields[3]);
  } else if (
    typeof fields[3] !== "string" ||
    fields.length < 5 ||
    fields.length > 6 ||
    (fields.length === 6 && fields[5] !== 1)
  ) {
    throw new LineError("FOLD_BAD_LINE", "a property has a key, a value and nothing else");
  } else {
    const fault = findPropertyFault(fields[1], fields[2] as string, fields[3], fields[4]);
    if (fault) throw new LineError(fault.code, `the value ${fault.reason}`);
  }
  return fields as unknown as OperationFields;
}

/** Converts checked fields to an operation. */
export function toOperation(fields: OperationFields, peerId: string, ids: IdCheck): VertexOperation {
  const id = { counter: fields[1], peerId };
  const targetId = fields[2];
  if (fields[0] === "m") return { id, targetId, parentId: fields[3] };
  const isRemoval = fields.length === 5 && isEmptyObject(fields[4]);
  return { id, targetId, key: ids.key(fields[3]), value: isRemoval ? undefined : fields[4], transient: false };
}

/** Thrown only inside the parser, which reports it as a {@link LineFault}. */
export class LineError extends Error implements LineFault {
  readonly code: FoldspaceErrorCode;
  readonly reason: string;

  constructor(code: FoldspaceErrorCode, reason: string) {
    super(reason);
    this.code = code;
    this.reason = reason;
  }
}

/** The start of a text from a file, safe to print. */
export function excerpt(text: string): string {
  const shown = JSON.stringify(text.slice(0, 60));
  return text.length > 60 ? `${shown}… (${text.length} characters)` : shown;
}

/** Avoids `JSON.stringify` of arrays and objects, which recurses as deep as the line is nested. */
function describeCounter(counter: unknown): string {
  if (typeof counter === "object" && counter !== null) return Array.isArray(counter) ? "an array" : "an object";
  return counter === undefined ? "missing" : excerpt(JSON.stringify(counter));
}

function knownId(ids: IdCheck, role: string, id: unknown): string {
  const known = ids.get(id);
  if (known !== undefined) return known;
  const shown = typeof id === "string" ? excerpt(id) : id === undefined ? "missing" : typeof id;
  throw new LineError(
    "FOLD_BAD_ID",
    `the ${role} id is ${shown}: it must have 1 to 256 characters and no control characters, quotes or slashes`,
  );
}

function isEmptyObject(value: JsonValue): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
