/** Delays of the retries: a scanner or a sync program releases a file within their sum, or holds it for long. */
const RETRIES_MS: readonly number[] = [10, 20, 40, 80, 160];

/** Runs an action, and retries it briefly while another program holds the file. */
export async function retryWhileBusy(isHeld: (error: unknown) => boolean, action: () => void | Promise<void>): Promise<void> {
  for (const waitMs of RETRIES_MS) {
    try {
      return await action();
    } catch (cause) {
      if (!isHeld(cause)) throw cause;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
  await action();
}
