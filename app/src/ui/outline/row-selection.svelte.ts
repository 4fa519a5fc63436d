import type { Row } from "../../model/row.ts";

/** The selected rows: those between the start of the selection and its head, in the order of the screen. */
export class RowSelection {
  #anchor: string | undefined = $state.raw();
  #head: string | undefined = $state.raw();

  get isEmpty(): boolean {
    return this.#head === undefined;
  }

  /** The row at which keys continue. */
  get head(): string | undefined {
    return this.#head;
  }

  start(id: string): void {
    this.#anchor = this.#head = id;
  }

  extend(id: string): void {
    this.#anchor ??= id;
    this.#head = id;
  }

  span(first: string, last: string): void {
    this.#anchor = first;
    this.#head = last;
  }

  clear(): void {
    this.#anchor = this.#head = undefined;
  }

  /** Ids of the selected rows, top to bottom. */
  in(rows: readonly Row[]): string[] {
    if (this.#head === undefined) return [];
    const head = rows.findIndex(({ id }) => id === this.#head);
    const anchor = rows.findIndex(({ id }) => id === this.#anchor);
    if (head < 0) return [];
    const [first, last] = [Math.min(head, anchor < 0 ? head : anchor), Math.max(head, anchor)];
    return rows.slice(first, last + 1).map(({ id }) => id);
  }
}

/** The rows among these that are no descendants of another: commands on them include the others. */
export function topmost(rows: readonly Row[], ids: readonly string[]): string[] {
  const wanted = new Set(ids);
  const found: string[] = [];
  let below = Number.POSITIVE_INFINITY;
  for (const { id, depth } of rows) {
    if (depth <= below) below = Number.POSITIVE_INFINITY;
    if (below < Number.POSITIVE_INFINITY || !wanted.has(id)) continue;
    found.push(id);
    below = depth;
  }
  return found;
}
