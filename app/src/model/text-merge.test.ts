import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyChanges, mapOffsetThrough } from "./text-change.ts";
import { mergeChanges, mergeTexts } from "./text-merge.ts";
import { diffCharacters, diffWords } from "./word-diff.ts";

const word = fc.constantFrom("one", "two", "three", "a", "b", "Straße", "日", "本", "😀", "👩‍👧", "x_1", "don't", "5");
const between = fc.constantFrom(" ", ", ", "", "-", "  ");
const text = fc.array(fc.tuple(word, between), { maxLength: 8 }).map((parts) => parts.flat().join(""));

describe("diffWords", () => {
  test("makes the second text of the first", () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        expect(applyChanges(before, diffWords(before, after))).toBe(after);
      }),
    );
  });

  test("leaves words whole, and what has not changed alone", () => {
    expect(diffWords("call Bob at five", "please call Rob at five")).toEqual([
      { start: 0, removed: 0, inserted: "please " },
      { start: 5, removed: 3, inserted: "Rob" },
    ]);
    expect(diffWords("a family: 👩‍👧", "a family: 👩‍👧‍👦")).toEqual([{ start: 10, removed: 5, inserted: "👩‍👧‍👦" }]);
  });

  test("takes words that are replaced next to one another as one change", () => {
    expect(diffWords("one two three", "1 2 three")).toEqual([{ start: 0, removed: 7, inserted: "1 2" }]);
  });

  test("takes very long texts as one change", () => {
    const long = (by: string): string => Array.from({ length: 3_000 }, (_, n) => `${by}${n}`).join(" ");
    expect(diffWords(`same ${long("a")} same`, `same ${long("b")} same`).length).toBe(1);
  });
});

describe("diffCharacters", () => {
  test("makes the second text of the first", () => {
    fc.assert(
      fc.property(text, text, fc.option(fc.nat({ max: 20 }), { nil: undefined }), (before, after, caret) => {
        expect(applyChanges(before, diffCharacters(before, after, caret))).toBe(after);
      }),
    );
  });

  test("leaves alone what stays of the words that go", () => {
    const before = "some ai  bi words";
    const changes = diffCharacters(before, "someai  words");
    expect(changes.map(({ start, removed, inserted }) => [before.slice(start, start + removed), inserted])).toEqual([
      [" ", ""],
      [" ", ""],
      ["bi", ""],
    ]);
  });
});

describe("mergeChanges", () => {
  test("leaves a caret between two words that the other side has changed", () => {
    const changes = mergeChanges("some  words", "some  words", "asome  wordsx", true)!;
    expect(applyChanges("some  words", changes)).toBe("asome  wordsx");
    expect(mapOffsetThrough(5, changes)).toBe(6);
  });

  test("goes by the caret where what was typed may be in more than one place", () => {
    const mine = "as some words";
    const theirs = "a bs some words";
    expect(applyChanges(mine, mergeChanges("asome words", mine, theirs, true, 3)!)).toBe("as  bs some words");
  });
});

describe("mergeTexts", () => {
  test.each([
    ["one two", "one two three", "zero one two", "zero one two three"],
    ["one two", "ONE two", "one two three", "ONE two three"],
    ["one two three", "1 two three", "one two 3", "1 two 3"],
    ["one two three", "two three", "one two 3", "two 3"],
    ["call Bob", "call Al", "do call Bob", "do call Al"],
    ["colour", "color", "Colour", "Color"],
    ["some words bnv b", "some words ahke a bnv b", "some words", "some words ahke a"],
    ["some words a", "some words", "some words biz b a", "some words biz b"],
    ["one", "one!", "one!", "one!"],
    ["one teh two", "one the two", "one the two 3", "one the two 3"],
  ])("%s becomes %s here and %s elsewhere: %s", (base, mine, theirs, merged) => {
    for (const isMineFirst of [true, false]) {
      expect(mergeTexts(base, mine, theirs, isMineFirst)).toBe(merged);
      expect(mergeTexts(base, theirs, mine, isMineFirst)).toBe(merged);
    }
  });

  test.each([
    ["", "Buy milk", "Call Bob", "Buy milk Call Bob"],
    ["text", "text by A", "text of B", "text by A of B"],
    ["text", "texts", "texture", "texts ure"],
    ["a b", "a (x) b", "a [y] b", "a (x) [y] b"],
    ["日", "日本", "日曜", "日本曜"],
  ])("%s becomes %s here and %s elsewhere, at the same place: %s", (base, mine, theirs, merged) => {
    expect(mergeTexts(base, mine, theirs, true)).toBe(merged);
    expect(mergeTexts(base, theirs, mine, false)).toBe(merged);
  });

  test.each([
    ["meet at 5", "meet at 6", "meet at 9"],
    ["call Bob", "call Al", "call "],
    ["agre", "agreed", "another text"],
    ["ab", "ac", "aXb"],
    ["one two three", "one 2 three", "one too, three"],
    ["abcdef", "abXdef", ""],
    ["abcdef", "abXdef", "aYf"],
    ["one two three", "", "one TWO three"],
    ["one two three", "1 2 three", "one II three"],
  ])("%s cannot become %s and %s", (base, mine, theirs) => {
    expect(mergeTexts(base, mine, theirs)).toBeUndefined();
    expect(mergeTexts(base, theirs, mine)).toBeUndefined();
  });

  test("does not depend on which side is called mine", () => {
    fc.assert(
      fc.property(text, text, text, fc.boolean(), (base, a, b, isFirst) => {
        expect(mergeTexts(base, a, b, isFirst)).toBe(mergeTexts(base, b, a, !isFirst));
      }),
      { numRuns: 500 },
    );
  });

  test("gives either side where the other has done nothing, or the same", () => {
    fc.assert(
      fc.property(text, text, (base, other) => {
        expect(mergeTexts(base, other, base)).toBe(other);
        expect(mergeTexts(base, base, other)).toBe(other);
        expect(mergeTexts(base, other, other)).toBe(other);
      }),
    );
  });

  test("changes nothing when it is done again", () => {
    fc.assert(
      fc.property(text, text, text, (base, mine, theirs) => {
        const merged = mergeTexts(base, mine, theirs);
        fc.pre(merged !== undefined);
        // whoever goes on from either side, and takes in what was merged, has what was merged
        expect(mergeTexts(mine, mine, merged)).toBe(merged);
        expect(mergeTexts(theirs, merged, theirs)).toBe(merged);
      }),
    );
  });

  test("keeps all that was inserted on both sides, wherever it was", () => {
    fc.assert(
      fc.property(text, fc.nat(), fc.nat(), fc.boolean(), (base, n, m, isFirst) => {
        const characters = Array.from(base);
        const insert = (at: number, what: string): string => characters.toSpliced(at % (characters.length + 1), 0, what).join("");
        const merged = mergeTexts(base, insert(n, "<mine>"), insert(m, "<theirs>"), isFirst);
        expect(merged).toContain("<mine>");
        expect(merged).toContain("<theirs>");
        // nothing else has come or gone
        expect(merged!.replace("<mine>", "").replace("<theirs>", "")).toBe(base);
      }),
      { numRuns: 500 },
    );
  });

  test("says what changes in mine, one place after the other", () => {
    expect(mergeChanges("one two three", "one 2 three, four", "zero one two THREE", true)).toEqual([
      { start: 0, removed: 0, inserted: "zero " },
      { start: 6, removed: 5, inserted: "THREE" },
    ]);
    expect(mergeChanges("one two", "one two", "one two3", true)).toEqual([{ start: 7, removed: 0, inserted: "3" }]);
  });
});
