import * as fc from "fast-check";
import { expect, test } from "vitest";
import { endOfPiece, parseTogether } from "./parse-together.ts";

test("lines come out as they went in", () => {
  expect(parseTogether('["m",1]\n["p",2,{"a":[[]]}]\n7')).toEqual([["m", 1], ["p", 2, { a: [[]] }], 7]);
  expect(parseTogether('["m",1]')).toEqual([["m", 1]]);
});

test.each([
  ["a bad line", "[1]\n[2\n[3]"],
  ["an empty line", "[1]\n\n[3]"],
  ["no line at all", ""],
  ["an array over the end of its line", "[1\n2]"],
  ["a string over the end of its line", '["a\nb"]'],
  ["two on one line", "[1],[2]"],
  ["two on one line, and one on two", "[1],[2]\n[3\n4]"],
  ["what closes the text and opens another", "[1]],[[2]"],
  ["a line that is too long to be judged among others", `["${"x".repeat(20_000)}"]\n[2]`],
])("%s is left to parsing one by one", (_, lines) => {
  expect(parseTogether(lines)).toBeUndefined();
});

const part = fc.constantFrom("[", "]", "{", "}", '"', ",", ":", "1", "a", '"k"', "[1]", '["m",1]', "\\", " ", "\n", "\r");

test("together gives what one by one gives, or nothing", () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
      const lines = parts.join("");
      const together = parseTogether(lines);
      if (together) expect(together).toEqual(lines.split("\n").map((line) => JSON.parse(line) as unknown));
    }),
    { numRuns: 20_000 },
  );
});

test("pieces are whole lines, and all of them", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 1, 60, 9_000, 40_000), { maxLength: 12 }), fc.boolean(), (lengths, isEnded) => {
      const text = lengths.map((length) => "x".repeat(length)).join("\n") + (isEnded ? "\n" : "");
      const pieces: string[] = [];
      for (let start = 0; start < text.length;) {
        const end = endOfPiece(text, start);
        pieces.push(text.slice(start, end));
        start = end;
      }
      expect(pieces.join("")).toBe(text);
      for (const piece of pieces.slice(0, -1)) expect(piece.endsWith("\n")).toBe(true);
      for (const piece of pieces) if (piece.length > 16 * 1024) expect(piece.slice(0, -1)).not.toContain("\n");
    }),
  );
});
