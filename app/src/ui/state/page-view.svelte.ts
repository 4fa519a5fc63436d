import type { ReplicatedTree } from "foldspace";
import { OutlineEditor } from "../../model/editing.ts";
import { NOTE_KEY, TEXT_KEY } from "../../model/item.ts";
import { Outline } from "../../model/outline.ts";
import { OwnTexts } from "../../model/own-texts.ts";
import { ConflictWatcher, type Conflict } from "../../model/conflicts.ts";
import type { Row } from "../../model/row.ts";
import { TextMerger } from "../../model/text-merger.ts";
import { notices } from "./notices.svelte.ts";

/** An open page, with its outline as reactive state for the components. */
export class PageView {
  readonly treeId: string;
  readonly tree: ReplicatedTree;
  readonly outline: Outline;
  readonly editor: OutlineEditor;
  readonly ownTexts: OwnTexts;
  rows: readonly Row[] = $state.raw([]);
  /** Item whose children are shown; the tree's root for the whole page. */
  rootId: string = $state("");
  /** The filter of the rows; empty: no filter. */
  query: string = $state("");
  /** Number of items that match the filter. */
  found: number | undefined = $state();
  canUndo: boolean = $state(false);
  canRedo: boolean = $state(false);
  /** Texts that were changed on two devices at the same time, by item. */
  conflicts: ReadonlyMap<string, Conflict> = $state.raw(new Map());
  /** Notes that were changed on two devices at the same time, by item. */
  noteConflicts: ReadonlyMap<string, Conflict> = $state.raw(new Map());
  /** The item whose note is being edited. */
  writtenNote: string | undefined;
  /** Whether an item's text is being edited. */
  isBeingWritten: (itemId: string) => boolean = () => false;
  #isWatching = false;
  readonly isReadOnly: boolean;
  readonly #ends: (() => void)[] = [];

  constructor(treeId: string, tree: ReplicatedTree, isReadOnly: boolean = false) {
    this.treeId = treeId;
    this.tree = tree;
    this.isReadOnly = isReadOnly;
    this.outline = new Outline(tree);
    this.editor = new OutlineEditor(this.outline);
    this.ownTexts = new OwnTexts(tree, (id) => this.outline.pin(id));
    this.#ends.push(
      () => this.ownTexts.close(),
      this.outline.observe(() => this.refresh()),
      this.editor.observe(() => this.#readUndo()),
    );
    this.refresh();
  }

  get isZoomed(): boolean {
    return this.rootId !== this.tree.root?.id;
  }

  /** Shows the current state at once, instead of in a microtask. */
  refresh(): void {
    this.rows = this.outline.rows;
    this.rootId = this.outline.root;
    this.#readUndo();
  }

  /**
   * Runs an edit of the page and shows the result at once.
   * @param failure the message for a failure, as a sentence
   * @returns `undefined` after a failure, which has been reported
   */
  edit<T>(command: (editor: OutlineEditor) => T, failure: string = "That could not be done."): T | undefined {
    try {
      return command(this.editor);
    } catch (error) {
      notices.report(failure, error);
      return undefined;
    } finally {
      this.refresh();
    }
  }

  /** Shows only the matches of a query with their context; everything for an empty query. */
  filter(query: string): void {
    this.query = query;
    this.found = this.outline.filter(query);
    this.refresh();
  }

  /** Shows a hidden item, so that it can be edited. */
  unhide(itemId: string): void {
    this.outline.pin(itemId);
    this.filter("");
  }

  /** @param itemId `undefined` for the whole page */
  zoom(itemId: string | undefined): void {
    if (itemId !== this.rootId) this.query = "";
    this.outline.zoom(itemId);
    this.refresh();
  }

  /** Starts to find texts that were changed on two devices at the same time, and to merge the compatible ones. */
  watchConflicts(): void {
    // it merges texts, too
    if (this.#isWatching || this.isReadOnly) return;
    this.#isWatching = true;
    this.#watch(
      TEXT_KEY,
      (conflicts) => (this.conflicts = conflicts),
      (id) => this.isBeingWritten(id),
    );
    this.#watch(
      NOTE_KEY,
      (conflicts) => (this.noteConflicts = conflicts),
      (id) => this.writtenNote === id,
    );
  }

  #watch(
    key: string,
    onConflicts: (conflicts: ReadonlyMap<string, Conflict>) => void,
    isBeingWritten: (itemId: string) => boolean,
  ): void {
    const watcher = new ConflictWatcher(this.tree, key);
    const read = (): void => onConflicts(new Map(watcher.conflicts.map((conflict) => [conflict.itemId, conflict])));
    const merger = new TextMerger({
      tree: this.tree,
      watcher,
      isBeingWritten,
      onFailed: (error) => notices.report("Texts of two devices could not be merged.", error),
    });
    this.#ends.push(
      watcher.observe(read),
      () => merger.close(),
      () => watcher.close(),
    );
    read();
  }

  close(): void {
    for (const end of this.#ends) end();
    this.editor.close();
    this.outline.close();
  }

  #readUndo(): void {
    this.canUndo = this.editor.canUndo;
    this.canRedo = this.editor.canRedo;
  }
}
