import { FoldspaceError, systemClock, type Clock } from "foldspace";
import { caretAfter, type Caret } from "./caret-after.ts";
import { COLLAPSED_KEY, DONE_KEY, isOnPage, isSet, noteOf, placedOf, TEXT_KEY, textOf, toLine } from "./item.ts";
import { Journal, type Written } from "./journal.ts";
import type { OutlineNode } from "./outline-node.ts";
import type { Outline } from "./outline.ts";
import type { Row } from "./row.ts";
import type { SharedStep } from "./shared-step.ts";
import { nodesFromLines } from "./pasted-lines.ts";
import { Placing } from "./placing.ts";

/** Longest pause in typing within one undo step. */
const TYPING_MS = 1_000;

/**
 * The commands of the outline editor. Each command is one undo step, takes effect at once, and returns the new place of the
 * caret: `undefined` if nothing changed, or if no item is left for the caret. Commands that leave texts alone take the caret's
 * offset and return it; by default the caret goes to the end.
 *
 * A command on an item that is not on the page throws `FOLD_NO_VERTEX`. The exception is {@link setText}, which also writes to
 * items in the bin, so that no typed text is lost while another device deletes the item.
 */
export class OutlineEditor {
  readonly outline: Outline;
  readonly #clock: Pick<Clock, "now">;
  readonly #journal: Journal;
  readonly #places: Placing;

  constructor(outline: Outline, clock: Pick<Clock, "now"> = systemClock) {
    this.outline = outline;
    this.#clock = clock;
    this.#journal = new Journal(outline.tree);
    this.#places = new Placing(outline, this.#journal);
  }

  // ---- text ----

  /**
   * Typing in one item without pauses of more than a second is one step. Line breaks become spaces.
   * @param written the parents of the text; by default the winning text
   */
  setText(id: string, text: string, written?: Written): void {
    this.#journal.run(() => this.#journal.setText(id, toLine(text), written), this.#clock.now(), id, TYPING_MS);
  }

  /** Sets the lines below an item's text, in the same way as {@link setText}. Empty: no note. */
  setNote(id: string, note: string, written?: Written): void {
    this.#journal.run(() => this.#journal.setNote(id, note, written), this.#clock.now(), `note ${id}`, TYPING_MS);
  }

  /** Enter. */
  split(id: string, offset: number): Caret {
    return this.#step(() => {
      const text = this.#textOf(id);
      const parentId = this.#places.parentOf(id);
      if (text === "" && id !== this.outline.root && parentId !== this.outline.root && !this.#places.isOpen(id)) {
        this.#places.moveBehind(id, parentId);
        return { id, offset: 0 };
      }
      const [head, tail] = [text.slice(0, offset), text.slice(offset)];
      const isDone = isSet(this.outline.tree, id, DONE_KEY);
      // both halves of a done item stay done; a new empty item is not done
      const half = (part: string): OutlineNode => ({ text: part, isDone: isDone && part !== "", children: [] });
      if (this.#places.isOpen(id) && (tail === "" || id === this.outline.root)) {
        if (tail !== "") this.#journal.setProperty(id, TEXT_KEY, head);
        return { id: this.#places.create(id, 0, half(tail)), offset: 0 };
      }
      // the children stay with the text that is next to them
      if ((head === "" && text !== "") || this.#places.isOpen(id)) {
        this.#places.create(parentId, this.#places.indexOf(id), half(head));
        this.#journal.setProperty(id, TEXT_KEY, tail);
        return { id, offset: 0 };
      }
      this.#journal.setProperty(id, TEXT_KEY, head);
      return { id: this.#places.create(parentId, this.#places.indexOf(id) + 1, half(tail)), offset: 0 };
    });
  }

  /** Makes an item behind another one and its descendants. @param id `undefined`: at the end of the visible items */
  insertAfter(id: string | undefined, text = ""): Caret {
    const line = toLine(text);
    return { id: this.insertNodesAfter(id, [{ text: line, children: [] }])[0]!, offset: line.length };
  }

