import { FoldspaceError } from "foldspace";
import {
  BIN_ID,
  isMoveVertexOp,
  type Placed,
  type ReplicatedTree,
  type VertexChangeEvent,
  type VertexOperation,
} from "foldspace/tree";
import { HiddenItems } from "./hidden-items.ts";
import { type Item, ItemLists } from "./item-lists.ts";
import { COLLAPSED_KEY, CREATED_KEY, DONE_KEY, isOnPage, isSet, NOTE_KEY, noteOf, ORDER_KEY, TEXT_KEY, textOf } from "./item.ts";
import { isSameRow, type Row } from "./row.ts";
import { ChangeObservable } from "./change-observable.ts";

export type { Row } from "./row.ts";

/**
 * One page as a live list of rows. The cost of a change depends on its size: only the rows of changed lists of siblings are
 * compared, the blocks of rows between them are reused.
 *
 * Changes arrive in two ways. Operations of this device are noted at once, so that code that edits and reads in the same turn
 * reads the new state. For operations of other devices, the tree reports their effects in a microtask; a read before that
 * reloads the whole outline:
 *
 * | event | `#isStale` | `#isAhead` | `#isReloadDue` |
 * | --- | --- | --- | --- |
 * | before the first read | true | false | false |
 * | a move of this device | as before | true | as before |
 * | an operation of another device | true | as before | true if `#isAhead`, else as before |
 * | a read while `#isStale`: reloads | false | true | as before |
 * | a report of the tree: reloads if `#isReloadDue`, else applies the reported changes | false | false | false |
 *
 * {@link Item} lists the states of an item.
 */
export class Outline {
  readonly tree: ReplicatedTree;
  readonly #pageId: string;
  #zoomedId: string | undefined;
  readonly #lists: ItemLists;
  #visible: readonly Item[] = [];
  #rows: readonly Row[] = [];
  #toldRows: readonly Row[] = [];
  /** Items whose rows may have changed. */
  readonly #changed = new Set<string>();
  /** Items that were collapsed or expanded, or with descendants that are hidden now. */
  readonly #relisted = new Set<string>();
  /** Operations of other devices have arrived, and the tree has not reported their effects yet. */
  #isStale = true;
  /** Moves were noted since the last report of the tree, which omits moves that were undone in between. */
  #isAhead = false;
  #isReloadDue = false;
  /** Items that stay among the rows when another device deletes them. */
  readonly #pinned = new Set<string>();
  /** The pinned items that were deleted. */
  readonly #deleted = new Set<string>();
  #isWithDeleted = false;
  readonly #hidden: HiddenItems;
  readonly #changes = new ChangeObservable();
  readonly #endings: readonly (() => void)[];

