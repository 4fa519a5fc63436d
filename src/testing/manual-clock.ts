import type { Clock } from "../clock.ts";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Time that passes only when a test says so. */
export class ManualClock implements Clock {
  #now: number;
  #timers: Timer[] = [];
  readonly #settle: () => Promise<void>;

  /**
   * @param startMs milliseconds since the epoch
   * @param settle ends when promises have settled that wait for nothing from outside; by default with a timer's turn
   */
  constructor(startMs: number = Date.UTC(2026, 0, 15, 12), settle: () => Promise<void> = takeTurn) {
    this.#now = startMs;
    this.#settle = settle;
  }

  /** Timers that have been set and are not due yet. */
  get timerCount(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  schedule(delayMs: number, run: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, delayMs), run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /**
   * Lets time pass. Timers run in the order in which they are due, those set on the way included. Before and
   * after each, promises that wait for nothing from outside settle.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.#settle();
    for (let timer = this.#takeDue(end); timer; timer = this.#takeDue(end)) {
      this.#now = Math.max(this.#now, timer.at);
      timer.run();
      await this.#settle();
    }
    this.#now = end;
  }

  #takeDue(end: number): Timer | undefined {
    const [first] = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
    if (first) this.#timers = this.#timers.filter((timer) => timer !== first);
    return first;
  }
}

/** A turn of the event loop comes after every microtask, however many of them there are in a row. */
async function takeTurn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}
