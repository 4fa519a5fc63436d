import type { OutlineEditor } from "./editing.ts";
import { COLLAPSED_KEY, DONE_KEY, isSet, textOf } from "./item.ts";
import type { NodeDraft, OutlineNode } from "./outline-node.ts";
import type { Outline } from "./outline.ts";

export type { OutlineNode } from "./outline-node.ts";

/** Everything below the outline's root, collapsed or not. */
export function readNodes(outline: Outline): OutlineNode[] {
  const top: NodeDraft[] = [];
  // grows while it is walked; without recursion, as a tree may be deeper than the stack
  const open: { readonly parentId: string; readonly into: NodeDraft[] }[] = [{ parentId: outline.root, into: top }];
  for (const { parentId, into } of open) {
    for (const id of outline.childrenOf(parentId)) {
      const node: NodeDraft = { text: textOf(outline.tree, id), children: [] };
      if (isSet(outline.tree, id, DONE_KEY)) node.isDone = true;
      if (isSet(outline.tree, id, COLLAPSED_KEY)) node.isCollapsed = true;
      into.push(node);
      open.push({ parentId: id, into: node.children });
    }
  }
  return top;
}

/** Puts nodes at the end of an item's children, as one step that can be undone. @throws FoldspaceError `FOLD_NO_VERTEX` */
export function insertNodes(editor: OutlineEditor, parentId: string, nodes: readonly OutlineNode[]): void {
  editor.insertNodes(parentId, nodes);
}
