import { flushSync } from "svelte";
import type { Caret } from "../../model/editing.ts";
import { textOf } from "../../model/item.ts";
import type { Row } from "../../model/row.ts";
import type { Drafts } from "../state/drafts.svelte.ts";
import { notices } from "../state/notices.svelte.ts";
import type { PageView } from "../state/page-view.svelte.ts";
import type { TextDraft } from "../text-draft.ts";
import * as caretDom from "./caret-dom.ts";
import { commandInText, commandOnRows, type Command } from "./keys.ts";
import { RowSelection, topmost } from "./row-selection.svelte.ts";

export interface ControllerOptions {
  readonly page: PageView;
  readonly drafts: Drafts;
  /** Shows a row's element and scrolls to it. */
  readonly reveal: (index: number) => void;
  readonly zoom: (itemId: string | undefined) => void;
  /** Says something to those who do not see the screen. */
  readonly announce: (text: string) => void;
}

/** What the keyboard does in an outline: editing the text of one row, or handling rows that are selected. */
export class OutlineController {
  readonly page: PageView;
  readonly selection: RowSelection = new RowSelection();
  /** The row that is edited, or was last: the one that Tab leads to. */
  activeId: string | undefined = $state.raw();
  /** Rows in the page by id: the row itself and its text. */
  readonly #elements = new Map<string, { row: HTMLElement; text: HTMLElement }>();
  readonly #options: ControllerOptions;
  readonly #draft: TextDraft;
  /** Column that the caret keeps while it goes up and down, in pixels. */
  #column: number | undefined;

