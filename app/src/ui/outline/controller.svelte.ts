import type { OutlineNode } from "../../model/outline-node.ts";
import { TextVersions } from "../../model/text-versions.ts";
import type { Drafts } from "../state/drafts.svelte.ts";
import type { TextDraft } from "../text-draft.ts";
import * as caretDom from "./caret-dom.ts";
import type { Cursor } from "./cursor.svelte.ts";
import { commandInText, commandOnRows, type Command } from "./keys.ts";
import { runOnRows } from "./row-commands.ts";
import { topmost } from "./row-selection.svelte.ts";
import { runInText } from "./text-commands.ts";

/** What the keyboard does in an outline: writing in the text of one row, or handling rows that are selected. */
export class OutlineController {
  readonly #cursor: Cursor;
  readonly #draft: TextDraft;

  constructor(cursor: Cursor, drafts: Drafts) {
    const { page } = cursor;
    this.#cursor = cursor;
    this.#draft = drafts.add({
      stored: (id) => TextVersions.of(page.tree).stored(id),
      store: (id, text, over) => page.edit((editor) => editor.setText(id, text, over)),
    });
  }

  /** Shows the stored text of a row, unless somebody is writing another one there just now. */
  show(id: string, element: HTMLElement, text: string): void {
    if (this.#draft.id !== id) caretDom.showText(element, text);
    // what others have changed is worked in, and shown with what is written here
    else if (!this.#draft.isComposing && caretDom.textOf(element) !== text) this.#draft.store();
  }

  /** Stores at once what has been written, also in the middle of a character: the text has lost the focus. */
  finishDraft(): void {
    this.#draft.finish();
  }

  // ---- what the browser tells ----

  onFocus(id: string, isText: boolean): void {
    // not every browser tells that an element that went had the focus
    this.#draft.finish();
    this.#cursor.enter(id);
    if (isText) this.#cursor.selection.clear();
  }

  onInput(id: string, text: HTMLElement): void {
    this.#cursor.column = undefined;
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
    const { selection, page } = this.#cursor;
    const command = isText ? commandInText(event) : commandOnRows(event, selection.in(page.rows).length > 1);
    if (!command) return false;
    if (command !== "up" && command !== "down") this.#cursor.column = undefined;
    return this.#run(command, id, isText);
  }

  /** What keyboards of phones and menus ask for without a key. @returns whether it has been dealt with */
  onBeforeInput(event: InputEvent, id: string): boolean {
    switch (event.inputType) {
      case "insertParagraph":
      case "insertLineBreak":
        return this.#run("split", id, true);
      case "historyUndo":
        return this.#run("undo", id, true);
      case "historyRedo":
        return this.#run("redo", id, true);
      case "deleteContentBackward":
        return this.#draft.isComposing ? false : this.#run("joinPrevious", id, true);
      default:
        return event.inputType.startsWith("format");
    }
  }

  paste(id: string, text: string): void {
    const element = this.#cursor.elements.get(id)?.text;
    const selected = element && caretDom.selectionIn(element);
    this.#draft.store();
    const stored = this.#cursor.page.outline.row(id)?.text ?? "";
    const { start, end } = selected ?? { start: stored.length, end: stored.length };
    this.#cursor.act((editor) =>
      editor.together(() => {
        if (end > start) editor.setText(id, stored.slice(0, start) + stored.slice(end));
        return editor.paste(id, start, text);
      }),
    );
  }

  /** Puts items behind a row, or behind those that are selected; an empty row gives way to them. */
  pasteItems(id: string, isText: boolean, nodes: readonly OutlineNode[]): void {
    this.#draft.store();
    const { page, selection } = this.#cursor;
    const row = page.outline.row(id);
    const isReplaced = isText && row?.text === "" && !row.hasChildren;
    const made = page.edit((editor) =>
      editor.together(() => {
        const ids = editor.insertNodesAfter(isText ? id : this.handled(id).at(-1)!, nodes);
        if (isReplaced && ids.length > 0) editor.remove([id]);
        return ids;
      }),
    );
    const last = made?.at(-1);
    if (last === undefined) return;
    if (isText) return this.#cursor.edit(last);
    selection.start(made![0]!);
    this.#cursor.selectRow(last, "extend");
  }

  // ---- what other parts of the page ask for ----

  /** Does something to the row that is edited, or to those that are selected. */
  run(command: Command): void {
    const { activeId, selection } = this.#cursor;
    if (activeId !== undefined) this.#run(command, activeId, selection.isEmpty);
  }

  /** Adds an item at the end of what is shown, and edits it. */
  append(): void {
    this.#draft.store();
    const { rows, outline } = this.#cursor.page;
    const last = outline.childrenOf(outline.root).at(-1);
    const row = last === undefined ? undefined : outline.row(last);
    if (row && row.text === "" && !row.hasChildren && rows.length > 0) this.#cursor.edit(row.id, 0);
    else this.#cursor.act((editor) => editor.insertAfter(last));
  }

  /** The rows that a command is about, of which none lies below another. */
  handled(id: string): string[] {
    const { selection, page } = this.#cursor;
    const selected = selection.in(page.rows);
    return topmost(page.rows, selected.length > 0 ? selected : [id]);
  }

  #run(command: Command, id: string, isText: boolean): boolean {
    this.#draft.store();
    const cursor = this.#cursor;
    const ids = isText ? [id] : this.handled(id);
    switch (command) {
      case "undo":
      case "redo":
        if (isText) cursor.act((editor) => editor[command]());
        else cursor.handle((editor) => editor[command]());
        return true;
      case "remove":
        cursor.act((editor) => editor.remove(ids));
        cursor.options.announce(ids.length === 1 ? "Item deleted." : `${ids.length} items deleted.`);
        return true;
      case "zoomIn":
        cursor.options.zoom(id);
        return true;
      case "zoomOut":
        cursor.zoomOut();
        return true;
      default:
        return isText ? runInText(cursor, command, id) : runOnRows(cursor, command, ids, id);
    }
  }
}
