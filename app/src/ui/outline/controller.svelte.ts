import { isMoveVertexOp } from "foldspace/tree";
import { TEXT_KEY } from "../../model/item.ts";
import type { OutlineNode } from "../../model/outline-node.ts";
import { linesFromNodes } from "../../model/pasted-lines.ts";
import { TextVersions } from "../../model/text-versions.ts";
import type { Drafts } from "../state/drafts.svelte.ts";
import type { TextDraft } from "../text-draft.ts";
import { describeMove } from "../words/moves.ts";
import * as caretDom from "./caret-dom.ts";
import type { Cursor } from "./cursor.svelte.ts";
import { showInline, showSource } from "./inline-dom.ts";
import { commandInText, commandOnRows, type Command } from "./keys.ts";
import { runOnRows } from "./row-commands.ts";
import { topmost } from "./row-selection.svelte.ts";
import { runInText } from "./text-commands.ts";

/** The choices for a row that another device has deleted. */
const ON_DELETED: ReadonlySet<Command> = new Set<Command>([
  "up",
  "down",
  "left",
  "right",
  "selectUp",
  "selectDown",
  "selectAll",
  "first",
  "last",
  "edit",
  "leave",
  "undo",
  "redo",
  "zoomOut",
  "followLink",
  "joinPrevious",
  "joinNext",
]);

/** The commands that move items. */
const MOVES: ReadonlySet<Command> = new Set<Command>(["indent", "outdent", "moveUp", "moveDown"]);

/** Keyboard control of an outline: editing the text of one row, or commands on selected rows. */
export class OutlineController {
  readonly #cursor: Cursor;
  readonly #draft: TextDraft;
  readonly #versions: TextVersions;
  readonly #endObserving: () => void;
  /** The item whose note is being edited. */
  noteId: string | undefined = $state.raw();

