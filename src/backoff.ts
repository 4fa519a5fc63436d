const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/**
 * The delay before a failed action is tried again: the first delay, doubled with each failure, up to the longest.
 * @param failures so far, without a success in between; at least 1
 * @param firstMs the delay after the first failure, in milliseconds. Default: 1,000
 * @param lastMs the longest delay, in milliseconds. Default: 30,000
 * @returns milliseconds
 */
export function backoffMs(failures: number, firstMs: number = FIRST_RETRY_MS, lastMs: number = LAST_RETRY_MS): number {
  return Math.min(firstMs * 2 ** (failures - 1), lastMs);
}
