import type { TreeNode } from "./node.ts";
import { compareOpIds, type MoveVertex, type OpId } from "./operation.ts";

/** A move in the log, with the information needed to undo it. */
export interface MoveEntry {
  readonly op: MoveVertex;
  readonly target: TreeNode;
  readonly parent: TreeNode | null;
  /** The target's parent just before this move. */
  previousParent: TreeNode | null | undefined;
}

/**
 * The moves of a tree, in the order of their ids, and the tree that results from replaying them: a move whose new
 * parent is the vertex itself or one of its descendants is skipped.
 *
 * After Kleppmann, Mulligan, Gomes and Beresford, "A highly-available move operation for replicated trees"
 * (IEEE TPDS 2021). There, a late move is applied by undoing every younger one and redoing it. Here, moves
 * wait until the tree is read, so that any number of late moves costs one undo and one redo. Both only
 * rewrite `node.parent`; child lists follow for the nodes that end up elsewhere.
 */
export class MoveLog {
  /** Applied moves, sorted by id. */
  #applied: MoveEntry[] = [];
  /** Known moves that are not yet applied, in any order. */
  #waiting: MoveEntry[] = [];
  #oldestWaiting: MoveEntry | undefined;

  get hasPending(): boolean {
    return this.#waiting.length > 0;
  }

  /** Whether every waiting move is younger than all applied ones, so that applying them undoes nothing. */
  get isInOrder(): boolean {
    const last = this.#applied.at(-1);
    return !last || !this.#oldestWaiting || compareEntries(last, this.#oldestWaiting) < 0;
  }

  /** All moves, sorted by id. The log must have no pending moves. */
  get entries(): readonly MoveEntry[] {
    return this.#applied;
  }

  /**
   * The move that a new move must follow if a counter above the given one is not enough: a later move of the same vertex, or any
   * move that has just taken the parent out from below it. The log must have no pending moves.
   */
  obstacleAbove(counter: number, target: TreeNode, parent: TreeNode | undefined): OpId | undefined {
    /** Parents at the position in the log that the move would have. */
    const parents = new Map<TreeNode, TreeNode | null | undefined>();
    let last: OpId | undefined;
    for (let index = this.#applied.length - 1; index >= 0 && !last; index--) {
      const entry = this.#applied[index]!;
      if (entry.op.id.counter <= counter) break;
      if (entry.target === target) last = entry.op.id;
      else parents.set(entry.target, entry.previousParent);
    }
    if (parents.size === 0) return last;
    for (let above: TreeNode | null | undefined = parent; above; above = parents.has(above) ? parents.get(above) : above.parent) {
      if (above === target) return this.#applied.at(-1)!.op.id;
    }
    return last;
  }

  add(op: MoveVertex, target: TreeNode, parent: TreeNode | null): void {
    const entry: MoveEntry = { op, target, parent, previousParent: undefined };
    if (parent && (!parent.firstUseAsParent || compareEntries(entry, parent.firstUseAsParent) < 0)) {
      parent.firstUseAsParent = entry;
    }
    if (!this.#oldestWaiting || compareEntries(entry, this.#oldestWaiting) < 0) this.#oldestWaiting = entry;
    this.#waiting.push(entry);
  }

  /**
   * Applies the waiting moves.
   * @returns the nodes whose parent may have changed
   */
  applyPending(): readonly TreeNode[] {
    const late = this.#waiting;
    this.#waiting = [];
    this.#oldestWaiting = undefined;
    if (late.length === 1) {
      const only = late[0]!;
      const last = this.#applied.at(-1);
      if (!last || compareEntries(last, only) < 0) {
        this.#applied.push(only);
        apply(only);
        return [only.target];
      }
    }
    late.sort(compareEntries);
    const touched: TreeNode[] = [];
    const younger = this.#undoAfter(late[0]!, touched);
    for (let indexLate = 0, indexYounger = 0; indexLate < late.length || indexYounger < younger.length;) {
      const nextLate = late[indexLate];
      const nextYounger = younger[indexYounger];
      const isLateNext = nextLate && (!nextYounger || compareEntries(nextLate, nextYounger) < 0);
      const entry = (isLateNext ? late[indexLate++] : younger[indexYounger++])!;
      apply(entry);
      this.#applied.push(entry);
      touch(entry.target, touched);
    }
    for (const node of touched) node.isTouched = false;
    return touched;
  }

  /** Undoes every move younger than the entry, and removes it from the log. */
  #undoAfter(entry: MoveEntry, touched: TreeNode[]): MoveEntry[] {
    let keep = this.#applied.length;
    while (keep > 0 && compareEntries(this.#applied[keep - 1]!, entry) > 0) {
      const undone = this.#applied[--keep]!;
      undone.target.parent = undone.previousParent;
      touch(undone.target, touched);
    }
    return this.#applied.splice(keep);
  }
}

function touch(node: TreeNode, touched: TreeNode[]): void {
  if (node.isTouched) return;
  node.isTouched = true;
  touched.push(node);
}

function apply(entry: MoveEntry): void {
  const { target, parent } = entry;
  entry.previousParent = target.parent;
  if (!makesCycle(entry)) target.parent = parent;
}

function makesCycle(entry: MoveEntry): boolean {
  const { target, parent } = entry;
  if (parent === target) return true;
  const first = target.firstUseAsParent;
  // the target has had no children so far: true for every honest creation, and for every move of a leaf
  if (!first || compareEntries(entry, first) < 0) return false;
  for (let ancestor = parent; ancestor; ancestor = ancestor.parent ?? null) {
    if (ancestor === target) return true;
  }
  return false;
}

function compareEntries(a: MoveEntry, b: MoveEntry): number {
  return compareOpIds(a.op.id, b.op.id);
}
