import { BIN_ID, FoldspaceError, systemClock, type Clock } from "foldspace";
import { COLLAPSED_KEY, DONE_KEY, isOnPage, isSet, TEXT_KEY, textOf, toLine } from "./item.ts";
import { Journal, type Effect } from "./journal.ts";
import { keysBetween } from "./order.ts";
import type { OutlineNode } from "./outline-node.ts";
import type { Outline } from "./outline.ts";
import { nodesFromLines } from "./pasted-lines.ts";

/** Longest pause in typing that belongs to one step. */
const TYPING_MS = 1_000;

/** Where the caret goes: before the character at `offset` of an item's text. */
export interface Caret {
  readonly id: string;
  readonly offset: number;
}

/**
 * What a person does to a page. Every command is one step that can be undone, takes effect at once, and says where the caret
 * goes; `undefined` where there was nothing to do, or no item is left to put it into. Commands that leave texts alone take
 * the caret's offset to give it back; by default it goes to the end.
 *
 * Commands on an item that is not on the page (any more) throw `FOLD_NO_VERTEX`. Only {@link setText} reaches into the bin,
 * so that nothing that is typed gets lost while another device deletes the item.
 */
export class OutlineEditor {
  readonly outline: Outline;
  readonly #clock: Pick<Clock, "now">;
  readonly #journal: Journal;

  constructor(outline: Outline, clock: Pick<Clock, "now"> = systemClock) {
    this.outline = outline;
    this.#clock = clock;
    this.#journal = new Journal(outline.tree);
  }

  // ---- text ----

  /** Typing in one item without pauses of more than a second is one step. Line breaks become spaces. */
  setText(id: string, text: string): void {
    this.#journal.run(() => this.#journal.setProperty(id, TEXT_KEY, toLine(text)), this.#clock.now(), id, TYPING_MS);
  }

  /** Enter. */
  split(id: string, offset: number): Caret {
    return this.#step(() => {
      const text = this.#textOf(id);
      const parentId = this.#parentOf(id);
      if (text === "" && id !== this.outline.root && parentId !== this.outline.root && !this.#isOpen(id)) {
        this.#moveAfter(id, parentId);
        return { id, offset: 0 };
      }
      const [head, tail] = [text.slice(0, offset), text.slice(offset)];
      if (this.#isOpen(id) && (tail === "" || id === this.outline.root)) {
        if (tail !== "") this.#journal.setProperty(id, TEXT_KEY, head);
        return { id: this.#create(id, 0, { text: tail, children: [] }), offset: 0 };
      }
      // what stands below the item stays with the text that is next to it
      if ((head === "" && text !== "") || this.#isOpen(id)) {
        this.#create(parentId, this.#indexOf(id), { text: head, children: [] });
        this.#journal.setProperty(id, TEXT_KEY, tail);
        return { id, offset: 0 };
      }
      this.#journal.setProperty(id, TEXT_KEY, head);
      return { id: this.#create(parentId, this.#indexOf(id) + 1, { text: tail, children: [] }), offset: 0 };
    });
  }

