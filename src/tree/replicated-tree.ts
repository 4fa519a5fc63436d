import type { Placement, Conflicts } from "./ambiguous-places.ts";
import { copyOperations } from "./change.ts";
import type { DifferingContents } from "./differing-contents.ts";
import type { VertexChangeEvent } from "./events.ts";
import { showInConsole } from "./inspect.ts";
import type { JsonValue, Storable } from "./json-value.ts";
import { observeChildren, observeVertex, observeVertexMove } from "./observing.ts";
import { assertOperations, compareOpIds, type VertexOperation } from "./operation.ts";
import type { Properties, VertexProperty } from "./properties.ts";
import { idOf, type Position, type VertexOrId } from "./position.ts";
import { Replica, type OpListener, type TreeEdit } from "./replica.ts";
import { haveSameStructure } from "./same-structure.ts";
import { TreeEditor } from "./tree-editor.ts";
import type { ReplicatedTreeOptions, TreeChangeKind } from "./tree-options.ts";
import type { SectionReader, SectionWriter } from "./sections.ts";
import type { TreeState } from "./tree-state.ts";
import { Vertex } from "./vertex.ts";
import { VertexHandles } from "./vertex-handles.ts";
import { OpIdSet, type StateVector } from "./op-id-set.ts";

/**
 * A replicated tree (CRDT). Its state is a function of the *set* of operations known: the order in which
 * they arrive, how often, and whether a parent is known yet do not matter. Moves are resolved by
 * `MoveLog`; of a property's values, the one with the highest operation id wins.
 *
 * The public methods follow `RepTree` of the npm package `reptree`, and operations are interchangeable
 * with it. Differences: local edits that could not take effect (an unknown vertex, a move under itself, a
 * move of the root) are refused with an error, and observers are notified in a microtask instead of by a timer.
 *
 * An edit makes all its operations or, if it throws, none. An edit that repeats the present state still makes an operation,
 * because it competes with simultaneous changes by other peers, unless the caller sets `onlyIfOther`; the methods of vertices
 * set it.
 */
export class ReplicatedTree {
  static {
    // `printTree` draws the vertices
    showInConsole<ReplicatedTree>(this.prototype, "ReplicatedTree", ({ peerId, root, opCount }) => ({
      peerId,
      rootId: root?.id,
      opCount,
    }));
  }

  readonly #replica: Replica;
  readonly #state: TreeState;
  readonly #editor: TreeEditor;
  readonly #handles = new VertexHandles((vertex) => new Vertex(this, this.#state.vertices.idOf(vertex)));
  readonly #beforeChange: ((kind: TreeChangeKind) => void) | undefined;

  /**
   * @param peerId identifies this replica; no other replica may ever use it. See {@link changePeer}
   * @param ops operations to start from
   * @throws FoldspaceError `FOLD_BAD_ID`, and the errors of {@link merge}
   */
  constructor(peerId: string, ops: readonly VertexOperation[] = [], options: ReplicatedTreeOptions = {}) {
    this.#replica = new Replica(peerId, options, (vertexId) => this.getChildren(vertexId));
    this.#state = this.#replica.state;
    this.#editor = new TreeEditor(this.#replica, options);
    this.#beforeChange = options.beforeChange;
    this.#replica.merge(copyOperations(ops));
  }

  /** The peer id under which operations are made here. */
  get peerId(): string {
    return this.#replica.peerId;
  }

  // ---- reading ----

  /** The root vertex; `undefined` until its creation is known. */
  get root(): Vertex | undefined {
    const { root } = this.#state;
    return root === undefined ? undefined : this.#handles.of(root);
  }

  /** `undefined` for an unknown vertex. A vertex in the bin is found, too. */
  getVertex(vertexId: string): Vertex | undefined {
    return this.#read(vertexId, (vertex) => this.#handles.of(vertex));
  }

