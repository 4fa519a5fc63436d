import { BIN_ID, FoldspaceError } from "foldspace";
import { keysBetween } from "foldspace/tree";
import { COLLAPSED_KEY, isOnPage, isSet } from "./item.ts";
import type { Journal } from "./journal.ts";
import type { OutlineNode } from "./outline-node.ts";
import type { Outline } from "./outline.ts";

/** Moves and creates items in their places among their siblings, inside a step of the page's journal. */
export class Placing {
  readonly #outline: Outline;
  readonly #journal: Journal;

  constructor(outline: Outline, journal: Journal) {
    this.#outline = outline;
    this.#journal = journal;
  }

  // ---- the place of an item ----

  /** @throws FoldspaceError `FOLD_NO_VERTEX` */
  assertOnPage(id: string): void {
    if (isOnPage(this.#outline.tree, id)) return;
    throw new FoldspaceError("FOLD_NO_VERTEX", `There is no item ${JSON.stringify(id)} on this page`, { data: { id } });
  }

  /** @throws FoldspaceError `FOLD_NO_VERTEX` */
  parentOf(id: string): string {
    this.assertOnPage(id);
    return this.#outline.tree.getParentId(id) ?? BIN_ID;
  }

  /** @throws FoldspaceError `FOLD_NO_VERTEX` */
  indexOf(id: string): number {
    return this.#outline.childrenOf(this.parentOf(id)).indexOf(id);
  }

  /** Whether the item's children are shown right below it. */
  isOpen(id: string): boolean {
    const { rows, tree, root } = this.#outline;
    const index = this.#outline.indexOf(id);
    if (index >= 0) return (rows[index + 1]?.depth ?? 0) > rows[index]!.depth;
    return id === root || (!isSet(tree, id, COLLAPSED_KEY) && this.#outline.childrenOf(id).length > 0);
  }

  /** The next sibling of an item, above or below, that is not hidden. @throws FoldspaceError `FOLD_NO_VERTEX` */
  siblingOf(id: string, step: 1 | -1): string | undefined {
    const siblings = this.#outline.childrenOf(this.parentOf(id));
    let at = siblings.indexOf(id);
    do at += step;
    while (siblings[at] !== undefined && this.#outline.isHidden(siblings[at]!));
    return siblings[at];
  }

  /** The last descendant of an item, or the item itself. */
  lastBelow(id: string): string {
    let last = id;
    for (let child: string | undefined = id; child !== undefined; child = this.#outline.childrenOf(last).at(-1)) last = child;
    return last;
  }

  expand(id: string): void {
    this.#journal.setProperty(id, COLLAPSED_KEY, undefined);
  }

  // ---- moving ----

  /** @param index among the siblings without the item */
  move(id: string, parentId: string, index: number): void {
    const siblings = this.#outline.placesOf(parentId).filter((sibling) => sibling.id !== id);
    const { keys, rekeyed } = keysBetween(siblings, index, 1, this.#outline.tree.peerId);
    for (const [sibling, key] of rekeyed) this.#journal.place(sibling, parentId, key);
    this.#journal.place(id, parentId, keys[0]);
  }

  moveAll(ids: readonly string[], parentId: string, index: number): void {
    for (const [offset, id] of ids.entries()) this.move(id, parentId, index + offset);
  }

  /** Moves these items, in this order, before all other children of a parent. */
  arrange(parentId: string, ids: readonly string[]): void {
    const children = this.#outline.childrenOf(parentId);
    const isThere = new Set(children);
    const there = children.filter((id) => ids.includes(id));
    if (ids.every((id) => isThere.has(id)) && there.every((id, index) => id === ids[index])) return;
    const { keys } = keysBetween([], 0, ids.length, this.#outline.tree.peerId);
    for (const [index, id] of ids.entries()) this.#journal.place(id, parentId, keys[index]);
  }

  moveBehind(id: string, sibling: string): void {
    this.move(id, this.parentOf(sibling), this.indexOf(sibling) + 1);
  }

  /** Moves an item below a parent, which is expanded so that the item stays visible. */
  moveToEnd(id: string, parentId: string): void {
    this.expand(parentId);
    this.move(id, parentId, this.#outline.childrenOf(parentId).length);
  }

  // ---- creating ----

  create(parentId: string, index: number, node: OutlineNode): string {
    return this.createAll(parentId, index, [node])[0]!;
  }

  createAll(parentId: string, index: number, nodes: readonly OutlineNode[]): string[] {
    const { keys, rekeyed } = keysBetween(this.#outline.placesOf(parentId), index, nodes.length, this.#outline.tree.peerId);
    for (const [sibling, key] of rekeyed) this.#journal.place(sibling, parentId, key);
    return nodes.map((node, at) => this.#journal.create(parentId, keys[at]!, node));
  }
}
