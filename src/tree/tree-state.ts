import { MAX_COUNTER, MAX_CLOCK } from "../limits.ts";
import { FoldspaceError } from "../errors.ts";
import { findAmbiguousPlaces, type Placement, type Conflicts } from "./ambiguous-places.ts";
import { ChildOrder } from "./child-order.ts";
import { toOperation, type Change } from "./change.ts";
import { searchDifferingContents, type DifferingContents } from "./differing-contents.ts";
import { Drafts } from "./drafts.ts";
import type { ChangeFeed } from "./events.ts";
import type { JsonValue } from "./json-value.ts";
import { MoveLog } from "./move-log.ts";
import { OLD_NAME_KEY, otherNameKey } from "./names.ts";
import { Numbering } from "./numbering.ts";
import type { OperationColumns } from "./operation-columns.ts";
import {
  assertContents,
  BIN_ID,
  compareOpIds,
  opIdToString,
  type OpId,
  type SetVertexProperty,
  type VertexOperation,
} from "./operation.ts";
import { OpIdSet, type StateVector } from "./op-id-set.ts";
import { ORDER_KEY } from "./order.ts";
import { PropertyTable, type RecentValues } from "./property-table.ts";
import { CREATED_AT_KEY, ShownProperties } from "./shown-properties.ts";
import type { SectionReader, SectionWriter } from "./sections.ts";
import type { Vertex } from "./vertex.ts";
import { NO_PARENT, VertexTable } from "./vertex-table.ts";

/** Operations that are not part of the tree yet. */
export interface MadeOperations {
  readonly ops: readonly VertexOperation[];
  /** The clock after them. */
  readonly clock: number;
}

/**
 * The state that a set of operations gives. Vertices, peers and property keys have numbers, and everything about them is in tables
 * of numbers; ids and operations are made from these when a caller asks for them. It does not know the makers of operations or the
 * readers of the tree; it only reports changes to the feed.
 */
