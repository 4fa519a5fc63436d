import { errorCode, FoldspaceError } from "../errors.ts";
import type { Placement, Rivals } from "./ambiguous-places.ts";
import type { DifferingContents } from "./differing-contents.ts";
import { copyOperation, drafting, placing, setting, type Change } from "./change.ts";
import { CreationOrder } from "./creation-order.ts";
import { ChangeFeed, Listeners, type VertexChangeEvent, type VertexMoveEvent } from "./events.ts";
import { freezeValue, jsonEquals, type JsonValue } from "./json-value.ts";
import { NAME_KEY, nameOf, OLD_NAME_KEY, otherNameKey } from "./names.ts";
import { CREATED_AT_KEY, type TreeNode } from "./node.ts";
import {
  assertOperations,
  BIN_ID,
  compareOpIds,
  isValidId,
  newId,
  showId,
  type SetVertexProperty,
  type VertexOperation,
  validId,
} from "./operation.ts";
import { haveSameStructure } from "./same-structure.ts";
import { VersionVector, type StateVector } from "./version-vector.ts";
import { checkName, checkProperties, checkValue, type Properties, type VertexProperty } from "./properties.ts";
import { TreeState } from "./tree-state.ts";
import { Vertex } from "./vertex.ts";

/** What a caller is about to change: lasting contents, drafts, or by operations made elsewhere. */
export type TreeChangeKind = "edit" | "draft" | "merge";

export interface ReplicatedTreeOptions {
  /** Id of the root, where it is known beforehand. Otherwise the oldest vertex created without a parent is the root. */
  readonly rootId?: string;
  /** Property that new names are written to. By default `_n` in a tree that uses `_n`, and `name` otherwise. */
  readonly nameKey?: typeof NAME_KEY | typeof OLD_NAME_KEY;
  /** Whether operations made here are kept for `popLocalOps` from the start, and not only from its first call on. Default true. */
  readonly keepsLocalOps?: boolean;
  /**
   * Called before each editing method and each `merge`, whether or not it will make a difference. It throws to refuse: then
   * nothing has been changed, and the caller gets what it threw.
   */
  readonly beforeChange?: (kind: TreeChangeKind) => void;
}

/** Called for every operation that is new to the tree, whether or not it changed what is seen. */
export type OpListener = (op: VertexOperation, isLocal: boolean) => void;

/**
 * As `ReplicatedTree.merge`, for operations that belong to the tree from then on: nothing may change them any more. They are
 * not copied, and `beforeChange` is not asked. For what layers have read.
 */
export let mergeOwned: (tree: ReplicatedTree, ops: readonly VertexOperation[]) => VertexOperation[];

/**
 * A replicated tree (CRDT). Its state is a function of the *set* of operations known: the order in which
 * they arrive, how often, and whether a parent is known yet do not matter. Moves are resolved by
 * {@link MoveLog}; of a property's values the one with the highest operation id stands.
 *
 * The public methods follow `RepTree` of the npm package `reptree`, and operations are interchangeable
 * with it. Differences: local edits that could not take effect (an unknown vertex, a move under itself, a
 * move of the root) are refused with an error, and observers are told in a microtask instead of by a timer.
 *
 * An edit makes all its operations or, if it throws, none. One that repeats what is so already makes an operation all the
 * same, as it decides against those who change it at the same time, unless it is asked for `onlyIfOther`; the methods of
 * vertices ask for that.
 */
