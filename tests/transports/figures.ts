/** Figures of a number of delays in milliseconds, in seconds. */
export interface DelayFigures {
  readonly count: number;
  readonly median: string;
  readonly p95: string;
  readonly worst: string;
}

export function figuresOf(delaysMs: readonly number[]): DelayFigures {
  const sorted = Float64Array.from(delaysMs).sort();
  const at = (share: number): string =>
    inSeconds(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN);
  return { count: sorted.length, median: at(0.5), p95: at(0.95), worst: at(1) };
}

export function inSeconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 1_000 ? 2 : 1)} s`;
}

/** Prints what was measured, or seen on the way; it is no part of what is tested. */
export function tell(line: string): void {
  process.stdout.write(`transports: ${line}\n`);
}
