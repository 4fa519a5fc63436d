import type { Clock } from "./clock.ts";

/** If other work kept the thread busy, a timer may fire before an answer that arrived long ago is handled. */
const GRACE_MS = 50;

/**
 * Waits for a task up to a time limit.
 * @param makeError makes the error of the rejection; the task itself continues
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

/** @returns whether a task ended in time; rejects if the task rejects in time */
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