export class ReplicatedTree {
  #peerId: string;
  readonly #state: TreeState;
  readonly #opListeners = new Listeners<Parameters<OpListener>>();
  readonly #feed: ChangeFeed;
  #localOps: VertexOperation[] | undefined;
  readonly #creationOrder = new CreationOrder();
  readonly #beforeChange: (kind: TreeChangeKind) => void;
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
    this.#beforeChange = options.beforeChange ?? (() => undefined);
    if (options.keepsLocalOps ?? true) this.#localOps = [];
    this.#feed = new ChangeFeed(
      () => this.#state.settle(),
      (vertexId) => this.getChildren(vertexId),
    );
    this.#state = new TreeState(options.rootId, this.#feed);
    this.#merge(copyOperations(ops));
  }

  static {
    mergeOwned = (tree, ops) => {
      assertOperations(ops);
      return tree.#merge(ops);
    };
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

  /**
   * Children by creation time (`_c`), then by id: in the same order on every device. The list is frozen, and the same one until
   * a child comes, goes, changes its place or one of its properties.
   */
  getChildren(vertexId: string): readonly Vertex[] {
    return this.#state.childVertices(vertexId, (node) => this.#vertex(node));
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

  /** Name of a vertex: of its `_n` and its `name` the one that was set later. */
  getName(vertexId: string): string | undefined {
    const node = this.#state.existing(vertexId);
    return node && nameOf(node);
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
    this.#beforeChange("edit");
    if (this.root) throw new FoldspaceError("FOLD_BAD_OPERATION", `The tree has a root already: ${this.root.id}`);
    if (!isValidId(id) || id === BIN_ID || (this.#rootId !== undefined && id !== this.#rootId)) {
      throw new FoldspaceError("FOLD_BAD_ID", `${showId(id)} cannot be the root's id`);
    }
    this.#make([...this.#missingBin(), ...creating(id, null, this.#creationOrder.nextTime())]);
    return this.root!;
  }

  /**
   * Creates a vertex as a child.
   * @throws FoldspaceError `FOLD_NO_VERTEX`, `FOLD_BAD_VALUE`
   */
  newVertex(parentId: string, props: Properties | object | null = null): Vertex {
    this.#beforeChange("edit");
    return this.#newVertex(parentId, checkProperties(props ?? {}));
  }

  /** As {@link newVertex}. */
  newNamedVertex(parentId: string, name: string, props: Properties | object | null = null): Vertex {
    this.#beforeChange("edit");
    const { nameKey } = this;
    const others = checkProperties(props ?? {}).filter(([key]) => key !== nameKey);
    return this.#newVertex(parentId, [...others, [nameKey, checkValue(checkName(name), nameKey)]]);
  }

  /**
   * @param onlyIfOther makes no operation where the vertex is there already
   * @throws FoldspaceError `FOLD_NO_VERTEX`; `FOLD_CYCLE` where the parent is the vertex itself or below it; `FOLD_BAD_OPERATION` for the root
   */
  moveVertex(vertexId: string, parentId: string, onlyIfOther = false): void {
    this.#beforeChange("edit");
    const node = this.#require(vertexId);
    this.#require(parentId);
    this.#assertMovable(vertexId);
    if (vertexId === parentId || this.isAncestor(parentId, vertexId)) {
      throw new FoldspaceError("FOLD_CYCLE", `${vertexId} cannot be moved under itself`);
    }
    if (!onlyIfOther || node.shownParent?.id !== parentId) this.#make([placing(vertexId, parentId)]);
  }

  /**
   * Moves a vertex, and with it all below it, into the bin. It can be moved out again.
   * @param onlyIfOther makes no operation where it is in the bin already
   */
  deleteVertex(vertexId: string, onlyIfOther = false): void {
    this.#beforeChange("edit");
    const node = this.#require(vertexId);
    this.#assertMovable(vertexId);
    if (onlyIfOther && node.shownParent?.id === BIN_ID) return;
    this.#make([...this.#missingBin(), placing(vertexId, BIN_ID)]);
  }

  /**
   * Sets a property, and ends its draft; `undefined` removes it.
   * @param onlyIfOther makes no operation where the property has that value already, and no draft
   * @throws FoldspaceError `FOLD_NO_VERTEX`, `FOLD_BAD_VALUE`
   */
  setVertexProperty(vertexId: string, key: string, value: JsonValue | undefined, onlyIfOther = false): void {
    this.#beforeChange("edit");
    this.#set(vertexId, [[key, checkValue(value, key)]], onlyIfOther);
  }

  /** Sets several properties, or, if one of the values cannot be stored, none. As {@link setVertexProperty}. */
  setVertexProperties(vertexId: string, props: Properties | object, onlyIfOther = false): void {
    this.#beforeChange("edit");
    this.#set(vertexId, checkProperties(props), onlyIfOther);
  }

  /** Sets a draft value, which is shown and goes to live peers but is never stored. As {@link setVertexProperty}. */
  setTransientVertexProperty(vertexId: string, key: string, value: JsonValue | undefined, onlyIfOther = false): void {
    this.#beforeChange("draft");
    const node = this.#require(vertexId);
    const checked = checkValue(value, key);
    if (!onlyIfOther || !jsonEquals(node.shownOp(key)?.value, checked)) this.#make([drafting(vertexId, key, checked)]);
  }

  /** Makes a vertex's draft values lasting ones. */
  commitTransients(vertexId: string): void {
    this.#beforeChange("edit");
    const node = this.#require(vertexId);
    const drafts = [...(node.transients?.values() ?? [])];
    const isStored = ({ key, value }: SetVertexProperty): boolean => jsonEquals(node.properties.get(key)?.value, value);
    // a lasting value removes the draft that it supersedes
    this.#make(drafts.filter((draft) => !isStored(draft)).map(({ key, value }) => setting(vertexId, key, value)));
    for (const draft of drafts) if (isStored(draft)) this.#state.dropDraft(node, draft);
  }

  /** Sets a vertex's name, in the property that this tree uses for names, unless it has that name already. */
  setName(vertexId: string, name: string): void {
    this.setVertexProperty(vertexId, this.nameKey, checkName(name), true);
  }

  /** Property that names are written to. */
  get nameKey(): string {
    return this.#nameKey ?? NAME_KEY;
  }

  // ---- replication ----

  /**
   * Takes operations in, in any order; those already known are passed over. The tree keeps copies.
   * @returns the operations that were new
   * @throws FoldspaceError `FOLD_BAD_OPERATION`, `FOLD_BAD_COUNTER`, `FOLD_BAD_ID`, `FOLD_BAD_VALUE` or `FOLD_TOO_DEEP` if one of
   *   them is none that can be stored; then nothing was merged
   */
  merge(ops: readonly VertexOperation[]): VertexOperation[] {
    this.#beforeChange("merge");
    return this.#merge(copyOperations(ops));
  }

  /**
   * Makes operations under another peer id from now on: for a replica that finds that another one uses its own.
   * @throws FoldspaceError `FOLD_BAD_ID`
   */
  changePeer(peerId: string): void {
    this.#peerId = validId("peer", peerId);
  }

  /**
   * Makes again what an operation says, so that it takes effect, as one of this replica; nothing where no later one can be made.
   * `beforeChange` is not asked.
   * @returns the operation that was made
   */
  reissue(op: VertexOperation): VertexOperation | undefined {
    try {
      if ("parentId" in op) return this.#make([placing(op.targetId, op.parentId)])[0];
      return this.#make([(op.transient ? drafting : setting)(op.targetId, op.key, op.value)])[0];
    } catch (error) {
      if (errorCode(error) !== "FOLD_COUNTER_EXHAUSTED") throw error;
      return undefined;
    }
  }

  /**
   * Finds the vertices that replicas may show in different places, because some ids stand for different operations on them.
   * @param rivals for each such id, the operations that it stands for
   * @returns a place for each. Moves there, in this order, take effect on every replica
   */
  findAmbiguousPlaces(rivals: readonly Rivals[]): Placement[] {
    return this.#state.ambiguousPlaces(rivals);
  }

  /**
   * Finds operations that say something else than those known here under the same ids: replicas that know the one differ from
   * those that know the other.
   * @param told whose ids are known here
   */
  findDifferingContents(told: readonly VertexOperation[]): DifferingContents[] {
    const search = this.searchDifferingContents(told);
    let step = search.next();
    while (!step.done) step = search.next();
    return step.value;
  }

  /** As {@link findDifferingContents}, in steps of some milliseconds. */
  searchDifferingContents(told: readonly VertexOperation[]): Generator<undefined, DifferingContents[]> {
    return this.#state.searchDifferingContents(told);
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
    const replica = new ReplicatedTree(newPeerId, [], {
      ...(this.#rootId === undefined ? {} : { rootId: this.#rootId }),
      ...(this.#nameKey === undefined ? {} : { nameKey: this.#nameKey }),
    });
    replica.#merge(this.getAllOps());
    return replica;
  }

  /** Whether both trees show the same vertices with the same parents and properties. */
  compareStructure(other: ReplicatedTree): boolean {
    return haveSameStructure(this, other);
  }

  // ---- observing: every method returns a function that ends it. Those that give a state give the present one at once, those
  // that give events only what happens from then on ----

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
    return nowAndLater(tell, () => this.observe(vertexId, tell));
  }

  /** Gives the children of a vertex now, if it exists, and after each change of them, which a changed property of one is, too. */
  observeChildren(vertexId: string, listener: (children: readonly Vertex[]) => void): () => void {
    const tell = (): void => {
      if (this.#state.existing(vertexId)) listener(this.getChildren(vertexId));
    };
    const onEvents = (events: readonly VertexChangeEvent[]): void => {
      if (events.some(({ type }) => type === "children")) tell();
    };
    return nowAndLater(tell, () => this.observe(vertexId, onEvents));
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

  #newVertex(parentId: string, properties: readonly (readonly [string, JsonValue | undefined])[]): Vertex {
    this.#require(parentId);
    const { id, createdAt } = this.#creationOrder.next();
    const present = properties.filter(([, value]) => value !== undefined);
    this.#make([...creating(id, parentId, createdAt), ...present.map(([key, value]) => setting(id, key, value))]);
    return this.getVertex(id)!;
  }

  #set(vertexId: string, properties: readonly (readonly [string, JsonValue | undefined])[], onlyIfOther: boolean): void {
    const node = this.#require(vertexId);
    const wanted = onlyIfOther ? properties.filter(([key, value]) => changes(node, key, value)) : properties;
    this.#make(wanted.map(([key, value]) => setting(vertexId, key, value)));
  }

  /** The existing app ignores deletions in a tree that has no bin. */
  #missingBin(): Change[] {
    return this.#state.existing(BIN_ID) ? [] : creating(BIN_ID, null, this.#creationOrder.nextTime());
  }

  /** Makes one operation of each change, or, if one of them cannot be made, none. */
  #make(edit: readonly Change[]): VertexOperation[] {
    if (edit.length === 0) return [];
    const ops = this.#state.make(this.#peerId, edit);
    for (const op of ops) this.#noteNameKey(op);
    for (const op of ops) {
      this.#localOps?.push(op);
      this.#opListeners.call(op, true);
    }
    this.#feed.schedule();
    return ops;
  }

  /** Keeps the operations, which nothing may change any more. */
  #merge(ops: readonly VertexOperation[]): VertexOperation[] {
    const added: VertexOperation[] = [];
    for (const op of ops) {
      if (!this.#state.take(op)) continue;
      this.#noteNameKey(op);
      added.push(op);
    }
    this.#state.settleInOrder();
    if (this.#opListeners.size > 0) for (const op of added) this.#opListeners.call(op, false);
    this.#feed.schedule();
    return added;
  }

  #noteNameKey(op: VertexOperation): void {
    if ("key" in op && op.key === OLD_NAME_KEY) this.#nameKey ??= OLD_NAME_KEY;
  }

  #require(vertexId: string): TreeNode {
    const node = this.#state.existing(vertexId);
    if (!node)
      throw new FoldspaceError("FOLD_NO_VERTEX", `There is no vertex ${showId(vertexId)} in this tree`, {
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

function copyOperations(ops: readonly VertexOperation[]): VertexOperation[] {
  assertOperations(ops);
  return ops.map(copyOperation);
}

function creating(id: string, parentId: string | null, createdAt: string): Change[] {
  return [placing(id, parentId), setting(id, CREATED_AT_KEY, createdAt)];
}

/** Whether setting a property makes a difference: to what is stored, by ending a draft, or to which of two names is shown. */
function changes(node: TreeNode, key: string, value: JsonValue | undefined): boolean {
  if (node.transients?.has(key) || !jsonEquals(node.properties.get(key)?.value, value)) return true;
  return typeof value === "string" && otherNameKey(key) !== undefined && nameOf(node) !== value;
}

/** Subscribes before the first call, in which the listener may change what it observes. */
function nowAndLater(tell: () => void, subscribe: () => () => void): () => void {
  const stop = subscribe();
  try {
    tell();
  } catch (error) {
    stop();
    throw error;
  }
  return stop;
}
