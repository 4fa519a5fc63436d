import { errorCode, FoldspaceError } from "../errors.ts";
import { ChangeFeed, Listeners, type VertexChangeEvent, type VertexMoveEvent } from "./events.ts";
import { freezeValue, type JsonValue } from "./json-value.ts";
import { CREATED_AT_KEY, type TreeNode } from "./node.ts";
import { assertOperations, BIN_ID, compareOpIds, isValidId, newId, type VertexOperation, validId } from "./operation.ts";
import { haveSameStructure } from "./same-structure.ts";
import { VersionVector, type StateVector } from "./version-vector.ts";
import { checkProperties, checkValue, type Properties, type VertexProperty } from "./properties.ts";
import { TreeState } from "./tree-state.ts";
import { Vertex } from "./vertex.ts";

/** Property with a vertex's name, in folders written with `reptree` up to 0.5. */
export const OLD_NAME_KEY = "_n";
/** Property with a vertex's name, since `reptree` 0.6. */
export const NAME_KEY = "name";

export interface ReplicatedTreeOptions {
  /** Id of the root, where it is known beforehand. Otherwise the oldest vertex created without a parent is the root. */
  readonly rootId?: string;
  /** Property that new names are written to. By default `_n` in a tree that uses `_n`, and `name` otherwise. */
  readonly nameKey?: typeof NAME_KEY | typeof OLD_NAME_KEY;
  /** Whether operations made here are kept for `popLocalOps` from the start, and not only from its first call on. Default true. */
  readonly keepsLocalOps?: boolean;
}

/** Called for every operation that is new to the tree, whether or not it changed what is seen. */
export type OpListener = (op: VertexOperation, isLocal: boolean) => void;

/**
 * A replicated tree (CRDT). Its state is a function of the *set* of operations known: the order in which
 * they arrive, how often, and whether a parent is known yet do not matter. Moves are resolved by
 * {@link MoveLog}; of a property's values the one with the highest operation id stands.
 *
 * The public methods follow `RepTree` of the npm package `reptree`, and operations are interchangeable
 * with it. Differences: local edits that could not take effect (an unknown vertex, a move under itself, a
 * move of the root) are refused with an error, and observers are told in a microtask instead of by a timer.
 */
export class ReplicatedTree {
  #peerId: string;
  readonly #state: TreeState;
  readonly #opListeners = new Listeners<Parameters<OpListener>>();
  readonly #feed: ChangeFeed;
  #localOps: VertexOperation[] | undefined;
  /** Creation time of the vertex made last, in milliseconds since the epoch. */
  #lastCreatedMs = 0;
  readonly #rootId: string | undefined;
  #nameKey: typeof NAME_KEY | typeof OLD_NAME_KEY | undefined;

