/** Time as foldspace uses it, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Runs something once after a delay of any length; after `Infinity`, never.
   * @returns a function that calls it off
   */
  schedule(delayMs: number, run: () => void): () => void;
}

/** A clock that stays where it is when the one of the device is set back, and goes on from there: for delays, not for dates. */
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

/** The longest delay that a timer of the platform can have: a longer one would run at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, run) {
    // not a number is no time either: a timer would take it for none at all, and spin
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
