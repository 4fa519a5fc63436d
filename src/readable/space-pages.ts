import { listReferences } from "../space/app-forest.ts";
import { treeMarkdown } from "../space/export-markdown.ts";
import type { ReplicatedTree } from "../tree/index.ts";
import type { CopyPage } from "./readable-copy.ts";

/** How the pages of a copy are read. By default, all of them at once. */
export interface PageReading {
  /** Whether a page may differ from the last update. */
  readonly isChanged?: (treeId: string, title: string) => boolean;
  /** Whether a page has changed while it was being read. It is left out then. */
  readonly isOutdated?: (treeId: string) => boolean;
  /** Lets other work run. */
  readonly pause?: () => Promise<void>;
}

/** Lines that are made in one go: far less work than a frame. */
const SLICE = 500;

/**
 * The pages of a space as a copy needs them: every tree that the space tree names.
 * @param treeOf `undefined` for a tree of which nothing has arrived. Only changed pages are asked for
 */
export async function pagesToCopy(
  spaceTree: ReplicatedTree,
  treeOf: (treeId: string) => ReplicatedTree | undefined | Promise<ReplicatedTree | undefined>,
  reading: PageReading = {},
): Promise<CopyPage[]> {
  const { isChanged = () => true } = reading;
  const pages: CopyPage[] = [];
  for (const { treeId, name: title = "" } of listReferences(spaceTree)) {
    if (treeId === undefined) continue;
    const tree = isChanged(treeId, title) ? await treeOf(treeId) : undefined;
    // a tree without a root would replace what was there before
    const markdown = tree?.root ? () => readPage(treeId, title, tree, reading) : undefined;
    pages.push({ id: treeId, title, markdown });
  }
  return pages;
}

/** @returns `undefined` if the page has changed meanwhile: lines of two moments are not a text of anybody */
async function readPage(
  treeId: string,
  title: string,
  tree: ReplicatedTree,
  { isOutdated = () => false, pause }: PageReading,
): Promise<string | undefined> {
  const lines: string[] = [];
  for (const line of treeMarkdown(title, tree)) {
    lines.push(line);
    if (!pause || lines.length % SLICE !== 0) continue;
    await pause();
    if (isOutdated(treeId)) return undefined;
  }
  return `${lines.join("\n")}\n`;
}
