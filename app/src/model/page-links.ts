import { isMoveVertexOp, type ReplicatedTree, type VertexOperation } from "foldspace/tree";
import { normalize } from "./normalize.ts";
import { isOnPage, NOTE_KEY, noteOf, TEXT_KEY, textOf } from "./item.ts";
import { ChangeObservable } from "./change-observable.ts";

/** An item that links to a page. */
export interface PageLink {
  readonly treeId: string;
  readonly itemId: string;
  readonly text: string;
  /** Texts of the ancestors, topmost first. */
  readonly path: readonly string[];
}

const LINK = /\[\[([^[\]|]+)(?:\|[^[\]]*)?\]\]/g;
/** Items that are read in one go: far less work than a frame. */
const SLICE = 1_000;

interface Indexed {
  readonly tree: ReplicatedTree;
  /** Normalized titles that an item links to, by item. */
  readonly titles: Map<string, readonly string[]>;
  readonly end: () => void;
}

/** An index of links by item and by title. The cost of a change to one item depends on the length of that item's text. */
export class PageLinks {
  readonly #trees = new Map<string, Indexed>();
  /** Items that link to a normalized title: `tree\nitem`. */
  readonly #items = new Map<string, Set<string>>();
  readonly #changes = new ChangeObservable();
  #isTelling = false;

  has(treeId: string): boolean {
    return this.#trees.has(treeId);
  }

  /** Reads a tree in short steps, and follows it from then on. Other work can run between two steps. */
  *add(treeId: string, tree: ReplicatedTree): Generator<void, void, undefined> {
    if (this.#trees.has(treeId)) return;
    const end = tree.observeOpApplied((op) => this.#onOp(treeId, op));
    this.#trees.set(treeId, { tree, titles: new Map(), end });
    // the loop appends to the array; items in the bin are read as well, as they may be restored
    const ids = tree.getAllVertices().map(({ id }) => id);
    for (const [index, id] of ids.entries()) {
      this.#read(treeId, id);
      if (index % SLICE === SLICE - 1) yield;
    }
  }

  /** The items that link to a title, page by page in the order in which the pages were added. */
  linksTo(title: string): PageLink[] {
    const links: PageLink[] = [];
    for (const key of this.#items.get(normalize(title.trim())) ?? []) {
      const [treeId = "", itemId = ""] = key.split("\n");
      const tree = this.#trees.get(treeId)?.tree;
      if (!tree || !isOnPage(tree, itemId)) continue;
      const above = tree.getAncestors(itemId).slice(0, -1);
      links.push({ treeId, itemId, text: textOf(tree, itemId), path: above.map(({ id }) => textOf(tree, id)).toReversed() });
    }
    return links;
  }

  /** Notifies in a microtask after links may have changed. @returns a function that ends it */
  observe(listener: () => void): () => void {
    return this.#changes.observe(listener);
  }

  close(): void {
    for (const { end } of this.#trees.values()) end();
    this.#trees.clear();
    this.#items.clear();
  }

  #onOp(treeId: string, op: VertexOperation): void {
    // a move may take an item off its page, or bring it back
    if (isMoveVertexOp(op)) {
      if (this.#trees.get(treeId)!.titles.size > 0) this.#notify();
    } else if (op.key === TEXT_KEY || op.key === NOTE_KEY) {
      this.#read(treeId, op.targetId);
    }
  }

  #read(treeId: string, id: string): void {
    const { tree, titles } = this.#trees.get(treeId)!;
    const before = titles.get(id);
    const now = titlesIn(`${textOf(tree, id)}\n${noteOf(tree, id)}`);
    if (before === undefined && now.length === 0) return;
    const key = `${treeId}\n${id}`;
    for (const title of before ?? []) this.#items.get(title)?.delete(key);
    for (const title of now) {
      const items = this.#items.get(title);
      if (items) items.add(key);
      else this.#items.set(title, new Set([key]));
    }
    if (now.length === 0) titles.delete(id);
    else titles.set(id, now);
    this.#notify();
  }

  #notify(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      this.#changes.notify();
    });
  }
}

function titlesIn(text: string): string[] {
  return text.includes("[[") ? Array.from(text.matchAll(LINK), ([, title = ""]) => normalize(title.trim())) : [];
}
