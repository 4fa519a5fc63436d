import { loadPage } from "../../model/pages.ts";
import { PageLinks, type PageLink } from "../../model/page-links.ts";
import { whenIdle } from "./idle.ts";
import { attempt } from "./notices.svelte.ts";
import type { Workspace } from "./workspace.svelte.ts";

/** Delay before anything is read, in milliseconds, so that more urgent work comes first. */
const SETTLED_MS = 1_500;

/** The links between the pages of a space, read page by page while the browser is idle. */
export class Backlinks {
  readonly #workspace: Workspace;
  readonly #links = new PageLinks();
  /** Pages whose operations have not arrived, or that could not be read. */
  readonly #missing = new Set<string>();
  #reading: Promise<void> | undefined;
  /** Whether the user waits for it. */
  #isUrgent = false;
  #isClosed = false;
  /** Counts changes. */
  #version: number = $state(0);

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    this.#links.observe(() => this.#version++);
  }

  /** The items of other pages that link to a title. Starts to read pages that have not been read. */
  linksTo(title: string, treeId: string): readonly PageLink[] {
    void this.#version;
    return this.#links.linksTo(title).filter((link) => link.treeId !== treeId);
  }

  /** The items of all pages that link to one of the titles, by page. */
  itemsLinkingTo(titles: Iterable<string>): ReadonlyMap<string, ReadonlySet<string>> {
    const items = new Map<string, Set<string>>();
    for (const title of titles)
      for (const { treeId, itemId } of this.#links.linksTo(title))
        items.set(treeId, (items.get(treeId) ?? new Set()).add(itemId));
    return items;
  }

  /** Reads the pages that have not been read, while the browser is idle. */
  async read(): Promise<void> {
    await (this.#reading ??= this.#readPages().finally(() => (this.#reading = undefined)));
  }

  /** The same at once. */
  async readAll(): Promise<void> {
    this.#isUrgent = true;
    try {
      await this.read();
      // pages that were added meanwhile
      await this.read();
    } finally {
      this.#isUrgent = false;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#links.close();
  }

  async #readPages(): Promise<void> {
    if (!this.#isUrgent) await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    for (let next = this.#next(); next !== undefined && !this.#isClosed; next = this.#next()) await this.#readPage(next);
  }

  #next(): string | undefined {
    return this.#workspace.pages.find(({ treeId }) => !this.#links.has(treeId) && !this.#missing.has(treeId))?.treeId;
  }

  async #readPage(treeId: string): Promise<void> {
    await this.#pause();
    await attempt("A page could not be searched for links.", async () => {
      const tree = await loadPage(this.#workspace.session.space, treeId);
      if (!tree || this.#isClosed) return;
      const reading = this.#links.add(treeId, tree);
      while (reading.next().done !== true) await this.#pause();
    });
    if (!this.#links.has(treeId)) this.#missing.add(treeId);
  }

  /** Lets other work run. */
  async #pause(): Promise<void> {
    if (!this.#isUrgent) return await whenIdle();
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
  }
}
