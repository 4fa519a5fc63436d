/** A value that tells when it is replaced. A listener that throws does not keep the others from being told. */
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
      // one that was called before may have taken this one off
      if (!this.#listeners.has(listener)) continue;
      try {
        listener(value);
      } catch (error) {
        // an application's error: surfaces as an unhandled rejection, where the platform reports such things
        void Promise.reject(error);
      }
    }
  }

  /** @returns a function that ends it */
  observe(listener: (value: T) => void): () => void {
    const own = (value: T): void => listener(value);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }
}