  constructor(options: ControllerOptions) {
    this.page = options.page;
    this.#options = options;
    this.#draft = options.drafts.add({
      stored: (id) => textOf(this.page.tree, id),
      store: (id, text) => {
        this.#do(() => this.page.editor.setText(id, text));
        this.page.refresh();
      },
    });
  }

  register(id: string, row: HTMLElement, text: HTMLElement): () => void {
    const elements = { row, text };
    this.#elements.set(id, elements);
    return () => {
      if (this.#elements.get(id) === elements) this.#elements.delete(id);
    };
  }

  /** Shows the stored text of a row, unless somebody is writing another one there just now. */
  show(id: string, element: HTMLElement, text: string): void {
    if (this.#draft.id !== id) caretDom.showText(element, text);
    // what others have changed is worked in, and shown with what is written here
    else if (!this.#draft.isComposing && caretDom.textOf(element) !== text) this.storeDraft();
  }

  /**
   * Keeps the focus through a change of the rows: an element that moves in the page loses it.
   * @returns what gives it back, `undefined` where there is none to keep
   */
  keepFocus(): (() => void) | undefined {
    const id = this.activeId;
    const before = id === undefined ? undefined : this.#elements.get(id);
    if (id === undefined || !before) return undefined;
    const focused = document.activeElement;
    const which = focused === before.text ? "text" : focused === before.row ? "row" : undefined;
    if (!which) return undefined;
    const selected = caretDom.selectionIn(before.text);
    return () => {
      const after = this.#elements.get(id);
      if (!after || document.activeElement !== document.body) return;
      after[which].focus({ preventScroll: true });
      if (which === "text" && selected) caretDom.select(after.text, selected.start, selected.end);
    };
  }

  /** Stores at once what has been written. */
  storeDraft(): void {
    this.#draft.store();
  }

  // ---- what the browser tells ----

  onFocus(id: string, isText: boolean): void {
    this.activeId = id;
    if (isText) this.selection.clear();
  }

  onInput(id: string, text: HTMLElement): void {
    this.#column = undefined;
    this.#draft.write(id, caretDom.textOf(text));
  }

  onCompositionStart(id: string, text: HTMLElement): void {
    this.#draft.compose(id, caretDom.textOf(text));
  }

  onCompositionEnd(id: string, text: HTMLElement): void {
    this.#draft.endComposing(id, caretDom.textOf(text));
  }

  /** @returns whether the key has been dealt with */
  onKey(event: KeyboardEvent, id: string, isText: boolean): boolean {
    if (event.isComposing || this.#draft.isComposing) return false;
    const isSeveral = this.selection.in(this.page.rows).length > 1;
    const command = isText ? commandInText(event) : commandOnRows(event, isSeveral);
    if (!command) return false;
    if (command !== "up" && command !== "down") this.#column = undefined;
    return isText ? this.#inText(command, id) : this.#onRows(command, id);
  }

  /** What keyboards of phones and menus ask for without a key. @returns whether it has been dealt with */
  onBeforeInput(event: InputEvent, id: string): boolean {
    switch (event.inputType) {
      case "insertParagraph":
      case "insertLineBreak":
        return this.#inText("split", id);
      case "historyUndo":
        return this.#inText("undo", id);
      case "historyRedo":
        return this.#inText("redo", id);
      case "deleteContentBackward":
        return this.#draft.isComposing ? false : this.#inText("joinPrevious", id);
      default:
        return event.inputType.startsWith("format");
    }
  }

  paste(id: string, text: string): void {
    const element = this.#elements.get(id)?.text;
    const selected = element && caretDom.selectionIn(element);
    this.storeDraft();
    const stored = this.page.outline.row(id)?.text ?? "";
    const { start, end } = selected ?? { start: stored.length, end: stored.length };
    const { editor } = this.page;
    this.#act(() =>
      editor.together(() => {
        if (end > start) editor.setText(id, stored.slice(0, start) + stored.slice(end));
        return editor.paste(id, start, text);
      }),
    );
  }

  // ---- what other parts of the page ask for ----

  /** Does something to the row that is edited, or to those that are selected. */
  run(command: Command): void {
    const id = this.activeId;
    if (id === undefined) return;
    if (this.selection.isEmpty) this.#inText(command, id);
    else this.#onRows(command, id);
  }

  /** Adds an item at the end of what is shown, and edits it. */
  append(): void {
    this.storeDraft();
    const { rows, outline, editor } = this.page;
    const last = outline.childrenOf(outline.root).at(-1);
    const row = last === undefined ? undefined : outline.row(last);
    if (row && row.text === "" && !row.hasChildren && rows.length > 0) this.edit(row.id, 0);
    else this.#act(() => editor.insertAfter(last));
  }

  /** Lets the text of a row be edited. @param at an offset, or how to find one in the element */
  edit(id: string, at: number | ((element: HTMLElement) => void) = Number.POSITIVE_INFINITY): void {
    this.selection.clear();
    const elements = this.#show(id);
    if (!elements) return;
    elements.text.focus({ preventScroll: true });
    if (typeof at === "function") at(elements.text);
    else caretDom.select(elements.text, at);
  }

  /** Selects rows, so that keys are about them and not about their text. */
  #selectRow(id: string, how: "start" | "extend"): void {
    this.selection[how](id);
    this.#show(id)?.row.focus({ preventScroll: true });
  }

  #show(id: string): { row: HTMLElement; text: HTMLElement } | undefined {
    this.activeId = id;
    this.page.refresh();
    flushSync();
    this.#options.reveal(this.page.outline.indexOf(id));
    return this.#elements.get(id);
  }

  // ---- commands ----

  #inText(command: Command, id: string): boolean {
    this.storeDraft();
    const { page } = this;
    const { editor } = page;
    const element = this.#elements.get(id)?.text;
    const row = page.outline.row(id);
    if (!element || !row) return false;
    const selected = caretDom.selectionIn(element);
    const offset = selected?.end ?? row.text.length;
    const isCaret = selected !== undefined && selected.start === selected.end;
    switch (command) {
      case "nothing":
        return true;
      case "split":
        this.#act(() =>
          editor.together(() => {
            if (selected && !isCaret) editor.setText(id, row.text.slice(0, selected.start) + row.text.slice(selected.end));
            return editor.split(id, selected?.start ?? offset);
          }),
        );
        return true;
      case "joinPrevious":
        if (!isCaret || offset > 0) return false;
        this.#act(() => editor.joinWithPrevious(id));
        return true;
      case "joinNext": {
        const next = page.rows[page.outline.indexOf(id) + 1];
        if (!isCaret || offset < row.text.length || !next) return false;
        this.#act(() => editor.joinWithPrevious(next.id));
        return true;
      }
      case "up":
      case "down":
        return this.#vertically(element, id, command);
      case "left":
      case "right": {
        const isAtEdge = isCaret && offset === (command === "left" ? 0 : row.text.length);
        const target = isAtEdge ? this.#neighbour(id, command === "left" ? -1 : 1) : undefined;
        if (target) this.edit(target.id, command === "left" ? target.text.length : 0);
        return isAtEdge;
      }
      case "selectUp":
      case "selectDown": {
        const isLeaving = command === "selectUp" ? caretDom.isOnFirstLine(element) : caretDom.isOnLastLine(element);
        if (isLeaving) this.#selectRow(id, "start");
        return isLeaving;
      }
      case "leave":
        this.#selectRow(id, "start");
        this.#options.announce("Editing ended. Arrow keys go through the items, Enter edits.");
        return true;
      case "undo":
      case "redo":
        this.#act(() => editor[command]());
        return true;
      case "remove":
        this.#remove([id]);
        return true;
      case "zoomIn":
        this.#options.zoom(id);
        return true;
      case "zoomOut":
        this.zoomOut();
        return true;
      case "indent":
      case "outdent":
      case "moveUp":
      case "moveDown":
      case "toggleDone":
      case "toggleCollapsed":
        this.#act(() => editor[command](id, offset));
        return true;
      default:
        return false;
    }
  }

  #onRows(command: Command, id: string): boolean {
    this.storeDraft();
    const { rows, editor, outline } = this.page;
    const selected = this.selection.in(rows);
    const ids = topmost(rows, selected.length > 0 ? selected : [id]);
    const row = outline.row(id);
    switch (command) {
      case "up":
      case "down":
      case "selectUp":
      case "selectDown": {
        const target = this.#neighbour(id, command === "up" || command === "selectUp" ? -1 : 1);
        if (target) this.#selectRow(target.id, command.startsWith("select") ? "extend" : "start");
        return true;
      }
      case "first":
      case "last": {
        const target = command === "first" ? rows[0] : rows.at(-1);
        if (target) this.#selectRow(target.id, "start");
        return true;
      }
      case "selectAll":
        if (rows.length > 0) this.selection.span(rows[0]!.id, rows.at(-1)!.id);
        return true;
      case "edit":
        this.edit(id);
        return true;
      case "leave":
        this.selection.start(id);
        return true;
      case "remove":
        this.#remove(ids);
        return true;
      case "collapse":
      case "expand":
        if (row?.hasChildren && row.isCollapsed === (command === "expand")) this.#handle(() => editor.toggleCollapsed(id));
        else if (command === "collapse" && row && outline.row(row.parentId)) this.#selectRow(row.parentId, "start");
        return true;
      case "toggleCollapsed":
      case "toggleDone": {
        // all alike: back only where all of them are
        const isSet = (each: string): boolean =>
          outline.row(each)?.[command === "toggleDone" ? "isDone" : "isCollapsed"] ?? false;
        const unset = ids.filter((each) => !isSet(each));
        this.#handle(() => editor.together(() => (unset.length > 0 ? unset : ids).forEach((each) => editor[command](each))));
        return true;
      }
      case "indent":
      case "moveUp":
      case "moveDown": {
        const inTurn = command === "moveDown" ? ids.toReversed() : ids;
        // where the first of them cannot go on, the others do not overtake it
        this.#handle(() => editor.together(() => inTurn.every((each) => editor[command](each) !== undefined)));
        return true;
      }
      case "outdent":
        // from the end, so that they keep their order
        this.#handle(() => editor.together(() => ids.toReversed().forEach((each) => editor.outdent(each))));
        return true;
      case "undo":
      case "redo":
        this.#handle(() => editor[command]());
        return true;
      case "zoomIn":
        this.#options.zoom(id);
        return true;
      case "zoomOut":
        this.zoomOut();
        return true;
      default:
        return false;
    }
  }

  zoomOut(): void {
    const { page } = this;
    const parentId = page.tree.getParentId(page.rootId);
    if (page.isZoomed && parentId !== null) this.#options.zoom(parentId === page.tree.root?.id ? undefined : parentId);
  }

  #vertically(element: HTMLElement, id: string, direction: "up" | "down"): boolean {
    const isLeaving = direction === "up" ? caretDom.isOnFirstLine(element) : caretDom.isOnLastLine(element);
    if (!isLeaving) return false;
    const target = this.#neighbour(id, direction === "up" ? -1 : 1);
    if (!target) return false;
    const column = (this.#column ??= caretDom.caretRect(element).left);
    this.edit(target.id, (text) => caretDom.placeAtColumn(text, column, direction === "up" ? "last" : "first"));
    return true;
  }

  #neighbour(id: string, step: 1 | -1): Row | undefined {
    return this.page.rows[this.page.outline.indexOf(id) + step];
  }

  #remove(ids: readonly string[]): void {
    this.#act(() => this.page.editor.remove(ids));
    this.#options.announce(ids.length === 1 ? "Item deleted." : `${ids.length} items deleted.`);
  }

  /** Does something to rows that stay selected. */
  #handle(action: () => unknown): void {
    this.#do(action);
    const head = this.selection.head ?? this.activeId;
    if (head !== undefined && this.page.outline.indexOf(head) >= 0) this.#show(head)?.row.focus({ preventScroll: true });
    else this.page.refresh();
  }

  /** Does something that gives the place where editing goes on. */
  #act(action: () => Caret | undefined): void {
    const caret = this.#do(action);
    if (caret && this.page.outline.indexOf(caret.id) >= 0) this.edit(caret.id, caret.offset);
    else this.page.refresh();
  }

  #do<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      notices.report("That could not be done.", error);
      return undefined;
    }
  }
}
