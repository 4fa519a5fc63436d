import { errorCode, type Problem, type ReplicatedTree, type SpaceStatus } from "foldspace";
import { normalize } from "../../model/normalize.ts";
import type { InlineLink } from "../../model/inline.ts";
import { moveItems } from "../../model/move-items.ts";
import { createPage, listDeletedPages, listPages, removePage, restorePage, type Page } from "../../model/pages.ts";
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
import { addressIn } from "./item-links.ts";
import { attempt, notices } from "./notices.svelte.ts";
import { PageView } from "./page-view.svelte.ts";
import { StepsElsewhere, type Step } from "./steps-elsewhere.ts";

export type PanelName = "sync" | "files" | "history" | "secrets";

/** After the page is shown, in milliseconds: what takes its time then keeps nobody waiting. */
const SETTLED_MS = 400;

/** What a file cannot be read with, because its folder cannot be reached. */
const OF_WHOLE_FOLDER: ReadonlySet<string> = new Set(["FOLD_FOLDER_LOST", "FOLD_UNTRUSTED_SERVER"]);

/** From one look for a page that has not arrived to the next, in milliseconds. */
const RETRY_MS = 1_000;

/** What is open and shown of a space. */
export class Workspace {
  readonly session: Session;
  readonly activity: Activity;
  readonly devices: Devices;
  readonly drafts: Drafts = new Drafts();
  readonly backlinks: Backlinks = new Backlinks(this);
  pages: readonly Page[] = $state.raw([]);
  page: PageView | undefined = $state.raw();
  /** Whether the layers have been asked for the pages at least once. */
  isLoading: boolean = $state(true);
  status: SpaceStatus = $state.raw({ layers: [] });
  #found: readonly Problem[] = $state.raw([]);
  /** What keeps a whole layer from working stands with the layer, and is none of them. */
  readonly problems: readonly Problem[] = $derived.by(() => {
    const told = new Set(this.status.layers.map(({ error }) => error?.code));
    return this.#found.filter(({ file, code }) => !told.has(code) || (file !== undefined && !OF_WHOLE_FOLDER.has(code)));
  });
  panel: PanelName | undefined = $state();
  isDrawerOpen: boolean = $state(false);
  isSearching: boolean = $state(false);
  /** What is searched for when the search is opened. */
  query: string = $state("");
  /** Whether what this is has to be said first. */
  isNew: boolean = $state(false);
  /** Whether the list of keys is shown. */
  isShowingKeys: boolean = $state(false);
  name: string = $state("");
  /** The page that is to be shown as soon as something of it has arrived. */
  missing: string | undefined = $state.raw();
  /** Item to be edited as soon as its page is shown. */
  wanted: { readonly treeId: string; readonly itemId: string } | undefined = $state.raw();
  /** How the layers are at the moment. */
  readonly kept: KeptIn = $derived.by(() => ({
    browser: this.status.layers.find(({ id }) => id === BROWSER_LAYER),
    folder: this.status.layers.find(({ id }) => id === FOLDER_LAYER),
    isFolderLocked: ["locked", "away"].includes(this.session.folder.kind),
    isFolderOnly: !this.session.isInBrowser,
  }));
  readonly statusWords: StatusWords = $derived(describeStatus(this.kept, !this.drafts.isEmpty));
  /** Titles that were changed on two devices at once, by the vertex that names the page. */
  titleConflicts: ReadonlyMap<string, Conflict> = $state.raw(new Map());
  /** Whether items that are done are hidden, on all pages. */
  isHidingDone: boolean = $state(recall("hide-done") === "yes");
  /** Whether the field is shown that filters the page. */
  isFiltering: boolean = $state(false);
  /** Items of the page that is shown, for which another page is being chosen. */
  moving: readonly string[] | undefined = $state.raw();
  readonly #elsewhere = new StepsElsewhere();
  readonly #restorings = new Map<string, Step>();
  readonly #views = new Map<string, PageView>();
  readonly #ends: (() => void)[] = [];
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session) {
    this.session = session;
    const { space } = session;
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
    const watching = setTimeout(() => this.#watchTitles(), SETTLED_MS);
    this.#ends.push(() => clearTimeout(watching));
    addEventListener("hashchange", onHashChange);
    this.#ends.push(() => removeEventListener("hashchange", onHashChange));
  }

  /** Shows what the page's address names, or else what was shown last, or else the first page. */
  async follow(): Promise<void> {
    const { pageId, itemId } = readAddress();
    const known = (id: string | undefined): boolean => this.pages.some(({ treeId }) => treeId === id);
    const treeId = [pageId, recall("page"), this.pages[0]?.treeId].find(known);
    if (treeId === undefined) {
      this.page = this.missing = undefined;
      this.isLoading = false;
      return;
    }
    if (treeId !== pageId) history.replaceState(history.state, "", addressOf(treeId));
    await attempt("The page could not be opened.", async () => {
      const view = await this.#loadIfThere(treeId);
      // another may have been asked for meanwhile
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
      remember("page", treeId);
      setTimeout(
        () => void attempt("Texts changed on two devices could not be looked for.", () => view.watchConflicts()),
        SETTLED_MS,
      );
    });
    this.isLoading = false;
  }

  /** Saves everything, also what is still being written. @throws FoldspaceError `FOLD_NOT_DURABLE` */
  async save(): Promise<void> {
    this.drafts.store();
    await this.session.space.flush();
  }

  /** Takes back, or does again, what was done last: the deletion of a page, or something on the page that is shown. */
  undo(what: "undo" | "redo" = "undo"): void {
    this.drafts.commit();
    if (!this.undoElsewhere(what)) this.page?.edit((editor) => editor[what]());
  }

  /** @returns whether what was done last was not done to one page alone, and is taken back, or done again */
  undoElsewhere(what: "undo" | "redo"): boolean {
    return this.#elsewhere.run(what);
  }

  /** Deletes a page, which can be undone until something else is done. */
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

  /** Brings a deleted page back, and goes there. */
  restorePage(treeId: string): void {
    void attempt("The page could not be brought back.", () => {
      restorePage(this.session.space, treeId);
      this.#elsewhere.drop((step) => step === this.#restorings.get(treeId));
      this.#readPages();
      this.goTo(treeId);
    });
  }

  /** Moves items of the page that is shown to the end of another one, which can be undone as one step. */
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

  /** Hides what is done, or shows it again. */
  toggleHidingDone(): void {
    this.isHidingDone = !this.isHidingDone;
    remember("hide-done", this.isHidingDone ? "yes" : undefined);
    for (const view of this.#views.values()) {
      view.outline.hideDone(this.isHidingDone);
      view.refresh();
    }
  }

  /** Ends filtering the page. */
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

  /** Follows a link of a text: to an address, to a page, which is made where there is none, or to what has a tag. */
  followLink({ kind, target }: InlineLink): void {
    const { pageId = "", itemId } = kind === "address" ? addressIn(target) : {};
    if (this.titleOf(pageId) !== undefined) this.goTo(pageId, { zoom: itemId });
    else if (kind === "address") open(target, "_blank", "noopener,noreferrer");
    else if (kind === "page") {
      const wanted = normalize(target);
      const page = this.pages.find(({ title }) => normalize(title) === wanted);
      if (page) this.goTo(page.treeId);
      else void this.newPage(target);
    } else this.search(target);
  }

  /** Opens the search. @param query what is searched for to begin with */
  search(query: string = ""): void {
    this.query = query;
    this.isSearching = true;
  }

  /** Makes a page and goes there. @returns its id, or `undefined` where that failed, which has been said */
  async newPage(title: string = ""): Promise<string | undefined> {
    let made: string | undefined;
    await attempt("The page could not be made.", async () => {
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
    return this.pages.find((page) => page.treeId === treeId)?.title;
  }

  /** Loads a page, and all that is made of it. */
  async load(treeId: string): Promise<PageView> {
    return this.#views.get(treeId) ?? (await this.#open(treeId));
  }

  /** Ends watching. The session stays open. */
  close(): void {
    clearTimeout(this.#retry);
    for (const end of this.#ends) end();
    for (const view of this.#views.values()) view.close();
  }

  /** Watches for titles that were changed on two devices at once, and merges those that go together. */
  #watchTitles(): void {
    const { tree } = this.session.space;
    const watcher = new ConflictWatcher(tree, tree.nameKey);
    const merger = new TextMerger({
      tree,
      watcher,
      isBeingWritten: () => !this.drafts.isEmpty,
      onFailed: (error) => notices.report("Titles of two devices could not be put together.", error),
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

  /** Looks again for what is missing, also without news of it: they may have come while it was looked for. */
  #awaitMissing(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      if (this.missing !== undefined) void this.follow();
    }, RETRY_MS);
  }

  /** @returns `undefined` for a page that the space tree names, and of which nothing has arrived yet */
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
    const view = new PageView(treeId, tree);
    this.#views.set(treeId, view);
    // what is done after a deletion is taken back before it
    this.#ends.push(view.editor.observe(() => this.#elsewhere.clear()));
    view.outline.hideDone(this.isHidingDone);
    view.refresh();
    this.activity.watch(treeId, tree);
    this.#ends.push(this.#announceEdits(tree));
    return view;
  }

  /** Others are told which device has written in a tree. */
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
    if (page && !this.pages.some(({ treeId }) => treeId === page.treeId)) {
      this.#tellOfDeletion(page.treeId);
      location.hash = "";
      void this.follow();
    } else if (!page && !this.isLoading && this.pages.length > 0) void this.follow();
  }

  /** Whoever deletes a page here knows it. */
  #tellOfDeletion(treeId: string): void {
    const { space } = this.session;
    const deleted = listDeletedPages(space).find((page) => page.treeId === treeId);
    if (deleted?.deletedBy === space.peerId) return;
    notices.inform("The page that was open has been deleted.", {
      label: "Restore",
      run: () => this.restorePage(treeId),
    });
  }
}