  /** Every vertex that was ever created, deleted ones and the bin included. */
  getAllVertices(): Vertex[] {
    const { vertices } = this.#state;
    const handles: Vertex[] = [];
    for (let vertex = 1; vertex <= vertices.last; vertex++) if (vertices.exists(vertex)) handles.push(this.#handles.of(vertex));
    return handles;
  }

  /** `undefined` for a root, for an unknown vertex, and if the parent is not known yet. */
  getParent(vertexId: string): Vertex | undefined {
    return this.#read(vertexId, (vertex, { vertices }) => {
      const parent = vertices.parentOf(vertex);
      return vertices.exists(parent) ? this.#handles.of(parent) : undefined;
    });
  }

  /** `null` for a root and for an unknown vertex. The parent itself may not be known yet. */
  getParentId(vertexId: string): string | null {
    return this.#read(vertexId, (vertex, { vertices }) => vertices.parentIdOf(vertex)) ?? null;
  }

  /**
   * Children in order, the same on every device: first those whose place a caller has chosen (see {@link Position}), by their order
   * keys, then the others by creation time (`_c`), and ties by id. The list is frozen, and the same one until a child comes, goes,
   * changes its place or one of its properties.
   */
  getChildren(vertexId: string): readonly Vertex[] {
    return this.#state.childHandles(vertexId, (vertex) => this.#handles.of(vertex));
  }

  /** Ids in the order of {@link getChildren}; an empty list for an unknown vertex. */
  getChildrenIds(vertexId: string): string[] {
    const { vertices } = this.#state;
    return this.#state.childrenOf(vertexId).map((child) => vertices.idOf(child));
  }

  /** Ancestors from the parent up to the root. */
  getAncestors(vertexId: string): Vertex[] {
    const ancestors = this.#read(vertexId, (vertex, { vertices }) => vertices.ancestorsOf(vertex)) ?? [];
    return ancestors.map((ancestor) => this.#handles.of(ancestor));
  }

  /** Whether `ancestorId` is above `vertexId`. */
  isAncestor(vertexId: string, ancestorId: string | null): boolean {
    const isBelow = (vertex: number, { vertices }: TreeState): boolean =>
      ancestorId === null || (vertexId !== ancestorId && vertices.isAtOrBelow(vertex, vertices.find(ancestorId)));
    return this.#read(vertexId, isBelow) ?? false;
  }

  /**
   * Lists and objects are frozen: to change one, set a changed copy.
   * @param includingTransient whether a draft value hides the stored one
   */
  getVertexProperty(vertexId: string, key: string, includingTransient = true): JsonValue | undefined {
    return this.#read(vertexId, (vertex, { properties }) => properties.value(vertex, key, includingTransient));
  }

  /**
   * All properties; an empty list for an unknown vertex.
   * @param includingTransient whether draft values hide stored ones
   */
  getVertexProperties(vertexId: string, includingTransient = true): VertexProperty[] {
    return this.#read(vertexId, (vertex, { properties }) => properties.all(vertex, includingTransient)) ?? [];
  }

  /** Name of a vertex: of its `_n` and its `name`, the one that was set later. */
  getName(vertexId: string): string | undefined {
    return this.#read(vertexId, (vertex, { properties }) => properties.name(vertex));
  }

  /** Follows names from the root, separated by `/`; `""` and `"/"` are the root. Of equal names the first child is taken. */
  getVertexByPath(path: string): Vertex | undefined {
    let vertex = this.root;
    for (const name of path.split("/")) {
      if (name !== "") vertex = vertex?.children.find((child) => child.name === name);
    }
    return vertex;
  }

  // ---- editing ----

  /**
   * Creates the root, and the bin that deleted vertices go to.
   * @param id id of the root; random by default
   * @throws FoldspaceError `FOLD_BAD_OPERATION` if there is a root already, `FOLD_BAD_ID`
   */
  createRoot(id?: string): Vertex {
    this.#editor.createRoot(id);
    return this.root!;
  }

  /**
   * Creates a vertex as a child.
   * @param position its place among the children; by default behind all of them
   * @throws FoldspaceError `FOLD_NO_VERTEX`, `FOLD_BAD_VALUE`
   */
  newVertex(parentId: string, props: Properties | object | null = null, position?: Position): Vertex {
    return this.getVertex(this.#editor.newVertex(parentId, props, position))!;
  }

  /** As {@link newVertex}. */
  newNamedVertex(parentId: string, name: string, props: Properties | object | null = null, position?: Position): Vertex {
    return this.getVertex(this.#editor.newNamedVertex(parentId, name, props, position))!;
  }

  /**
   * Gives the vertex with an id that the app knows, such as `"settings"`, and creates it if the tree has none. If two devices create
   * it at the same time, both make the same vertex: it has the properties of both, and of the values for one property the one with
   * the higher operation id. A vertex that exists keeps its place and its properties; one in the bin is moved out of it.
   * @param props of a vertex that is created here. If another device, whose changes have not arrived, has created and changed it
   *   before, these values may win over its changes: prefer defaults on reading
   * @param position its place among the children, if it is created or moved out of the bin
   * @throws FoldspaceError `FOLD_BAD_ID`, and as {@link newVertex}; `FOLD_CYCLE` if it is in the bin and the parent is below it
   */
  getOrCreate(id: string, parent: VertexOrId, props: Properties | object | null = null, position?: Position): Vertex {
    this.#editor.getOrCreate(id, idOf(parent), props, position);
    return this.getVertex(id)!;
  }

  /**
   * Moves a vertex and everything below it.
   * @param onlyIfOther makes no operation if the vertex is there already
   * @param position its place among the children of the parent. Without it, a vertex keeps its order key, and has the place that
   *   this key or its creation time gives it
   * @throws FoldspaceError `FOLD_NO_VERTEX`; `FOLD_CYCLE` if the parent is the vertex itself or below it; `FOLD_BAD_OPERATION`
   *   for the root; `FOLD_BAD_VALUE` if it is no position
   */
  moveVertex(vertexId: string, parentId: string, onlyIfOther = false, position?: Position): void {
    this.#editor.moveVertex(vertexId, parentId, onlyIfOther, position);
  }

  /**
   * Moves a vertex and everything below it into the bin. It can be moved out again.
   * @param onlyIfOther makes no operation if it is in the bin already
   */
  deleteVertex(vertexId: string, onlyIfOther = false): void {
    this.#editor.deleteVertex(vertexId, onlyIfOther);
  }

  /**
   * Sets a property, and ends its draft; `undefined` removes it.
   * @param onlyIfOther makes no operation if the property has that value already, and no draft
   * @throws FoldspaceError `FOLD_NO_VERTEX`, `FOLD_BAD_VALUE`
   */
  setVertexProperty<T>(vertexId: string, key: string, value: T & Storable<T>, onlyIfOther = false): void {
    this.#editor.setVertexProperty(vertexId, key, value, onlyIfOther);
  }

  /** Sets several properties, or, if one of the values cannot be stored, none. As {@link setVertexProperty}. */
  setVertexProperties(vertexId: string, props: Properties | object, onlyIfOther = false): void {
    this.#editor.setVertexProperties(vertexId, props, onlyIfOther);
  }

  /** Sets a draft value, which is shown and sent to live peers but never stored. As {@link setVertexProperty}. */
  setTransientVertexProperty<T>(vertexId: string, key: string, value: T & Storable<T>, onlyIfOther = false): void {
    this.#editor.setTransientVertexProperty(vertexId, key, value, onlyIfOther);
  }

  /** Stores a vertex's draft values. */
  commitTransients(vertexId: string): void {
    this.#editor.commitTransients(vertexId);
  }

  /** Sets a vertex's name, in the property that this tree uses for names, unless it has that name already. */
  setName(vertexId: string, name: string): void {
    this.#editor.setName(vertexId, name);
  }

  /**
   * Runs edits as a whole: all observers are notified once, at its end, and all layers get its operations in one batch. Reads
   * inside of it show the edits made so far. A transaction inside of another one is a part of it. Edits after an `await` are not in
   * it.
   *
   * If the function throws, the caller gets the error, and the edits made before it remain: operations cannot be taken back, but
   * an `UndoManager` undoes them as one step.
   * @returns the result of the function
   */
  transact<Result>(work: () => Result): Result {
    return this.#replica.transact(work);
  }

  /** Property that names are written to. */
  get nameKey(): string {
    return this.#replica.nameKey;
  }

  /** The highest counter of the operations known; without extremely high ones, which do not advance the clock. */
  get clock(): number {
    return this.#replica.state.clock;
  }

  // ---- replication ----

  /**
   * Merges operations, in any order; known ones are skipped. The tree keeps copies.
   * @returns the operations that were new
   * @throws FoldspaceError `FOLD_BAD_OPERATION`, `FOLD_BAD_COUNTER`, `FOLD_BAD_ID`, `FOLD_BAD_VALUE` or `FOLD_TOO_DEEP` if one of
   *   them cannot be stored; then nothing was merged
   */
  merge(ops: readonly VertexOperation[]): VertexOperation[] {
    this.#beforeChange?.("merge");
    return this.#replica.merge(copyOperations(ops));
  }

  /**
   * As {@link merge}, for operations that belong to the tree from then on: the caller must not change them any more. They are not
   * copied, and `beforeChange` is not called.
   */
  protected mergeOwned(ops: readonly VertexOperation[]): VertexOperation[] {
    assertOperations(ops);
    return this.#replica.merge(ops);
  }

  /** As {@link mergeOwned}, of operations from log files, which were checked when they were parsed. @internal */
  protected mergeSlice(...slice: Parameters<Replica["mergeSlice"]>): void {
    this.#replica.mergeSlice(...slice);
  }

  /** As of {@link Replica}. @internal */
  protected get isBlank(): boolean {
    return this.#replica.isBlank;
  }

  /** As of {@link Replica}. @internal */
  protected writeTo(writer: SectionWriter): void {
    this.#replica.writeTo(writer);
  }

  /** As of {@link Replica}. @internal */
  protected readFrom(reader: SectionReader): void {
    this.#replica.readFrom(reader);
  }

  /** Calls the listener for every operation that is made here, before any other one. */
  protected set onMade(listener: (op: VertexOperation) => void) {
    this.#replica.onMade = listener;
  }

  /**
   * Makes operations under another peer id from now on: for a replica that finds that another one uses its id.
   * @param counterFloor as in `ReplicatedTreeOptions`
   * @throws FoldspaceError `FOLD_BAD_ID`
   */
  changePeer(peerId: string, counterFloor = 0): void {
    this.#replica.changePeer(peerId, counterFloor);
  }

  /**
   * Repeats the content of an operation as a new one of this replica, so that it takes effect; makes nothing if no later operation
   * can be made. `beforeChange` is not called.
   * @returns the operation that was made
   */
  reapply(op: VertexOperation): VertexOperation | undefined {
    return this.#replica.reapply(op);
  }

  /**
   * Finds the vertices that replicas may show in different places, because some ids refer to different operations on them.
   * @param conflicts for each such id, the operations that it refers to
   * @returns a place for each. Moves there, in this order, take effect on every replica
   */
  findAmbiguousPlaces(conflicts: readonly Conflicts[]): Placement[] {
    return this.#state.ambiguousPlaces(conflicts);
  }

  /**
   * Finds operations that differ from those known here under the same ids. Replicas that know one of the two differ from replicas
   * that know the other.
   * @param reported operations whose ids are known here
   */
  findDifferingContents(reported: readonly VertexOperation[]): DifferingContents[] {
    const search = this.searchDifferingContents(reported);
    let step = search.next();
    while (!step.done) step = search.next();
    return step.value;
  }

  /** As {@link findDifferingContents}, in steps of some milliseconds. */
  searchDifferingContents(reported: readonly VertexOperation[]): Generator<undefined, DifferingContents[]> {
    return this.#state.searchDifferingContents(reported);
  }

  /**
   * Operations made here since the last call, including drafts, to be sent to live peers. A tree of a space keeps them from the
   * first call on.
   */
  popLocalOps(): VertexOperation[] {
    return this.#replica.popLocalOps();
  }

  /** Every operation known, drafts excepted: moves sorted by id, then properties. */
  getAllOps(): VertexOperation[] {
    return this.#state.ops();
  }

  /** Number of operations known, drafts excepted. */
  get opCount(): number {
    return this.#state.vector.size;
  }

  /** Ids of all operations known, as plain data. */
  getStateVector(): StateVector {
    return this.#state.vector.toState();
  }

  /** A copy of the ids of all operations known. */
  get versionVector(): OpIdSet {
    return this.#state.vector.clone();
  }

  /** Operations that a peer with this state vector lacks, sorted by id. */
  getMissingOps(theirs: Readonly<StateVector>): VertexOperation[] {
    return this.opsSince(OpIdSet.from(theirs));
  }

  /** Operations that are not in the vector, sorted by id. */
  opsSince(vector: OpIdSet): VertexOperation[] {
    return this.#state.ops(vector).sort((a, b) => compareOpIds(a.id, b.id));
  }

  /** Another replica with the same operations. */
  replicate(newPeerId: string): ReplicatedTree {
    const other = new ReplicatedTree(newPeerId, [], this.#replica.optionsOfTree);
    other.#replica.merge(this.getAllOps());
    return other;
  }

  /** Whether both trees show the same vertices with the same parents and properties. */
  compareStructure(other: ReplicatedTree): boolean {
    return haveSameStructure(this, other);
  }

  // ---- observing: every method returns a function that ends it. Methods that pass a state call the listener with the present one
  // at once; methods that pass events report only later ones ----

  /** Reports changes to one vertex: gathered, in a microtask after them. */
  observe(vertexId: string, listener: (events: VertexChangeEvent[]) => void): () => void {
    this.#state.applyPending();
    return this.#replica.feed.observeVertex(vertexId, listener);
  }

  /** Passes the vertex now, if it exists, and after each change. */
  observeVertex(vertexId: string, listener: (vertex: Vertex) => void): () => void {
    return observeVertex(this, vertexId, listener);
  }

  /** Passes the children of a vertex now, if it exists, and after each change of the list or of a child's property. */
  observeChildren(vertexId: string, listener: (children: readonly Vertex[]) => void): () => void {
    return observeChildren(this, vertexId, listener);
  }

  /** Reports changes anywhere in the tree, all those of one batch together. */
  observeTree(listener: (events: VertexChangeEvent[]) => void): () => void {
    this.#state.applyPending();
    return this.#replica.feed.observeTree(listener);
  }

  /** Reports every vertex that was created or moved. */
  observeVertexMove(listener: (vertex: Vertex, isNew: boolean) => void): () => void {
    return observeVertexMove(this, listener);
  }

  /** Reports every operation that becomes known: at once, or at the end of a transaction. */
  observeOpApplied(listener: OpListener): () => void {
    return this.#replica.opListeners.add(listener);
  }

  /**
   * Reports the edits that are made here with what they replaced: at once, or together at the end of a transaction. Merged and
   * reapplied operations are no edits.
   */
  observeEdits(listener: (edits: readonly TreeEdit[]) => void): () => void {
    return this.#replica.editListeners.add(listener);
  }

  /** @returns what is read; `undefined` if there is no such vertex */
  #read<Result>(vertexId: string, read: (vertex: number, state: TreeState) => Result): Result | undefined {
    const vertex = this.#state.existing(vertexId);
    return vertex === undefined ? undefined : read(vertex, this.#state);
  }
}
