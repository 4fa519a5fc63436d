import type { LineProblem } from "../log/line-problem.ts";
import type { LogPosition } from "../log/parser.ts";
import type { JsonValue, VertexOperation } from "../tree/index.ts";
import type { OperationColumns } from "../tree/operation-columns.ts";
import type { TextNumbers } from "../tree/text-numbers.ts";

/** Messages from the page to the worker. Each job reads one file; several may be under way. */
export type ToWorker =
  | { readonly type: "start"; readonly job: number; readonly peerId: string; readonly from: LogPosition }
  | { readonly type: "chunk"; readonly job: number; readonly bytes: Uint8Array }
  | { readonly type: "end"; readonly job: number };

/** Messages from the worker to the page. */
export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "ops"; readonly job: number; readonly packed: PackedOps }
  /** A chunk is parsed: the page may send the next one. */
  | { readonly type: "taken"; readonly job: number }
  | { readonly type: "done"; readonly job: number; readonly result: ParseResult };

export interface ParseResult {
  /** The first problems, up to `MAX_LISTED_OF_FILE`. */
  readonly problems: readonly LineProblem[];
  /** Number of all problems. */
  readonly problemCount: number;
  /** How many of the listed problems are of whole lines, before the position. */
  readonly finalProblems: number;
  /** How many of all problems are. */
  readonly finalProblemCount: number;
  readonly position: LogPosition;
}

/**
 * Operations as columns. Receiving them blocks the page for a fraction of the time that objects take, because a few
 * buffers are transferred instead of copying hundreds of thousands of objects.
 */
export interface PackedOps {
  readonly peerId: string;
  readonly counters: Float64Array;
  readonly kinds: Uint8Array;
  /** Index of the target in `strings`. */
  readonly targets: Uint32Array;
  /** Index of the parent or the key in `strings`. */
  readonly references: Uint32Array;
  readonly strings: readonly string[];
  /** The values of properties that have one, in order. */
  readonly values: readonly JsonValue[];
}

const ROOT = 0;
const MOVE = 1;
const REMOVAL = 2;
const PROPERTY = 3;

/** Operations per message: unpacking them takes a few milliseconds. */
export const OPS_PER_MESSAGE = 4_096;

export function packOps(peerId: string, ops: readonly VertexOperation[]): PackedOps {
  const counters = new Float64Array(ops.length);
  const kinds = new Uint8Array(ops.length);
  const targets = new Uint32Array(ops.length);
  const references = new Uint32Array(ops.length);
  const strings: string[] = [];
  const values: JsonValue[] = [];
  const indexes = new Map<string, number>();
  const indexOf = (text: string): number => {
    let index = indexes.get(text);
    if (index === undefined) {
      index = strings.push(text) - 1;
      indexes.set(text, index);
    }
    return index;
  };
  for (const [at, op] of ops.entries()) {
    counters[at] = op.id.counter;
    targets[at] = indexOf(op.targetId);
    if ("parentId" in op) {
      kinds[at] = op.parentId === null ? ROOT : MOVE;
      if (op.parentId !== null) references[at] = indexOf(op.parentId);
    } else {
      kinds[at] = op.value === undefined ? REMOVAL : PROPERTY;
      references[at] = indexOf(op.key);
      if (op.value !== undefined) values.push(op.value);
    }
  }
  return { peerId, counters, kinds, targets, references, strings, values };
}

/** The buffers of a packed message, for transfer. */
export function buffersOf({ counters, kinds, targets, references }: PackedOps): ArrayBuffer[] {
  return [counters, kinds, targets, references].map((column) => column.buffer as ArrayBuffer);
}

export function unpackInto(columns: OperationColumns, packed: PackedOps): void {
  const { counters, kinds, targets, references, strings, values } = packed;
  const { ids, keys } = columns.numbers;
  const numbersIn = (numbers: TextNumbers): ((index: number) => number) => {
    const known = new Int32Array(strings.length);
    return (index) => (known[index] ||= numbers.numberOf(strings[index]!));
  };
  const idAt = numbersIn(ids);
  const keyAt = numbersIn(keys);
  let nextValue = 0;
  for (let at = 0; at < counters.length; at++) {
    const counter = counters[at]!;
    const target = idAt(targets[at]!);
    const kind = kinds[at];
    if (kind === ROOT) columns.addMove(counter, target, 0);
    else if (kind === MOVE) columns.addMove(counter, target, idAt(references[at]!));
    else columns.addProperty(counter, target, keyAt(references[at]!), kind === PROPERTY ? values[nextValue++] : undefined);
  }
}
