import type { Clock } from "../../clock.ts";
import { completesInTime } from "../../with-timeout.ts";

interface LockManager {
  request(name: string, callback: () => Promise<void>): Promise<unknown>;
}

/**
 * Runs a task while no other tab of this browser relays to the same layer, if the platform has Web Locks: then the second of two
 * tabs that relay at the same time sees the first one's writes. On other platforms, and if the lock is not granted in time, only
 * the different delays of the instances keep them apart.
 * @param name of the layer, the same in all tabs
 * @param task never rejects
 * @param timeoutMs longest wait for the lock, in milliseconds
 */
export async function whileOnlyRelay(name: string, task: () => Promise<void>, clock: Clock, timeoutMs: number): Promise<void> {
  const { navigator } = globalThis as { navigator?: { locks?: LockManager } };
  if (!navigator?.locks) return await task();
  let running: Promise<void> | undefined;
  const run = async (): Promise<void> => await (running ??= task());
  // if the lock is refused, as in a document that is being left, the task runs without it
  const locked = navigator.locks.request(`foldspace:relay:${name}`, run).catch(() => undefined);
  await completesInTime(locked, timeoutMs, clock);
  await run();
}
