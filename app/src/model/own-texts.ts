import { BIN_ID, isMoveVertexOp, type MoveVertex, type OpId, type ReplicatedTree } from "foldspace/tree";
import { isOnPage, TEXT_KEY } from "./item.ts";
import { TextVersions } from "./text-versions.ts";

/**
 * Finds texts that were written here and that another device deleted without having seen them, in the deleted item or below
 * it. A text that is written into an item after its deletion counts as unseen, too.
 */
export class OwnTexts {
  readonly #tree: ReplicatedTree;
  readonly #versions: TextVersions;
  readonly #onDeleted: (itemId: string) => void;
  /** The last text that was written here, by item. */
  readonly #last = new Map<string, OpId>();
  readonly #unseen = new Set<string>();
  readonly #endObserving: () => void;

  /** @param onDeleted called before the tree notifies its observers of the deletion */
  constructor(tree: ReplicatedTree, onDeleted: (itemId: string) => void) {
    this.#tree = tree;
    this.#versions = TextVersions.of(tree);
    this.#onDeleted = onDeleted;
    this.#endObserving = tree.observeOpApplied((op, isLocal) => {
      if (isMoveVertexOp(op)) {
        if (!isLocal && op.parentId === BIN_ID && this.#last.size > 0) this.#findUnseen(op);
      } else if (isLocal && op.key === TEXT_KEY && !op.transient) {
        this.#last.set(op.targetId, op.id);
        if (isOnPage(tree, op.targetId)) this.#unseen.delete(op.targetId);
        else this.#unseen.add(op.targetId);
      }
    });
  }

  /** Whether a deleted item has a text that was written here, and that the deleting device had not seen. */
  isUnseen(itemId: string): boolean {
    return this.#unseen.has(itemId);
  }

  close(): void {
    this.#endObserving();
  }

  #findUnseen({ id: deletion, targetId }: MoveVertex): void {
    for (const [itemId, text] of this.#last) {
      const isBelow = itemId === targetId || this.#tree.isAncestor(itemId, targetId);
      if (!isBelow || this.#versions.mayHaveSeen(deletion, text)) continue;
      this.#unseen.add(itemId);
      this.#onDeleted(itemId);
    }
  }
}
