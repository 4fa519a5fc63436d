/** A value that notifies listeners when it is replaced. A listener that throws does not prevent the others from being notified. */
export class Observable<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    this.#value = value;
    for (const listener of [...this.#listeners]) {
      // a listener that ran before may have removed this one
      if (!this.#listeners.has(listener)) continue;
      try {
        listener(value);
      } catch (error) {
        // an application's error: surfaces as an unhandled rejection if the platform reports those
        void Promise.reject(error);
      }
    }
  }

  /** @returns a function that ends the observation */
  observe(listener: (value: T) => void): () => void {
    const own = (value: T): void => listener(value);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }
}
