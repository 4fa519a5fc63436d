/** Runs one task at a time, in order of arrival. A failing task does not prevent the next one. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  async run<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#last.then(task, task);
    this.#last = run;
    return await run;
  }
}

/** A {@link Mutex} for each key. Tasks under different keys run concurrently. */
export class KeyedMutex {
  /** By key, the last task that has not ended. */
  readonly #last: Map<string, Promise<unknown>> = new Map();

  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const run = this.#last.get(key)?.then(task) ?? task();
    const ended = Promise.allSettled([run]);
    this.#last.set(key, ended);
    try {
      return await run;
    } finally {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    }
  }
}
