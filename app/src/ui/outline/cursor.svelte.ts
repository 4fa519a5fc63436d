import { BIN_ID } from "foldspace/tree";
import { flushSync } from "svelte";
import type { Caret } from "../../model/caret-after.ts";
import type { OutlineEditor } from "../../model/editing.ts";
import { History } from "../../model/history.ts";
import type { InlineLink } from "../../model/inline.ts";
import { isOnPage } from "../../model/item.ts";
import type { Row } from "../../model/row.ts";
import { notices } from "../state/notices.svelte.ts";
import type { PageView } from "../state/page-view.svelte.ts";
import * as caretDom from "./caret-dom.ts";
import { RowElements, type RowElement, type RowFocus } from "./row-elements.ts";
import { RowSelection } from "./row-selection.svelte.ts";

export interface CursorOptions {
  readonly page: PageView;
  /** Shows a row's element and scrolls to it. */
  readonly reveal: (index: number) => void;
  readonly zoom: (itemId: string | undefined) => void;
  /** Moves to the field above the first row. */
  readonly leaveUp: () => void;
  /** Moves to the button that makes the first item. */
  readonly goToEmpty: () => void;
  /** Asks the user for another page for these items. */
  readonly moveToPage: (ids: readonly string[]) => void;
  readonly copyLink: (itemId: string) => void;
  readonly followLink: (link: InlineLink) => void;
  /** Undoes or redoes the last action if that was not an edit of this page. @returns whether it was such an action */
  readonly undoElsewhere: (what: "undo" | "redo") => boolean;
  /** Announces a text to users of screen readers. */
  readonly announce: (text: string) => void;
}

interface Place {
  readonly rows: readonly Row[];
  readonly index: number;
  readonly rootId: string;
}

/** The user's place in an outline: the text of one row, or selected rows. */
export class Cursor {
  readonly page: PageView;
  readonly options: CursorOptions;
  readonly elements: RowElements = new RowElements();
  readonly selection: RowSelection = new RowSelection();
  /** Column that the caret keeps while it moves up and down, in pixels. */
  column: number | undefined;
  /** The row that is being edited, or was last: the target of Tab. */
  activeId: string | undefined = $state.raw();
  /** The last known place of that row. */
  #place: Place = { rows: [], index: 0, rootId: "" };

  constructor(options: CursorOptions) {
    this.page = options.page;
    this.options = options;
  }

  /** The row above another one, or below it. */
  neighbour(id: string, step: 1 | -1): Row | undefined {
    return this.page.rows[this.page.outline.indexOf(id) + step];
  }

  // ---- moving ----

  /** Records which row has the focus. Its row stays in place if another device deletes the item. */
  enter(id: string): void {
    if (this.activeId !== id) this.leave();
    const { rows, rootId, outline } = this.page;
    this.activeId = id;
    outline.pin(id);
    this.#place = { rows, index: outline.indexOf(id), rootId };
  }

  /** Unpins a row that has lost the focus. A row that another device deleted stays if its text was typed here. */
  leave(): void {
    const { activeId, page } = this;
    if (activeId === undefined) return;
    if (!page.outline.pinnedDeleted.has(activeId) || !page.ownTexts.isUnseen(activeId)) page.outline.unpin(activeId);
  }

  // ---- rows that another device has deleted ----

