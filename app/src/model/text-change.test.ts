import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyChange, diffText, mapOffset, mergeTexts } from "./text-change.ts";

/** Among its characters are pairs of which one half is the same. */
const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "😀", "😁", "\u{10000}", "\u{10400}") });

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

describe("mergeTexts", () => {
  test.each([
    ["one two", "one two three", "zero one two", "zero one two three"],
    ["one two", "ONE two", "one two three", "ONE two three"],
    ["ab", "ac", "aXb", "aXc"],
    ["ab", "aXb", "ac", "aXc"],
    ["", "mine", "theirs", "minetheirs"],
    ["one", "one!", "one!", "one!"],
  ])("%s becomes %s here and %s elsewhere: %s", (base, mine, theirs, merged) => {
    expect(mergeTexts(base, mine, theirs)).toBe(merged);
  });

  test.each([
    ["meet at 5", "meet at 6", "meet at 9"],
    ["call Bob", "call Al", "call "],
    ["one two three", "one 2 three", "one too, three"],
    ["abcdef", "abXdef", ""],
    ["abcdef", "abXdef", "aYf"],
  ])("%s cannot become %s and %s", (base, mine, theirs) => {
    expect(mergeTexts(base, mine, theirs)).toBeUndefined();
    expect(mergeTexts(base, theirs, mine)).toBeUndefined();
  });

  test("gives either side where the other has done nothing", () => {
    fc.assert(
      fc.property(text, text, (base, other) => {
        expect(mergeTexts(base, other, base)).toBe(other);
        expect(mergeTexts(base, base, other)).toBe(other);
      }),
    );
  });

  test("keeps all that was inserted on both sides", () => {
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(), (base, n, m) => {
        const characters = Array.from(base);
        const insert = (at: number, what: string): string => characters.toSpliced(at % (characters.length + 1), 0, what).join("");
        const merged = mergeTexts(base, insert(n, "<mine>"), insert(m, "<theirs>"));
        expect(merged).toContain("<mine>");
        expect(merged).toContain("<theirs>");
      }),
    );
  });
});