  /** Backspace at the start: appends the text to that of the row above, which also gets the item's children. */
  joinWithPrevious(id: string): Caret | undefined {
    const { outline } = this;
    const previous = outline.rows[outline.indexOf(id) - 1];
    if (!previous || previous.isDeleted) return undefined;
    return this.#step(() => {
      if (previous.text === "" && previous.note === undefined && !previous.hasChildren) {
        this.#journal.delete(previous.id);
        return { id, offset: 0 };
      }
      const below = outline.childrenOf(id);
      const index =
        previous.id === this.#places.parentOf(id) ? this.#places.indexOf(id) + 1 : outline.childrenOf(previous.id).length;
      this.#journal.setProperty(previous.id, TEXT_KEY, previous.text + this.#textOf(id));
      this.#addToNote(previous.id, noteOf(outline.tree, id));
      this.#places.moveAll(below, previous.id, index);
      if (below.length > 0) this.#places.expand(previous.id);
      this.#journal.delete(id);
      return { id: previous.id, offset: previous.text.length };
    });
  }

  /**
   * Inserts text at the caret. The first of several lines goes there; the others become items, nested by their indentation,
   * without their bullets and check boxes. The text behind the caret goes to the end.
   */
  paste(id: string, offset: number, text: string): Caret {
    return this.#step(() => {
      const before = this.#textOf(id);
      const parentId = this.#places.parentOf(id);
      const [head, tail] = [before.slice(0, offset), before.slice(offset)];
      if (!/[\r\n]/.test(text)) {
        this.#journal.setProperty(id, TEXT_KEY, head + text + tail);
        return { id, offset: head.length + text.length };
      }
      const [first, ...rest] = nodesFromLines(text);
      if (!first) return { id, offset: head.length };
      const isOpen = this.#places.isOpen(id);
      this.#journal.setProperty(id, TEXT_KEY, head + first.text);
      this.#addToNote(id, first.note);
      if (before === "" && first.isDone === true) this.#journal.setProperty(id, DONE_KEY, true);
      const below = this.#places.createAll(id, 0, first.children);
      const [list, index] = isOpen ? [id, below.length] : [parentId, this.#places.indexOf(id) + 1];
      const made = [...below, ...this.#places.createAll(list, index, rest)].at(-1);
      const last = made === undefined ? id : this.#places.lastBelow(made);
      const end = this.#textOf(last).length;
      if (tail !== "") this.#journal.setProperty(last, TEXT_KEY, this.#textOf(last) + tail);
      return { id: last, offset: end };
    });
  }

  /** Appends nodes to an item's children. */
  insertNodes(parentId: string, nodes: readonly OutlineNode[]): void {
    this.#step(() => {
      this.#places.assertOnPage(parentId);
      this.#places.createAll(parentId, this.outline.childrenOf(parentId).length, nodes);
    });
  }

  /** Inserts nodes behind an item and its descendants. @returns the ids of the topmost @param id as of {@link insertAfter} */
  insertNodesAfter(id: string | undefined, nodes: readonly OutlineNode[]): string[] {
    return this.#step(() => {
      const parentId = id === undefined ? this.outline.root : this.#places.parentOf(id);
      const index = id === undefined ? this.outline.childrenOf(parentId).length : this.#places.indexOf(id) + 1;
      return this.#places.createAll(parentId, index, nodes);
    });
  }

  // ---- places ----

  /** Tab: below the sibling above, at the end. */
  indent(id: string, offset?: number): Caret | undefined {
    const above = this.#places.siblingOf(id, -1);
    return above === undefined ? undefined : this.#stepOn(id, offset, () => this.#places.moveToEnd(id, above));
  }

  /** Shift-Tab: behind its parent. */
  outdent(id: string, offset?: number): Caret | undefined {
    const parentId = this.#places.parentOf(id);
    return parentId === this.outline.root ? undefined : this.#stepOn(id, offset, () => this.#places.moveBehind(id, parentId));
  }

  /** Up past the sibling above. A first sibling moves below the parent's sibling above, or else above the parent. */
  moveUp(id: string, offset?: number): Caret | undefined {
    const parentId = this.#places.parentOf(id);
    const above = this.#places.siblingOf(id, -1);
    if (above !== undefined) return this.#stepOn(id, offset, () => this.#places.move(id, parentId, this.#places.indexOf(above)));
    if (parentId === this.outline.root) return undefined;
    const uncle = this.#places.siblingOf(parentId, -1);
    return this.#stepOn(id, offset, () =>
      uncle === undefined
        ? this.#places.move(id, this.#places.parentOf(parentId), this.#places.indexOf(parentId))
        : this.#places.moveToEnd(id, uncle),
    );
  }

  /** Down past the sibling below. A last sibling moves to the top of the parent's sibling below, or else behind the parent. */
  moveDown(id: string, offset?: number): Caret | undefined {
    const parentId = this.#places.parentOf(id);
    const below = this.#places.siblingOf(id, 1);
    if (below !== undefined) return this.#stepOn(id, offset, () => this.#places.move(id, parentId, this.#places.indexOf(below)));
    if (parentId === this.outline.root) return undefined;
    const uncle = this.#places.siblingOf(parentId, 1);
    return this.#stepOn(id, offset, () => {
      if (uncle === undefined) return this.#places.moveBehind(id, parentId);
      this.#places.expand(uncle);
      this.#places.move(id, uncle, 0);
    });
  }

  /**
   * Drag and drop.
   * @param beforeId child of the parent to insert before; by default the item goes to the end
   * @throws FoldspaceError `FOLD_CYCLE` if the item would get below itself
   */
  moveTo(id: string, parentId: string, beforeId: string | undefined): void {
    this.#places.assertOnPage(parentId);
    if (id === parentId || this.outline.tree.isAncestor(parentId, id))
      throw new FoldspaceError("FOLD_CYCLE", `${id} cannot be moved below itself`);
    if (id === beforeId) return;
    this.#places.parentOf(id);
    const others = this.outline.childrenOf(parentId).filter((other) => other !== id);
    const index = beforeId === undefined ? -1 : others.indexOf(beforeId);
    this.#step(() => this.#places.move(id, parentId, index < 0 ? others.length : index));
  }

  // ---- the rest ----

  toggleDone(id: string, offset?: number): Caret | undefined {
    return this.#stepOn(id, offset, () => this.#toggle(id, DONE_KEY));
  }

  toggleCollapsed(id: string, offset?: number): Caret | undefined {
    this.#places.assertOnPage(id);
    if (this.outline.collapseFound(id)) return { id, offset: offset ?? this.#textOf(id).length };
    const isLeaf = this.outline.childrenOf(id).length === 0;
    if (isLeaf && !isSet(this.outline.tree, id, COLLAPSED_KEY)) return undefined;
    return this.#stepOn(id, offset, () => this.#toggle(id, COLLAPSED_KEY));
  }

  /** Collapses or expands all items below the current root, at all levels. */
  collapseAll(isCollapsed: boolean): void {
    const { tree, root } = this.outline;
    this.#step(() => {
      // the loop appends to the array
      const ids = [...tree.getChildrenIds(root)];
      for (const id of ids) {
        const below = tree.getChildrenIds(id);
        if ((isCollapsed && below.length > 0) || isSet(tree, id, COLLAPSED_KEY))
          this.#journal.setProperty(id, COLLAPSED_KEY, isCollapsed ? true : undefined);
        ids.push(...below);
      }
    });
  }

  /** Moves items to the bin. The caret goes to the row above the first of them, or else to the row below. */
  remove(ids: readonly string[]): Caret | undefined {
    const { outline } = this;
    const removed = new Set(ids);
    const first = outline.rows.findIndex(({ id }) => removed.has(id));
    const above = outline.rows[first - 1];
    return this.#step(() => {
      for (const id of removed) {
        // descendants of another deleted item go with it
        if (isOnPage(outline.tree, id) && !outline.tree.getAncestors(id).some((ancestor) => removed.has(ancestor.id)))
          this.#journal.delete(id);
      }
      if (above) return { id: above.id, offset: above.text.length };
      const [below] = outline.rows;
      return below && { id: below.id, offset: 0 };
    });
  }

  /**
   * Restores an item from the bin, with its descendants.
   * @param parentId its former parent, below which it gets its old place; if that is gone, the item goes to the end of the page
   */
  restore(id: string, parentId: string | undefined): void {
    const { tree } = this.outline;
    if (isOnPage(tree, id)) return;
    this.#step(() => {
      if (parentId !== undefined && isOnPage(tree, parentId)) this.#journal.place(id, parentId, placedOf(tree, id).order);
      else this.#places.moveToEnd(id, tree.root!.id);
    });
  }

  /**
   * Resets the page to an earlier state: items, texts, notes, ticks and places. Later items go into the bin. Collapsed items
   * stay collapsed.
   * @param rows all rows of that state, expanded
   */
  becomeAgain(rows: readonly Row[]): void {
    const { outline } = this;
    const { tree } = outline;
    const wanted = new Map<string, string[]>([[tree.root!.id, []]]);
    for (const { id, parentId } of rows) {
      wanted.get(parentId)?.push(id);
      wanted.set(id, []);
    }
    this.#step(() => {
      // from the top down, so that no item gets below itself: the ancestors of a place are at their own places already
      for (const [parentId, ids] of wanted) this.#places.arrange(parentId, ids);
      for (const parentId of wanted.keys())
        for (const id of outline.childrenOf(parentId)) if (!wanted.has(id)) this.#journal.delete(id);
      for (const row of rows) this.#fillAgain(row);
    });
  }

  /** Restores an item to an earlier state: its text, note and tick, and its place if it is gone. */
  restoreAsItWas(row: Row): void {
    this.#step(() => {
      this.restore(row.id, row.parentId);
      this.#fillAgain(row);
    });
  }

  // ---- steps ----

  /** Combines several commands into one step. */
  together<T>(commands: () => T): T {
    return this.#step(commands);
  }

  /** Makes the commands a part of a step of several pages, even if they change nothing here. */
  share(step: SharedStep, commands: () => void): void {
    this.#journal.runShared(step, commands, this.#clock.now());
  }

  get canUndo(): boolean {
    return this.#journal.canUndo;
  }

  get canRedo(): boolean {
    return this.#journal.canRedo;
  }

  /** Undoes the last step, except for later changes by others. Skips a step of which nothing is left to undo. */
  undo(): Caret | undefined {
    return caretAfter(this.outline, this.#journal.undo());
  }

  redo(): Caret | undefined {
    return caretAfter(this.outline, this.#journal.redo());
  }

  /** Notifies when {@link canUndo} or {@link canRedo} may have changed. @returns a function that ends it */
  observe(listener: () => void): () => void {
    return this.#journal.observe(listener);
  }

  close(): void {
    this.#journal.close();
  }

  // ---- inside ----

  #step<T>(work: () => T): T {
    return this.#journal.run(work, this.#clock.now());
  }

  #stepOn(id: string, offset: number | undefined, work: () => void): Caret {
    this.#places.parentOf(id);
    this.#step(work);
    return { id, offset: offset ?? this.#textOf(id).length };
  }

  #toggle(id: string, key: string): void {
    this.#journal.setProperty(id, key, isSet(this.outline.tree, id, key) ? undefined : true);
  }

  #addToNote(id: string, note: string = ""): void {
    const before = noteOf(this.outline.tree, id);
    if (note !== "") this.#journal.setNote(id, before === "" ? note : `${before}\n${note}`);
  }

  #fillAgain({ id, text, note = "", isDone }: Row): void {
    const { tree } = this.outline;
    if (this.#textOf(id) !== text) this.#journal.setText(id, text);
    if (noteOf(tree, id) !== note) this.#journal.setNote(id, note);
    if (isSet(tree, id, DONE_KEY) !== isDone) this.#toggle(id, DONE_KEY);
  }

  #textOf(id: string): string {
    return textOf(this.outline.tree, id);
  }
}
