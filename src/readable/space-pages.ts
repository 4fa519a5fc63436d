import { listReferences } from "../space/app-forest.ts";
import { treeMarkdown } from "../space/export-markdown.ts";
import type { ReplicatedTree } from "../tree/index.ts";
import type { CopyPage } from "./readable-copy.ts";

/**
 * The pages of a space as a copy needs them: every tree that the space tree names.
 * @param treeOf `undefined` for a tree of which nothing has arrived
 * @param isChanged whether a page may be other than at the last update
 */
export function pagesToCopy(
  spaceTree: ReplicatedTree,
  treeOf: (treeId: string) => ReplicatedTree | undefined,
  isChanged: (treeId: string, title: string) => boolean = () => true,
): CopyPage[] {
  return listReferences(spaceTree).flatMap(({ treeId, name = "" }) => {
    if (treeId === undefined) return [];
    const tree = treeOf(treeId);
    // what has no root yet would replace what was there before
    const markdown = tree?.root && isChanged(treeId, name) ? () => `${[...treeMarkdown(name, tree)].join("\n")}\n` : undefined;
    return [{ id: treeId, title: name, markdown }];
  });
}
