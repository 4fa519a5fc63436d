import { MAX_COUNTER, MAX_CLOCK } from "../limits.ts";
import { FoldspaceError } from "../errors.ts";
import { ChildList } from "./child-list.ts";
import type { ChangeFeed } from "./events.ts";
import { toOperation, type Change } from "./change.ts";
import { findAmbiguousPlaces, type Placement, type Conflicts } from "./ambiguous-places.ts";
import { searchDifferingContents, type DifferingContents } from "./differing-contents.ts";
import { MoveLog } from "./move-log.ts";
import { otherNameKey } from "./names.ts";
import { CREATED_AT_KEY, TreeNode } from "./node.ts";
import {
  assertContents,
  BIN_ID,
  compareOpIds,
  opIdToString,
  type OpId,
  type SetVertexProperty,
  type VertexOperation,
} from "./operation.ts";
import { OpIdSet } from "./op-id-set.ts";
import type { Vertex } from "./vertex.ts";

const NO_CHILDREN: readonly Vertex[] = Object.freeze([]);

/**
 * The state that a set of operations gives: takes operations and keeps the resulting nodes. It does not know the makers of
 * operations or the readers of the tree; it only reports changes to the feed.
 */
export class TreeState {
  readonly vector: OpIdSet = new OpIdSet();
  /** Every property operation known, without drafts, in the order of arrival. */
  readonly propertyOps: SetVertexProperty[] = [];
  /** The Lamport clock: the highest known counter up to {@link MAX_CLOCK}, or that of an edit made above it. */
  #clock = 0;
  readonly #nodes = new Map<string, TreeNode>();
  #lastNode: TreeNode | undefined;
  readonly #moves = new MoveLog();
  readonly #rootId: string | undefined;
  #root: TreeNode | undefined;
  readonly #feed: ChangeFeed;

  /** @param rootId id of the root, if known beforehand */
  constructor(rootId: string | undefined, feed: ChangeFeed) {
    this.#rootId = rootId;
    this.#feed = feed;
  }

  // ---- reading: each method applies pending moves first ----

  get root(): TreeNode | undefined {
    this.applyPending();
    this.#root ??= this.#findRoot();
    return this.#root?.exists ? this.#root : undefined;
  }

  /** All nodes, including those without a vertex so far. */
  nodes(): Iterable<TreeNode> {
    this.applyPending();
    return this.#nodes.values();
  }

  /** The node of a vertex. */
  existing(vertexId: string): TreeNode | undefined {
    this.applyPending();
    const node = this.#nodes.get(vertexId);
    return node?.exists ? node : undefined;
  }

  /** The caller must not keep or change the list. */
  childrenOf(vertexId: string): readonly TreeNode[] {
    this.applyPending();
    return this.#nodes.get(vertexId)?.children?.inOrder() ?? [];
  }

  /** The same frozen list as long as nothing changes. */
  childVertices(vertexId: string, vertexOf: (node: TreeNode) => Vertex): readonly Vertex[] {
    this.applyPending();
    return this.#nodes.get(vertexId)?.children?.vertices(vertexOf) ?? NO_CHILDREN;
  }

  /** As {@link findAmbiguousPlaces}. */
  ambiguousPlaces(conflicts: readonly Conflicts[]): Placement[] {
    this.applyPending();
    return findAmbiguousPlaces(this.#moves.entries, (id) => parentIdOf(this.#nodes.get(id)), conflicts);
  }

  /** As {@link searchDifferingContents}. */
  searchDifferingContents(reported: readonly VertexOperation[]): Generator<undefined, DifferingContents[]> {
    this.applyPending();
    return searchDifferingContents(
      reported.filter((op) => "parentId" in op || !op.transient),
      this.#moves.entries,
      this.propertyOps,
    );
  }

  /** Moves sorted by id, then properties. */
  allOps(): VertexOperation[] {
    this.applyPending();
    const ops: VertexOperation[] = this.#moves.entries.map((entry) => entry.op);
    for (const op of this.propertyOps) ops.push(op);
    return ops;
  }

  // ---- making ----

  /**
   * Makes operations with ids that take effect: above the clock, or above the operation that has decided the matter.
   * @throws FoldspaceError `FOLD_COUNTER_EXHAUSTED` if that has the highest possible counter, and the errors of
   *   {@link assertContents}; then nothing was made
   */
  make(peerId: string, changes: readonly Change[]): VertexOperation[] {
    this.applyPending();
    let clock = this.#clock;
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
    this.#clock = clock;
    for (const op of ops) this.apply(op);
    return ops;
  }

  /** The operation that a new one with this content must follow. */
  #decisiveFor(change: Change, clock: number): OpId | undefined {
    const node = this.#nodes.get(change.targetId);
    if (!node) return undefined;
    if ("parentId" in change) {
      const parent = change.parentId === null ? undefined : this.#nodes.get(change.parentId);
      return this.#moves.obstacleAbove(clock, node, parent);
    }
    const own = decisiveOf(node, change.key);
    const otherKey = otherNameKey(change.key);
    // of two names, the later one is shown
    return otherKey === undefined ? own : later(own, decisiveOf(node, otherKey));
  }

