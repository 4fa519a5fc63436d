import { isMoveVertexOp, type ReplicatedTree, type SetVertexProperty, type VertexOperation } from "foldspace/tree";
import type { OutlineEditor } from "./editing.ts";
import type { TextState } from "./item-versions.ts";
import { isOnPage, TEXT_KEY } from "./item.ts";
import { ChangeObservable } from "./change-observable.ts";
import { SEEN_KEY, TextVersions } from "./text-versions.ts";

export interface ConflictVersion {
  readonly value: string;
  readonly peerId: string;
  readonly counter: number;
}

/** Two concurrent texts of one item: the one that wins, and one that does not. */
export interface Conflict {
  readonly itemId: string;
  readonly winner: ConflictVersion;
  readonly loser: ConflictVersion;
}

/**
 * Ways to resolve a conflict. A mark that every device reads resolves it on all of them. If two devices resolve the same
 * conflict at the same time, they converge as for any other text. The effect on the page is one step that can be undone; the
 * conflict stays resolved.
 */
export type Resolver = (editor: OutlineEditor, conflict: Conflict) => void;

/** Keeps the winning text. */
export const keepWinner: Resolver = ({ outline }, { itemId, loser }) => {
  TextVersions.of(outline.tree).markSeen(itemId, [loser]);
};

/** Writes the losing text over the winning one. */
export const takeLoser: Resolver = (editor, { itemId, winner, loser }) => {
  editor.together(() => editor.setText(itemId, loser.value, { from: winner.value, parents: [winner, loser] }));
};

/** Makes an item of the losing text, right behind the other. */
export const keepBoth: Resolver = (editor, conflict) => {
  keepWinner(editor, conflict);
  editor.insertAfter(conflict.itemId, conflict.loser.value);
};

/** Which of two texts is kept. */
export type Resolution = "winner" | "loser" | "both";

export const RESOLVERS: Readonly<Record<Resolution, Resolver>> = { winner: keepWinner, loser: takeLoser, both: keepBoth };

/**
 * Finds concurrent texts that need an action: compatible texts must be merged, the others are conflicts.
 * {@link TextVersions} decides which are certain. Texts that are empty or equal to the winning one are no conflicts, and of a
 * text that was typed without a break only the last state counts.
 */
export class ConflictWatcher {
  readonly #tree: ReplicatedTree;
  readonly #versions: TextVersions;
  readonly #found = new Map<string, readonly Conflict[]>();
  readonly #unmerged = new Set<string>();
  readonly #changed = new Set<string>();
  #hasArrived = false;
  #conflicts: readonly Conflict[] = [];
  #isScheduled = false;
  readonly #changes = new ChangeObservable();
  readonly #endObserving: () => void;

  /** @param key the property that contains the texts */
  constructor(tree: ReplicatedTree, key: string = TEXT_KEY) {
    this.#tree = tree;
    this.#versions = TextVersions.of(tree, key);
    for (const id of this.#versions.sharedItems()) this.#changed.add(id);
    this.#refresh();
    this.#endObserving = tree.observeOpApplied((op, isLocal) => this.#onOp(op, isLocal));
  }

  /** A new array after each change. */
  get conflicts(): readonly Conflict[] {
    return this.#conflicts;
  }

  /** Items with texts that are compatible with the winning one, and not merged into it yet. */
  get unmerged(): ReadonlySet<string> {
    return this.#unmerged;
  }

  get versions(): TextVersions {
    return this.#versions;
  }

  /** Notifies in a microtask after {@link conflicts} or {@link unmerged} have changed. @returns a function that ends it */
  observe(listener: () => void): () => void {
    return this.#changes.observe(listener);
  }

  close(): void {
    this.#endObserving();
  }

  #onOp(op: VertexOperation, isLocal: boolean): void {
    const isOfText = !isMoveVertexOp(op) && (op.key === this.#versions.key || op.key === SEEN_KEY);
    if (isOfText) this.#changed.add(op.targetId);
    // a move may bring an item back to the page, or take it away
    else if (this.#found.size === 0 || (isLocal && !isMoveVertexOp(op))) return;
    if (!isLocal) this.#hasArrived = true;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (this.#refresh()) this.#changes.notify();
    });
  }

  /** @returns whether the conflicts, or the texts to merge, have changed */
  #refresh(): boolean {
    let isDifferent = false;
    // any operation may be the one that showed that nothing is missing between two texts
    if (this.#hasArrived) for (const id of this.#found.keys()) this.#changed.add(id);
    this.#hasArrived = false;
    for (const id of this.#changed) {
      const state = this.#versions.stateOf(id);
      const conflicts = state ? conflictsOf(id, state) : [];
      if (conflicts.length > 0) this.#found.set(id, conflicts);
      else this.#found.delete(id);
      // also while a merge is pending: another text may have arrived
      if (state && state.merged.text !== state.text) {
        this.#unmerged.add(id);
        isDifferent = true;
      } else if (this.#unmerged.delete(id)) isDifferent = true;
    }
    this.#changed.clear();
    const conflicts = [...this.#found].filter(([id]) => isOnPage(this.#tree, id)).flatMap(([, found]) => found);
    if (conflicts.length === this.#conflicts.length && conflicts.every((conflict, index) => conflict === this.#conflicts[index]))
      return isDifferent;
    this.#conflicts = conflicts;
    return true;
  }
}

function conflictsOf(itemId: string, { shown, conflicts }: TextState): Conflict[] {
  return conflicts.map((loser) => ({ itemId, winner: toVersion(shown), loser: toVersion(loser) }));
}

function toVersion({ id, value }: SetVertexProperty): ConflictVersion {
  return { value: typeof value === "string" ? value : "", peerId: id.peerId, counter: id.counter };
}
