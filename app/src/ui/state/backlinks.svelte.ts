import { loadPage } from "../../model/pages.ts";
import { PageLinks, type PageLink } from "../../model/page-links.ts";
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
  #isReading = false;
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

  /** Reads the pages that have not been read. */
  async read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    for (let next = this.#next(); next !== undefined && !this.#isClosed; next = this.#next()) await this.#readPage(next);
    this.#isReading = false;
  }

  close(): void {
    this.#isClosed = true;
    this.#links.close();
  }

  #next(): string | undefined {
    return this.#workspace.pages.find(({ treeId }) => !this.#links.has(treeId) && !this.#missing.has(treeId))?.treeId;
  }

  async #readPage(treeId: string): Promise<void> {
    await idle();
    await attempt("A page could not be searched for links.", async () => {
      const tree = await loadPage(this.#workspace.session.space, treeId);
      if (!tree || this.#isClosed) return;
      const reading = this.#links.add(treeId, tree);
      while (reading.next().done !== true) await idle();
    });
    if (!this.#links.has(treeId)) this.#missing.add(treeId);
  }
}

async function idle(): Promise<void> {
  await new Promise<void>((resolve) => {
    if ("requestIdleCallback" in globalThis) requestIdleCallback(() => resolve(), { timeout: 2_000 });
    else setTimeout(resolve, 50);
  });
}