  constructor(cursor: Cursor, drafts: Drafts) {
    const { page } = cursor;
    this.#cursor = cursor;
    const versions = (this.#versions = TextVersions.of(page.tree));
    this.#draft = drafts.add({
      stored: (id) => versions.stored(id),
      current: (id) => versions.current(id),
      ingest: (id, parents, text, caret) => versions.ingest(id, parents, text, caret),
      store: (id, text, written) =>
        page.edit((editor) => {
          editor.setText(id, text, written);
          return versions.stored(id);
        }),
      onIngested: (id, changes) => {
        const element = cursor.elements.get(id)?.text;
        if (element) for (const each of changes) caretDom.changeText(element, each);
      },
    });
    // a text may have arrived that loses, but is compatible with the winning one
    this.#endObserving = page.tree.observeOpApplied((op, isLocal) => {
      if (isLocal || isMoveVertexOp(op) || op.key !== TEXT_KEY) return;
      const id = op.targetId;
      queueMicrotask(() => {
        const element = cursor.elements.get(id)?.text;
        if (element) this.show(id, element);
        else if (id === this.#draft.id) this.#draft.ingest();
      });
    });
    page.isBeingWritten = (id) => this.#draft.id === id && (this.#draft.isPending || this.#draft.isComposing);
  }

  /** Stores the draft, and stops observing. */
  close(): void {
    this.#endObserving();
    this.finishDraft();
    this.#cursor.page.isBeingWritten = () => false;
  }

  /** Shows the stored text of a row, unless the user is typing in it. */
  show(id: string, element: HTMLElement): void {
    const { text } = this.#versions.current(id);
    if (this.#draft.id !== id)
      return element === document.activeElement ? caretDom.showText(element, text) : showInline(element, text);
    if (this.#draft.isComposing) return;
    this.#draft.ingest();
    // the element may be a new one
    caretDom.showText(element, this.#draft.text ?? text);
  }

  /** Stores the draft at once, even during a composition: the text has lost the focus. */
  finishDraft(): void {
    const { id } = this.#draft;
    this.#draft.finish();
    const element = id === undefined ? undefined : this.#cursor.elements.get(id)?.text;
    // after a conflict, another text may have won
    if (id !== undefined && element) this.show(id, element);
  }

  // ---- events of the browser ----

  onFocus(id: string, isText: boolean): void {
    // not every browser reports that a removed element had the focus
    this.finishDraft();
    this.#cursor.enter(id);
    if (!isText) return;
    this.#cursor.selection.clear();
    const element = this.#cursor.elements.get(id)?.text;
    if (element) showSource(element);
  }

  /** The text has lost the focus, unless the whole window has. */
  onBlur(id: string): void {
    const element = this.#cursor.elements.get(id)?.text;
    if (element) this.show(id, element);
  }

  /** Edits the note of an item, even if it has no note yet. */
  openNote(id: string): void {
    if (this.#cursor.page.isReadOnly) return;
    this.#draft.commit();
    this.#cursor.enter(id);
    this.#cursor.selection.clear();
    this.noteId = id;
  }

  /** Called when the note loses the focus, also to the text of its item or to the row below. */
  closeNote(id: string, to?: "text" | "below"): void {
    const next = to === "below" ? this.#cursor.neighbour(id, 1) : undefined;
    if (next) this.#cursor.edit(next.id, 0);
    else if (to) this.#cursor.edit(id);
    if (this.noteId === id) this.noteId = undefined;
  }

  onInput(id: string, text: HTMLElement): void {
    this.#cursor.column = undefined;
    this.#draft.write(id, caretDom.textOf(text), caretDom.selectionIn(text)?.end);
  }

  onCompositionStart(id: string, text: HTMLElement): void {
    this.#draft.compose(id, caretDom.textOf(text), caretDom.selectionIn(text)?.end);
  }

  onCompositionEnd(id: string, text: HTMLElement): void {
    this.#draft.endComposing(id, caretDom.textOf(text), caretDom.selectionIn(text)?.end);
  }

  /** @returns whether the key was handled */
  onKey(event: KeyboardEvent, id: string, isText: boolean): boolean {
    if (event.isComposing || this.#draft.isComposing) return false;
    const { selection, page } = this.#cursor;
    const command = isText ? commandInText(event) : commandOnRows(event, selection.in(page.rows).length > 1);
    if (!command) return false;
    if (command !== "up" && command !== "down") this.#cursor.column = undefined;
    return this.#run(command, id, isText);
  }

  /** Handles input without keys, from on-screen keyboards and menus. @returns whether it was handled */
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
    this.#draft.commit();
    const element = this.#cursor.elements.get(id)?.text;
    const selected = element && caretDom.selectionIn(element);
    const row = this.#cursor.page.outline.row(id);
    const stored = row?.text ?? "";
    const { start, end } = selected ?? { start: stored.length, end: stored.length };
    this.#cursor.act((editor) =>
      editor.together(() => {
        if (row?.isDeleted) {
          editor.setText(id, stored.slice(0, start) + text + stored.slice(end));
          return { id, offset: start + text.length };
        }
        if (end > start) editor.setText(id, stored.slice(0, start) + stored.slice(end));
        return editor.paste(id, start, text);
      }),
    );
  }

  /** Inserts items behind a row, or behind the selected rows; an empty row is replaced. */
  pasteItems(id: string, isText: boolean, nodes: readonly OutlineNode[]): void {
    this.#draft.commit();
    const { page, selection } = this.#cursor;
    const row = page.outline.row(id);
    if (row?.isDeleted) return this.paste(id, linesFromNodes(nodes));
    const isReplaced = isText && row?.text === "" && row.note === undefined && !row.hasChildren;
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

  // ---- commands of other parts of the page ----

  /** Runs a command on the row whose menu was opened, or on the selected rows. */
  runOn(id: string, command: Command): void {
    if (!this.#cursor.selection.in(this.#cursor.page.rows).includes(id)) this.#cursor.selectRow(id, "start");
    this.#run(command, id, false);
  }

  /** Runs a command on the row that is edited, or on the selected rows. */
  run(command: Command): void {
    const { activeId, selection } = this.#cursor;
    if (activeId !== undefined) this.#run(command, activeId, selection.isEmpty);
  }

  /** Restores a row that another device has deleted, with the text that was typed here and all that was deleted with it. */
  keep(id: string): void {
    this.#draft.commit();
    this.#cursor.keepDeleted(id);
  }

  /** Removes a row that another device has deleted. */
  discard(id: string): void {
    this.#draft.finish();
    this.#cursor.discardDeleted(id);
  }

  /** Adds an item at the end of the visible items, and edits it. */
  append(): void {
    this.#draft.commit();
    const { rows, outline } = this.#cursor.page;
    const last = outline.childrenOf(outline.root).at(-1);
    const row = last === undefined ? undefined : outline.row(last);
    if (row && row.text === "" && row.note === undefined && !row.hasChildren && rows.length > 0) this.#cursor.edit(row.id, 0);
    else this.#cursor.act((editor) => editor.insertAfter(last));
  }

  /** Stores the shown text. */
  #commit(id: string): void {
    if (this.#cursor.page.isReadOnly) return;
    this.#draft.commit();
    const { text, parents } = this.#versions.current(id);
    if (text === this.#versions.stored(id).text) return;
    this.#versions.write(id, text, parents);
    this.#cursor.page.refresh();
  }

  /** The rows that a command applies to, none of which is a descendant of another. */
  handled(id: string): string[] {
    const { selection, page } = this.#cursor;
    const selected = selection.in(page.rows);
    const isThere = (each: string): boolean => !page.outline.row(each)?.isDeleted;
    return topmost(page.rows, selected.length > 0 ? selected.filter(isThere) : [id]);
  }

  #run(command: Command, id: string, isText: boolean): boolean {
    this.#commit(id);
    const cursor = this.#cursor;
    if (cursor.page.outline.row(id)?.isDeleted && !ON_DELETED.has(command)) {
      if (command === "remove") this.discard(id);
      else cursor.options.announce("Another device has deleted this item. Keep it or discard it first.");
      return true;
    }
    const ids = isText ? [id] : this.handled(id);
    switch (command) {
      case "undo":
      case "redo":
        if (cursor.options.undoElsewhere(command)) return true;
        if (isText) cursor.act((editor) => editor[command]());
        else cursor.handle((editor) => editor[command]());
        return true;
      case "remove":
        cursor.act((editor) => editor.remove(ids));
        cursor.options.announce(ids.length === 1 ? "Item deleted." : `${ids.length} items deleted.`);
        return true;
      case "note":
        this.openNote(id);
        return true;
      case "moveToPage":
        cursor.options.moveToPage(ids);
        return true;
      case "copyLink":
        cursor.options.copyLink(id);
        return true;
      case "collapseAll": {
        const isCollapsed = cursor.page.rows.some((row) => row.hasChildren && !row.isCollapsed);
        if (isText) cursor.act((editor) => (editor.collapseAll(isCollapsed), undefined));
        else cursor.handle((editor) => editor.collapseAll(isCollapsed));
        cursor.options.announce(isCollapsed ? "Everything is folded." : "Everything is unfolded.");
        return true;
      }
      case "zoomIn":
        cursor.options.zoom(id);
        return true;
      case "zoomOut":
        cursor.zoomOut();
        return true;
      default:
        return MOVES.has(command) ? this.#move(command, ids, isText) : this.#runOn(command, ids, id, isText);
    }
  }

  #runOn(command: Command, ids: readonly string[], id: string, isText: boolean): boolean {
    return isText ? runInText(this.#cursor, command, id) : runOnRows(this.#cursor, command, ids, id);
  }

  /** Announces the new place of the items to users of screen readers. */
  #move(command: Command, ids: readonly string[], isText: boolean): boolean {
    const { outline } = this.#cursor.page;
    const [first] = ids;
    if (first === undefined) return true;
    const before = outline.row(first);
    const isDone = this.#runOn(command, ids, first, isText);
    const after = outline.row(first);
    const parent = after && outline.row(after.parentId);
    if (isDone) this.#cursor.options.announce(describeMove(before, after, parent?.text, ids.length));
    return isDone;
  }
}
