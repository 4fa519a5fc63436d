import { compareSiblings, type Placed, type ReplicatedTree } from "foldspace/tree";
import { placedOf } from "./item.ts";
import type { Row } from "./row.ts";

/** Beyond this number, sorting once is cheaper than inserting one by one. */
const MAX_PLACED_ONE_BY_ONE = 64;

const NONE: readonly Item[] = [];

/**
 * The state that an outline keeps of an item:
 *
 * | state | means | leaves it when |
 * | --- | --- | --- |
 * | `index` -1 | not visible: deleted, hidden, not below the root shown, or below a collapsed item | none of these applies |
 * | `index` 0 or more | visible, as `row` | one of these applies |
 * | also in `Outline.#pinned` | neither hiding it nor a deletion elsewhere removes its row | `unpin`, or a deletion here |
 * | also in `Outline.#deleted` | another device deleted it: `row.isDeleted` | it is restored, unpinned, or deleted here as well |
 */
export class Item implements Placed {
  readonly id: string;
  parentId: string;
  order: string | undefined;
  createdAt: string;
  /** As shown last. */
  row: Row | undefined = undefined;
  /** Among the visible rows; -1: not visible. */
  index = -1;

  constructor(parentId: string, { id, order, createdAt }: Placed) {
    this.id = id;
    this.parentId = parentId;
    this.order = order;
    this.createdAt = createdAt;
  }
}

/** The items of a page in order. Each list of siblings is sorted on first use, and kept in order from then on. */
export class ItemLists {
  readonly #tree: ReplicatedTree;
  readonly #items = new Map<string, Item>();
  readonly #lists = new Map<string, readonly Item[]>();
  /** By parent: children that were added, removed or moved. */
  #misplaced = new Map<string, Set<string>>();

  constructor(tree: ReplicatedTree) {
    this.#tree = tree;
  }

  get(id: string): Item | undefined {
    return this.#items.get(id);
  }

  /** The caller must not change the list. */
  childrenOf(parentId: string): readonly Item[] {
    let list = this.#lists.get(parentId);
    if (!list) {
      list = this.#sorted(parentId);
      this.#lists.set(parentId, list);
    }
    return list;
  }

  /** Notes that a vertex may have been created, deleted or moved, or that its order key may have changed. */
  note(id: string): void {
    const parentId = this.#tree.getParentId(id) ?? "";
    const item = this.#items.get(id);
    if (!item) {
      if (!this.#lists.has(parentId)) return;
      this.#add(id, parentId);
    } else {
      const { order, createdAt } = placedOf(this.#tree, id);
      if (item.parentId === parentId && item.order === order && item.createdAt === createdAt) return;
      this.#misplace(item.parentId, id);
      item.parentId = parentId;
      item.order = order;
      item.createdAt = createdAt;
    }
    this.#misplace(parentId, id);
  }

  /** Rereads the order of all items. */
  reload(): void {
    this.#lists.clear();
    this.#misplaced.clear();
    for (const item of this.#items.values()) {
      const { order, createdAt } = placedOf(this.#tree, item.id);
      item.parentId = this.#tree.getParentId(item.id) ?? "";
      item.order = order;
      item.createdAt = createdAt;
    }
  }

  /** Moves all noted items to their places. @returns parents whose lists may have changed */
  applyPending(): readonly string[] {
    if (this.#misplaced.size === 0) return [];
    const misplaced = this.#misplaced;
    this.#misplaced = new Map();
    for (const [parentId, ids] of misplaced) this.#lists.set(parentId, this.#repaired(parentId, ids));
    return [...misplaced.keys()];
  }

  #repaired(parentId: string, ids: ReadonlySet<string>): readonly Item[] {
    if (ids.size > MAX_PLACED_ONE_BY_ONE) return this.#sorted(parentId);
    const list = this.#lists.get(parentId)!.filter(({ id }) => !ids.has(id));
    for (const id of ids) {
      const item = this.#items.get(id)!;
      if (item.parentId === parentId) list.splice(positionOf(item, list), 0, item);
    }
    return list;
  }

  #sorted(parentId: string): readonly Item[] {
    const ids = this.#tree.getChildrenIds(parentId);
    // the usual case
    if (ids.length === 0) return NONE;
    return ids.map((id) => this.#items.get(id) ?? this.#add(id, parentId)).sort(compareSiblings);
  }

  #add(id: string, parentId: string): Item {
    const item = new Item(parentId, placedOf(this.#tree, id));
    this.#items.set(id, item);
    return item;
  }

  #misplace(parentId: string, id: string): void {
    if (!this.#lists.has(parentId)) return;
    let ids = this.#misplaced.get(parentId);
    if (!ids) this.#misplaced.set(parentId, (ids = new Set()));
    ids.add(id);
  }
}

/** Index at which the item belongs. */
function positionOf(item: Item, list: readonly Item[]): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareSiblings(list[middle]!, item) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