export class TreeState {
  vector: OpIdSet = new OpIdSet();
  /** The Lamport clock: the highest known counter up to {@link MAX_CLOCK}, or that of an edit made above it. */
  #clock = 0;
  readonly #peers = new Numbering();
  readonly #vertices = new VertexTable();
  readonly #moves = new MoveLog(this.#vertices, this.#peers);
  readonly #properties = new PropertyTable(this.#vertices, this.#peers);
  readonly #drafts = new Drafts();
  readonly #shown = new ShownProperties(this.#properties, this.#drafts);
  readonly #children = new ChildOrder(this.#vertices, (vertex) => ({
    id: this.#vertices.idOf(vertex),
    order: this.#shown.order(vertex),
    createdAt: this.#shown.createdAt(vertex),
  }));
  readonly #rootId: string | undefined;
  /** `undefined`: not searched for since the last move. */
  #root: number | undefined;
  readonly #feed: ChangeFeed;

  /** @param rootId id of the root, if known beforehand */
  constructor(rootId: string | undefined, feed: ChangeFeed) {
    this.#rootId = rootId;
    this.#feed = feed;
  }

  // ---- reading: each method applies pending moves first. A vertex is given by its number ----

  /** The vertices as pending moves leave them. */
  get vertices(): VertexTable {
    this.applyPending();
    return this.#vertices;
  }

  get properties(): ShownProperties {
    return this.#shown;
  }

  get drafts(): Drafts {
    return this.#drafts;
  }

  get root(): number | undefined {
    const { vertices } = this;
    this.#root ??= this.#rootId === undefined ? this.#moves.firstRoot(vertices.find(BIN_ID)) : vertices.find(this.#rootId);
    return vertices.exists(this.#root) ? this.#root : undefined;
  }

  /** The number of a vertex, if it exists. */
  existing(vertexId: string): number | undefined {
    const { vertices } = this;
    const vertex = vertices.find(vertexId);
    return vertices.exists(vertex) ? vertex : undefined;
  }

  /** The caller must not keep or change the list. */
  childrenOf(vertexId: string): readonly number[] {
    const vertex = this.vertices.find(vertexId);
    return vertex === 0 ? [] : this.#children.inOrder(vertex);
  }

  /** The same frozen list as long as a caller holds it and nothing changes. */
  childHandles(vertexId: string, handleOf: (vertex: number) => Vertex): readonly Vertex[] {
    return this.#children.handles(this.vertices.find(vertexId), handleOf);
  }

  /** As {@link findAmbiguousPlaces}. */
  ambiguousPlaces(conflicts: readonly Conflicts[]): Placement[] {
    const { vertices } = this;
    return findAmbiguousPlaces(
      this.#moves,
      (id) => {
        const vertex = vertices.find(id);
        return vertex === 0 ? undefined : vertices.parentIdOf(vertex);
      },
      conflicts,
    );
  }

  /** As {@link searchDifferingContents}. */
  searchDifferingContents(reported: readonly VertexOperation[]): Generator<undefined, DifferingContents[]> {
    this.applyPending();
    return searchDifferingContents(
      reported.filter((op) => "parentId" in op || !op.transient),
      this.#moves,
      this.#properties,
      () => this.applyPending(),
    );
  }

  /** Moves sorted by id, then properties. @param known ids of operations to leave out */
  ops(known?: OpIdSet): VertexOperation[] {
    this.applyPending();
    const ops: VertexOperation[] = [];
    for (let move = 1; move <= this.#moves.size; move++) {
      if (!known?.has(this.#moves.idAt(move))) ops.push(this.#moves.opAt(move));
    }
    const recent: RecentValues = new Map();
    for (let index = 1; index <= this.#properties.opCount; index++) {
      if (!known?.has(this.#properties.idAt(index))) ops.push(this.#properties.opAt(index, recent));
    }
    return ops;
  }

  // ---- snapshots ----

  /** Whether nothing is known, not even a draft. */
  get isBlank(): boolean {
    return this.vector.size === 0 && this.#vertices.last === 0;
  }

  /** Whether a name was ever set in the property that older versions use. */
  get hasOldNames(): boolean {
    return this.#properties.hasKey(OLD_NAME_KEY);
  }

  /** Writes the whole state, without drafts. */
  writeTo(writer: SectionWriter): void {
    this.applyPending();
    writer.json([this.#clock, this.#peers.texts, this.vector.toState()]);
    this.#vertices.writeTo(writer);
    this.#moves.writeTo(writer);
    this.#properties.writeTo(writer);
  }

  /** Takes over what {@link writeTo} wrote. The state must be blank, and have no listeners. */
  readFrom(reader: SectionReader): void {
    const [clock, peers, vector] = reader.json() as [number, string[], StateVector];
    this.#clock = clock;
    this.#peers.fill(peers);
    this.vector = OpIdSet.from(vector);
    this.#vertices.readFrom(reader);
    this.#moves.readFrom(reader);
    this.#properties.readFrom(reader);
    this.#root = undefined;
  }

  // ---- making ----

  /** The value or the id of the parent that a change replaces, as in {@link TreeEdit}. */
  formerOf(change: Change): JsonValue | undefined {
    const { vertices } = this;
    const vertex = vertices.find(change.targetId);
    if (vertex === 0) return undefined;
    return "parentId" in change ? vertices.parentIdOf(vertex) : this.#shown.value(vertex, change.key, false);
  }

  /** The Lamport clock: operations are made with counters above it. */
  get clock(): number {
    return this.#clock;
  }

  /**
   * Makes operations with ids that take effect: above the clock, or above the operation that has decided the matter. They are not
   * part of the tree until {@link addMade}.
   * @param floor the highest counter that the peer may have used before
   * @throws FoldspaceError `FOLD_COUNTER_EXHAUSTED` if that has the highest possible counter, and the errors of
   *   {@link assertContents}
   */
  make(peerId: string, floor: number, changes: readonly Change[]): MadeOperations {
    this.applyPending();
    let clock = Math.max(this.#clock, floor);
    const ops: VertexOperation[] = [];
    /** Counters used to follow other operations: few edits need one. */
    const taken: number[] = [];
    for (const change of changes) {
      const decisive = this.#decisiveFor(change, clock);
      const isAbove = decisive !== undefined && decisive.counter > clock;
      let counter = (isAbove ? decisive.counter : clock) + 1;
      // the peer may have used some to follow other operations
      while (taken.includes(counter) || this.vector.has({ counter, peerId })) counter++;
      if (counter > MAX_COUNTER) throw exhausted(isAbove ? decisive : undefined);
      if (isAbove) taken.push(counter);
      else clock = counter;
      ops.push(toOperation({ counter, peerId }, change));
    }
    assertContents(ops);
    return { ops, clock };
  }

  /** Adds what {@link make} has made. The tree must not have changed since. */
  addMade({ ops, clock }: MadeOperations): void {
    this.#clock = clock;
    for (const op of ops) this.apply(op);
  }

  /** The operation that a new one with this content must follow. */
  #decisiveFor(change: Change, clock: number): OpId | undefined {
    const vertex = this.#vertices.find(change.targetId);
    if (vertex === 0) return undefined;
    if ("parentId" in change) {
      const parent = change.parentId === null ? NO_PARENT : this.#vertices.find(change.parentId);
      return this.#moves.obstacleAbove(clock, vertex, parent);
    }
    const own = this.#shown.decisive(vertex, change.key);
    const otherKey = otherNameKey(change.key);
    // of two names, the later one is shown
    const ofOther = otherKey === undefined ? undefined : this.#shown.decisive(vertex, otherKey);
    return own && ofOther && compareOpIds(own, ofOther) > 0 ? own : (ofOther ?? own);
  }

  // ---- merging ----

  /** @returns whether the operation is new */
  apply(op: VertexOperation): boolean {
    this.#noteCounter(op.id.counter);
    if ("parentId" in op) {
      if (!this.vector.add(op.id)) return false;
      const parent = op.parentId === null ? NO_PARENT : this.#vertices.numberOf(op.parentId);
      this.#moves.add(op.id, this.#vertices.numberOf(op.targetId), parent);
      return true;
    }
    if (op.transient) return this.#applyTransient(this.#vertices.numberOf(op.targetId), op);
    if (!this.vector.add(op.id)) return false;
    const vertex = this.#vertices.numberOf(op.targetId);
    this.#applyProperty(vertex, op.id, op.key, () => this.#properties.add(op.id, vertex, op.key, op.value));
    return true;
  }

  /**
   * As {@link apply}, of an operation that is a row.
   * @param vertices numbers of the vertices here, by their numbers in the log; 0 for those that are not known yet
   */
  applyRow(columns: OperationColumns, row: number, vertices: Int32Array): boolean {
    const id = columns.idAt(row);
    this.#noteCounter(id.counter);
    if (!this.vector.add(id)) return false;
    const { ids } = columns.numbers;
    const numberOf = (inLog: number): number => (vertices[inLog] ||= this.#vertices.numberOf(ids.textOf(inLog)));
    const vertex = numberOf(columns.targetAt(row));
    if (columns.isMove(row)) {
      const parent = columns.parentAt(row);
      this.#moves.add(id, vertex, parent === 0 ? NO_PARENT : numberOf(parent));
      return true;
    }
    const key = columns.keyAt(row);
    const text = columns.textAt(row);
    this.#applyProperty(vertex, id, key, () =>
      text ? this.#properties.addText(id, vertex, key, text) : this.#properties.add(id, vertex, key, columns.valueAt(row)),
    );
    return true;
  }

  #noteCounter(counter: number): void {
    if (counter > this.#clock && counter <= MAX_CLOCK) this.#clock = counter;
  }

  /** Applies pending moves, unless some are late: those wait until the tree is read. */
  applyPendingInOrder(): void {
    if (this.#moves.isInOrder) this.applyPending();
  }

  /** Applies the moves that have arrived since the tree was last read. */
  applyPending(): void {
    if (!this.#moves.hasPending) return;
    // an older creation of a root may have arrived
    this.#root = undefined;
    this.#moves.applyPending((vertex, from, to) => this.#moved(vertex, from, to));
  }

  #moved(vertex: number, from: number, to: number): void {
    if (from > 0) this.#children.remove(from, vertex);
    if (to > 0) this.#children.add(to, vertex);
    if (!this.#feed.hasListeners) return;
    this.#feed.moved(this.#vertices.idOf(vertex), this.#vertices.idOfParent(from), this.#vertices.idOfParent(to));
    this.#childrenChanged(from);
    this.#childrenChanged(to);
  }

  /** @param add adds the operation, and returns whether it wins */
  #applyProperty(vertex: number, id: OpId, key: string, add: () => boolean): void {
    const parent = this.#vertices.parentOf(vertex);
    const isSortKey = key === CREATED_AT_KEY || key === ORDER_KEY;
    const isWinner = isSortKey && parent > 0 ? this.#children.reorder(parent, vertex, add) : add();
    this.#drafts.supersede(vertex, key, id);
    if (isWinner) this.#propertyShown(vertex, key);
  }

  #applyTransient(vertex: number, op: SetVertexProperty): boolean {
    const decisive = this.#shown.decisive(vertex, op.key);
    if (decisive && compareOpIds(decisive, op.id) >= 0) return false;
    this.#drafts.set(vertex, op);
    this.#propertyShown(vertex, op.key);
    return true;
  }

  #propertyShown(vertex: number, key: string): void {
    const parent = this.#vertices.parentOf(vertex);
    if (parent > 0) this.#children.noteChildChanged(parent);
    if (!this.#feed.hasListeners) return;
    this.#feed.propertySet(this.#vertices.idOf(vertex), key, this.#shown.value(vertex, key, true));
    this.#childrenChanged(parent);
  }

  #childrenChanged(parent: number): void {
    if (parent > 0) this.#feed.childrenChanged(this.#vertices.idOf(parent));
  }
}

/** @param decisive the operation that has decided the matter; `undefined`: the clock has reached its end */
function exhausted(decisive: OpId | undefined): FoldspaceError {
  const reason = decisive
    ? `Operation ${opIdToString(decisive)} has decided this, and no later one can be made`
    : "The tree has reached the highest operation counter and cannot be edited any more";
  return new FoldspaceError("FOLD_COUNTER_EXHAUSTED", reason);
}
