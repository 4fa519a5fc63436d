import { decodeAscii } from "../bytes.ts";
import type { JsonValue } from "./json-value.ts";
import type { OpId, VertexOperation } from "./operation.ts";
import { Table } from "./table.ts";
import { TextNumbers } from "./text-numbers.ts";

// Fields of a row. A counter takes two.
const COUNTER = 0;
const KIND = 2;
const TARGET = 3;
/** Number of the parent or of the key. */
const REFERENCE = 4;
/** Index of a value, or start of a text. */
const VALUE = 5;
const LENGTH = 6;
const WIDTH = 7;

// Kinds
const MOVE = 0;
const REMOVAL = 1;
const JSON_VALUE = 2;
const TEXT = 3;

/** Texts of ASCII in an array of bytes. */
export interface TextBytes {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly length: number;
}

/** The numbers that the vertices and keys of a tree have in its log files, shared by all of them. */
export interface LogNumbers {
  readonly ids: TextNumbers;
  readonly keys: TextNumbers;
}

export function newLogNumbers(): LogNumbers {
  return { ids: new TextNumbers(), keys: new TextNumbers() };
}

/**
 * Valid operations of one peer as rows of numbers, in any order, some perhaps several times. The path from a log file to a tree
 * makes no object per operation; operations are made from rows when a caller asks for them.
 */
export class OperationColumns {
  readonly peerId: string;
  readonly numbers: LogNumbers;
  readonly #rows = new Table(WIDTH);
  readonly #values: JsonValue[] = [];
  #bytes = new Uint8Array();
  #length = 0;

  constructor(peerId: string, numbers: LogNumbers) {
    this.peerId = peerId;
    this.numbers = numbers;
  }

  /** Number of operations. They have the numbers from 1 on. */
  get length(): number {
    return this.#rows.last;
  }

  // ---- adding: vertices and keys are given by their numbers ----

  /** @param parent 0 for a root */
  addMove(counter: number, target: number, parent: number): void {
    this.#add(counter, MOVE, target, parent);
  }

  /** @param value `undefined`: the property is removed */
  addProperty(counter: number, target: number, key: number, value: JsonValue | undefined): void {
    const row = this.#add(counter, value === undefined ? REMOVAL : JSON_VALUE, target, key);
    if (value !== undefined) this.#rows.set(row, VALUE, this.#values.push(value) - 1);
  }

  /** Adds an operation that sets a property to a text of ASCII, given as bytes. */
  addText(counter: number, target: number, key: number, bytes: Uint8Array, start: number, end: number): void {
    const row = this.#add(counter, TEXT, target, key);
    this.#rows.set(row, VALUE, this.#length);
    this.#rows.set(row, LENGTH, end - start);
    const needed = this.#length + end - start;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.ceil(needed * 1.5));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const own = this.#bytes;
    for (let at = start, to = this.#length; at < end; at++, to++) own[to] = bytes[at]!;
    this.#length = needed;
  }

  /** Adds an operation of this peer. */
  add(op: VertexOperation): void {
    const { ids, keys } = this.numbers;
    const target = ids.numberOf(op.targetId);
    if ("parentId" in op) this.addMove(op.id.counter, target, op.parentId === null ? 0 : ids.numberOf(op.parentId));
    else this.addProperty(op.id.counter, target, keys.numberOf(op.key), op.value);
  }

  /** Adds a copy of a row of other columns with the same numbers. */
  addRow(columns: OperationColumns, row: number): void {
    const [counter, target, reference] = [columns.counterAt(row), columns.targetAt(row), columns.#rows.get(row, REFERENCE)];
    const text = columns.textAt(row);
    if (columns.isMove(row)) this.addMove(counter, target, reference);
    else if (text) this.addText(counter, target, reference, text.bytes, text.start, text.start + text.length);
    else this.addProperty(counter, target, reference, columns.valueAt(row));
  }

  /** Removes all operations. */
  clear(): void {
    this.#rows.clear();
    this.#values.length = 0;
    this.#length = 0;
  }

  #add(counter: number, kind: number, target: number, reference: number): number {
    const row = this.#rows.add();
    this.#rows.setLong(row, COUNTER, counter);
    this.#rows.set(row, KIND, kind);
    this.#rows.set(row, TARGET, target);
    this.#rows.set(row, REFERENCE, reference);
    return row;
  }

  // ---- reading ----

  counterAt(row: number): number {
    return this.#rows.getLong(row, COUNTER);
  }

  idAt(row: number): OpId {
    return { counter: this.counterAt(row), peerId: this.peerId };
  }

  isMove(row: number): boolean {
    return this.#rows.get(row, KIND) === MOVE;
  }

  targetAt(row: number): number {
    return this.#rows.get(row, TARGET);
  }

  /** Number of a move's parent, 0 for a root. */
  parentAt(row: number): number {
    return this.#rows.get(row, REFERENCE);
  }

  keyAt(row: number): string {
    return this.numbers.keys.textOf(this.#rows.get(row, REFERENCE));
  }

  /** The bytes of a property's value, if they are known to be a text of ASCII. */
  textAt(row: number): TextBytes | undefined {
    if (this.#rows.get(row, KIND) !== TEXT) return undefined;
    return { bytes: this.#bytes, start: this.#rows.get(row, VALUE), length: this.#rows.get(row, LENGTH) };
  }

  /** The value of a property; `undefined`: it is removed. */
  valueAt(row: number): JsonValue | undefined {
    const text = this.textAt(row);
    if (text) return textOf(text);
    return this.#rows.get(row, KIND) === REMOVAL ? undefined : this.#values[this.#rows.get(row, VALUE)];
  }

  opAt(row: number): VertexOperation {
    const { ids } = this.numbers;
    const id = this.idAt(row);
    const targetId = ids.textOf(this.targetAt(row));
    if (!this.isMove(row)) return { id, targetId, key: this.keyAt(row), value: this.valueAt(row), transient: false };
    const parent = this.parentAt(row);
    return { id, targetId, parentId: parent === 0 ? null : ids.textOf(parent) };
  }

  *[Symbol.iterator](): Generator<VertexOperation> {
    for (let row = 1; row <= this.length; row++) yield this.opAt(row);
  }
}

export function textOf({ bytes, start, length }: TextBytes): string {
  return decodeAscii(bytes.subarray(start, start + length));
}
