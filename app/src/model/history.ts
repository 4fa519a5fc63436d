import { BIN_ID, compareOpIds, type ReplicatedTree } from "foldspace/tree";
import { asNote, DONE_KEY, NOTE_KEY } from "./item.ts";
import { toMoments, type MomentOps } from "./moments.ts";
import { preOrder, type Visited } from "./pre-order.ts";
import { Replay, type ReplayNode } from "./replay.ts";
import { isSameRow, type Row } from "./row.ts";

/** Consecutive operations of one peer. */
export interface Moment {
  readonly index: number;
  /** Earliest time at which it happened, in milliseconds since the epoch by that device's clock; `undefined` if unknown. */
  readonly at: number | undefined;
  readonly peerId: string;
  /** Number of operations. */
  readonly count: number;
}

export interface DeletedItem {
  readonly id: string;
  readonly text: string;
  /** Number of items below it, at all depths. */
  readonly childCount: number;
  /** Peer id. */
  readonly deletedBy: string;
}

/** The states of a page, moment by moment, and its deleted items. Covers the operations known at the time of a call. */
export class History {
  readonly #tree: ReplicatedTree;
  #opCount = -1;
  #steps: readonly MomentOps[] = [];
  #moments: readonly Moment[] = [];
  #replay = new Replay();
  /** Number of moments that the replay has applied. */
  #reached = 0;

  constructor(tree: ReplicatedTree) {
    this.#tree = tree;
  }

  get moments(): readonly Moment[] {
    this.#refresh();
    return this.#moments;
  }

  /**
   * The page after a moment, with all items expanded. A moment near the last one that was read costs little.
   * @param index of the moment; below 0: the page before all moments
   */
  outlineAt(index: number): readonly Row[] {
    this.#goTo(index);
    const rootId = this.#tree.root?.id;
    if (rootId === undefined) return [];
    const childrenOf = (node: ReplayNode): readonly ReplayNode[] => this.#replay.childrenOf(node);
    return Array.from(preOrder(childrenOf(this.#replay.node(rootId)), childrenOf), rowOf);
  }

  /** The bin after a moment: last deleted first, without items that have neither text nor children. */
  deletedAt(index: number): DeletedItem[] {
    this.#goTo(index);
    return [...this.#replay.node(BIN_ID).children]
      .sort((a, b) => compareOpIds(b.move!.op.id, a.move!.op.id))
      .map((node) => ({ id: node.id, text: node.text, childCount: countBelow(node), deletedBy: node.move!.op.id.peerId }))
      .filter(({ text, childCount }) => text.trim() !== "" || childCount > 0);
  }

  /** The current contents of the bin. */
  deletedItems(): DeletedItem[] {
    return this.deletedAt(Number.MAX_SAFE_INTEGER);
  }

  /** The parent of an item, or its parent at the time of deletion. */
  lastParentOf(itemId: string): string | undefined {
    this.#goTo(Number.MAX_SAFE_INTEGER);
    return this.#replay.lastPlaceOutside(itemId, BIN_ID);
  }

  #refresh(): void {
    if (this.#opCount === this.#tree.opCount) return;
    this.#opCount = this.#tree.opCount;
    this.#steps = toMoments(this.#tree.getAllOps());
    this.#moments = this.#steps.map(({ at, peerId, ops }, index) => ({ index, at, peerId, count: ops.length }));
    this.#replay = new Replay();
    this.#reached = 0;
  }

  #goTo(index: number): void {
    this.#refresh();
    const wanted = Math.min(index + 1, this.#steps.length);
    while (this.#reached < wanted) for (const op of this.#steps[this.#reached++]!.ops) this.#replay.put(op);
    while (this.#reached > Math.max(wanted, 0))
      for (const op of this.#steps[--this.#reached]!.ops.toReversed()) this.#replay.takeOut(op);
  }
}

function rowOf({ node, depth, siblings, index }: Visited<ReplayNode>): Row {
  const note = asNote(node.get(NOTE_KEY));
  const row: Row = {
    id: node.id,
    depth,
    text: node.text,
    ...(note === "" ? {} : { note }),
    isDone: node.get(DONE_KEY) === true,
    isCollapsed: false,
    hasChildren: node.children.size > 0,
    parentId: node.parent?.id ?? "",
    position: index + 1,
    siblingCount: siblings.length,
  };
  if (!node.row || !isSameRow(node.row, row)) node.row = row;
  return node.row;
}

function countBelow(node: ReplayNode): number {
  // the loop appends to the array
  const below = [...node.children];
  for (const each of below) for (const child of each.children) below.push(child);
  return below.length;
}
