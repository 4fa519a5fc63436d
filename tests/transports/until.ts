const LOOK_EVERY_MS = 100;

/**
 * Waits for something to come.
 * @param look tells in words what is still missing, or `undefined` when nothing is
 * @throws Error with those words when it has not come in time
 */
export async function until(withinMs: number, look: () => string | undefined | Promise<string | undefined>): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const missing = await look();
    if (missing === undefined) return;
    if (Date.now() > deadline) throw new Error(`After ${withinMs / 1_000} s: ${missing}`);
    await pause(LOOK_EVERY_MS);
  }
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
