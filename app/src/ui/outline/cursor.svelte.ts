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
  /** Goes to what stands above the first row. */
  readonly leaveUp: () => void;
  /** Goes to where the first item is made. */
  readonly goToEmpty: () => void;
  /** Lets another page be chosen for items. */
  readonly moveToPage: (ids: readonly string[]) => void;
  readonly copyLink: (itemId: string) => void;
  readonly followLink: (link: InlineLink) => void;
  /** Takes back, or does again, what was done last if that was not done to the page. @returns whether it was so */
  readonly undoElsewhere: (what: "undo" | "redo") => boolean;
  /** Says something to those who do not see the screen. */
  readonly announce: (text: string) => void;
}

interface Place {
  readonly rows: readonly Row[];
  readonly index: number;
  readonly rootId: string;
}

/** Where somebody is in an outline: in the text of one row, or on rows that are selected. */
export class Cursor {
  readonly page: PageView;
  readonly options: CursorOptions;
  readonly elements: RowElements = new RowElements();
  readonly selection: RowSelection = new RowSelection();
  /** Column that the caret keeps while it goes up and down, in pixels. */
  column: number | undefined;
  /** The row that is edited, or was last: the one that Tab leads to. */
  activeId: string | undefined = $state.raw();
  /** Where that row was when the rows were last looked at. */
  #place: Place = { rows: [], index: 0, rootId: "" };

  constructor(options: CursorOptions) {
    this.page = options.page;
    this.options = options;
  }

  /** The row above another one, or below it. */
  neighbour(id: string, step: 1 | -1): Row | undefined {
    return this.page.rows[this.page.outline.indexOf(id) + step];
  }

  // ---- going somewhere ----

  /** Notes which row has the focus. It stays where it is when another device deletes it. */
  enter(id: string): void {
    if (this.activeId !== id) this.leave();
    const { rows, rootId, outline } = this.page;
    this.activeId = id;
    outline.pin(id);
    this.#place = { rows, index: outline.indexOf(id), rootId };
  }

  /** Lets a row go that has lost the focus. One that has been deleted elsewhere stays if its text was written here. */
  leave(): void {
    const { activeId, page } = this;
    if (activeId === undefined) return;
    if (!page.outline.pinnedDeleted.has(activeId) || !page.ownTexts.isUnseen(activeId)) page.outline.unpin(activeId);
  }

  // ---- rows that another device has deleted ----

  /** Brings back what was deleted with a row. */
  keepDeleted(id: string): void {
    const deleted = this.#deletedAbove(id);
    if (deleted === undefined) return;
    const { tree } = this.page;
    this.page.edit((editor) => editor.restore(deleted, new History(tree).lastParentOf(deleted)));
    if (this.#isShown(id)) this.edit(id);
  }

  /** Lets a row go with all others that were deleted together with it. */
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

  /** What was deleted, and the item with it. */
  #deletedAbove(id: string): string | undefined {
    const { tree } = this.page;
    return [id, ...tree.getAncestors(id).map((each) => each.id)].find((each) => tree.getParentId(each) === BIN_ID);
  }

  /** Lets the text of a row be edited. @param at an offset, or how to find one in the element */
  edit(id: string, at: number | ((element: HTMLElement) => void) = Number.POSITIVE_INFINITY): void {
    this.selection.clear();
    const element = this.#show(id);
    if (!element) return;
    element.text.focus({ preventScroll: true });
    if (typeof at === "function") at(element.text);
    else caretDom.select(element.text, at);
  }

  /** Selects rows, so that keys are about them and not about their text. */
  selectRow(id: string, how: "start" | "extend"): void {
    this.selection[how](id);
    this.#show(id)?.row.focus({ preventScroll: true });
  }

  zoomOut(): void {
    const { page } = this;
    const parentId = page.tree.getParentId(page.rootId);
    if (page.isZoomed && parentId !== null) this.options.zoom(parentId === page.tree.root?.id ? undefined : parentId);
  }

  // ---- doing something ----

  /** Does something that says where editing goes on: by default where it was, or next to that. */
  act(command: (editor: OutlineEditor) => Caret | undefined): void {
    const caret = this.page.edit(command);
    if (caret && this.#isShown(caret.id)) this.edit(caret.id, caret.offset);
    else if (!this.#isShown(this.activeId)) this.#focusNearest("text");
  }

  /** Does something to rows that stay selected. */
  handle(command: (editor: OutlineEditor) => unknown): void {
    this.page.edit(command);
    const head = this.selection.head ?? this.activeId;
    if (head !== undefined && this.#isShown(head)) this.#show(head)?.row.focus({ preventScroll: true });
    else this.#focusNearest("row");
  }

  // ---- what others do to the rows ----

  /** To be called when the rows have changed, before the page does. @returns what keeps the focus, when the page has */
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
    // an element that moves in the page loses the focus, too
    return () => {
      if (document.activeElement === document.body && !this.elements.giveBack(focus)) this.#lose(focus, rootId);
    };
  }

  /** Shows what an item that is being written is below, before the page can take its element away. */
  #showApart(id: string): (() => void) | undefined {
    const { page } = this;
    const parentId = page.tree.getParentId(id);
    if (typeof parentId !== "string") return undefined;
    page.zoom(parentId);
    this.#place = { rows: page.rows, index: page.outline.indexOf(id), rootId: parentId };
    return () => {
      notices.inform("What you are editing was folded away elsewhere. It is shown apart from the rest of the page.");
      this.options.zoom(parentId === page.tree.root?.id ? undefined : parentId);
    };
  }

  /** Goes on where somebody else has taken away the row that has the focus. */
  #lose({ id, part }: RowFocus, rootId: string): void {
    // zooming takes rows away without anybody else
    if (isOnPage(this.page.tree, id) && this.page.rootId !== rootId) return;
    this.#focusNearest(part);
  }

  /** Goes to the nearest row above the one that has gone. */
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
