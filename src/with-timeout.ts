import type { Clock } from "./clock.ts";

/** A timer may be due before an answer is handled that came long ago, when something else kept the thread busy. */
const GRACE_MS = 50;

/**
 * Waits for a task, but no longer than a limit.
 * @param makeError makes the error that it then rejects with; the task itself continues
 */
export async function withTimeout<T>(task: Promise<T>, timeoutMs: number, clock: Clock, makeError: () => Error): Promise<T> {
  if (!(timeoutMs < Infinity)) return await task;
  return await new Promise<T>((resolve, reject) => {
    let cancel = clock.schedule(timeoutMs, () => {
      cancel = clock.schedule(GRACE_MS, () => reject(makeError()));
    });
    task.then(resolve, reject).finally(() => cancel());
  });
}

/** @returns whether a task ended in time; rejects as the task does, if it does so in time */
export async function completesInTime(task: Promise<unknown>, timeoutMs: number, clock: Clock): Promise<boolean> {
  let cancel: (() => void) | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    cancel = clock.schedule(timeoutMs, () => resolve(false));
  });
  try {
    return await Promise.race([task.then(() => true), timeout]);
  } finally {
    cancel?.();
  }
}
