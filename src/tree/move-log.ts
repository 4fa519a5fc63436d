import type { Numbering } from "./numbering.ts";
import { compareOpIds, type MoveVertex, type OpId } from "./operation.ts";
import type { SectionReader, SectionWriter } from "./sections.ts";
import { Table } from "./table.ts";
import { NO_PARENT, NOT_PLACED, type VertexTable } from "./vertex-table.ts";

// Fields of a row. A counter takes two.
const COUNTER = 0;
const PEER = 2;
const TARGET = 3;
/** A vertex, or `NO_PARENT`. */
const PARENT = 4;
/** The target's parent just before this move. */
const PREVIOUS_PARENT = 5;
/** 1: the move would have made a cycle. */
const IS_SKIPPED = 6;
const WIDTH = 7;

/** A move in the log, made on demand. */
export interface MoveEntry {
  readonly op: MoveVertex;
  /** Id of the target's parent just before this move; `undefined`: it was not placed. */
  readonly previousParentId: string | null | undefined;
  /** Whether an older move names the target as parent. Otherwise nothing can have been below it. */
  readonly mayHaveHadChildren: boolean;
}

/** Called for a vertex that has another parent than before. The parents are as {@link VertexTable.parentOf} gives them. */
export type OnMoved = (vertex: number, from: number, to: number) => void;

/**
 * The moves of a tree, in the order of their ids, and the tree that results from replaying them: a move whose new
 * parent is the vertex itself or one of its descendants is skipped.
 *
 * After Kleppmann, Mulligan, Gomes and Beresford, "A highly-available move operation for replicated trees"
 * (IEEE TPDS 2021). There, a late move is applied by undoing every younger one and redoing it. Here, moves
 * wait until the tree is read, so that any number of late moves costs one undo and one redo, and none if they only create
 * vertices. Both only change the parents in the table of vertices; child lists follow for the vertices that end up elsewhere.
 */
export class MoveLog {
  readonly #vertices: VertexTable;
  readonly #peers: Numbering;
  /** First the applied moves, sorted by id; then those that wait, in any order. */
  readonly #moves = new Table(WIDTH);
  #lastApplied = 0;
  #oldestWaiting = 0;
  /** Vertices whose parents the running replay has changed, and their parents before it. */
  readonly #touched: number[] = [];
  readonly #formerParents: number[] = [];

  constructor(vertices: VertexTable, peers: Numbering) {
    this.#vertices = vertices;
    this.#peers = peers;
  }

  get hasPending(): boolean {
    return this.#moves.last > this.#lastApplied;
  }

  /** Whether every waiting move is younger than all applied ones, so that applying them undoes nothing. */
  get isInOrder(): boolean {
    return this.#lastApplied === 0 || !this.hasPending || this.#compare(this.#lastApplied, this.#oldestWaiting) < 0;
  }

