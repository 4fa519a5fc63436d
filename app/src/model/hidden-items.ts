import type { ReplicatedTree } from "foldspace/tree";
import { DONE_KEY, isSet } from "./item.ts";
import { narrow, type Narrowing } from "./narrowing.ts";

const NOTHING: ReadonlySet<string> = new Set();

/** The items of a page that are hidden although no ancestor is collapsed. Their descendants are hidden as well. */
export class HiddenItems {
  readonly #tree: ReplicatedTree;
  isHidingDone = false;
  #narrowing: Narrowing | undefined;
  /** Items that are being edited, with their ancestors: they are visible in any case. */
  #kept: ReadonlySet<string> = NOTHING;

  constructor(tree: ReplicatedTree) {
    this.#tree = tree;
  }

  get isAnything(): boolean {
    return this.isHidingDone || this.#narrowing !== undefined;
  }

  /** Hides items that do not match a query. @returns as of `Outline.filter` */
  filter(rootId: string, query: string): number | undefined {
    this.#narrowing = query.trim() === "" ? undefined : narrow(this.#tree, rootId, query);
    return this.#narrowing?.count;
  }

  keep(ids: Iterable<string>): void {
    this.#kept = this.isAnything ? new Set([...ids].flatMap((id) => this.#withAbove(id))) : NOTHING;
  }

  /** Whether an item itself is hidden. */
  has(id: string): boolean {
    return this.isAnything && !this.#kept.has(id) && this.#isMeant(id);
  }

  /** Whether an item or an ancestor will be hidden as soon as it is no longer edited. */
  mayHide(id: string): boolean {
    return this.isAnything && this.#withAbove(id).some((each) => this.#isMeant(each));
  }

  /** Whether a collapsed item is shown expanded for a match below it. */
  isExpanded(id: string): boolean {
    return this.#narrowing?.expanded.has(id) === true;
  }

  /** @returns whether it was expanded in that way */
  collapseAgain(id: string): boolean {
    return this.#narrowing?.expanded.delete(id) === true;
  }

  #isMeant(id: string): boolean {
    return (this.isHidingDone && isSet(this.#tree, id, DONE_KEY)) || this.#narrowing?.hidden.has(id) === true;
  }

  #withAbove(id: string): string[] {
    return [id, ...this.#tree.getAncestors(id).map((each) => each.id)];
  }
}
