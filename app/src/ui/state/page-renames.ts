import { listPages } from "../../model/pages.ts";
import { isLinkedAs, titlesThatLed } from "../../model/page-titles.ts";
import { renameLinksOf } from "../../model/rename-links.ts";
import { SharedStep } from "../../model/shared-step.ts";
import { changeTitle, type TitleEdit } from "../../model/title-edit.ts";
import { count } from "../words/status.ts";
import { attempt, notices } from "./notices.svelte.ts";
import type { PageView } from "./page-view.svelte.ts";
import type { Workspace } from "./workspace.svelte.ts";

/** Renames the links to a page together with the page, as one undo step. */
export class PageRenames {
  readonly #workspace: Workspace;
  /** Titles that links still have, of pages whose present title no link can have. */
  readonly #waiting = new Map<string, readonly string[]>();
  /** One after another, as the second rename of a page begins with the links of the first. */
  #last: Promise<void> = Promise.resolve();

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** Called when a user has left the title of a page after editing it. */
  finish({ treeId, editor }: PageView, edit: TitleEdit): void {
    const { space } = this.#workspace.session;
    const title = listPages(space).find((page) => page.treeId === treeId)?.title;
    const { before, former } = edit;
    if (title === undefined || title === before) return;
    const step = new SharedStep({
      undo: () => changeTitle(space, treeId, title, before),
      redo: () => changeTitle(space, treeId, before, title),
    });
    // the first title of a page is no step of its own
    if (before !== "") editor.share(step, () => undefined);
    void attempt("The links to this page could not be renamed.", () => this.rename(treeId, former, step));
  }

  /** Gives the links to a page its present title. @param former the titles that they have */
  async rename(treeId: string, former: Iterable<string>, step = new SharedStep()): Promise<void> {
    const pages = listPages(this.#workspace.session.space);
    const title = pages.find((page) => page.treeId === treeId)?.title.trim();
    if (title === undefined) return;
    const led = titlesThatLed(pages, treeId, new Set([...former, ...(this.#waiting.get(treeId) ?? [])])).filter(
      (each) => each !== title,
    );
    if (led.length === 0) return;
    const canLink = isLinkedAs(pages, treeId, title);
    if (canLink) this.#waiting.delete(treeId);
    else this.#waiting.set(treeId, led);
    const work = this.#last.then(() => this.#renameLinks(led, title, step, canLink));
    this.#last = work.catch(() => undefined);
    await work;
  }

  async #renameLinks(former: readonly string[], title: string, step: SharedStep, canLink: boolean): Promise<void> {
    const { backlinks, drafts } = this.#workspace;
    await backlinks.readAll();
    const items = backlinks.itemsLinkingTo(former);
    if (!canLink) {
      if (items.size > 0 && title !== "")
        notices.inform(
          `Links to this page keep its former title: no link can lead to “${title}”, or another page has that title.`,
        );
      return;
    }
    let renamed = 0;
    for (const [treeId, ids] of items) {
      const view = await this.#workspace.load(treeId);
      // undone while pages were read
      if (step.isUndone) return;
      drafts.commit();
      view.editor.share(step, () => (renamed += renameLinksOf(view.editor, ids, { former, title })));
      view.refresh();
    }
    if (renamed > 0)
      notices.inform(`The links in ${count(renamed, "item")} have the new title “${title}”, too.`, {
        label: "Undo",
        run: () => void attempt("That could not be undone.", () => void step.revert("undo")),
      });
  }
}
