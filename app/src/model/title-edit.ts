import type { Space } from "foldspace";
import { entryIdOf, listPages, renamePage, titlesOf } from "./pages.ts";
import { mergeTexts } from "./text-merge.ts";

/** A user's edit of a page's title, from the first keystroke until the focus leaves the title. */
export class TitleEdit {
  /** The titles that links to the page may have: that before the edit, and those that other devices may have seen. */
  readonly former: Set<string>;
  #before: string;

  constructor(title: string) {
    this.#before = title;
    this.former = new Set([title]);
  }

  /** The present title without this edit, with the changes by others. */
  get before(): string {
    return this.#before;
  }

  /** Follows a change by others. @param before the title as it was shown, with what has been typed here */
  follow(before: string, after: string): void {
    this.#before = mergeTexts(before, this.#before, after) ?? this.#before;
    for (const title of [this.#before, after]) this.former.add(title.trim());
  }
}

/**
 * Makes the change from one title to another again, in a title that others may have changed since.
 * @returns whether the title has changed: not if others have replaced the same words, or deleted the page
 */
export function changeTitle(space: Space, treeId: string, from: string, to: string): boolean {
  if (!listPages(space).some((page) => page.treeId === treeId)) return false;
  const { text, parents } = titlesOf(space).current(entryIdOf(space, treeId));
  const title = mergeTexts(from, text, to);
  if (title === undefined || title === text) return false;
  renamePage(space, treeId, title, { from: text, parents });
  return true;
}
