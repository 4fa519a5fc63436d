import type { Clock } from "../clock.ts";

/** Longest wait that timers can have, in milliseconds: some 25 days. What is longer would end at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** @returns whether a task ended in time; rejects as the task does, if it does so in time */
export async function completesInTime(task: Promise<unknown>, timeoutMs: number, clock: Clock): Promise<boolean> {
  let cancel: (() => void) | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    cancel = clock.schedule(Math.min(timeoutMs, MAX_TIMER_MS), () => resolve(false));
  });
  try {
    return await Promise.race([task.then(() => true), timeout]);
  } finally {
    cancel?.();
  }
}
