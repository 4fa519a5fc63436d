/** Runs one task at a time, in the order in which they came. One that fails keeps no other from running. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  async run<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#last.then(task, task);
    this.#last = run;
    return await run;
  }
}
