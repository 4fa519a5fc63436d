import { Ancestry } from "./ancestry.ts";
import { Numbering } from "./numbering.ts";
import type { SectionReader, SectionWriter } from "./sections.ts";
import { Table } from "./table.ts";

/** The parent of a vertex that no move has placed yet: it does not exist so far. */
export const NOT_PLACED = 0;
/** The parent of a root. */
export const NO_PARENT = -1;

const PARENT = 0;
const FIRST_CHILD = 1;
const NEXT_SIBLING = 2;
const PREVIOUS_SIBLING = 3;
const LAST_PROPERTY = 4;
const FLAGS = 5;
const FIRST_USE = 6;
const WIDTH = 8;

const IN_LOG = 1;
const TOUCHED = 2;

// Fewer steps up than the first limit are cheaper than a lookup in `Ancestry`, more than the second one are not.
const MIN_STEPS_LIMIT = 8;
const MAX_STEPS_LIMIT = 1_024;
const STEPS_LIMIT_GROWTH = 32;

/**
 * The vertices of a tree, by number: their ids, parents and children. A vertex has a number before it exists, if an operation names
 * it as parent or target.
 */
export class VertexTable {
  readonly #ids = new Numbering();
  readonly #table = new Table(WIDTH);
  /** Made when a tree turns out to be deep. */
  #ancestry: Ancestry | undefined;
  /** Falls while walks up do not reach the top within it, because then they are wasted. */
  #stepsLimit = MAX_STEPS_LIMIT;

  /** Number of the last vertex; the first one has number 1. */
  get last(): number {
    return this.#table.last;
  }

  /** The number of an id, which is given one if it has none. */
  numberOf(id: string): number {
    const vertex = this.#ids.numberOf(id);
    if (vertex > this.#table.last) this.#table.add();
    return vertex;
  }

  /** The number of an id that has one; otherwise 0. */
  find(id: string): number {
    return this.#ids.find(id);
  }

  idOf(vertex: number): string {
    return this.#ids.textOf(vertex);
  }

  exists(vertex: number): boolean {
    return vertex > 0 && this.parentOf(vertex) !== NOT_PLACED;
  }

  /** Number of the parent, {@link NO_PARENT} or {@link NOT_PLACED}. */
  parentOf(vertex: number): number {
    return this.#table.get(vertex, PARENT);
  }

  /** `null`: a root; `undefined`: not placed. */
  parentIdOf(vertex: number): string | null | undefined {
    return this.idOfParent(this.parentOf(vertex));
  }

  /** @param parent as {@link parentOf} gives it */
  idOfParent(parent: number): string | null | undefined {
    if (parent > 0) return this.idOf(parent);
    return parent === NO_PARENT ? null : undefined;
  }

  /** Children do not follow: see {@link addChild} and {@link removeChild}. */
  setParent(vertex: number, parent: number): void {
    if (this.parentOf(vertex) === parent) return;
    this.#table.set(vertex, PARENT, parent);
    this.#ancestry?.noteChanged(vertex);
  }

  /** Whether the way from a vertex to the top, the vertex included, leads over another one; 0 is above none. */
  isAtOrBelow(vertex: number, above: number): boolean {
    if (above === 0) return false;
    let steps = 0;
    for (let at = vertex; at > 0; at = this.parentOf(at)) {
      if (at === above) return true;
      if (++steps < this.#stepsLimit) continue;
      this.#stepsLimit = Math.max(MIN_STEPS_LIMIT, this.#stepsLimit >> 1);
      this.#ancestry ??= new Ancestry((each) => this.parentOf(each), this.last);
      return this.#ancestry.isAtOrBelow(at, above);
    }
    this.#stepsLimit = Math.min(MAX_STEPS_LIMIT, this.#stepsLimit + STEPS_LIMIT_GROWTH);
    return false;
  }

  /** From the parent up, as far as vertices exist. */
  ancestorsOf(vertex: number): number[] {
    const ancestors: number[] = [];
    for (let above = this.parentOf(vertex); this.exists(above); above = this.parentOf(above)) ancestors.push(above);
    return ancestors;
  }

  /** In no particular order. */
  childrenOf(parent: number): number[] {
    const children: number[] = [];
    for (let child = this.#table.get(parent, FIRST_CHILD); child !== 0; child = this.#table.get(child, NEXT_SIBLING))
      children.push(child);
    return children;
  }

  addChild(parent: number, child: number): void {
    const next = this.#table.get(parent, FIRST_CHILD);
    this.#table.set(child, NEXT_SIBLING, next);
    this.#table.set(child, PREVIOUS_SIBLING, 0);
    if (next !== 0) this.#table.set(next, PREVIOUS_SIBLING, child);
    this.#table.set(parent, FIRST_CHILD, child);
  }

  removeChild(parent: number, child: number): void {
    const next = this.#table.get(child, NEXT_SIBLING);
    const previous = this.#table.get(child, PREVIOUS_SIBLING);
    if (next !== 0) this.#table.set(next, PREVIOUS_SIBLING, previous);
    if (previous !== 0) this.#table.set(previous, NEXT_SIBLING, next);
    else this.#table.set(parent, FIRST_CHILD, next);
  }

  /** The last of the vertex's entries in {@link PropertyTable}; 0 if it has none. */
  lastPropertyOf(vertex: number): number {
    return this.#table.get(vertex, LAST_PROPERTY);
  }

  setLastProperty(vertex: number, entry: number): void {
    this.#table.set(vertex, LAST_PROPERTY, entry);
  }

  // ---- snapshots ----

  writeTo(writer: SectionWriter): void {
    writer.json(this.#ids.texts);
    writer.numbers(this.#table.numbers);
  }

  /** Of a table without vertices. */
  readFrom(reader: SectionReader): void {
    this.#ids.fill(reader.json() as string[]);
    this.#table.fill(reader.numbers());
  }

  // ---- for MoveLog ----

  /** Lowest counter of all moves that name the vertex as parent; 0 if none does. Before it, the vertex had no descendants. */
  firstUseOf(vertex: number): number {
    return this.#table.getLong(vertex, FIRST_USE);
  }

  noteUse(parent: number, counter: number): void {
    const first = this.firstUseOf(parent);
    if (first === 0 || counter < first) this.#table.setLong(parent, FIRST_USE, counter);
  }

  /** Whether an applied move names the vertex, as target or parent. */
  isInLog(vertex: number): boolean {
    return (this.#table.get(vertex, FLAGS) & IN_LOG) !== 0;
  }

  noteInLog(vertex: number): void {
    this.#table.set(vertex, FLAGS, this.#table.get(vertex, FLAGS) | IN_LOG);
  }

  /** Marks a vertex for the running replay. @returns whether it was not marked */
  touch(vertex: number): boolean {
    const flags = this.#table.get(vertex, FLAGS);
    this.#table.set(vertex, FLAGS, flags | TOUCHED);
    return (flags & TOUCHED) === 0;
  }

  endTouch(vertex: number): void {
    this.#table.set(vertex, FLAGS, this.#table.get(vertex, FLAGS) & ~TOUCHED);
  }
}
