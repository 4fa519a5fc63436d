import type { NodeDraft } from "./outline-node.ts";

/** Makes nodes of lines one after another: each stands below the last one before it that begins further left. */
export class Nesting {
  readonly top: NodeDraft[] = [];
  readonly #above: { readonly column: number; readonly children: NodeDraft[] }[] = [];

  /** @param isContainer whether what comes may stand below it */
  add(node: NodeDraft, column: number, isContainer: boolean = true): void {
    this.listAt(column).push(node);
    if (isContainer) this.#above.push({ column, children: node.children });
  }

  /** The list that something at this column belongs to. What is not above it any more is let go. */
  listAt(column: number): NodeDraft[] {
    while (this.#above.length > 0 && this.#above.at(-1)!.column >= column) this.#above.pop();
    return this.#above.at(-1)?.children ?? this.top;
  }
}
