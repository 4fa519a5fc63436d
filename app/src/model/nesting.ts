import type { NodeDraft } from "./outline-node.ts";

/** Nests the nodes of consecutive lines: the parent of each is the last node before it that begins further left. */
export class Nesting {
  readonly top: NodeDraft[] = [];
  readonly #above: { readonly column: number; readonly children: NodeDraft[] }[] = [];

  /** @param isContainer whether later nodes may be below it */
  add(node: NodeDraft, column: number, isContainer: boolean = true): void {
    this.listAt(column).push(node);
    if (isContainer) this.#above.push({ column, children: node.children });
  }

  /** The list for a node at this column. Forgets nodes that can have no more children. */
  listAt(column: number): NodeDraft[] {
    while (this.#above.length > 0 && this.#above.at(-1)!.column >= column) this.#above.pop();
    return this.#above.at(-1)?.children ?? this.top;
  }
}
