import { expect, test } from "vitest";
import { completesInTime } from "./patience.ts";

test("patience of any length, also without end, is one that timers can have", async () => {
  const delays: number[] = [];
  const clock = {
    now: () => 0,
    schedule: (delayMs: number) => {
      delays.push(delayMs);
      return () => undefined;
    },
  };
  for (const timeoutMs of [5_000, 2 ** 31, Number.POSITIVE_INFINITY]) await completesInTime(Promise.resolve(), timeoutMs, clock);
  expect(delays).toEqual([5_000, 2 ** 31 - 1, 2 ** 31 - 1]);
});
