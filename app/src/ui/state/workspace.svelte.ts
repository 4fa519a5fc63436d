import { errorCode, type Problem, type ReplicatedTree, type SpaceStatus } from "foldspace";
import type { InlineLink } from "../../model/inline.ts";
import { moveItems } from "../../model/move-items.ts";
import { linkedPage } from "../../model/page-titles.ts";
import {
  createPage,
  listDeletedPages,
  listPages,
  removePage,
  restorePage,
  type DeletedPage,
  type Page,
} from "../../model/pages.ts";
import { ConflictWatcher, type Conflict } from "../../model/conflicts.ts";
import { TextMerger } from "../../model/text-merger.ts";
import { recall, remember } from "../../session/browser-settings.ts";
import { BROWSER_LAYER, FOLDER_LAYER, type Session } from "../../session/session.svelte.ts";
import { describeStatus, type KeptIn, type StatusWords } from "../words/status.ts";
import { Activity } from "./activity.svelte.ts";
import { addressOf, readAddress } from "./address.ts";
import { Backlinks } from "./backlinks.svelte.ts";
import { Devices } from "./devices.svelte.ts";
import { Drafts } from "./drafts.svelte.ts";
import { KeptCopy } from "./kept-copy.svelte.ts";
import { addressIn } from "./item-links.ts";
import { attempt, NOTHING_CHANGED, notices } from "./notices.svelte.ts";
import { PageRenames } from "./page-renames.ts";
import { PageView } from "./page-view.svelte.ts";
import { StepsElsewhere, type Step } from "./steps-elsewhere.ts";

export type PanelName = "sync" | "files" | "history" | "secrets";

/** Delay of less urgent work after the page is shown, in milliseconds. */
const DEFERRED_MS = 400;

/** Errors of files that mean that the whole folder cannot be reached. */
const OF_WHOLE_FOLDER: ReadonlySet<string> = new Set(["FOLD_FOLDER_LOST", "FOLD_UNTRUSTED_SERVER"]);

/** Interval between attempts to load a page that has not arrived, in milliseconds. */
const RETRY_MS = 1_000;

