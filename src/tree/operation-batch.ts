import type { OperationColumns } from "./operation-columns.ts";
import type { VertexOperation } from "./operation.ts";
import type { OpIdSet } from "./op-id-set.ts";

/** Operations, made from rows one by one if they are no objects yet. */
export interface OperationList extends Iterable<VertexOperation> {
  readonly length: number;
}

/** About how many operations of a batch may be out of order among one another. */
const OPS_PER_GROUP = 500;

/** For each operation in order, the index of its columns, and its row there. */
interface Order {
  readonly sources: Uint32Array;
  readonly rows: Uint32Array;
}

/**
 * All operations that were loaded from the log files of a tree, by their counters. Those with about the same counter are in the
 * given order: that is cheaper than sorting, and few moves are late.
 */
export class OperationBatch implements OperationList {
  readonly length: number;
  readonly #columns: readonly OperationColumns[];
  #order: Order | undefined;

  /** @param columns with the same numbers */
  constructor(columns: readonly OperationColumns[]) {
    this.#columns = columns;
    this.length = columns.reduce((sum, { length }) => sum + length, 0);
  }

  /** Number of the ids of vertices that the operations name. */
  get idCount(): number {
    return this.#columns[0]?.numbers.ids.count ?? 0;
  }

  columnsAt(index: number): OperationColumns {
    return this.#columns[this.#ordered.sources[index]!]!;
  }

  rowAt(index: number): number {
    return this.#ordered.rows[index]!;
  }

  opAt(index: number): VertexOperation {
    return this.columnsAt(index).opAt(this.rowAt(index));
  }

  *[Symbol.iterator](): Generator<VertexOperation> {
    for (let index = 0; index < this.length; index++) yield this.opAt(index);
  }

  /** The operations of some peers, file by file. No others are made from rows. */
  *opsOf(isWanted: (peerId: string) => boolean): Generator<VertexOperation> {
    for (const columns of this.#columns)
      if (isWanted(columns.peerId)) for (let row = 1; row <= columns.length; row++) yield columns.opAt(row);
  }

  /** Parts of at most this length, in order. */
  slices(length: number): OperationSlice[] {
    const slices: OperationSlice[] = [];
    for (let start = 0; start < this.length; start += length)
      slices.push(new OperationSlice(this, start, Math.min(this.length, start + length)));
    return slices;
  }

  get #ordered(): Order {
    return (this.#order ??= orderOf(this.#columns, this.length));
  }
}

/** A part of a batch. */
export class OperationSlice implements OperationList {
  readonly batch: OperationBatch;
  /** Indices in the batch. */
  readonly start: number;
  readonly end: number;

  constructor(batch: OperationBatch, start: number, end: number) {
    this.batch = batch;
    this.start = start;
    this.end = end;
  }

  get length(): number {
    return this.end - this.start;
  }

  *[Symbol.iterator](): Generator<VertexOperation> {
    for (let index = this.start; index < this.end; index++) yield this.batch.opAt(index);
  }
}

/**
 * Adds the ids of operations.
 * @param onNew called with each operation whose id was new; without it, no operation is made from a row
 */
export function addIds(set: OpIdSet, ops: OperationList, onNew?: (op: VertexOperation) => void): void {
  if (!(ops instanceof OperationSlice)) {
    for (const op of ops) if (set.add(op.id)) onNew?.(op);
    return;
  }
  const { batch, start, end } = ops;
  for (let index = start; index < end; index++)
    if (set.add(batch.columnsAt(index).idAt(batch.rowAt(index)))) onNew?.(batch.opAt(index));
}

/** The operations of some peers. */
export function* opsOfPeers(ops: Iterable<VertexOperation>, isWanted: (peerId: string) => boolean): Generator<VertexOperation> {
  if (ops instanceof OperationBatch) yield* ops.opsOf(isWanted);
  else for (const op of ops) if (isWanted(op.id.peerId)) yield op;
}

/** Counts the operations of each range of counters, and then puts each operation into its range. */
function orderOf(columns: readonly OperationColumns[], count: number): Order {
  let lowest = Infinity;
  let highest = 0;
  for (const each of columns) {
    for (let row = 1; row <= each.length; row++) {
      const counter = each.counterAt(row);
      if (counter < lowest) lowest = counter;
      if (counter > highest) highest = counter;
    }
  }
  const groups = Math.ceil(count / OPS_PER_GROUP);
  const width = (highest - lowest + 1) / groups;
  const groupOf = (counter: number): number => Math.min(groups - 1, Math.floor((counter - lowest) / width));
  /** The place of the next operation of each group. */
  const places = new Uint32Array(groups + 1);
  for (const each of columns) for (let row = 1; row <= each.length; row++) places[groupOf(each.counterAt(row)) + 1]!++;
  for (let group = 1; group <= groups; group++) places[group]! += places[group - 1]!;
  const sources = new Uint32Array(count);
  const rows = new Uint32Array(count);
  for (const [source, each] of columns.entries()) {
    for (let row = 1; row <= each.length; row++) {
      const place = places[groupOf(each.counterAt(row))]!++;
      sources[place] = source;
      rows[place] = row;
    }
  }
  return { sources, rows };
}