  /** A new item behind one and what is below it. @param id `undefined`: at the end of what is shown */
  insertAfter(id: string | undefined, text = ""): Caret {
    return this.#step(() => {
      const parentId = id === undefined ? this.outline.root : this.#parentOf(id);
      const index = id === undefined ? this.outline.childrenOf(parentId).length : this.#indexOf(id) + 1;
      const line = toLine(text);
      return { id: this.#create(parentId, index, { text: line, children: [] }), offset: line.length };
    });
  }

  /** Backspace at the start: joins the text to that of the row above, which also takes what is below the item. */
  joinWithPrevious(id: string): Caret | undefined {
    const { outline } = this;
    const previous = outline.rows[outline.indexOf(id) - 1];
    if (!previous) return undefined;
    return this.#step(() => {
      if (previous.text === "" && !previous.hasChildren) {
        this.#journal.delete(previous.id);
        return { id, offset: 0 };
      }
      const below = outline.childrenOf(id);
      const index = previous.id === this.#parentOf(id) ? this.#indexOf(id) + 1 : outline.childrenOf(previous.id).length;
      this.#journal.setProperty(previous.id, TEXT_KEY, previous.text + this.#textOf(id));
      this.#moveAll(below, previous.id, index);
      if (below.length > 0) this.#unfold(previous.id);
      this.#journal.delete(id);
      return { id: previous.id, offset: previous.text.length };
    });
  }

  /**
   * Puts text in at the caret. Of several lines the first goes there and the others become items, the deeper the further they
   * are indented; bullets and check boxes in front of them are understood. What stood behind the caret goes to the end.
   */
  paste(id: string, offset: number, text: string): Caret {
    return this.#step(() => {
      const before = this.#textOf(id);
      const parentId = this.#parentOf(id);
      const [head, tail] = [before.slice(0, offset), before.slice(offset)];
      if (!/[\r\n]/.test(text)) {
        this.#journal.setProperty(id, TEXT_KEY, head + text + tail);
        return { id, offset: head.length + text.length };
      }
      const [first, ...rest] = nodesFromLines(text);
      if (!first) return { id, offset: head.length };
      const isOpen = this.#isOpen(id);
      this.#journal.setProperty(id, TEXT_KEY, head + first.text);
      if (before === "" && first.isDone === true) this.#journal.setProperty(id, DONE_KEY, true);
      const below = this.#createAll(id, 0, first.children);
      const behind = isOpen ? this.#createAll(id, below.length, rest) : this.#createAll(parentId, this.#indexOf(id) + 1, rest);
      const last = this.#lastOf(behind.at(-1) ?? below.at(-1) ?? id, [...below, ...behind]);
      const end = this.#textOf(last).length;
      if (tail !== "") this.#journal.setProperty(last, TEXT_KEY, this.#textOf(last) + tail);
      return { id: last, offset: end };
    });
  }

  /** Puts nodes at the end of an item's children. */
  insertNodes(parentId: string, nodes: readonly OutlineNode[]): void {
    this.#step(() => {
      this.#assertOnPage(parentId);
      this.#createAll(parentId, this.outline.childrenOf(parentId).length, nodes);
    });
  }

  // ---- places ----

  /** Tab: below the sibling above, at the end. */
  indent(id: string, offset?: number): Caret | undefined {
    const above = this.outline.childrenOf(this.#parentOf(id))[this.#indexOf(id) - 1];
    return above === undefined ? undefined : this.#stepOn(id, offset, () => this.#moveToEnd(id, above));
  }

  /** Shift-Tab: behind its parent. */
  outdent(id: string, offset?: number): Caret | undefined {
    const parentId = this.#parentOf(id);
    return parentId === this.outline.root ? undefined : this.#stepOn(id, offset, () => this.#moveAfter(id, parentId));
  }

  /** Above the sibling above; the first of its siblings goes below the parent's sibling above, or else above the parent. */
  moveUp(id: string, offset?: number): Caret | undefined {
    const parentId = this.#parentOf(id);
    const index = this.#indexOf(id);
    if (index > 0) return this.#stepOn(id, offset, () => this.#move(id, parentId, index - 1));
    if (parentId === this.outline.root) return undefined;
    const [grandparentId, parentIndex] = [this.#parentOf(parentId), this.#indexOf(parentId)];
    const uncle = this.outline.childrenOf(grandparentId)[parentIndex - 1];
    return this.#stepOn(id, offset, () =>
      uncle === undefined ? this.#move(id, grandparentId, parentIndex) : this.#moveToEnd(id, uncle),
    );
  }

  /** Below the sibling below; the last of its siblings goes to the top of the parent's sibling below, or else behind the parent. */
  moveDown(id: string, offset?: number): Caret | undefined {
    const parentId = this.#parentOf(id);
    const index = this.#indexOf(id);
    if (index < this.outline.childrenOf(parentId).length - 1)
      return this.#stepOn(id, offset, () => this.#move(id, parentId, index + 1));
    if (parentId === this.outline.root) return undefined;
    const uncle = this.outline.childrenOf(this.#parentOf(parentId))[this.#indexOf(parentId) + 1];
    return this.#stepOn(id, offset, () => {
      if (uncle === undefined) return this.#moveAfter(id, parentId);
      this.#unfold(uncle);
      this.#move(id, uncle, 0);
    });
  }

  /**
   * Drag and drop.
   * @param beforeId child of the parent that it comes before; otherwise it comes to the end
   * @throws FoldspaceError `FOLD_CYCLE` for a move under itself
   */
  moveTo(id: string, parentId: string, beforeId: string | undefined): void {
    this.#assertOnPage(parentId);
    if (id === parentId || this.outline.tree.isAncestor(parentId, id))
      throw new FoldspaceError("FOLD_CYCLE", `${id} cannot be moved under itself`);
    if (id === beforeId) return;
    this.#parentOf(id);
    const others = this.outline.childrenOf(parentId).filter((other) => other !== id);
    const index = beforeId === undefined ? -1 : others.indexOf(beforeId);
    this.#step(() => this.#move(id, parentId, index < 0 ? others.length : index));
  }

  // ---- the rest ----

  toggleDone(id: string, offset?: number): Caret | undefined {
    return this.#stepOn(id, offset, () => this.#toggle(id, DONE_KEY));
  }

  toggleCollapsed(id: string, offset?: number): Caret | undefined {
    this.#assertOnPage(id);
    const isLeaf = this.outline.childrenOf(id).length === 0;
    if (isLeaf && !isSet(this.outline.tree, id, COLLAPSED_KEY)) return undefined;
    return this.#stepOn(id, offset, () => this.#toggle(id, COLLAPSED_KEY));
  }

  /** Puts items into the bin. The caret goes to the row above the first of them, or else to the one below. */
  remove(ids: readonly string[]): Caret | undefined {
    const { outline } = this;
    const removed = new Set(ids);
    const first = outline.rows.findIndex(({ id }) => removed.has(id));
    const above = outline.rows[first - 1];
    return this.#step(() => {
      for (const id of removed) {
        // what is below another one goes with it
        if (isOnPage(outline.tree, id) && !outline.tree.getAncestors(id).some((ancestor) => removed.has(ancestor.id)))
          this.#journal.delete(id);
      }
      if (above) return { id: above.id, offset: above.text.length };
      const [below] = outline.rows;
      return below && { id: below.id, offset: 0 };
    });
  }

  // ---- steps ----

  /** Makes one step of several commands. */
  together<T>(commands: () => T): T {
    return this.#step(commands);
  }

  get canUndo(): boolean {
    return this.#journal.canUndo;
  }

  get canRedo(): boolean {
    return this.#journal.canRedo;
  }

  /** Takes the last step back, except what someone else has changed since; a step of which nothing is left is passed over. */
  undo(): Caret | undefined {
    return this.#caretAfter(this.#journal.undo());
  }

  redo(): Caret | undefined {
    return this.#caretAfter(this.#journal.redo());
  }

  /** Told when {@link canUndo} or {@link canRedo} may have changed. @returns a function that ends it */
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
    this.#parentOf(id);
    this.#step(work);
    return { id, offset: offset ?? this.#textOf(id).length };
  }

  #toggle(id: string, key: string): void {
    this.#journal.setProperty(id, key, isSet(this.outline.tree, id, key) ? undefined : true);
  }

  #unfold(id: string): void {
    this.#journal.setProperty(id, COLLAPSED_KEY, undefined);
  }

  #move(id: string, parentId: string, index: number): void {
    const siblings = this.outline.placesOf(parentId).filter((sibling) => sibling.id !== id);
    const { keys, rekeyed } = keysBetween(siblings, index, 1);
    for (const [sibling, key] of rekeyed) this.#journal.place(sibling, parentId, key);
    this.#journal.place(id, parentId, keys[0]);
  }

  #moveAll(ids: readonly string[], parentId: string, index: number): void {
    for (const [offset, id] of ids.entries()) this.#move(id, parentId, index + offset);
  }

  #moveAfter(id: string, sibling: string): void {
    this.#move(id, this.#parentOf(sibling), this.#indexOf(sibling) + 1);
  }

  /** Under an item, which is unfolded so that it stays in sight. */
  #moveToEnd(id: string, parentId: string): void {
    this.#unfold(parentId);
    this.#move(id, parentId, this.outline.childrenOf(parentId).length);
  }

  #create(parentId: string, index: number, node: OutlineNode): string {
    return this.#createAll(parentId, index, [node])[0]!;
  }

  #createAll(parentId: string, index: number, nodes: readonly OutlineNode[]): string[] {
    const { keys, rekeyed } = keysBetween(this.outline.placesOf(parentId), index, nodes.length);
    for (const [sibling, key] of rekeyed) this.#journal.place(sibling, parentId, key);
    return nodes.map((node, at) => this.#journal.create(parentId, keys[at]!, node));
  }

  /** The last item in what was just made, from one of its topmost items down. */
  #lastOf(id: string, made: readonly string[]): string {
    let last = id;
    if (!made.includes(id)) return last;
    for (let below = this.outline.childrenOf(last).at(-1); below !== undefined; below = this.outline.childrenOf(last).at(-1))
      last = below;
    return last;
  }

  #isOpen(id: string): boolean {
    const { outline } = this;
    return id === outline.root || (!isSet(outline.tree, id, COLLAPSED_KEY) && outline.childrenOf(id).length > 0);
  }

  #textOf(id: string): string {
    return textOf(this.outline.tree, id);
  }

  #indexOf(id: string): number {
    return this.outline.childrenOf(this.#parentOf(id)).indexOf(id);
  }

  #parentOf(id: string): string {
    this.#assertOnPage(id);
    return this.outline.tree.getParentId(id) ?? BIN_ID;
  }

  #assertOnPage(id: string): void {
    if (isOnPage(this.outline.tree, id)) return;
    throw new FoldspaceError("FOLD_NO_VERTEX", `There is no item ${JSON.stringify(id)} on this page`, { data: { id } });
  }

  #caretAfter(effects: readonly Effect[]): Caret | undefined {
    const { outline } = this;
    const text = effects.findLast(
      (effect) => effect.kind === "property" && effect.key === TEXT_KEY && outline.indexOf(effect.id) >= 0,
    );
    if (text?.kind === "property") return { id: text.id, offset: endOfChange(text.from, text.to) };
    const shown = effects.findLast((effect) => outline.indexOf(effect.id) >= 0);
    return shown && { id: shown.id, offset: this.#textOf(shown.id).length };
  }
}

/** Offset in the new text behind what is different in it. */
function endOfChange(from: unknown, to: unknown): number {
  const [before, after] = [typeof from === "string" ? from : "", typeof to === "string" ? to : ""];
  let most = Math.min(before.length, after.length);
  for (let start = 0; most > 0 && before[start] === after[start]; start++) most--;
  let same = 0;
  while (same < most && before.at(-1 - same) === after.at(-1 - same)) same++;
  return after.length - same;
}
