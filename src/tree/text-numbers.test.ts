import { expect, test } from "vitest";
import { TextNumbers } from "./text-numbers.ts";

function numberIn(numbers: TextNumbers, text: string): number {
  const bytes = new TextEncoder().encode(`"${text}"`);
  return numbers.numberAt(bytes, 1, bytes.length - 1);
}

test("equal texts have one number, and each number its text, whether they come as bytes or as texts", () => {
  const numbers = new TextNumbers();
  const texts = Array.from({ length: 5_000 }, (_, index) => (index % 7 === 3 ? `ö${index}` : `${index}`.padEnd(index % 40, "x")));
  texts.push("", "a", 'with "quotes"', "with \\", "a\n");
  const given = texts.map((text) => numbers.numberOf(text));
  expect(new Set(given).size).toBe(new Set(texts).size);
  expect(numbers.count).toBe(new Set(texts).size);
  for (const [index, text] of texts.entries()) {
    expect(numbers.numberOf(text)).toBe(given[index]);
    if (/^[a-z0-9]*$/.test(text)) expect(numberIn(numbers, text)).toBe(given[index]);
    expect(numbers.textOf(given[index]!)).toBe(text);
  }
});

test("a text that begins or ends another one has another number", () => {
  const numbers = new TextNumbers();
  const given = ["abcd", "abc", "abcde", "bcd", ""].map((text) => numberIn(numbers, text));
  expect(given).toEqual([1, 2, 3, 4, 5]);
  expect(given.map((number) => numbers.textOf(number))).toEqual(["abcd", "abc", "abcde", "bcd", ""]);
  expect(numberIn(numbers, "abc")).toBe(2);
});
