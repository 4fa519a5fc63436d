import { BIN_ID, compareOpIds, type ReplicatedTree } from "foldspace/tree";
import { DONE_KEY, isOnPage, ORDER_KEY, siblingsUnder } from "./item.ts";
import { toMoments, type MomentOps } from "./moments.ts";
import { keysBetween } from "./order.ts";
import { Replay, type ReplayNode } from "./replay.ts";
import { isSameRow, type Row } from "./row.ts";

/** Some operations of one peer that followed one another. */
export interface Moment {
  readonly index: number;
  /** Milliseconds since the epoch, by the clock of that peer's device: when it happened, at the earliest. `undefined`: not known. */
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

/** What a page was like, moment by moment, and what was deleted from it. Covers all operations known when it is asked. */
export class History {
  readonly #tree: ReplicatedTree;
  #opCount = -1;
  #steps: readonly MomentOps[] = [];
  #moments: readonly Moment[] = [];
  #replay = new Replay();
  /** Number of moments that the replay has behind it. */
  #reached = 0;

  constructor(tree: ReplicatedTree) {
    this.#tree = tree;
  }

  get moments(): readonly Moment[] {
    this.#refresh();
    return this.#moments;
  }

  /**
   * The page after a moment, with everything unfolded. A moment near the one asked for last costs little.
   * @param index of the moment; below 0: the page before any
   */
  outlineAt(index: number): readonly Row[] {
    this.#goTo(index);
    const rows: Row[] = [];
    const rootId = this.#tree.root?.id;
    if (rootId === undefined) return rows;
    // without recursion: a tree may be deeper than the stack
    const open = [{ nodes: this.#replay.childrenOf(this.#replay.node(rootId)), next: 0, parentId: rootId }];
    for (let list = open.at(-1); list; list = open.at(-1)) {
      const node = list.nodes[list.next++];
      if (!node) {
        open.pop();
        continue;
      }
      rows.push(rowOf(node, open.length - 1, list.parentId, list.next, list.nodes.length));
      if (node.children.size > 0) open.push({ nodes: this.#replay.childrenOf(node), next: 0, parentId: node.id });
    }
    return rows;
  }

  /** What was in the bin after a moment: last deleted first, without what has neither text nor items below it. */
  deletedAt(index: number): DeletedItem[] {
    this.#goTo(index);
    return [...this.#replay.node(BIN_ID).children]
      .sort((a, b) => compareOpIds(b.move!.op.id, a.move!.op.id))
      .map((node) => ({ id: node.id, text: node.text, childCount: countBelow(node), deletedBy: node.move!.op.id.peerId }))
      .filter(({ text, childCount }) => text.trim() !== "" || childCount > 0);
  }

  /** What is in the bin now. */
  deletedItems(): DeletedItem[] {
    return this.deletedAt(Number.MAX_SAFE_INTEGER);
  }

  /**
   * Puts an item that is not on the page, with what is below it, where it last was; to the end of the page if that is gone.
   * @throws FoldspaceError `FOLD_NO_VERTEX` for an item that never was
   */
  restore(itemId: string): void {
    const tree = this.#tree;
    const rootId = tree.root?.id;
    if (rootId === undefined || isOnPage(tree, itemId)) return;
    this.#goTo(Number.MAX_SAFE_INTEGER);
    const parentId = this.#replay.lastPlaceOutside(itemId, BIN_ID);
    if (parentId !== undefined && isOnPage(tree, parentId)) return tree.moveVertex(itemId, parentId);
    const siblings = siblingsUnder(tree, rootId);
    const { keys, rekeyed } = keysBetween(siblings, siblings.length, 1);
    tree.moveVertex(itemId, rootId);
    for (const [id, key] of [...rekeyed, [itemId, keys[0]!] as const]) tree.setVertexProperty(id, ORDER_KEY, key);
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

function rowOf(node: ReplayNode, depth: number, parentId: string, position: number, siblingCount: number): Row {
  const row: Row = {
    id: node.id,
    depth,
    text: node.text,
    isDone: node.get(DONE_KEY) === true,
    isCollapsed: false,
    hasChildren: node.children.size > 0,
    parentId,
    position,
    siblingCount,
  };
  if (!node.row || !isSameRow(node.row, row)) node.row = row;
  return node.row;
}

function countBelow(node: ReplayNode): number {
  // grows while it is walked
  const below = [...node.children];
  for (const each of below) for (const child of each.children) below.push(child);
  return below.length;
}
