/** Listeners without a value to pass. A listener that throws does not keep the others from being notified. */
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
      // a previous listener may have removed this one
      if (!this.#listeners.has(listener)) continue;
      try {
        listener();
      } catch (error) {
        // surfaces as an unhandled rejection, if the platform reports those
        void Promise.reject(error);
      }
    }
  }
}
