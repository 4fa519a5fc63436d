/** A queue that removes its first items cheaply, however long it is. */
export class Fifo<T> {
  #items: T[] = [];
  /** Items before this index were removed. */
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

  /** Returns the first items without removing them. */
  peek(count: number): T[] {
    return this.#items.slice(this.#head, this.#head + count);
  }

  /** Removes the first items. */
  drop(count: number): void {
    this.#head = Math.min(this.#head + count, this.#items.length);
    // removed items are released only now and then, so that at most one item is copied for each that is removed
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
