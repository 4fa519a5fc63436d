import { Listeners } from "./events.ts";
import { BIN_ID } from "./operation.ts";
import { idOf, type VertexOrId } from "./position.ts";
import type { TreeEdit } from "./replica.ts";
import type { ReplicatedTree } from "./replicated-tree.ts";
import { isArrival, OthersOperations, RecordedStep, type UndoChange, type UndoStep } from "./undo-step.ts";

/** Options of an `UndoManager`. */
export interface UndoManagerOptions {
  /** Records only edits at or below these vertices, and moves into and out of there. Default: the whole tree. */
  readonly scope?: VertexOrId | readonly VertexOrId[];
  /**
   * Edits that follow the one before within this time are one step, in milliseconds. 0: every edit and every transaction is a step
   * of its own. Default 500.
   */
  readonly captureTimeoutMs?: number;
  /** Of the steps to undo, and of those to redo; the oldest ones beyond are dropped. At least 1. Default 500. */
  readonly maxSteps?: number;
  /** Whether an edit is recorded. Default: all are. */
  readonly records?: (edit: TreeEdit) => boolean;
  /** Milliseconds since any moment. Default `Date.now`. */
  readonly now?: () => number;
}

/**
 * `recorded`: edits were added to a step, which may be a new one. `undone`, `redone`: a step was taken back or made again.
 * `cleared`: there are no steps any more.
 */
export interface UndoEvent {
  readonly type: "recorded" | "undone" | "redone" | "cleared";
  /** `undefined` if `cleared`. */
  readonly step: UndoStep | undefined;
}

/**
 * Undo and redo of the edits that are made to a tree here, as in Yjs. Edits of others are never undone:
 *
 * - A property or a place that another peer has set after the edit stays as it is.
 * - An undone creation moves the vertex into the bin, but only if no other peer has changed the vertex, created or moved something
 *   into it, or changed something that was created in it here.
 * - An undone deletion or move puts the vertex back, but not into a vertex that is itself deleted now, or below the vertex.
 *
 * A step of which nothing can be undone any more is skipped. Undoing makes ordinary operations, which are a step for redo. Drafts are
 * not recorded. A step remembers each property and each place only once, so an edit that continues for hours takes no more memory.
 */
export class UndoManager {
  readonly #tree: ReplicatedTree;
  readonly #scope: ReadonlySet<string> | undefined;
  readonly #captureTimeoutMs: number;
  readonly #maxSteps: number;
  readonly #records: (edit: TreeEdit) => boolean;
  readonly #now: () => number;
  readonly #undoSteps: RecordedStep[] = [];
  readonly #redoSteps: RecordedStep[] = [];
  readonly #others = new OthersOperations();
  readonly #listeners = new Listeners<[UndoEvent]>();
  readonly #stops: readonly (() => void)[];
  /** The step that the next edit may join, and the time of the last edit. */
  #open: { readonly step: RecordedStep; at: number } | undefined;
  /** The edits of the undo or redo that runs. */
  #reverting: RecordedStep | undefined;
  /** By vertex that it moves out of the bin: the vertices that come along. */
  readonly #contents = new Map<string, readonly string[]>();

  constructor(tree: ReplicatedTree, options: UndoManagerOptions = {}) {
    this.#tree = tree;
    const { scope } = options;
    if (scope !== undefined) this.#scope = new Set((isList(scope) ? scope : [scope]).map(idOf));
    this.#captureTimeoutMs = options.captureTimeoutMs ?? 500;
    this.#maxSteps = Math.max(1, options.maxSteps ?? 500);
    this.#records = options.records ?? (() => true);
    this.#now = options.now ?? Date.now;
    this.#stops = [
      tree.observeEdits((edits) => this.#onEdits(edits)),
      tree.observeOpApplied((op, isLocal) => {
        if (!isLocal) this.#others.note(op);
      }),
    ];
  }

  /** Whether there is a step to undo. Others may have replaced what it has changed. */
  get canUndo(): boolean {
    return this.#undoSteps.length > 0;
  }

  /** As {@link canUndo}. */
  get canRedo(): boolean {
    return this.#redoSteps.length > 0;
  }

  /**
   * Undoes the last step of which something can be undone.
   * @returns the step; `undefined` without one
   * @throws the error of the tree if it refuses edits; the step is kept then
   */
  undo(): UndoStep | undefined {
    return this.#revertLast(this.#undoSteps, this.#redoSteps, "undone");
  }

  /** Makes the step that was undone last again, as {@link undo}. */
  redo(): UndoStep | undefined {
    return this.#revertLast(this.#redoSteps, this.#undoSteps, "redone");
  }

  /** The next edit begins a new step. */
  stopCapturing(): void {
    this.#open = undefined;
  }

  /** Forgets all steps. */
  clear(): void {
    this.#drop(this.#undoSteps, 0);
    this.#drop(this.#redoSteps, 0);
    this.#open = undefined;
    this.#listeners.call({ type: "cleared", step: undefined });
  }

