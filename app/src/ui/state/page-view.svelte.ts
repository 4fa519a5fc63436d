import type { ReplicatedTree } from "foldspace";
import { OutlineEditor } from "../../model/editing.ts";
import { NOTE_KEY, TEXT_KEY } from "../../model/item.ts";
import { Outline } from "../../model/outline.ts";
import { OwnTexts } from "../../model/own-texts.ts";
import { RivalWatcher, type Rival } from "../../model/conflicts.ts";
import type { Row } from "../../model/row.ts";
import { TextMerger } from "../../model/text-merger.ts";
import { notices } from "./notices.svelte.ts";

/** An open page: its outline, as the components watch it. */
export class PageView {
  readonly treeId: string;
  readonly tree: ReplicatedTree;
  readonly outline: Outline;
  readonly editor: OutlineEditor;
  readonly ownTexts: OwnTexts;
  rows: readonly Row[] = $state.raw([]);
  /** Item whose children are shown; the tree's root for the whole page. */
  rootId: string = $state("");
  /** What the rows are filtered by; empty: by nothing. */
  query: string = $state("");
  /** Number of items that the filter has found. */
  found: number | undefined = $state();
  canUndo: boolean = $state(false);
  canRedo: boolean = $state(false);
  /** Texts that were changed on two devices at once, by item. */
  rivals: ReadonlyMap<string, Rival> = $state.raw(new Map());
  /** Notes that were changed on two devices at once, by item. */
  noteRivals: ReadonlyMap<string, Rival> = $state.raw(new Map());
  /** The item whose note is just being written. */
  writtenNote: string | undefined;
  /** Whether somebody is just writing an item's text. */
  isBeingWritten: (itemId: string) => boolean = () => false;
  #isWatching = false;
  readonly #ends: (() => void)[] = [];

  constructor(treeId: string, tree: ReplicatedTree) {
    this.treeId = treeId;
    this.tree = tree;
    this.outline = new Outline(tree);
    this.editor = new OutlineEditor(this.outline);
    this.ownTexts = new OwnTexts(tree, (id) => this.outline.hold(id));
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

  /** Shows the present state at once, instead of in a microtask. */
  refresh(): void {
    this.rows = this.outline.rows;
    this.rootId = this.outline.root;
    this.#readUndo();
  }

  /**
   * Does something to the page and shows it at once.
   * @param failure what to say where that fails, as a sentence
   * @returns `undefined` where it failed, which has been said
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

  /** Shows only what has the words of a query, and what is around that; everything if there are none. */
  filter(query: string): void {
    this.query = query;
    this.found = this.outline.filter(query);
    this.refresh();
  }

  /** Shows a hidden item, so that it can be written. */
  unhide(itemId: string): void {
    this.outline.hold(itemId);
    this.filter("");
  }

  /** @param itemId `undefined` for the whole page */
  zoom(itemId: string | undefined): void {
    if (itemId !== this.rootId) this.query = "";
    this.outline.zoom(itemId);
    this.refresh();
  }

  /** Begins to look for texts that were changed on two devices at once, and to merge those that go together. */
  watchRivals(): void {
    if (this.#isWatching) return;
    this.#isWatching = true;
    this.#watch(
      TEXT_KEY,
      (rivals) => (this.rivals = rivals),
      (id) => this.isBeingWritten(id),
    );
    this.#watch(
      NOTE_KEY,
      (rivals) => (this.noteRivals = rivals),
      (id) => this.writtenNote === id,
    );
  }

  #watch(key: string, onRivals: (rivals: ReadonlyMap<string, Rival>) => void, isBeingWritten: (itemId: string) => boolean): void {
    const watcher = new RivalWatcher(this.tree, key);
    const read = (): void => onRivals(new Map(watcher.rivals.map((rival) => [rival.itemId, rival])));
    const merger = new TextMerger({
      tree: this.tree,
      watcher,
      isBeingWritten,
      onFailed: (error) => notices.report("Texts of two devices could not be put together.", error),
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
