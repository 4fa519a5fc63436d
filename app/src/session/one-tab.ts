/**
 * Runs something in one tab of this browser at a time.
 * @param signal ends the waiting for another tab
 * @param onWaiting called if another tab runs it now
 * @param run resolves when the next tab may begin. `hasWaited`: another tab has ended it meanwhile
 */
export async function inOneTab(
  name: string,
  signal: AbortSignal,
  onWaiting: () => void,
  run: (hasWaited: boolean) => Promise<void>,
): Promise<void> {
  // some browsers have no locks, or not on every page
  const locks = (navigator as Partial<Navigator>).locks;
  if (!locks) return await run(false);
  const isFree = await locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock) await run(false);
    return lock !== null;
  });
  if (isFree || signal.aborted) return;
  onWaiting();
  let isRunning = false;
  try {
    await locks.request(name, { signal }, async () => {
      isRunning = true;
      await run(true);
    });
  } catch (error) {
    // the end of the waiting is no failure
    if (isRunning || !signal.aborted) throw error;
  }
}