  /** Restores the deletion that a row belongs to. */
  keepDeleted(id: string): void {
    const deleted = this.#deletedAbove(id);
    if (deleted === undefined) return;
    const { tree } = this.page;
    this.page.edit((editor) => editor.restore(deleted, new History(tree).lastParentOf(deleted)));
    if (this.#isShown(id)) this.edit(id);
  }

  /** Removes a row together with all others of the same deletion. */
  discardDeleted(id: string): void {
    const { outline } = this.page;
    const deleted = this.#deletedAbove(id);
    const index = outline.indexOf(id);
    for (const each of [...outline.pinnedDeleted]) if (this.#deletedAbove(each) === deleted) outline.unpin(each);
    this.page.refresh();
    const { rows } = this.page;
    const row = rows[Math.max(0, Math.min(index, rows.length) - 1)];
    if (row) this.edit(row.id);
    else this.options.goToEmpty();
  }

  /** The topmost deleted item above a row's item, or that item itself. */
  #deletedAbove(id: string): string | undefined {
    const { tree } = this.page;
    return [id, ...tree.getAncestors(id).map((each) => each.id)].find((each) => tree.getParentId(each) === BIN_ID);
  }

  /** Edits the text of a row. @param at an offset, or a function that finds one in the element */
  edit(id: string, at: number | ((element: HTMLElement) => void) = Number.POSITIVE_INFINITY): void {
    this.selection.clear();
    const element = this.#show(id);
    if (!element) return;
    element.text.focus({ preventScroll: true });
    if (typeof at === "function") at(element.text);
    else caretDom.select(element.text, at);
  }

  /** Selects a row, so that keys act on rows and not on their text. */
  selectRow(id: string, how: "start" | "extend"): void {
    this.selection[how](id);
    this.#show(id)?.row.focus({ preventScroll: true });
  }

  zoomOut(): void {
    const { page } = this;
    const parentId = page.tree.getParentId(page.rootId);
    if (page.isZoomed && parentId !== null) this.options.zoom(parentId === page.tree.root?.id ? undefined : parentId);
  }

  // ---- running commands ----

  /** Runs a command that returns the new place of the caret; by default editing continues in the same row, or next to it. */
  act(command: (editor: OutlineEditor) => Caret | undefined): void {
    const caret = this.page.edit(command);
    if (caret && this.#isShown(caret.id)) this.edit(caret.id, caret.offset);
    else if (!this.#isShown(this.activeId)) this.#focusNearest("text");
  }

  /** Runs a command on rows that stay selected. */
  handle(command: (editor: OutlineEditor) => unknown): void {
    this.page.edit(command);
    const head = this.selection.head ?? this.activeId;
    if (head !== undefined && this.#isShown(head)) this.#show(head)?.row.focus({ preventScroll: true });
    else this.#focusNearest("row");
  }

  // ---- changes by other devices ----

  /** Must be called after the rows have changed, before the DOM does. @returns a function that restores the focus after that */
  keepFocus(): (() => void) | undefined {
    const { activeId } = this;
    if (activeId === undefined) return undefined;
    const { rootId } = this.#place;
    const focus = this.elements.focusIn(activeId);
    if (this.#isShown(activeId))
      this.#place = { ...this.#place, rows: this.page.rows, index: this.page.outline.indexOf(activeId) };
    else if (focus?.part === "text" && this.page.rootId === rootId && isOnPage(this.page.tree, activeId))
      return this.#showApart(activeId);
    if (!focus) return undefined;
    // an element that moves in the DOM also loses the focus
    return () => {
      if (document.activeElement === document.body && !this.elements.giveBack(focus)) this.#lose(focus, rootId);
    };
  }

  /** Zooms into the parent of an item that is being edited, before its element is removed. */
  #showApart(id: string): (() => void) | undefined {
    const { page } = this;
    const parentId = page.tree.getParentId(id);
    if (typeof parentId !== "string") return undefined;
    page.zoom(parentId);
    this.#place = { rows: page.rows, index: page.outline.indexOf(id), rootId: parentId };
    return () => {
      notices.inform("Another device folded the item that you are editing away. It is shown apart from the rest of the page.");
      this.options.zoom(parentId === page.tree.root?.id ? undefined : parentId);
    };
  }

  /** Continues elsewhere after another device has removed the row with the focus. */
  #lose({ id, part }: RowFocus, rootId: string): void {
    // zooming removes rows without another device
    if (isOnPage(this.page.tree, id) && this.page.rootId !== rootId) return;
    this.#focusNearest(part);
  }

  /** Focuses the nearest row above the removed one. */
  #focusNearest(part: "row" | "text"): void {
    const { rows, index } = this.#place;
    const row = rows.slice(0, Math.max(0, index)).findLast(({ id }) => this.#isShown(id)) ?? this.page.rows[0];
    if (row && part === "text") return this.edit(row.id);
    if (row) return this.selectRow(row.id, "start");
    this.selection.clear();
    this.options.goToEmpty();
  }

  #isShown(id: string | undefined): boolean {
    return id !== undefined && this.page.outline.indexOf(id) >= 0;
  }

  #show(id: string): RowElement | undefined {
    this.page.refresh();
    this.enter(id);
    flushSync();
    this.options.reveal(this.#place.index);
    return this.elements.get(id);
  }
}