  /**
   * @param peerId identifies this replica; no other may ever use it, or see {@link changePeer}
   * @param ops operations to start from
   * @throws FoldspaceError `FOLD_BAD_ID`, or what {@link merge} throws
   */
  constructor(peerId: string, ops: readonly VertexOperation[] = [], options: ReplicatedTreeOptions = {}) {
    this.#peerId = validId("peer", peerId);
    this.#rootId = options.rootId;
    this.#nameKey = options.nameKey;
    if (options.keepsLocalOps ?? true) this.#localOps = [];
    this.#feed = new ChangeFeed(
      () => this.#state.settle(),
      (vertexId) => this.getChildren(vertexId),
    );
    this.#state = new TreeState(options.rootId, this.#feed);
    this.merge(ops);
  }

  /** Under which operations are made here. */
  get peerId(): string {
    return this.#peerId;
  }

  // ---- reading ----

  /** The root vertex; `undefined` as long as its creation is not known. */
  get root(): Vertex | undefined {
    const { root } = this.#state;
    return root && this.#vertex(root);
  }

  getVertex(vertexId: string): Vertex | undefined {
    const node = this.#state.existing(vertexId);
    return node && this.#vertex(node);
  }

  /** Every vertex that was ever created, deleted ones and the bin included. */
  getAllVertices(): Vertex[] {
    const vertices: Vertex[] = [];
    for (const node of this.#state.nodes()) if (node.exists) vertices.push(this.#vertex(node));
    return vertices;
  }

  getParent(vertexId: string): Vertex | undefined {
    const parent = this.#state.existing(vertexId)?.shownParent;
    return parent?.exists ? this.#vertex(parent) : undefined;
  }

  /** `null` for a root and for an unknown vertex. The parent itself may not be known yet. */
  getParentId(vertexId: string): string | null {
    return this.#state.existing(vertexId)?.shownParent?.id ?? null;
  }

  /** Children by creation time (`_c`), then by id: in the same order on every device. */
  getChildren(vertexId: string): Vertex[] {
    return this.#state.childrenOf(vertexId).map((node) => this.#vertex(node));
  }

  getChildrenIds(vertexId: string): string[] {
    return this.#state.childrenOf(vertexId).map((node) => node.id);
  }

  /** Ancestors from the parent up to the root. */
  getAncestors(vertexId: string): Vertex[] {
    const ancestors: Vertex[] = [];
    for (let node = this.#state.existing(vertexId)?.shownParent; node?.exists; node = node.shownParent)
      ancestors.push(this.#vertex(node));
    return ancestors;
  }

  /** Whether `ancestorId` is above `vertexId`. */
  isAncestor(vertexId: string, ancestorId: string | null): boolean {
    for (let node = this.#state.existing(vertexId); node; node = node.shownParent ?? undefined) {
      if ((node.shownParent?.id ?? null) === ancestorId) return true;
    }
    return false;
  }

  /**
   * Lists and objects are frozen: to change one, set a changed copy.
   * @param includingTransient whether a draft value stands above the stored one
   */
  getVertexProperty(vertexId: string, key: string, includingTransient = true): JsonValue | undefined {
    return this.#state.existing(vertexId)?.getProperty(key, includingTransient);
  }

  getVertexProperties(vertexId: string, includingTransient = true): VertexProperty[] {
    const node = this.#state.existing(vertexId);
    if (!node) return [];
    const winners = new Map(node.properties);
    if (includingTransient && node.transients) for (const [key, op] of node.transients) winners.set(key, op);
    const properties: VertexProperty[] = [];
    for (const [key, { value }] of winners) if (value !== undefined) properties.push({ key, value: freezeValue(value) });
    return properties;
  }

  /** Name of a vertex: its `_n`, or else its `name`. */
  getName(vertexId: string): string | undefined {
    const node = this.#state.existing(vertexId);
    for (const key of [OLD_NAME_KEY, NAME_KEY]) {
      const name = node?.getProperty(key, true);
      if (typeof name === "string") return name;
    }
    return undefined;
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
  createRoot(id: string = this.#rootId ?? newId()): Vertex {
    if (this.root) throw new FoldspaceError("FOLD_BAD_OPERATION", `The tree has a root already: ${this.root.id}`);
    if (!isValidId(id) || id === BIN_ID || (this.#rootId !== undefined && id !== this.#rootId)) {
      throw new FoldspaceError("FOLD_BAD_ID", `${JSON.stringify(id)} cannot be the root's id`);
    }
    this.#ensureBin();
    this.#create(id, null);
    return this.root!;
  }

  /**
   * Creates a vertex as a child.
   * @throws FoldspaceError `FOLD_NO_VERTEX`, `FOLD_BAD_VALUE`
   */
  newVertex(parentId: string, props: Properties | object | null = null): Vertex {
    this.#require(parentId);
    const checked = checkProperties(props);
    const id = newId();
    this.#create(id, parentId);
    for (const [key, value] of checked) this.#setProperty(id, key, value, false);
    return this.getVertex(id)!;
  }

  newNamedVertex(parentId: string, name: string, props: Properties | object | null = null): Vertex {
    const vertex = this.newVertex(parentId, props);
    vertex.name = name;
    return vertex;
  }

  /** @throws FoldspaceError `FOLD_NO_VERTEX`; `FOLD_CYCLE` where the parent is the vertex itself or below it; `FOLD_BAD_OPERATION` for the root */
  moveVertex(vertexId: string, parentId: string): void {
    this.#require(vertexId);
    this.#require(parentId);
    this.#assertMovable(vertexId);
    if (vertexId === parentId || this.isAncestor(parentId, vertexId)) {
      throw new FoldspaceError("FOLD_CYCLE", `${vertexId} cannot be moved under itself`);
    }
    this.#move(vertexId, parentId);
  }

  /** Moves a vertex, and with it all below it, into the bin. It can be moved out again. */
  deleteVertex(vertexId: string): void {
    this.#require(vertexId);
    this.#assertMovable(vertexId);
    this.#ensureBin();
    this.moveVertex(vertexId, BIN_ID);
  }

  /**
   * Sets a property; `undefined` removes it.
   * @throws FoldspaceError `FOLD_NO_VERTEX`, `FOLD_BAD_VALUE`
   */
  setVertexProperty(vertexId: string, key: string, value: JsonValue | undefined): void {
    this.#require(vertexId);
    this.#setProperty(vertexId, key, checkValue(value, key), false);
  }

  /** Sets several properties, or, if one of the values cannot be stored, none. */
  setVertexProperties(vertexId: string, props: Properties | object): void {
    this.#require(vertexId);
    for (const [key, value] of checkProperties(props)) this.#setProperty(vertexId, key, value, false);
  }

  /** Sets a draft value, which is shown and goes to live peers but is never stored. */
  setTransientVertexProperty(vertexId: string, key: string, value: JsonValue | undefined): void {
    this.#require(vertexId);
    this.#setProperty(vertexId, key, checkValue(value, key), true);
  }

  /** Makes a vertex's draft values lasting ones. */
  commitTransients(vertexId: string): void {
    const drafts = this.#require(vertexId).transients;
    // a lasting value removes the draft it supersedes
    for (const { key, value } of [...(drafts?.values() ?? [])]) this.#setProperty(vertexId, key, value, false);
  }

  /** Sets a vertex's name, in the property that this tree uses for names. */
  setName(vertexId: string, name: string): void {
    this.setVertexProperty(vertexId, this.nameKey, name);
  }

  /** Property that names are written to. */
  get nameKey(): string {
    return this.#nameKey ?? NAME_KEY;
  }

  // ---- replication ----

  /**
   * Takes operations in, in any order; those already known are passed over.
   * @returns the operations that were new
   * @throws FoldspaceError `FOLD_BAD_OPERATION`, `FOLD_BAD_COUNTER`, `FOLD_BAD_ID`, `FOLD_BAD_VALUE` or `FOLD_TOO_DEEP` if one of
   *   them is none that can be stored; then nothing was merged
   */
  merge(ops: readonly VertexOperation[]): VertexOperation[] {
    assertOperations(ops);
    const added: VertexOperation[] = [];
    for (const op of ops) if (this.#take(op)) added.push(op);
    this.#state.settleInOrder();
    if (this.#opListeners.size > 0) for (const op of added) this.#opListeners.call(op, false);
    this.#feed.schedule();
    return added;
  }

  /**
   * Makes operations under another peer id from now on: for a replica that finds that another one uses its own.
   * @throws FoldspaceError `FOLD_BAD_ID`
   */
  changePeer(peerId: string): void {
    this.#peerId = validId("peer", peerId);
  }

  /** Makes again what an operation says, so that it takes effect, as one of this replica; nothing where no later one can be made. */
  reissue(op: VertexOperation): void {
    try {
      if ("parentId" in op) this.#move(op.targetId, op.parentId);
      else this.#setProperty(op.targetId, op.key, op.value, op.transient);
    } catch (error) {
      if (errorCode(error) !== "FOLD_COUNTER_EXHAUSTED") throw error;
    }
  }

  /**
   * Operations made here since the last call, drafts included: what live peers have to be sent. In a tree of a space they are
   * kept from the first call on.
   */
  popLocalOps(): VertexOperation[] {
    const ops = this.#localOps ?? [];
    this.#localOps = [];
    return ops;
  }

  /** Every operation known, drafts excepted: moves sorted by id, then properties. */
  getAllOps(): VertexOperation[] {
    return this.#state.allOps();
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
  get versionVector(): VersionVector {
    return this.#state.vector.clone();
  }

  /** Operations that a peer with this state vector lacks, sorted by id. */
  getMissingOps(theirs: Readonly<StateVector>): VertexOperation[] {
    return this.opsSince(VersionVector.from(theirs));
  }

  /** Operations that are not in the vector, sorted by id. */
  opsSince(vector: VersionVector): VertexOperation[] {
    return this.getAllOps()
      .filter((op) => !vector.has(op.id))
      .sort((a, b) => compareOpIds(a.id, b.id));
  }

  /** Another replica with the same operations. */
  replicate(newPeerId: string): ReplicatedTree {
    return new ReplicatedTree(newPeerId, this.getAllOps(), {
      ...(this.#rootId === undefined ? {} : { rootId: this.#rootId }),
      ...(this.#nameKey === undefined ? {} : { nameKey: this.#nameKey }),
    });
  }

  /** Whether both trees show the same vertices with the same parents and properties. */
  compareStructure(other: ReplicatedTree): boolean {
    return haveSameStructure(this, other);
  }

  // ---- observing: every method returns a function that ends it ----

  /** Tells of changes to one vertex: gathered, in a microtask after them. */
  observe(vertexId: string, listener: (events: VertexChangeEvent[]) => void): () => void {
    this.#state.settle();
    return this.#feed.observeVertex(vertexId, listener);
  }

  /** Gives the vertex now, if it exists, and after each change. */
  observeVertex(vertexId: string, listener: (vertex: Vertex) => void): () => void {
    const tell = (): void => {
      const vertex = this.getVertex(vertexId);
      if (vertex) listener(vertex);
    };
    tell();
    return this.observe(vertexId, tell);
  }

  /** Tells of changes anywhere in the tree, all those of one batch together. */
  observeTree(listener: (events: VertexChangeEvent[]) => void): () => void {
    this.#state.settle();
    return this.#feed.observeTree(listener);
  }

  /** Tells of every vertex that was created or moved. */
  observeVertexMove(listener: (vertex: Vertex, isNew: boolean) => void): () => void {
    return this.observeTree((events) => {
      for (const event of events.filter((candidate): candidate is VertexMoveEvent => candidate.type === "move")) {
        const vertex = this.getVertex(event.vertexId);
        if (vertex) listener(vertex, event.oldParentId === undefined);
      }
    });
  }

  /** Tells of every operation that becomes known, at once. */
  observeOpApplied(listener: OpListener): () => void {
    return this.#opListeners.add(listener);
  }

  // ---- inside ----

  #create(id: string, parentId: string | null): void {
    this.#move(id, parentId);
    this.#setProperty(id, CREATED_AT_KEY, new Date(this.#nextCreatedMs()).toISOString(), false);
  }

  /** Vertices made in the same millisecond keep the order of their making, by times up to a second ahead. */
  #nextCreatedMs(): number {
    const now = Date.now();
    this.#lastCreatedMs = Math.max(now, Math.min(this.#lastCreatedMs + 1, now + 1_000));
    return this.#lastCreatedMs;
  }

  /** The existing app ignores deletions in a tree that has no bin. */
  #ensureBin(): void {
    if (!this.#state.existing(BIN_ID)) this.#create(BIN_ID, null);
  }

  #move(targetId: string, parentId: string | null): void {
    this.#applyLocal({ id: this.#state.nextMoveId(this.#peerId, targetId, parentId), targetId, parentId });
  }

  #setProperty(targetId: string, key: string, value: JsonValue | undefined, transient: boolean): void {
    this.#applyLocal({ id: this.#state.nextPropertyId(this.#peerId, targetId, key), targetId, key, value, transient });
  }

  #applyLocal(op: VertexOperation): void {
    this.#take(op);
    this.#localOps?.push(op);
    this.#opListeners.call(op, true);
    this.#feed.schedule();
  }

  /** @returns whether the operation is new */
  #take(op: VertexOperation): boolean {
    const isNew = this.#state.take(op);
    if (isNew && "key" in op && op.key === OLD_NAME_KEY) this.#nameKey ??= OLD_NAME_KEY;
    return isNew;
  }

  #require(vertexId: string): TreeNode {
    const node = this.#state.existing(vertexId);
    if (!node)
      throw new FoldspaceError("FOLD_NO_VERTEX", `There is no vertex ${JSON.stringify(vertexId)} in this tree`, {
        data: { vertexId },
      });
    return node;
  }

  #assertMovable(vertexId: string): void {
    if (vertexId !== this.root?.id && vertexId !== BIN_ID) return;
    throw new FoldspaceError(
      "FOLD_BAD_OPERATION",
      `${vertexId} is the tree's ${vertexId === BIN_ID ? "bin" : "root"} and stays where it is`,
    );
  }

  #vertex(node: TreeNode): Vertex {
    return (node.vertex ??= new Vertex(this, node.id));
  }
}
