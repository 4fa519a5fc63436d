import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyChange, applyChanges, diffAtCaret, diffText, mapOffset, mapOffsetThrough, samePlaces } from "./text-change.ts";

/** Among its characters are pairs of which one half is the same. */
const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "😀", "😁", "\u{10000}", "\u{10400}") });

describe("diffAtCaret", () => {
  test("finds what was typed or deleted before the caret", () => {
    expect(diffAtCaret("a b", "a x b", 3)).toEqual({ start: 1, removed: 0, inserted: " x" });
    expect(diffAtCaret("a b", "a x b", 4)).toEqual({ start: 2, removed: 0, inserted: "x " });
    expect(diffAtCaret("aaa", "aa", 1)).toEqual({ start: 1, removed: 1, inserted: "" });
  });

  test("finds nothing where something else was changed", () => {
    expect(diffAtCaret("a b", "x a b", 5)).toEqual(undefined);
    expect(diffAtCaret("a b", "a c", 3)).toEqual(undefined);
    expect(diffAtCaret("a", "b", 9)).toEqual(undefined);
  });

  test("makes the second text of the first", () => {
    fc.assert(
      fc.property(text, text, fc.nat({ max: 20 }), (before, after, caret) => {
        const change = diffAtCaret(before, after, caret);
        if (change) expect(applyChange(before, change)).toBe(after);
      }),
    );
  });
});

/** Half of a character that takes two UTF-16 code units: with the flag `u`, only lone ones match. */
const LONE_HALF = /\p{Surrogate}/u;

describe("samePlaces", () => {
  test("finds where an insertion or a removal makes the same text, between characters", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const change = diffText(before, after);
        for (const place of samePlaces(change, before)) {
          expect(applyChange(before, place)).toBe(after);
          expect(place.inserted).not.toMatch(LONE_HALF);
          expect(before.slice(0, place.start)).not.toMatch(LONE_HALF);
        }
      }),
    );
    expect(samePlaces({ start: 2, removed: 0, inserted: "b " }, "a x").map(({ inserted }) => inserted)).toEqual(["b ", " b"]);
  });
});

describe("diffText", () => {
  test("makes the second text of the first", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        expect(applyChange(before, diffText(before, after))).toBe(after);
      }),
    );
  });

  test("finds a single insertion and a single removal", () => {
    expect(diffText("one three", "one two three")).toEqual({ start: 5, removed: 0, inserted: "wo t" });
    expect(diffText("abc", "ac")).toEqual({ start: 1, removed: 1, inserted: "" });
    expect(diffText("same", "same")).toEqual({ start: 4, removed: 0, inserted: "" });
  });

  test("keeps surrogate pairs whole", () => {
    // both begin with the same half
    expect(diffText("a😀", "a😁")).toEqual({ start: 1, removed: 2, inserted: "😁" });
    // both end with the same half
    expect(diffText("\u{10000}", "\u{10400}")).toEqual({ start: 0, removed: 2, inserted: "\u{10400}" });
  });
});

describe("mapOffset", () => {
  const at = (before: string, after: string): string => {
    const offset = before.indexOf("|");
    const [from, to] = [before.replace("|", ""), after.replace("|", "")];
    const mapped = mapOffset(offset, diffText(from, to));
    return `${to.slice(0, mapped)}|${to.slice(mapped)}`;
  };

  test.each([
    ["ab|cd", "ab|cdef", "added behind the caret"],
    ["ab|cd", "xyab|cd", "added before the caret"],
    ["ab|cd", "ab|XYcd", "added at the caret"],
    ["abc|def", "a|f", "removed around the caret"],
    ["abcd|", "abcd|e", "added at the end"],
    ["abc|def", "c|def", "removed before the caret"],
  ])("%s becomes %s: %s", (before, after) => {
    expect(at(before, after)).toBe(after);
  });

  test("stays inside the text", () => {
    fc.assert(
      fc.property(text, text, fc.nat(), (before, after, n) => {
        const mapped = mapOffset(n % (before.length + 1), diffText(before, after));
        expect(mapped).toBeGreaterThanOrEqual(0);
        expect(mapped).toBeLessThanOrEqual(after.length);
      }),
    );
  });
});

describe("several changes", () => {
  const changes = [
    { start: 1, removed: 1, inserted: "BBB" },
    { start: 4, removed: 0, inserted: "_" },
  ];

  test("are all made, by the offsets of the text that was", () => {
    expect(applyChanges("abcdef", changes)).toBe("aBBBcd_ef");
  });

  test("leave a caret with the characters around it", () => {
    expect([0, 1, 3, 4, 5, 6].map((offset) => mapOffsetThrough(offset, changes))).toEqual([0, 1, 5, 6, 8, 9]);
  });
});
