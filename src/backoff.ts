const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/**
 * How long to wait before something that failed is tried again: 1 s, doubled with each failure, 30 s at most.
 * @param failures so far, without a success in between; at least 1
 * @returns milliseconds
 */
export function backoffMs(failures: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (failures - 1), LAST_RETRY_MS);
}