/** The open space and the state of its user interface. */
export class Workspace {
  readonly session: Session;
  readonly activity: Activity;
  readonly devices: Devices;
  readonly drafts: Drafts = new Drafts();
  readonly backlinks: Backlinks = new Backlinks(this);
  readonly renames: PageRenames = new PageRenames(this);
  readonly copy: KeptCopy;
  pages: readonly Page[] = $state.raw([]);
  page: PageView | undefined = $state.raw();
  /** The shown page, if another device has deleted it while the user writes in it: it stays until the user decides. */
  deleted: DeletedPage | undefined = $state.raw();
  /** Whether the pages have not been read from the layers yet. */
  isLoading: boolean = $state(true);
  status: SpaceStatus = $state.raw({ layers: [] });
  #found: readonly Problem[] = $state.raw([]);
  /** Without the errors that stop a whole layer: the layer's card shows those. */
  readonly problems: readonly Problem[] = $derived.by(() => {
    const ofLayers = new Set(this.status.layers.map(({ error }) => error?.code));
    return this.#found.filter(({ file, code }) => !ofLayers.has(code) || (file !== undefined && !OF_WHOLE_FOLDER.has(code)));
  });
  panel: PanelName | undefined = $state();
  isDrawerOpen: boolean = $state(false);
  isSearching: boolean = $state(false);
  /** The query with which the search opens. */
  query: string = $state("");
  /** Whether to introduce the app first. */
  isNew: boolean = $state(false);
  /** Whether the list of keys is shown. */
  isShowingKeys: boolean = $state(false);
  name: string = $state("");
  /** The page to show as soon as some of its operations arrive. */
  missing: string | undefined = $state.raw();
  /** Item to edit as soon as its page is shown. */
  wanted: { readonly treeId: string; readonly itemId: string } | undefined = $state.raw();
  /** The current state of the layers. */
  readonly kept: KeptIn = $derived.by(() => ({
    browser: this.status.layers.find(({ id }) => id === BROWSER_LAYER),
    folder: this.status.layers.find(({ id }) => id === FOLDER_LAYER),
    isFolderLocked: ["locked", "away"].includes(this.session.folder.kind),
    isFolderOnly: !this.session.isInBrowser,
    isCopy: this.session.isCopy,
  }));
  readonly statusWords: StatusWords = $derived(describeStatus(this.kept, !this.drafts.isEmpty));
  /** Titles that were changed on two devices at the same time, by the vertex that names the page. */
  titleConflicts: ReadonlyMap<string, Conflict> = $state.raw(new Map());
  /** Whether items that are done are hidden, on all pages. */
  isHidingDone: boolean = $state(recall("hide-done") === "yes");
  /** Whether the filter field is shown. */
  isFiltering: boolean = $state(false);
  /** Whether the user is asked if the folder is a copy of the one that this browser knows. */
  isAskingAboutCopy: boolean = $state(false);
  /** Items of the shown page that the user wants to move to another page. */
  moving: readonly string[] | undefined = $state.raw();
  readonly #elsewhere = new StepsElsewhere();
  readonly #restorings = new Map<string, Step>();
  readonly #views = new Map<string, PageView>();
  readonly #ends: (() => void)[] = [];
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session) {
    this.session = session;
    this.copy = new KeptCopy(session);
    const { space } = session;
    this.isAskingAboutCopy = session.isCopy;
    this.activity = new Activity(space, (treeId) => this.titleOf(treeId));
    this.devices = new Devices(space);
    this.#ends.push(
      () => this.activity.close(),
      () => this.backlinks.close(),
      () => this.devices.close(),
      this.#announceEdits(space.tree),
      space.tree.observeTree(() => this.#readPages()),
      space.observeUnloadedTrees((treeId) => {
        if (treeId === this.missing) void this.follow();
      }),
      space.observeStatus((status) => (this.status = status)),
      space.observeProblems((problems) => (this.#found = problems)),
    );
    this.status = space.status;
    this.#found = space.problems;
    this.#readPages();
    const onHashChange = (): void => void this.follow();
    const watching = setTimeout(() => !space.isReadOnly && this.#watchTitles(), DEFERRED_MS);
    this.#ends.push(() => clearTimeout(watching));
    addEventListener("hashchange", onHashChange);
    this.#ends.push(() => removeEventListener("hashchange", onHashChange));
  }

  /** Shows the page that the address names, or else the page that was shown last, or else the first page. */
  async follow(): Promise<void> {
    const { pageId, itemId } = readAddress();
    const known = (id: string | undefined): boolean => id !== undefined && this.titleOf(id) !== undefined;
    const treeId = [pageId, recall("page"), this.pages[0]?.treeId].find(known);
    if (treeId !== this.deleted?.treeId) this.deleted = undefined;
    if (treeId === undefined) {
      this.page = this.missing = undefined;
      this.isLoading = false;
      return;
    }
    if (treeId !== pageId) history.replaceState(history.state, "", addressOf(treeId));
    await attempt("The page could not be opened.", async () => {
      const view = await this.#loadIfThere(treeId);
      // the user may have asked for another page meanwhile
      if ((readAddress().pageId ?? treeId) !== treeId) return;
      this.missing = view ? undefined : treeId;
      if (!view) {
        this.page = undefined;
        this.#awaitMissing();
        return;
      }
      view.zoom(treeId === pageId ? itemId : undefined);
      if (view.query === "") this.isFiltering = false;
      this.page = view;
      if (!this.session.isCopy) remember("page", treeId);
      setTimeout(
        () => void attempt("The search for texts that were changed on two devices failed.", () => view.watchConflicts()),
        DEFERRED_MS,
      );
    });
    this.isLoading = false;
  }

  /** Saves everything, including drafts. @throws FoldspaceError `FOLD_NOT_DURABLE` */
  async save(): Promise<void> {
    this.drafts.store();
    await this.session.space.flush();
  }

  /** Undoes or redoes the last action: the deletion of a page, or an edit of the shown page. */
  undo(what: "undo" | "redo" = "undo"): void {
    this.drafts.commit();
    if (!this.undoElsewhere(what)) this.page?.edit((editor) => editor[what]());
  }

  /** @returns whether the last action concerned more than one page, and has been undone or redone */
  undoElsewhere(what: "undo" | "redo"): boolean {
    return this.#elsewhere.run(what);
  }

  /** Deletes a page. This can be undone until the next action. */
  deletePage(treeId: string): void {
    void attempt("The page could not be deleted.", () => {
      const title = this.titleOf(treeId) || "Untitled";
      removePage(this.session.space, treeId);
      const step: Step = {
        undo: () => this.restorePage(treeId),
        redo: () => void attempt("The page could not be deleted.", () => removePage(this.session.space, treeId)),
      };
      this.#restorings.set(treeId, step);
      this.#elsewhere.add(step);
      notices.inform(`“${title}” is deleted.`, { label: "Undo", run: () => this.restorePage(treeId) });
    });
  }

  /** Restores a deleted page, and goes there. */
  restorePage(treeId: string): void {
    void attempt("The page could not be restored.", () => {
      restorePage(this.session.space, treeId);
      this.#elsewhere.drop((step) => step === this.#restorings.get(treeId));
      this.#readPages();
      this.goTo(treeId);
    });
  }

  /** Moves items of the shown page to the end of another one, as one undo step. */
  async moveToPage(ids: readonly string[], treeId: string): Promise<void> {
    const { page } = this;
    if (!page || treeId === page.treeId) return;
    await attempt("The items could not be moved.", async () => {
      this.drafts.commit();
      const target = await this.load(treeId);
      moveItems(page.editor, ids, target.editor);
      const refresh = (): void => {
        for (const view of [page, target]) view.refresh();
      };
      const both = (what: "undo" | "redo"): void => {
        for (const { editor } of [page, target]) editor[what]();
        refresh();
      };
      refresh();
      this.#elsewhere.add({ undo: () => both("undo"), redo: () => both("redo") });
      const moved = ids.length === 1 ? "Moved" : `${ids.length} items moved`;
      notices.inform(`${moved} to “${this.titleOf(treeId) || "Untitled"}”.`, { label: "Go there", run: () => this.goTo(treeId) });
    });
  }

  /** Hides items that are done, or shows them again. */
  toggleHidingDone(): void {
    this.isHidingDone = !this.isHidingDone;
    remember("hide-done", this.isHidingDone ? "yes" : undefined);
    for (const view of this.#views.values()) {
      view.outline.hideDone(this.isHidingDone);
      view.refresh();
    }
  }

  /** Removes the page's filter. */
  endFilter(): void {
    this.isFiltering = false;
    this.page?.filter("");
  }

  /** Goes to a page, or to an item in it. */
  goTo(treeId: string, options: { readonly zoom?: string | undefined; readonly edit?: string } = {}): void {
    this.wanted = options.edit === undefined ? undefined : { treeId, itemId: options.edit };
    this.isDrawerOpen = false;
    const address = addressOf(treeId, options.zoom);
    if (location.hash === address) void this.follow();
    else location.hash = address;
  }

  /** Follows a link of a text: to an address, to a page, which is created if it does not exist, or to the items with a tag. */
  followLink({ kind, target }: InlineLink): void {
    const { pageId = "", itemId } = kind === "address" ? addressIn(target) : {};
    if (this.titleOf(pageId) !== undefined) this.goTo(pageId, { zoom: itemId });
    else if (kind === "address") open(target, "_blank", "noopener,noreferrer");
    else if (kind === "page") {
      const page = linkedPage(this.pages, target);
      if (page) this.goTo(page.treeId);
      else void this.newPage(target);
    } else this.search(target);
  }

  /** Opens the search. @param query the initial query */
  search(query: string = ""): void {
    this.query = query;
    this.isSearching = true;
  }

  /** Makes a page and goes there. @returns its id, or `undefined` after a failure, which has been reported */
  async newPage(title: string = ""): Promise<string | undefined> {
    if (this.session.space.isReadOnly) {
      notices.inform(NOTHING_CHANGED);
      return undefined;
    }
    let made: string | undefined;
    await attempt("The page could not be created.", async () => {
      made = (await createPage(this.session.space, title)).treeId;
      this.#readPages();
      this.goTo(made);
    });
    return made;
  }

  openPanel(panel: PanelName): void {
    this.panel = this.panel === panel ? undefined : panel;
    this.isDrawerOpen = false;
  }

  titleOf(treeId: string): string | undefined {
    const page = this.deleted?.treeId === treeId ? this.deleted : this.pages.find((each) => each.treeId === treeId);
    return page?.title;
  }

  /** Loads a page with its view. */
  async load(treeId: string): Promise<PageView> {
    return this.#views.get(treeId) ?? (await this.#open(treeId));
  }

  /** Stops observing. The session stays open. */
  close(): void {
    clearTimeout(this.#retry);
    for (const end of this.#ends) end();
    for (const view of this.#views.values()) view.close();
  }

  /** Saves everything, and closes the session. @throws FoldspaceError `FOLD_NOT_DURABLE`; the session is closed all the same */
  async closeSession(): Promise<void> {
    // what fails here fails again when the session is closed, which throws it
    await this.save().catch(() => undefined);
    await this.copy.close();
    await this.session.close();
  }

  /** Finds titles that were changed on two devices at the same time, and merges the compatible ones. */
  #watchTitles(): void {
    const { tree } = this.session.space;
    const watcher = new ConflictWatcher(tree, tree.nameKey);
    const merger = new TextMerger({
      tree,
      watcher,
      isBeingWritten: () => !this.drafts.isEmpty,
      onFailed: (error) => notices.report("Titles of two devices could not be merged.", error),
    });
    const read = (): void => {
      this.titleConflicts = new Map(watcher.conflicts.map((conflict) => [conflict.itemId, conflict]));
    };
    this.#ends.push(
      watcher.observe(read),
      () => merger.close(),
      () => watcher.close(),
    );
    read();
  }

  /** Retries missing pages even without a notification: their operations may have arrived during the last attempt. */
  #awaitMissing(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.missing !== undefined) void this.follow();
    }, RETRY_MS);
  }

  /** @returns `undefined` if the space tree names the page, but none of its operations have arrived yet */
  async #loadIfThere(treeId: string): Promise<PageView | undefined> {
    try {
      return await this.load(treeId);
    } catch (error) {
      if (errorCode(error) !== "FOLD_NO_TREE") throw error;
      return undefined;
    }
  }

  async #open(treeId: string): Promise<PageView> {
    const { tree } = await this.session.space.loadAppTree(treeId);
    const known = this.#views.get(treeId);
    if (known) return known;
    const view = new PageView(treeId, tree, this.session.space.isReadOnly);
    this.#views.set(treeId, view);
    // edits after a deletion must be undone before it
    this.#ends.push(view.editor.observe(() => this.#elsewhere.clear()));
    view.outline.hideDone(this.isHidingDone);
    view.refresh();
    this.activity.watch(treeId, tree);
    this.#ends.push(this.#announceEdits(tree));
    return view;
  }

  /** Announces this device to the others as soon as it has edited a tree. */
  #announceEdits(tree: ReplicatedTree): () => void {
    if (this.session.space.peerId in tree.getStateVector()) this.devices.announce();
    return tree.observeOpApplied((_, isLocal) => {
      if (isLocal) this.devices.announce();
    });
  }

  #readPages(): void {
    const { space } = this.session;
    this.pages = listPages(space);
    this.name = space.name ?? "Notes";
    const { page } = this;
    const isGone = page !== undefined && !this.pages.some(({ treeId }) => treeId === page.treeId);
    const deleted = isGone ? this.#deletedElsewhere(page.treeId) : undefined;
    this.deleted = this.deleted || isWriting() ? deleted : undefined;
    if (this.deleted) return;
    if (isGone) {
      if (deleted) this.#reportDeletion(page.treeId);
      this.#leave();
    } else if (!page && !this.isLoading && this.pages.length > 0) void this.follow();
  }

  /** Leaves the shown page, which is deleted, after all. It can be restored from the history. */
  discardDeleted(): void {
    this.deleted = undefined;
    this.#leave();
  }

  #leave(): void {
    location.hash = "";
    void this.follow();
  }

  /** A user who deletes a page here needs no notice of it. */
  #deletedElsewhere(treeId: string): DeletedPage | undefined {
    const { space } = this.session;
    return listDeletedPages(space).find((page) => page.treeId === treeId && page.deletedBy !== space.peerId);
  }

  #reportDeletion(treeId: string): void {
    notices.inform("The open page has been deleted.", {
      label: "Restore",
      run: () => this.restorePage(treeId),
    });
  }
}

/** Whether the focus is in a text of the shown page. */
function isWriting(): boolean {
  return document.activeElement?.matches("main :is([contenteditable], textarea)") ?? false;
}
