import { expect, test } from "vitest";
import type { Row } from "../../model/row.ts";
import { describeMove } from "./moves.ts";

const row = (parentId: string, position: number, depth: number): Row =>
  ({ id: "a", parentId, position, depth, siblingCount: 3, text: "a" }) as unknown as Row;

test.each([
  [row("p", 1, 0), row("p", 2, 0), undefined, 1, "Moved: level 1, 2 of 3."],
  [row("p", 2, 0), row("q", 3, 1), "milk", 1, "Moved: level 2, 3 of 3, below “milk”."],
  [row("p", 2, 0), row("q", 3, 1), "", 1, "Moved: level 2, 3 of 3, below “an empty item”."],
  [row("q", 1, 1), row("p", 1, 0), undefined, 2, "2 items moved: level 1, 1 of 3."],
  [row("p", 1, 0), row("p", 1, 0), undefined, 1, "Nothing moved."],
  [row("p", 1, 0), undefined, undefined, 1, "Item moved out of sight."],
] as const)("%#", (before, after, parentText, count, words) => {
  expect(describeMove(before, after, parentText, count)).toBe(words);
});
