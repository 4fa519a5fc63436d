import { OpIdSet, type OpId, type VertexOperation } from "../tree/index.ts";

/** Counters of a peer, both ends included. */
export interface OpIdRange {
  peerId: string;
  start: number;
  end: number;
}

type Range = readonly number[];

/** A set of operation ids. New code uses `OpIdSet`, which has more methods. */
export class StateVector {
  readonly #ids: OpIdSet;

  /** @throws FoldspaceError `FOLD_BAD_COUNTER` if a range is not valid */
  constructor(initialState: Readonly<Record<string, number[][]>> = {}) {
    this.#ids = OpIdSet.from(initialState);
  }

  /** The set of the ids of these operations. */
  static fromOperations(operations: readonly VertexOperation[]): StateVector {
    const made = new StateVector();
    for (const op of operations) made.updateFromOp(op);
    return made;
  }

  /** Adds one id. */
  update(peerId: string, counter: number): void {
    this.#ids.add({ peerId, counter });
  }

  /** Adds the id of an operation. */
  updateFromOp(op: VertexOperation): void {
    this.#ids.add(op.id);
  }

  /** Ranges of counters by peer. */
  getState(): Readonly<Record<string, number[][]>> {
    return this.#ids.toState();
  }

  /** Whether the set has an id. */
  contains(opId: OpId): boolean {
    return this.#ids.has(opId);
  }

  /** The ids that are here and not in the other one. */
  diff(other: StateVector): OpIdRange[] {
    const theirs = other.getState();
    return Object.entries(this.getState()).flatMap(([peerId, ranges]) =>
      ranges
        .flatMap((range) => without(range, (Object.hasOwn(theirs, peerId) ? theirs[peerId] : undefined) ?? []))
        .map(([start, end]) => ({ peerId, start: start!, end: end! })),
    );
  }

  /** An independent copy. */
  clone(): StateVector {
    return new StateVector(this.getState());
  }
}

/** The parts of a range that are in none of the others, which are sorted. */
function without([first, last]: Range, others: readonly Range[]): Range[] {
  const parts: Range[] = [];
  let start = first!;
  for (const [from, to] of others) {
    if (to! < start || from! > last!) continue;
    if (from! > start) parts.push([start, from! - 1]);
    start = to! + 1;
  }
  if (start <= last!) parts.push([start, last!]);
  return parts;
}
