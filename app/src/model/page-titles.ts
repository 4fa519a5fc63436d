import { normalize } from "./normalize.ts";
import { isLinkable } from "./link-query.ts";

/** A page as links see it. */
export interface TitledPage {
  readonly treeId: string;
  readonly title: string;
}

/** The page that a link leads to: the first with that title, without regard to case and accents. */
export function linkedPage<P extends TitledPage>(pages: readonly P[], title: string): P | undefined {
  const wanted = normalize(title.trim());
  return wanted === "" ? undefined : pages.find((page) => normalize(page.title.trim()) === wanted);
}

/** Whether a link with that title leads to a page, and not to another one with an equal title. */
export function isLinkedAs(pages: readonly TitledPage[], treeId: string, title: string): boolean {
  return isLinkable(title) && linkedPage(pages, title)?.treeId === treeId;
}

/**
 * The former titles of a page by which links led to it, and not to another page.
 * @param pages with the page's present title
 */
export function titlesThatLed(pages: readonly TitledPage[], treeId: string, former: Iterable<string>): string[] {
  return [...former].filter((title) => {
    const before = pages.map((page) => (page.treeId === treeId ? { treeId, title } : page));
    return isLinkedAs(before, treeId, title);
  });
}
