/** Rows from `start` up to, not including, `end`. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The positions of the rows of a long list, of which only the visible ones are in the DOM. Heights are stored by the row's id,
 * so that they stay valid when rows are added, removed or moved. A row that has not been measured counts with the usual height.
 */
export class RowWindow {
  readonly #usualHeight: number;
  readonly #measured = new Map<string, number>();
  #ids: readonly string[] = [];
  /** Top of each row, and the end of the last: one more than there are rows. */
  #tops: Float64Array = new Float64Array(1);
  #isDirty = false;

  /** @param usualHeight of a row, in pixels */
  constructor(usualHeight: number) {
    this.#usualHeight = usualHeight;
  }

  setRows(ids: readonly string[]): void {
    this.#ids = ids;
    this.#isDirty = true;
  }

  /** Stores a row's height, in pixels. @returns whether that moves other rows */
  measure(id: string, height: number): boolean {
    if ((this.#measured.get(id) ?? this.#usualHeight) === height) return false;
    this.#measured.set(id, height);
    this.#isDirty = true;
    return true;
  }

  /** Forgets all heights, after a change of the width or of the font. */
  forgetHeights(): void {
    this.#measured.clear();
    this.#isDirty = true;
  }

  /** Height of all rows, in pixels. */
  get height(): number {
    return this.#currentTops()[this.#ids.length]!;
  }

  /** Top of the row at an index, in pixels from the top of the first. */
  topOf(index: number): number {
    const tops = this.#currentTops();
    return tops[Math.max(0, Math.min(index, this.#ids.length))]!;
  }

  /** Index of the row at a height, in pixels from the top of the first, or else of the nearest row. */
  indexAt(y: number): number {
    const tops = this.#currentTops();
    let low = 0;
    let high = this.#ids.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (tops[middle]! <= y) low = middle;
      else high = middle - 1;
    }
    return Math.max(0, low);
  }

  /**
   * The rows that must be in the DOM.
   * @param top of the visible part, in pixels from the top of the first row
   * @param height of the visible part, in pixels
   * @param overscan number of additional rows on both sides
   */
  visible(top: number, height: number, overscan: number): RowRange {
    if (this.#ids.length === 0) return { start: 0, end: 0 };
    const start = Math.max(0, this.indexAt(top) - overscan);
    const end = Math.min(this.#ids.length, this.indexAt(top + height) + 1 + overscan);
    return { start, end };
  }

  #currentTops(): Float64Array {
    if (!this.#isDirty) return this.#tops;
    this.#isDirty = false;
    const tops = new Float64Array(this.#ids.length + 1);
    for (let index = 0; index < this.#ids.length; index++)
      tops[index + 1] = tops[index]! + (this.#measured.get(this.#ids[index]!) ?? this.#usualHeight);
    return (this.#tops = tops);
  }
}
