import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemClock } from "./clock.ts";

const MONTH_MS = 30 * 86_400_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a delay longer than the longest timer is waited for in full", () => {
  const run = vi.fn();
  systemClock.schedule(MONTH_MS, run);
  vi.advanceTimersByTime(MONTH_MS - 1);
  expect(run).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(run).toHaveBeenCalledTimes(1);
});

test("a long delay can be cancelled at any step", () => {
  const run = vi.fn();
  const cancel = systemClock.schedule(MONTH_MS, run);
  vi.advanceTimersByTime(MONTH_MS - 1_000);
  cancel();
  vi.advanceTimersByTime(MONTH_MS);
  expect(run).not.toHaveBeenCalled();
});

test.each([Infinity, Number.NaN])("after %s ms nothing runs, and no timer is set", (delayMs) => {
  const run = vi.fn();
  const cancel = systemClock.schedule(delayMs, run);
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(MONTH_MS);
  cancel();
  expect(run).not.toHaveBeenCalled();
});
