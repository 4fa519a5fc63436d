import { backoffMs } from "../../backoff.ts";
import type { Clock } from "../../clock.ts";

const FIRST_RETRY_MS = 1_000;

/** Does something again after a while: once at a time, and ever later as long as it keeps failing. */
export class Retries {
  readonly #clock: Clock;
  readonly #run: () => Promise<void>;
  #tries = 0;
  #cancel: (() => void) | undefined;
  #dueAt = Infinity;
  #isRunning = false;
  #isCancelled = false;

  /** @param run never rejects */
  constructor(clock: Clock, run: () => Promise<void>) {
    this.#clock = clock;
    this.#run = run;
  }

  /** Tries again, later than the last time; and once more after that, until {@link reset}. */
  again(): void {
    if (this.#cancel) return;
    const delayMs = backoffMs(++this.#tries);
    this.#schedule(this.#clock.now() + delayMs);
  }

  /** Tries at a time, or earlier where that was planned; not at once, as something may fail at once each time. */
  at(time: number): void {
    if (time === Infinity) return;
    const dueAt = Math.max(time, this.#clock.now() + FIRST_RETRY_MS);
    if (this.#cancel && this.#dueAt <= dueAt) return;
    this.#schedule(dueAt);
  }

  /** What has failed is over. */
  reset(): void {
    this.#tries = 0;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** For good. */
  cancel(): void {
    this.#isCancelled = true;
    this.reset();
  }

  #schedule(dueAt: number): void {
    this.#cancel?.();
    if (this.#isCancelled) return;
    this.#dueAt = dueAt;
    this.#cancel = this.#clock.schedule(dueAt - this.#clock.now(), () => {
      this.#cancel = undefined;
      if (this.#isRunning) return this.#schedule(this.#clock.now() + FIRST_RETRY_MS);
      this.#isRunning = true;
      void this.#run().finally(() => (this.#isRunning = false));
    });
  }
}