  /** Ends a draft that shows what is stored anyway. */
  dropTransient(node: TreeNode, draft: SetVertexProperty): void {
    if (node.transients?.get(draft.key) === draft) node.transients.delete(draft.key);
  }

  // ---- merging ----

  /** @returns whether the operation is new */
  apply(op: VertexOperation): boolean {
    if (op.id.counter > this.#clock && op.id.counter <= MAX_CLOCK) this.#clock = op.id.counter;
    if ("parentId" in op) {
      if (!this.vector.add(op.id)) return false;
      const parent = op.parentId === null ? null : this.#node(op.parentId);
      this.#moves.add(op, this.#node(op.targetId), parent);
      return true;
    }
    if (op.transient) return this.#applyTransient(this.#node(op.targetId), op);
    if (!this.vector.add(op.id)) return false;
    this.#applyProperty(this.#node(op.targetId), op);
    return true;
  }

  /** Applies pending moves, unless some are late: those wait until the tree is read. */
  applyPendingInOrder(): void {
    if (this.#moves.isInOrder) this.applyPending();
  }

  /** Applies the moves that have arrived since the tree was last read. */
  applyPending(): void {
    if (!this.#moves.hasPending) return;
    for (const node of this.#moves.applyPending()) {
      const from = node.shownParent;
      const to = node.parent;
      if (from === to) continue;
      from?.children?.delete(node);
      if (to) (to.children ??= new ChildList()).add(node);
      node.shownParent = to;
      if (!this.#feed.hasListeners) continue;
      this.#feed.moved(node.id, from && from.id, to && to.id);
      if (from) this.#feed.childrenChanged(from.id);
      if (to) this.#feed.childrenChanged(to.id);
    }
    // an older creation of a root may have arrived
    this.#root = undefined;
  }

  #applyProperty(node: TreeNode, op: SetVertexProperty): void {
    this.propertyOps.push(op);
    const winner = node.properties.get(op.key);
    const isWinner = !winner || compareOpIds(op.id, winner.id) > 0;
    if (isWinner) {
      const siblings = op.key === CREATED_AT_KEY ? node.shownParent?.children : undefined;
      if (siblings) siblings.reorder(node, () => node.properties.set(op.key, op));
      else node.properties.set(op.key, op);
    }
    const draft = node.transients?.get(op.key);
    if (draft && compareOpIds(op.id, draft.id) > 0) node.transients?.delete(op.key);
    if (isWinner) this.#propertyShown(node, op.key);
  }

  #applyTransient(node: TreeNode, op: SetVertexProperty): boolean {
    for (const known of [node.properties.get(op.key), node.transients?.get(op.key)]) {
      if (known && compareOpIds(known.id, op.id) >= 0) return false;
    }
    (node.transients ??= new Map()).set(op.key, op);
    this.#propertyShown(node, op.key);
    return true;
  }

  #propertyShown(node: TreeNode, key: string): void {
    node.shownParent?.children?.noteChildChanged();
    if (!this.#feed.hasListeners) return;
    this.#feed.propertySet(node.id, key, node.getProperty(key, true));
    if (node.shownParent) this.#feed.childrenChanged(node.shownParent.id);
  }

  #findRoot(): TreeNode | undefined {
    if (this.#rootId !== undefined) return this.#nodes.get(this.#rootId);
    return this.#moves.entries.find(({ op }) => op.parentId === null && op.targetId !== BIN_ID)?.target;
  }

  #node(id: string): TreeNode {
    // operations on one vertex mostly follow one another
    if (this.#lastNode?.id === id) return this.#lastNode;
    let node = this.#nodes.get(id);
    if (!node) this.#nodes.set(id, (node = new TreeNode(id)));
    this.#lastNode = node;
    return node;
  }
}

function parentIdOf(node: TreeNode | undefined): string | null | undefined {
  return node?.parent && node.parent.id;
}

/** @param decisive the operation that has decided the matter; `undefined`: the clock has reached its end */
function exhausted(decisive: OpId | undefined): FoldspaceError {
  const reason = decisive
    ? `Operation ${opIdToString(decisive)} has decided this, and no later one can be made`
    : "The tree has reached the highest operation counter and cannot be edited any more";
  return new FoldspaceError("FOLD_COUNTER_EXHAUSTED", reason);
}

function decisiveOf(node: TreeNode, key: string): OpId | undefined {
  return later(node.properties.get(key)?.id, node.transients?.get(key)?.id);
}

function later(one: OpId | undefined, other: OpId | undefined): OpId | undefined {
  return one && other && compareOpIds(one, other) > 0 ? one : (other ?? one);
}
