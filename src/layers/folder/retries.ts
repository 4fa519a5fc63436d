import { backoffMs } from "../../backoff.ts";
import type { Clock } from "../../clock.ts";

const FIRST_RETRY_MS = 1_000;

/** Schedules retries of an action. They never overlap, and their delays grow as long as the action fails. */
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

  /** Schedules a retry, with a longer delay than the last one until {@link reset}. */
  again(): void {
    if (this.#cancel) return;
    const delayMs = backoffMs(++this.#tries);
    this.#schedule(this.#clock.now() + delayMs);
  }

  /** Schedules a retry at a time, unless an earlier one is scheduled. Never at once, because the action may fail at once again. */
  at(time: number): void {
    if (time === Infinity) return;
    const dueAt = Math.max(time, this.#clock.now() + FIRST_RETRY_MS);
    if (this.#cancel && this.#dueAt <= dueAt) return;
    this.#schedule(dueAt);
  }

  /** Resets the delay and cancels the scheduled retry. */
  reset(): void {
    this.#tries = 0;
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** Cancels all retries for good. */
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
