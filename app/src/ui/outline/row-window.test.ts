import { expect, test } from "vitest";
import { RowWindow } from "./row-window.ts";

function windowOf(count: number): RowWindow {
  const rows = new RowWindow(10);
  rows.setRows(Array.from({ length: count }, (_, index) => `r${index}`));
  return rows;
}

test("rows that were not seen count with the usual height", () => {
  const rows = windowOf(1_000);
  expect(rows.height).toBe(10_000);
  expect(rows.topOf(500)).toBe(5_000);
  expect(rows.indexAt(5_005)).toBe(500);
});

test("a measured row moves those below it", () => {
  const rows = windowOf(10);
  expect(rows.measure("r2", 40)).toBe(true);
  expect(rows.measure("r2", 40)).toBe(false);
  expect([rows.topOf(2), rows.topOf(3), rows.height]).toEqual([20, 60, 130]);
  expect([rows.indexAt(59), rows.indexAt(60)]).toEqual([2, 3]);
});

test("a height goes with its row when rows come and go", () => {
  const rows = windowOf(4);
  rows.measure("r1", 30);
  rows.setRows(["new", "r0", "r1"]);
  expect([rows.topOf(1), rows.topOf(2), rows.height]).toEqual([10, 20, 50]);
});

test("what is in sight has rows ready around it, and ends at the list's ends", () => {
  const rows = windowOf(100);
  expect(rows.visible(500, 95, 3)).toEqual({ start: 47, end: 63 });
  expect(rows.visible(0, 95, 3)).toEqual({ start: 0, end: 13 });
  expect(rows.visible(990, 95, 3)).toEqual({ start: 96, end: 100 });
  expect(windowOf(0).visible(0, 100, 3)).toEqual({ start: 0, end: 0 });
});
