import { isMoveVertexOp, type ReplicatedTree, type SetVertexProperty, type VertexOperation } from "foldspace/tree";
import type { OutlineEditor } from "./editing.ts";
import { isOnPage, TEXT_KEY } from "./item.ts";
import { Signal } from "./signal.ts";
import { SEEN_KEY, TextVersions } from "./text-versions.ts";

export interface RivalVersion {
  readonly value: string;
  readonly peerId: string;
  readonly counter: number;
}

/** Two texts of one item that were written without knowing of each other: the one that stands, and one that did not win. */
export interface Rival {
  readonly itemId: string;
  readonly winner: RivalVersion;
  readonly loser: RivalVersion;
}

/**
 * Ways to settle a rival: by a mark that every device reads, so that a rival that was settled on one is settled on all. Two
 * devices that settle the same one at the same time agree as they do on any other text. What they do to the page is one step
 * that can be undone; the rival stays settled.
 */
export type Settle = (editor: OutlineEditor, rival: Rival) => void;

/** Lets the text that stands stand. */
export const keepWinner: Settle = ({ outline }, { itemId, loser }) => {
  TextVersions.of(outline.tree).settle(itemId, [loser]);
};

/** Writes the text that did not win over the one that stands. */
export const takeLoser: Settle = (editor, rival) => {
  keepWinner(editor, rival);
  editor.together(() => editor.setText(rival.itemId, rival.loser.value));
};

/** Makes an item of the text that did not win, right behind the other. */
export const keepBoth: Settle = (editor, rival) => {
  keepWinner(editor, rival);
  editor.insertAfter(rival.itemId, rival.loser.value);
};

/**
 * Keeps the rival texts of the items on a page at hand, as far as they can be told: {@link TextVersions} says what is certain.
 * Texts that are empty or equal to the one that stands are none, and of one that was typed without a break only the last
 * state counts.
 */
export class RivalWatcher {
  readonly #tree: ReplicatedTree;
  readonly #versions: TextVersions;
  readonly #found = new Map<string, readonly Rival[]>();
  readonly #changed = new Set<string>();
  #rivals: readonly Rival[] = [];
  #isScheduled = false;
  readonly #signal = new Signal();
  readonly #endObserving: () => void;

  constructor(tree: ReplicatedTree) {
    this.#tree = tree;
    this.#versions = TextVersions.of(tree);
    for (const id of this.#versions.sharedItems()) this.#changed.add(id);
    this.#refresh();
    this.#endObserving = tree.observeOpApplied((op) => this.#onOp(op));
  }

  /** A new array after each change. */
  get rivals(): readonly Rival[] {
    return this.#rivals;
  }

  /** Told in a microtask after {@link rivals} has changed. @returns a function that ends it */
  observe(listener: () => void): () => void {
    return this.#signal.observe(listener);
  }

  close(): void {
    this.#endObserving();
  }

  #onOp(op: VertexOperation): void {
    // a move may bring an item back to the page, or take it away
    if (!isMoveVertexOp(op)) {
      if (op.key !== TEXT_KEY && op.key !== SEEN_KEY) return;
      this.#changed.add(op.targetId);
    } else if (this.#found.size === 0) return;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (this.#refresh()) this.#signal.tell();
    });
  }

  /** @returns whether the rivals are others than before */
  #refresh(): boolean {
    for (const id of this.#changed) {
      const rivals = rivalsOf(this.#versions, id);
      if (rivals.length > 0) this.#found.set(id, rivals);
      else this.#found.delete(id);
    }
    this.#changed.clear();
    const rivals = [...this.#found].filter(([id]) => isOnPage(this.#tree, id)).flatMap(([, found]) => found);
    if (rivals.length === this.#rivals.length && rivals.every((rival, index) => rival === this.#rivals[index])) return false;
    this.#rivals = rivals;
    return true;
  }
}

function rivalsOf(versions: TextVersions, itemId: string): Rival[] {
  const shown = versions.shown(itemId);
  if (!shown) return [];
  return versions.rivalsOf(itemId).map((loser) => ({ itemId, winner: toVersion(shown), loser: toVersion(loser) }));
}

function toVersion({ id, value }: SetVertexProperty): RivalVersion {
  return { value: typeof value === "string" ? value : "", peerId: id.peerId, counter: id.counter };
}
