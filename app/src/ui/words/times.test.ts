import { afterEach, expect, test } from "vitest";
import { chooseHourCycle, clockTime, dateAndTime, hourCycleOf } from "./times.ts";

const AFTERNOON = new Date(2026, 10, 30, 15, 4, 5).getTime();

afterEach(() => chooseHourCycle(() => hourCycleOf()));

test.each([
  ["en-US", "h12"],
  ["en-GB", "h23"],
  ["de", "h23"],
  ["fr", "h23"],
  ["en-AU", "h12"],
])("%s goes by %s", (locale, hourCycle) => {
  expect(hourCycleOf(locale)).toBe(hourCycle);
});

test("times are written as was chosen", () => {
  chooseHourCycle(() => "h12");
  expect([clockTime(AFTERNOON), dateAndTime(AFTERNOON)].map(plain)).toEqual(["3:04:05 PM", "Nov 30, 2026, 3:04 PM"]);
  chooseHourCycle(() => "h23");
  expect([clockTime(AFTERNOON), dateAndTime(AFTERNOON)].map(plain)).toEqual(["15:04:05", "Nov 30, 2026, 15:04"]);
  expect(plain(clockTime(new Date(2026, 10, 30, 0, 5).getTime()))).toBe("00:05:00");
});

const plain = (text: string): string => text.replaceAll(/\s/g, " ");
