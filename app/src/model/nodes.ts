import { COLLAPSED_KEY, DONE_KEY, isSet, noteOf, textOf } from "./item.ts";
import type { NodeDraft, OutlineNode } from "./outline-node.ts";
import type { Outline } from "./outline.ts";

/** Items with all their descendants, collapsed or not. @param ids by default the topmost items of the outline */
export function readNodes(outline: Outline, ids: readonly string[] = outline.childrenOf(outline.root)): OutlineNode[] {
  const top: NodeDraft[] = [];
  // the loop appends to the array; without recursion, as a tree may be deeper than the stack
  const open: { readonly siblings: readonly string[]; readonly into: NodeDraft[] }[] = [{ siblings: ids, into: top }];
  for (const { siblings, into } of open) {
    for (const id of siblings) {
      const node: NodeDraft = { text: textOf(outline.tree, id), children: [] };
      const note = noteOf(outline.tree, id);
      if (note !== "") node.note = note;
      if (isSet(outline.tree, id, DONE_KEY)) node.isDone = true;
      if (isSet(outline.tree, id, COLLAPSED_KEY)) node.isCollapsed = true;
      into.push(node);
      open.push({ siblings: outline.childrenOf(id), into: node.children });
    }
  }
  return top;
}
