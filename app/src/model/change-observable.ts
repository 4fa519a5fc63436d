/** Those who want to be told. One that throws does not keep the others from being told. */
export class ChangeObservable {
  readonly #listeners = new Set<() => void>();

  /** @returns a function that ends it */
  observe(listener: () => void): () => void {
    // a wrapper of its own, so that the same function added twice is two listeners
    const own = (): void => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  notify(): void {
    for (const listener of [...this.#listeners]) {
      // one that was called before may have taken this one off
      if (!this.#listeners.has(listener)) continue;
      try {
        listener();
      } catch (error) {
        // surfaces as an unhandled rejection, where the platform reports such things
        void Promise.reject(error);
      }
    }
  }
}
