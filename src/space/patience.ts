import type { Clock } from "../clock.ts";

/** @returns whether a task ended in time; rejects as the task does, if it does so in time */
export async function endsInTime(task: Promise<unknown>, patienceMs: number, clock: Clock): Promise<boolean> {
  let cancel: (() => void) | undefined;
  const timeout = new Promise<boolean>((resolve) => {
    cancel = clock.schedule(patienceMs, () => resolve(false));
  });
  try {
    return await Promise.race([task.then(() => true), timeout]);
  } finally {
    cancel?.();
  }
}
