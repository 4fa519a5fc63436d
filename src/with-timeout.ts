import type { Clock } from "./clock.ts";

/** A timer may be due before an answer is taken in that has come long since, where something else kept the thread busy. */
const GRACE_MS = 50;

/**
 * Waits for something, but not longer than a time.
 * @param whenLate makes the error that it then rejects with; what was waited for goes on
 */
export async function withTimeout<T>(task: Promise<T>, timeoutMs: number, clock: Clock, whenLate: () => Error): Promise<T> {
  if (!(timeoutMs < Infinity)) return await task;
  return await new Promise<T>((resolve, reject) => {
    let cancel = clock.schedule(timeoutMs, () => {
      cancel = clock.schedule(GRACE_MS, () => reject(whenLate()));
    });
    task.then(resolve, reject).finally(() => cancel());
  });
}
