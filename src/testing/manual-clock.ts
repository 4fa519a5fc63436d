import type { Clock } from "../clock.ts";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Time that passes only when a test advances it. */
export class ManualClock implements Clock {
  #now: number;
  #timers: Timer[] = [];
  readonly #whenIdle: () => Promise<void>;

  /**
   * @param startMs milliseconds since the epoch
   * @param whenIdle resolves when all promises that wait for nothing external have settled; by default after one timer
   */
  constructor(startMs: number = Date.UTC(2026, 0, 15, 12), whenIdle: () => Promise<void> = nextTask) {
    this.#now = startMs;
    this.#whenIdle = whenIdle;
  }

  /** Number of timers that are set and not due yet. */
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
   * Advances the time. Timers run in the order in which they are due, including timers set on the way. Before and after
   * each timer, promises that wait for nothing external settle.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await this.#whenIdle();
    for (let timer = this.#takeDue(end); timer; timer = this.#takeDue(end)) {
      this.#now = Math.max(this.#now, timer.at);
      timer.run();
      await this.#whenIdle();
    }
    this.#now = end;
  }

  #takeDue(end: number): Timer | undefined {
    const [first] = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at);
    if (first) this.#timers = this.#timers.filter((timer) => timer !== first);
    return first;
  }
}

/** Resolves in a new task of the event loop, and so after any number of microtasks. */
async function nextTask(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}
