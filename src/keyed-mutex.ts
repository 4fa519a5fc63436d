/** Lets what is done under one key wait for what was begun under it before. */
export class KeyedMutex {
  /** The last of each key that is not done. */
  readonly #last: Map<string, Promise<unknown>> = new Map();

  async run<T>(key: string, action: () => Promise<T>): Promise<T> {
    const turn = this.#last.get(key)?.then(action) ?? action();
    const settled = Promise.allSettled([turn]);
    this.#last.set(key, settled);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key);
    }
  }
}
