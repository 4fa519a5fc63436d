import { FormerValues, MIN_DIFFERENCE_LENGTH, type NumberedValue } from "./former-values.ts";
import type { JsonValue } from "./json-value.ts";
import { Numbering } from "./numbering.ts";
import { textOf, type TextBytes } from "./operation-columns.ts";
import type { OpId, SetVertexProperty } from "./operation.ts";
import type { SectionReader, SectionWriter } from "./sections.ts";
import { Table } from "./table.ts";
import type { VertexTable } from "./vertex-table.ts";

// Fields of an operation. A counter takes two.
const COUNTER = 0;
const PEER = 2;
const PROPERTY = 3;
/** Position of the value in `FormerValues`, unless the operation wins and its value is not {@link UNREAD}. */
const FORMER_VALUE = 4;
const OP_WIDTH = 5;

// Fields of a property
const VERTEX = 0;
const KEY = 1;
/** The next property of the vertex; of the last one, the first. */
const NEXT = 2;
/** The operation that wins. */
const WINNER = 3;
/** Number of values in sequence that are kept as differences from the ones that won over them. */
const DIFFERENCES = 4;
const PROPERTY_WIDTH = 5;

/** Bounds the time that it takes to read a former value. */
const MAX_DIFFERENCES = 255;
/** Bounds the memory of former values that were read. */
const MAX_RECENT = 2 * MAX_DIFFERENCES;
const MIN_LENGTH_OF_INDEX = 32;
/** Instead of a winning value that is still bytes. */
const UNREAD = Symbol();

/** The value of a property, and the operation that has set it. */
export interface SetValue {
  readonly id: OpId;
  /** `undefined`: the property was removed. */
  readonly value: JsonValue | undefined;
}

/** Former values that were read, by operation. */
export type RecentValues = Map<number, JsonValue | undefined>;

/**
 * The properties of all vertices, and all operations that have set them, in the order of arrival, without drafts. Of a property's
 * values, the one with the highest operation id wins; {@link FormerValues} has the others.
 */
export class PropertyTable {
  readonly #vertices: VertexTable;
  readonly #peers: Numbering;
  readonly #keys = new Numbering();
  readonly #ops = new Table(OP_WIDTH);
  readonly #properties = new Table(PROPERTY_WIDTH);
  /** The winning value of each property. */
  #values: (JsonValue | undefined | typeof UNREAD)[] = [undefined];
  readonly #formerValues = new FormerValues();
  /** Open-addressed: the properties, each at the first free place from the hash of its vertex and key on; 0: free. */
  #index: Int32Array<ArrayBuffer> = new Int32Array();

  constructor(vertices: VertexTable, peers: Numbering) {
    this.#vertices = vertices;
    this.#peers = peers;
  }

