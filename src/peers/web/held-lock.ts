/** A Web Lock that this page or worker holds. */
export interface HeldLock {
  /** Whether it is certainly still held. */
  readonly isHeld: boolean;
  release(): void;
}

/** Whether the platform has Web Locks: browsers have them in secure contexts. */
export function hasLocks(): boolean {
  return Boolean((globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks);
}

/**
 * Takes a lock that is free, and holds it until it is released or the page or worker has ended.
 * @returns `undefined` if it is held elsewhere
 */
export async function tryLock(name: string): Promise<HeldLock | undefined> {
  return await new Promise((resolve, reject) => {
    navigator.locks
      .request(name, { ifAvailable: true }, async (lock) => {
        if (!lock) return resolve(undefined);
        await new Promise<void>((release) => {
          const state = { isHeld: true };
          // a browser may end the locks of a page that it keeps for a return to it
          const onShow = (event: Event): void => void (state.isHeld &&= !(event as PageTransitionEvent).persisted);
          globalThis.addEventListener?.("pageshow", onShow);
          const end = (): void => {
            state.isHeld = false;
            globalThis.removeEventListener?.("pageshow", onShow);
            release();
          };
          resolve({
            get isHeld() {
              return state.isHeld;
            },
            release: end,
          });
        });
      })
      // also called if another page steals the lock; that has no effect on a promise that is fulfilled
      .catch(reject);
  });
}
