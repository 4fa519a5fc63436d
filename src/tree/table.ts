const FEWEST_ROWS = 16;

/**
 * Rows of 32-bit integers, each with the same number of fields, in one array that grows. A row takes a tenth of the memory of an
 * object with the same fields, and the garbage collector never visits it.
 *
 * Rows are numbered from 1, so that 0 can mean "none": row 0 has only zeros. So does a new row.
 */
export class Table {
  readonly #width: number;
  #numbers: Int32Array<ArrayBuffer>;
  #last = 0;

  /** @param width number of fields of a row */
  constructor(width: number) {
    this.#width = width;
    this.#numbers = new Int32Array(width);
  }

  /** Number of the last row. */
  get last(): number {
    return this.#last;
  }

  /** @returns the number of the new row */
  add(): number {
    this.#last++;
    const needed = (this.#last + 1) * this.#width;
    if (needed > this.#numbers.length) {
      const rows = Math.max(FEWEST_ROWS, Math.ceil(this.#last * 1.5));
      const larger = new Int32Array(rows * this.#width);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    return this.#last;
  }

  get(row: number, field: number): number {
    return this.#numbers[row * this.#width + field]!;
  }

  set(row: number, field: number, value: number): void {
    this.#numbers[row * this.#width + field] = value;
  }

  /** A natural number up to 2^53, which takes the field and the next one. */
  getLong(row: number, field: number): number {
    const index = row * this.#width + field;
    return this.#numbers[index]! * 2 ** 32 + (this.#numbers[index + 1]! >>> 0);
  }

  setLong(row: number, field: number, value: number): void {
    const index = row * this.#width + field;
    this.#numbers[index] = value / 2 ** 32;
    // the array keeps the lower 32 bits
    this.#numbers[index + 1] = value;
  }

  clear(): void {
    this.#numbers.fill(0);
    this.#last = 0;
  }

  /** All rows, row 0 included, for {@link fill}. The caller must not change them. */
  get numbers(): Int32Array {
    return this.#numbers.subarray(0, (this.#last + 1) * this.#width);
  }

  /** @param numbers the rows of the table from then on */
  fill(numbers: Int32Array): void {
    this.#numbers = numbers as Int32Array<ArrayBuffer>;
    this.#last = numbers.length / this.#width - 1;
  }

  /** A table with copies of some rows, in the given order. */
  pick(rows: readonly number[]): Table {
    const picked = new Table(this.#width);
    picked.#numbers = new Int32Array((rows.length + 1) * this.#width);
    for (const row of rows) picked.replace(++picked.#last, this, row);
    return picked;
  }

  /** Moves the rows from `start` on and before `end`. */
  shift(start: number, end: number, by: number): void {
    this.#numbers.copyWithin((start + by) * this.#width, start * this.#width, end * this.#width);
  }

  /** Replaces a row by a copy of one of another table of this width. */
  replace(row: number, source: Table, sourceRow: number): void {
    const width = this.#width;
    for (let field = 0; field < width; field++) this.#numbers[row * width + field] = source.#numbers[sourceRow * width + field]!;
  }
}