  /** Adds an operation. @returns whether it wins */
  add(id: OpId, vertex: number, key: string, value: JsonValue | undefined): boolean {
    const property = this.#propertyOf(vertex, this.#keys.numberOf(key));
    const op = this.#addOp(id, property);
    const winner = this.#properties.get(property, WINNER);
    if (winner !== 0 && this.#compare(op, winner) < 0) {
      const base = { op: winner, value: this.#winningValue(property) };
      this.#ops.set(op, FORMER_VALUE, this.#formerValues.add(value, base));
      return false;
    }
    if (winner !== 0) this.#keepFormer(property, { op, value });
    this.#properties.set(property, WINNER, op);
    this.#values[property] = value;
    return true;
  }

  /** As {@link add}, of a text that is bytes, and remains so until it is read. */
  addText(id: OpId, vertex: number, key: string, text: TextBytes): boolean {
    const property = this.#propertyOf(vertex, this.#keys.numberOf(key));
    const winner = this.#properties.get(property, WINNER);
    // of a long text that was edited, only what differs is kept
    if (winner !== 0 && text.length >= MIN_DIFFERENCE_LENGTH) return this.add(id, vertex, key, textOf(text));
    const op = this.#addOp(id, property);
    this.#ops.set(op, FORMER_VALUE, this.#formerValues.addText(text));
    if (winner !== 0 && this.#compare(op, winner) < 0) return false;
    if (winner !== 0) this.#keepFormer(property);
    this.#properties.set(property, WINNER, op);
    this.#values[property] = UNREAD;
    return true;
  }

  #addOp({ counter, peerId }: OpId, property: number): number {
    const op = this.#ops.add();
    this.#ops.setLong(op, COUNTER, counter);
    this.#ops.set(op, PEER, this.#peers.numberOf(peerId));
    this.#ops.set(op, PROPERTY, property);
    return op;
  }

  // ---- what wins ----

  /** `undefined` if the property has never been set. */
  winner(vertex: number, key: string): SetValue | undefined {
    const property = this.#find(vertex, this.#keys.find(key));
    if (property === 0) return undefined;
    return { id: this.idAt(this.#properties.get(property, WINNER)), value: this.#winningValue(property) };
  }

  /** `undefined` also if the property was removed. */
  value(vertex: number, key: string): JsonValue | undefined {
    return this.#winningValue(this.#find(vertex, this.#keys.find(key)));
  }

  /** The properties of a vertex that have ever been set, in the order in which they became known. */
  entriesOf(vertex: number): [key: string, value: JsonValue | undefined][] {
    const entries: [string, JsonValue | undefined][] = [];
    const last = this.#vertices.lastPropertyOf(vertex);
    if (last === 0) return entries;
    let property = last;
    do {
      property = this.#properties.get(property, NEXT);
      entries.push([this.#keys.textOf(this.#properties.get(property, KEY)), this.#winningValue(property)]);
    } while (property !== last);
    return entries;
  }

  // ---- all operations ----

  /** Number of operations. They have the numbers from 1 on, in the order of arrival. */
  get opCount(): number {
    return this.#ops.last;
  }

  /** @param recent passed on from one call to the next, values that depend on each other are read once */
  opAt(op: number, recent: RecentValues): SetVertexProperty {
    const property = this.#ops.get(op, PROPERTY);
    return {
      id: this.idAt(op),
      targetId: this.#vertices.idOf(this.#properties.get(property, VERTEX)),
      key: this.#keys.textOf(this.#properties.get(property, KEY)),
      value: this.#valueAt(op, recent),
      transient: false,
    };
  }

  peerIdAt(op: number): string {
    return this.#peers.textOf(this.#ops.get(op, PEER));
  }

  counterAt(op: number): number {
    return this.#ops.getLong(op, COUNTER);
  }

  idAt(op: number): OpId {
    return { counter: this.counterAt(op), peerId: this.peerIdAt(op) };
  }

  #valueAt(op: number, recent: RecentValues): JsonValue | undefined {
    const property = this.#ops.get(op, PROPERTY);
    if (this.#properties.get(property, WINNER) === op) return this.#winningValue(property);
    const position = this.#ops.get(op, FORMER_VALUE) >>> 0;
    if (!this.#formerValues.isDifference(position)) return this.#formerValues.read(position, () => undefined);
    if (recent.has(op)) return recent.get(op);
    const value = this.#formerValues.read(position, (base) => this.#valueAt(base, recent));
    if (recent.size >= MAX_RECENT) recent.clear();
    recent.set(op, value);
    return value;
  }

  #winningValue(property: number): JsonValue | undefined {
    const value = this.#values[property];
    if (value !== UNREAD) return value;
    const position = this.#ops.get(this.#properties.get(property, WINNER), FORMER_VALUE) >>> 0;
    return (this.#values[property] = this.#formerValues.read(position, () => undefined));
  }

  /** Moves the value that has won so far to the former ones. @param base the value that wins from now on, if it is no bytes */
  #keepFormer(property: number, base?: NumberedValue): void {
    const value = this.#values[property];
    const differences = this.#properties.get(property, DIFFERENCES);
    if (value === UNREAD) {
      this.#properties.set(property, DIFFERENCES, 0);
      return;
    }
    const position = this.#formerValues.add(value, differences < MAX_DIFFERENCES ? base : undefined);
    this.#properties.set(property, DIFFERENCES, this.#formerValues.isDifference(position) ? differences + 1 : 0);
    this.#ops.set(this.#properties.get(property, WINNER), FORMER_VALUE, position);
  }

  #compare(one: number, other: number): number {
    const difference = this.counterAt(one) - this.counterAt(other);
    return difference === 0 ? this.#peers.compare(this.#ops.get(one, PEER), this.#ops.get(other, PEER)) : difference;
  }

  // ---- snapshots ----

  writeTo(writer: SectionWriter): void {
    const ops = this.#ops.numbers.slice();
    const values = new FormerValues();
    const start = this.#formerValues.length;
    for (let property = 1; property <= this.#properties.last; property++) {
      const value = this.#values[property];
      if (value === UNREAD) continue;
      const winner = this.#properties.get(property, WINNER);
      ops[winner * OP_WIDTH + FORMER_VALUE] = start + values.add(value, undefined);
    }
    writer.json(this.#keys.texts);
    writer.numbers(ops);
    writer.numbers(this.#properties.numbers);
    writer.numbers(this.#index);
    writer.bytes(joined(this.#formerValues.bytes, values.bytes));
  }

  /** Of a table without operations. Values remain bytes until they are read. */
  readFrom(reader: SectionReader): void {
    this.#keys.fill(reader.json() as string[]);
    this.#ops.fill(reader.numbers());
    this.#properties.fill(reader.numbers());
    this.#index = reader.numbers() as Int32Array<ArrayBuffer>;
    this.#formerValues.fill(reader.bytes());
    this.#values = [];
    this.#values.length = this.#properties.last + 1;
    this.#values.fill(UNREAD, 1);
  }

  hasKey(key: string): boolean {
    return this.#keys.find(key) !== 0;
  }

  // ---- the index ----

  /** The property of a vertex, which gets it if it does not have it yet. */
  #propertyOf(vertex: number, key: number): number {
    const found = this.#find(vertex, key);
    if (found !== 0) return found;
    const property = this.#properties.add();
    this.#properties.set(property, VERTEX, vertex);
    this.#properties.set(property, KEY, key);
    this.#append(vertex, property);
    this.#values.push(undefined);
    if (3 * property >= 2 * this.#index.length) this.#growIndex();
    else this.#index[this.#placeOf(vertex, key)] = property;
    return property;
  }

  #append(vertex: number, property: number): void {
    const last = this.#vertices.lastPropertyOf(vertex);
    this.#properties.set(property, NEXT, last === 0 ? property : this.#properties.get(last, NEXT));
    if (last !== 0) this.#properties.set(last, NEXT, property);
    this.#vertices.setLastProperty(vertex, property);
  }

  /** 0 if the vertex does not have the property. */
  #find(vertex: number, key: number): number {
    return this.#index.length === 0 ? 0 : this.#index[this.#placeOf(vertex, key)]!;
  }

  /** The place of a property in the index, or the free place for it. */
  #placeOf(vertex: number, key: number): number {
    const mask = this.#index.length - 1;
    const hash = Math.imul(Math.imul(vertex, 0x9e3779b1) ^ key, 0x85ebca6b);
    for (let place = (hash ^ (hash >>> 15)) & mask; ; place = (place + 1) & mask) {
      const property = this.#index[place]!;
      if (property === 0) return place;
      if (this.#properties.get(property, VERTEX) === vertex && this.#properties.get(property, KEY) === key) return place;
    }
  }

  #growIndex(): void {
    this.#index = new Int32Array(Math.max(MIN_LENGTH_OF_INDEX, 2 * this.#index.length));
    for (let property = 1; property <= this.#properties.last; property++)
      this.#index[this.#placeOf(this.#properties.get(property, VERTEX), this.#properties.get(property, KEY))] = property;
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
