/** The clock that foldspace uses, replaceable so that tests need not wait. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Runs a function once after a delay of any length; with `Infinity`, never.
   * @returns a function that cancels the timer
   */
  schedule(delayMs: number, run: () => void): () => void;
}

/** A clock that stops while the device's clock is set back, and continues from there: for delays, not for dates. */
export function steadyClock(clock: Clock): Clock {
  let latest = clock.now();
  let lead = 0;
  return {
    now() {
      const now = clock.now();
      lead = Math.max(lead, latest - now);
      latest = now + lead;
      return latest;
    },
    schedule: (delayMs, run) => clock.schedule(delayMs, run),
  };
}

/** The longest delay of the platform's timers: a longer one would run at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The clock of the platform: `Date.now`, and `setTimeout` without its limit of 24 days. */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, run) {
    // NaN is not a delay either: a timer would treat it as 0 and spin
    if (!(delayMs < Infinity)) return () => undefined;
    let leftMs = delayMs;
    let timer: ReturnType<typeof setTimeout>;
    const wait = (): void => {
      const stepMs = Math.min(leftMs, MAX_TIMER_MS);
      leftMs -= stepMs;
      timer = setTimeout(leftMs > 0 ? wait : run, stepMs);
    };
    wait();
    return () => clearTimeout(timer);
  },
};