  /** @throws FoldspaceError `FOLD_NO_ROOT` if the tree has no root yet */
  constructor(tree: ReplicatedTree) {
    if (!tree.root) throw new FoldspaceError("FOLD_NO_ROOT", "A tree without a root cannot be shown");
    this.tree = tree;
    this.#pageId = tree.root.id;
    this.#lists = new ItemLists(tree);
    this.#hidden = new HiddenItems(tree);
    this.#toldRows = this.rows;
    this.#endings = [
      tree.observeOpApplied((op, isLocal) => this.#onOp(op, isLocal)),
      tree.observeTree((events) => this.#onEvents(events)),
    ];
  }

  // ---- reading ----

  /** Visible rows, top to bottom, without descendants of collapsed items: a new array after each change. */
  get rows(): readonly Row[] {
    this.#refresh();
    return this.#rows;
  }

  /** The row of a visible item. */
  row(id: string): Row | undefined {
    this.#refresh();
    return this.#rows[this.#lists.get(id)?.index ?? -1];
  }

  /** Index of an item among the rows, or -1 if it is not visible. */
  indexOf(id: string): number {
    this.#refresh();
    return this.#lists.get(id)?.index ?? -1;
  }

  /** Ids of an item's children in order, visible or not. */
  childrenOf(id: string): readonly string[] {
    return this.placesOf(id).map((item) => item.id);
  }

  /** The children of an item in order, with their sort keys. */
  placesOf(id: string): readonly Placed[] {
    this.#refresh();
    return this.#lists.childrenOf(id);
  }

  /** Id of the parent of the topmost rows: the page's root, or the item zoomed into. */
  get root(): string {
    return this.#zoomedId ?? this.#pageId;
  }

  /**
   * Keeps an item's row in its place when another device deletes the item or an ancestor. The row is marked as deleted until it
   * is unpinned, restored, or deleted here as well.
   */
  pin(id: string): void {
    this.#pinned.add(id);
  }

  /** Unpins a row. It disappears if the item has been deleted or is hidden. */
  unpin(id: string): void {
    if (!this.#pinned.delete(id)) return;
    if (this.#deleted.has(id) || this.#hidden.mayHide(id)) this.#showAnew();
  }

  /** Pinned items that other devices have deleted. */
  get pinnedDeleted(): ReadonlySet<string> {
    this.#refresh();
    return this.#deleted;
  }

  // ---- what is hidden ----

  /** Hides done items with all their descendants, or shows them again. A pinned row stays until it is unpinned. */
  hideDone(isHidden: boolean): void {
    if (isHidden === this.#hidden.isHidingDone) return;
    this.#hidden.isHidingDone = isHidden;
    this.#showAnew();
  }

  /**
   * Shows only items with the words of a query, their ancestors and descendants, until another part of the page is shown.
   * @returns number of matching items; `undefined` for a query without words, which shows everything
   */
  filter(query: string): number | undefined {
    const count = this.#hidden.filter(this.root, query);
    this.#showAnew();
    return count;
  }

  /** Collapses an item that is expanded only to show a match below it. @returns whether it was one */
  collapseFound(id: string): boolean {
    if (!this.#hidden.collapseAgain(id)) return false;
    this.#relisted.add(id);
    return true;
  }

  /** Whether an item itself is hidden. */
  isHidden(id: string): boolean {
    return this.#hidden.has(id);
  }

  /** Notifies in a microtask, once per batch of changes, and at once after {@link zoom}. @returns a function that ends it */
  observe(listener: () => void): () => void {
    return this.#changes.observe(listener);
  }

  /** Shows only the descendants of an item, or the whole page, without a filter. Deleting that item ends the zoom. */
  zoom(rootId: string | undefined): void {
    const zoomedId = rootId === this.#pageId ? undefined : rootId;
    if (zoomedId === this.#zoomedId) return;
    this.#zoomedId = zoomedId;
    this.#hidden.filter(this.#pageId, "");
    this.#leaveDeletedRoot();
    this.#refresh();
    this.#show(new Set());
    this.#notify();
  }

  close(): void {
    for (const end of this.#endings) end();
  }

  // ---- following changes ----

  #onOp(op: VertexOperation, isLocal: boolean): void {
    if (!isLocal) {
      this.#isStale = true;
      this.#isReloadDue ||= this.#isAhead;
    } else if (isMoveVertexOp(op)) {
      this.#isAhead = true;
      this.#lists.note(op.targetId);
      if (op.parentId === BIN_ID) this.#unpinAllBelow(op.targetId);
    } else {
      this.#noteProperty(op.targetId, op.key);
    }
  }

  #onEvents(events: readonly VertexChangeEvent[]): void {
    this.#isStale = this.#isReloadDue;
    this.#isReloadDue = false;
    for (const event of events) {
      if (event.type === "move") this.#lists.note(event.vertexId);
      else if (event.type === "property") this.#noteProperty(event.vertexId, event.key);
    }
    this.#refresh();
    this.#isAhead = false;
    this.#notify();
  }

  /** A user who deletes items here needs no notice of it. */
  #unpinAllBelow(deletedId: string): void {
    for (const id of this.#pinned) {
      if (id !== deletedId && !this.tree.isAncestor(id, deletedId)) continue;
      this.#pinned.delete(id);
      if (!this.#deleted.has(id)) continue;
      // another device has deleted it before: its place does not change, and the tree reports nothing
      this.#relisted.add(this.root);
      queueMicrotask(() => {
        this.#refresh();
        this.#notify();
      });
    }
  }

  #noteProperty(id: string, key: string): void {
    if (key === DONE_KEY && this.#hidden.isHidingDone) this.#relisted.add(this.tree.getParentId(id) ?? "");
    if (key === TEXT_KEY || key === DONE_KEY || key === NOTE_KEY) this.#changed.add(id);
    else if (key === COLLAPSED_KEY && this.#lists.get(id)?.row?.isCollapsed !== isSet(this.tree, id, key)) this.#relisted.add(id);
    else if (key === ORDER_KEY || key === CREATED_KEY) this.#lists.note(id);
  }

  #notify(): void {
    if (this.#rows === this.#toldRows) return;
    this.#toldRows = this.#rows;
    this.#changes.notify();
  }

  // ---- updating the rows ----

  #refresh(): void {
    if (this.#isStale) return this.#reload();
    const parents = this.#lists.applyPending();
    if (parents.length > 0 || this.#relisted.size > 0) {
      this.#leaveDeletedRoot();
      this.#show(this.#withAncestors([...parents, ...this.#relisted]));
      this.#relisted.clear();
    }
    if (this.#changed.size > 0) this.#showChanged();
  }

  #reload(): void {
    this.#isStale = false;
    this.#isAhead = true;
    this.#changed.clear();
    this.#relisted.clear();
    this.#lists.reload();
    this.#leaveDeletedRoot();
    this.#show("everything");
  }

  #showAnew(): void {
    this.#refresh();
    this.#show("everything");
    this.#notify();
  }

  #leaveDeletedRoot(): void {
    if (this.#zoomedId !== undefined && !isOnPage(this.tree, this.#zoomedId)) this.#zoomedId = undefined;
  }

  #withAncestors(ids: Iterable<string>): Set<string> {
    const touched = new Set<string>();
    for (const each of ids) {
      for (let id: string | undefined = each; id !== undefined && !touched.has(id); id = this.#lists.get(id)?.parentId)
        touched.add(id);
    }
    return touched;
  }

  /**
   * Lists the visible items.
   * @param touched items that were collapsed or expanded, or below which a list of siblings changed. The rows below all other
   *   items are unchanged.
   */
  #show(touched: ReadonlySet<string> | "everything"): void {
    const [rowsBefore, visibleBefore] = [this.#rows, this.#visible];
    this.#hidden.keep(this.#pinned);
    // the rows of deleted items lie between unrelated ones
    const deleted = this.#findDeleted();
    const isAnew = touched === "everything" || deleted.length > 0 || this.#isWithDeleted;
    this.#isWithDeleted = deleted.length > 0;
    const visible: Item[] = [];
    // without recursion: a tree may be deeper than the stack
    const open = [{ items: this.#lists.childrenOf(this.root), next: 0 }];
    for (let list = open.at(-1); list; list = open.at(-1)) {
      const item = list.items[list.next++];
      if (!item) {
        open.pop();
        continue;
      }
      if (this.#hidden.has(item.id)) continue;
      const before = rowsBefore[item.index];
      const isKnown = !isAnew && !this.#hidden.isAnything && before !== undefined && !touched.has(item.id);
      const row = isKnown
        ? placed(item, open.length - 1, list.next, list.items.length)
        : this.#rowOf(item, open.length - 1, list.next, list.items.length);
      visible.push(item);
      if (row.isCollapsed || !row.hasChildren) continue;
      const isAsBefore = !isAnew && !touched.has(item.id) && before?.depth === row.depth && !before.isCollapsed;
      if (!isAsBefore) open.push({ items: this.#lists.childrenOf(item.id), next: 0 });
      else for (let at = item.index + 1; isBelow(rowsBefore[at], row); at++) visible.push(visibleBefore[at]!);
    }
    if (deleted.length > 0) this.#addDeleted(visible, deleted);
    for (const item of visibleBefore) item.index = -1;
    const rows: Row[] = [];
    let isDifferent = visible.length !== visibleBefore.length;
    for (const item of visible) {
      const row = item.row!;
      isDifferent ||= row !== rowsBefore[rows.length];
      item.index = rows.length;
      rows.push(row);
    }
    this.#visible = visible;
    if (isDifferent) this.#rows = rows;
  }

  /** Pinned items that were deleted while they were visible, top to bottom. */
  #findDeleted(): readonly Item[] {
    this.#deleted.clear();
    if (this.#pinned.size === 0) return [];
    const found: Item[] = [];
    for (const id of this.#pinned) {
      if (isOnPage(this.tree, id)) continue;
      const item = this.#lists.get(id);
      if (!item || item.index < 0) this.#pinned.delete(id);
      else {
        found.push(item);
        this.#deleted.add(id);
      }
    }
    return found.sort((a, b) => a.index - b.index);
  }

  /** Inserts deleted items behind their former predecessors. */
  #addDeleted(visible: Item[], deleted: readonly Item[]): void {
    const places = new Map(visible.map((item, index) => [item, index]));
    // from the end, so that earlier indexes stay valid
    for (const item of deleted.toReversed()) {
      const above = this.#visible.slice(0, item.index).findLast((each) => places.has(each));
      const { depth, position, siblingCount } = item.row!;
      this.#rowOf(item, Math.min(depth, above ? above.row!.depth + 1 : 0), position, siblingCount);
      visible.splice(above ? places.get(above)! + 1 : 0, 0, item);
    }
  }

  #showChanged(): void {
    let rows: Row[] | undefined;
    for (const id of this.#changed) {
      const item = this.#lists.get(id);
      const before = this.#rows[item?.index ?? -1];
      if (!item || !before) continue;
      const row = this.#rowOf(item, before.depth, before.position, before.siblingCount);
      if (row !== before) (rows ??= [...this.#rows])[item.index] = row;
    }
    this.#changed.clear();
    if (rows) this.#rows = rows;
  }

  /** The item's row: the previous object if it is unchanged. */
  #rowOf(item: Item, depth: number, position: number, siblingCount: number): Row {
    const { id, parentId } = item;
    const isDeleted = this.#deleted.has(id);
    const note = noteOf(this.tree, id);
    const row: Row = {
      id,
      depth,
      text: textOf(this.tree, id),
      isDone: isSet(this.tree, id, DONE_KEY),
      isCollapsed: !isDeleted && isSet(this.tree, id, COLLAPSED_KEY) && !this.#hidden.isExpanded(id),
      hasChildren: !isDeleted && this.#lists.childrenOf(id).length > 0,
      parentId,
      position,
      siblingCount,
      ...(note === "" ? {} : { note }),
      ...(isDeleted ? { isDeleted } : {}),
    };
    if (!item.row || !isSameRow(item.row, row)) item.row = row;
    return item.row;
  }
}

/** The row of an item in its place, with all else as it was shown last: changes of that are noted, and shown afterwards. */
function placed(item: Item, depth: number, position: number, siblingCount: number): Row {
  const { parentId } = item;
  const row: Row = { ...item.row!, depth, parentId, position, siblingCount };
  if (!isSameRow(item.row!, row)) item.row = row;
  return item.row!;
}

/** Whether a later row is a descendant of another. */
function isBelow(later: Row | undefined, row: Row): boolean {
  return later !== undefined && later.depth > row.depth;
}