  add(id: OpId, target: number, parent: number): void {
    const row = this.#moves.add();
    this.#moves.setLong(row, COUNTER, id.counter);
    this.#moves.set(row, PEER, this.#peers.numberOf(id.peerId));
    this.#moves.set(row, TARGET, target);
    this.#moves.set(row, PARENT, parent);
    if (parent > 0) this.#vertices.noteUse(parent, id.counter);
    if (row === this.#lastApplied + 1 || this.#compare(row, this.#oldestWaiting) < 0) this.#oldestWaiting = row;
  }

  /** Applies the waiting moves. @param onMoved called when all of them have been applied */
  applyPending(onMoved: OnMoved): void {
    const firstWaiting = this.#lastApplied + 1;
    const rows = this.#waitingInOrder();
    this.#lastApplied = this.#moves.last;
    if (rows === undefined) {
      for (let row = firstWaiting; row <= this.#lastApplied; row++) this.#apply(row);
    } else {
      const waiting = this.#moves.pick(rows);
      const first = this.#positionOf(waiting, 1, 1, firstWaiting);
      if (this.#onlyCreates(waiting)) {
        for (const row of this.#insert(waiting, first, firstWaiting)) this.#apply(row);
      } else {
        for (let row = firstWaiting - 1; row >= first; row--) this.#undo(row);
        this.#redo(first, this.#insert(waiting, first, firstWaiting));
      }
    }
    this.#reportMoved(onMoved);
  }

  // ---- looking up: the log must have no pending moves ----

  /** Number of moves. They have the numbers from 1 on, in the order of their ids. */
  get size(): number {
    return this.#moves.last;
  }

  opAt(row: number): MoveVertex {
    return {
      id: this.idAt(row),
      targetId: this.#vertices.idOf(this.#moves.get(row, TARGET)),
      parentId: this.#vertices.idOfParent(this.#moves.get(row, PARENT)) ?? null,
    };
  }

  idAt(row: number): OpId {
    return { counter: this.#moves.getLong(row, COUNTER), peerId: this.#peers.textOf(this.#moves.get(row, PEER)) };
  }

  entryAt(row: number): MoveEntry {
    const firstUse = this.#vertices.firstUseOf(this.#moves.get(row, TARGET));
    return {
      op: this.opAt(row),
      previousParentId: this.#vertices.idOfParent(this.#moves.get(row, PREVIOUS_PARENT)),
      mayHaveHadChildren: firstUse !== 0 && firstUse <= this.#moves.getLong(row, COUNTER),
    };
  }

  /** The number of the move with this id; otherwise 0. */
  find(id: OpId): number {
    let low = 1;
    let high = this.size;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const order = compareOpIds(this.idAt(middle), id);
      if (order === 0) return middle;
      if (order < 0) low = middle + 1;
      else high = middle - 1;
    }
    return 0;
  }

  /** The target of the oldest move that makes a root; 0 if there is none. @param bin never a root */
  firstRoot(bin: number): number {
    for (let row = 1; row <= this.size; row++) {
      const target = this.#moves.get(row, TARGET);
      if (this.#moves.get(row, PARENT) === NO_PARENT && target !== bin) return target;
    }
    return 0;
  }

  /**
   * The move that a new move must follow if a counter above the given one is not enough: a later move of the same vertex, or any
   * move that has just taken the parent out from below it.
   */
  obstacleAbove(counter: number, target: number, parent: number): OpId | undefined {
    /** Parents at the position in the log that the move would have. */
    const parents = new Map<number, number>();
    let last: OpId | undefined;
    for (let row = this.size; row > 0 && !last && this.#moves.getLong(row, COUNTER) > counter; row--) {
      if (this.#moves.get(row, TARGET) === target) last = this.idAt(row);
      else parents.set(this.#moves.get(row, TARGET), this.#moves.get(row, PREVIOUS_PARENT));
    }
    if (parents.size === 0) return last;
    for (let above = parent; above > 0; above = parents.get(above) ?? this.#vertices.parentOf(above)) {
      if (above === target) return this.idAt(this.size);
    }
    return last;
  }

  // ---- snapshots ----

  /** The log must have no pending moves. */
  writeTo(writer: SectionWriter): void {
    writer.numbers(this.#moves.numbers);
  }

  /** Of a log without moves. */
  readFrom(reader: SectionReader): void {
    this.#moves.fill(reader.numbers());
    this.#lastApplied = this.#moves.last;
  }

  // ---- replaying ----

  /** The waiting moves in the order of their ids; `undefined` if they and the applied ones are in order as they are. */
  #waitingInOrder(): number[] | undefined {
    const rows: number[] = [];
    let isInOrder = this.isInOrder;
    for (let row = this.#lastApplied + 1; row <= this.#moves.last; row++) {
      if (rows.length > 0 && isInOrder) isInOrder = this.#compare(row - 1, row) < 0;
      rows.push(row);
    }
    return isInOrder ? undefined : rows.sort((a, b) => this.#compare(a, b));
  }

  /** Whether each of the moves creates a vertex that no applied move names: then no other move has another outcome with them. */
  #onlyCreates(waiting: Table): boolean {
    for (let row = 1; row <= waiting.last; row++) {
      const target = waiting.get(row, TARGET);
      if (this.#vertices.isInLog(target) || !this.#touch(target)) return false;
      const firstUse = this.#vertices.firstUseOf(target);
      if (firstUse !== 0 && firstUse <= waiting.getLong(row, COUNTER)) return false;
    }
    return true;
  }

  /**
   * Inserts the sorted moves among the applied ones, which are before `end`.
   * @param first position of the first of them
   * @returns their positions
   */
  #insert(waiting: Table, first: number, end: number): number[] {
    const positions: number[] = [];
    for (let row = waiting.last; row > 0; row--) {
      const position = this.#positionOf(waiting, row, first, end);
      this.#moves.shift(position, end, row);
      positions.push(position + row - 1);
      this.#moves.replace(position + row - 1, waiting, row);
      end = position;
    }
    return positions;
  }

  /** The number of the first move, from `low` on and before `high`, that is younger than the waiting one; or `high`. */
  #positionOf(waiting: Table, waitingRow: number, low: number, high: number): number {
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#compare(middle, waitingRow, waiting) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #apply(row: number): void {
    const target = this.#moves.get(row, TARGET);
    const parent = this.#moves.get(row, PARENT);
    this.#touch(target);
    this.#moves.set(row, PREVIOUS_PARENT, this.#vertices.parentOf(target));
    this.#vertices.noteInLog(target);
    if (parent > 0) this.#vertices.noteInLog(parent);
    const isSkipped = this.#makesCycle(row, target, parent);
    this.#moves.set(row, IS_SKIPPED, isSkipped ? 1 : 0);
    if (!isSkipped) this.#vertices.setParent(target, parent);
  }

  /**
   * Applies moves after late ones were inserted among them. While each vertex has the parent that it had here without the late
   * moves, an earlier move has the outcome that it had.
   * @param inserted the late moves, the last one first
   */
  #redo(first: number, inserted: number[]): void {
    /** Parents without the late moves, of the vertices that have another one with them. */
    const others = new Map<number, number>();
    for (let row = first; row <= this.#lastApplied; row++) {
      const target = this.#moves.get(row, TARGET);
      const isLate = row === inserted.at(-1);
      if (isLate) inserted.pop();
      else if (others.size === 0) {
        if (this.#moves.get(row, IS_SKIPPED) === 0) this.#vertices.setParent(target, this.#moves.get(row, PARENT));
        continue;
      }
      // no earlier move depends on a vertex that none of them names
      const isNamed = this.#vertices.isInLog(target);
      let other = others.get(target) ?? this.#vertices.parentOf(target);
      if (!isLate && this.#moves.get(row, IS_SKIPPED) === 0) other = this.#moves.get(row, PARENT);
      this.#apply(row);
      if (!isNamed || other === this.#vertices.parentOf(target)) others.delete(target);
      else others.set(target, other);
    }
  }

  #makesCycle(row: number, target: number, parent: number): boolean {
    if (parent === target) return true;
    const firstUse = this.#vertices.firstUseOf(target);
    // the target has had no children so far: true for every honest creation, and for every move of a leaf
    if (firstUse === 0 || this.#moves.getLong(row, COUNTER) < firstUse) return false;
    return this.#vertices.isAtOrBelow(parent, target);
  }

  #undo(row: number): void {
    const target = this.#moves.get(row, TARGET);
    this.#touch(target);
    this.#vertices.setParent(target, this.#moves.get(row, PREVIOUS_PARENT));
  }

  /** @returns whether it was not touched before */
  #touch(vertex: number): boolean {
    if (!this.#vertices.touch(vertex)) return false;
    this.#touched.push(vertex);
    this.#formerParents.push(this.#vertices.parentOf(vertex));
    return true;
  }

  #reportMoved(onMoved: OnMoved): void {
    for (const [index, vertex] of this.#touched.entries()) {
      this.#vertices.endTouch(vertex);
      const from = this.#formerParents[index] ?? NOT_PLACED;
      const to = this.#vertices.parentOf(vertex);
      if (from !== to) onMoved(vertex, from, to);
    }
    this.#touched.length = 0;
    this.#formerParents.length = 0;
  }

  /** Orders two moves by their ids. */
  #compare(one: number, other: number, tableOfOther = this.#moves): number {
    const difference = this.#moves.getLong(one, COUNTER) - tableOfOther.getLong(other, COUNTER);
    return difference === 0 ? this.#peers.compare(this.#moves.get(one, PEER), tableOfOther.get(other, PEER)) : difference;
  }
}
