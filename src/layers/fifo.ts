/** A queue whose front is cheap to take, however long it is. */
export class Fifo<T> {
  #items: T[] = [];
  /** Items before it are taken. */
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The first of them, which stay. */
  peek(count: number): T[] {
    return this.#items.slice(this.#head, this.#head + count);
  }

  /** Takes the first of them away. */
  drop(count: number): void {
    this.#head = Math.min(this.#head + count, this.#items.length);
    // what was taken is let go of now and then: each item is moved once at most for each that is taken
    if (this.#head * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }

  shift(): T | undefined {
    const { first } = this;
    this.drop(1);
    return first;
  }
}