  /** @returns a function that ends it */
  observe(listener: (event: UndoEvent) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Forgets all steps, and records no more. */
  close(): void {
    for (const stop of this.#stops) stop();
    this.clear();
  }

  // ---- recording ----

  #onEdits(edits: readonly TreeEdit[]): void {
    if (this.#reverting) return this.#addTo(this.#reverting, edits);
    const isInScope = this.#scopeFilter(edits);
    const own = edits.filter((edit) => isLasting(edit) && isInScope(edit) && this.#records(edit));
    if (own.length === 0) return;
    this.#drop(this.#redoSteps, 0);
    const step = this.#stepFor(this.#now());
    this.#addTo(step, own);
    this.#listeners.call({ type: "recorded", step });
  }

  #stepFor(now: number): RecordedStep {
    const passed = this.#open ? now - this.#open.at : Infinity;
    if (this.#open && passed >= 0 && passed < this.#captureTimeoutMs) this.#open.at = now;
    else {
      this.#open = { step: new RecordedStep(), at: now };
      this.#push(this.#undoSteps, this.#open.step);
    }
    return this.#open.step;
  }

  /** Whether the vertex of an edit is in the scope, or was before all these edits. */
  #scopeFilter(edits: readonly TreeEdit[]): (edit: TreeEdit) => boolean {
    const scope = this.#scope;
    if (!scope) return () => true;
    const formerParents = new Map<string, string>();
    for (const { op, former } of edits) {
      const isFirst = "parentId" in op && typeof former === "string" && !formerParents.has(op.targetId);
      if (isFirst) formerParents.set(op.targetId, former);
    }
    const wasInScope = (vertexId: string): boolean => {
      // merges between the edits can make the former places contradict each other
      const seen = new Set<string>();
      for (
        let id: string | null = vertexId;
        id !== null && !seen.has(id);
        id = formerParents.get(id) ?? this.#tree.getParentId(id)
      ) {
        if (scope.has(id)) return true;
        seen.add(id);
      }
      return false;
    };
    const isInScope = (vertexId: string): boolean =>
      scope.has(vertexId) || this.#tree.getAncestors(vertexId).some(({ id }) => scope.has(id));
    return ({ op: { targetId } }) => isInScope(targetId) || wasInScope(targetId);
  }

  #addTo(step: RecordedStep, edits: readonly TreeEdit[]): void {
    for (const edit of edits) if (isLasting(edit)) step.add(edit, this.#others, this.#contents.get(edit.op.targetId));
  }

  #push(steps: RecordedStep[], step: RecordedStep): void {
    steps.push(step);
    this.#drop(steps, this.#maxSteps);
  }

  /** Drops the oldest steps. */
  #drop(steps: RecordedStep[], keep: number): void {
    for (const step of steps.splice(0, steps.length - keep)) for (const change of step.changes) this.#others.unwatch(change);
  }

  // ---- undoing ----

  #revertLast(from: RecordedStep[], to: RecordedStep[], type: "undone" | "redone"): UndoStep | undefined {
    this.#open = undefined;
    for (let step = from.at(-1); step; step = from.at(-1)) {
      const reverse = new RecordedStep(step.meta);
      this.#reverting = reverse;
      try {
        this.#tree.transact(() => this.#revert(step));
        from.pop();
        for (const change of step.changes) this.#others.unwatch(change);
      } finally {
        this.#reverting = undefined;
        this.#contents.clear();
        if (reverse.size > 0) this.#push(to, reverse);
      }
      if (reverse.size === 0) continue;
      this.#listeners.call({ type, step });
      return step;
    }
    return undefined;
  }

  #revert(step: RecordedStep): void {
    const { changes } = step;
    for (const change of changes.toReversed()) {
      if (isArrival(change) || this.#others.haveReplaced(change) || !this.#tree.getVertex(change.vertexId)) continue;
      if (change.key === undefined) this.#putBack(change);
      // a vertex that is taken away keeps its properties, so that redo brings them back
      else if (!step.hasCreated(change.vertexId)) this.#tree.setVertexProperty(change.vertexId, change.key, change.former, true);
    }
    // what is above comes first: the rest goes with it
    for (const change of changes) if (isArrival(change)) this.#takeAway(change);
  }

  #putBack({ vertexId, former }: UndoChange): void {
    const isRoot = typeof former !== "string";
    if (isRoot || !this.#isPresent(former) || former === vertexId || this.#tree.isAncestor(former, vertexId)) return;
    if (this.#tree.getParentId(vertexId) === BIN_ID) this.#contents.set(vertexId, this.#below(vertexId));
    this.#tree.moveVertex(vertexId, former, true);
  }

  #takeAway(change: UndoChange): void {
    const { vertexId } = change;
    if (!this.#isPresent(vertexId) || vertexId === this.#tree.root?.id) return;
    if (!this.#others.haveReplaced(change) && !this.#isTouched(change)) this.#tree.deleteVertex(vertexId, true);
  }

  /** Whether others may have changed the vertex, or something in it. */
  #isTouched({ vertexId, former, lastId }: UndoChange): boolean {
    // others may have created a vertex with a chosen id, too, and before
    const since = former === undefined ? undefined : lastId;
    return [vertexId, ...this.#below(vertexId)].some((id) => this.#others.mayHaveTouched(id, since));
  }

  #below(vertexId: string): string[] {
    const ids = this.#tree.getChildrenIds(vertexId);
    // grows while it is walked
    for (const id of ids) for (const child of this.#tree.getChildrenIds(id)) ids.push(child);
    return ids;
  }

  /** Whether the vertex exists, and is not in the bin. */
  #isPresent(vertexId: string): boolean {
    return vertexId !== BIN_ID && this.#tree.getVertex(vertexId) !== undefined && !this.#tree.isAncestor(vertexId, BIN_ID);
  }
}

function isLasting({ op }: TreeEdit): boolean {
  return "parentId" in op || !op.transient;
}

function isList(scope: VertexOrId | readonly VertexOrId[]): scope is readonly VertexOrId[] {
  return Array.isArray(scope);
}
