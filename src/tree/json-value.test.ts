import { MAX_NESTING, MAX_VALUE_LENGTH } from "../limits.ts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { jsonEquals, toJsonValue, type JsonValue } from "./json-value.ts";

const badValue: unknown = expect.objectContaining({ name: "FoldspaceError", code: "FOLD_BAD_VALUE", data: { key: "text" } });

function nested(levels: number): JsonValue {
  let value: JsonValue = 1;
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { value };
  return value;
}

test("a JSON value becomes an equal value", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const copy = toJsonValue(value, "text");
      expect(copy).toStrictEqual(JSON.parse(JSON.stringify(value)));
      expect(jsonEquals(copy, JSON.parse(JSON.stringify(value)))).toBe(true);
    }),
  );
});

test("the copy shares nothing with the caller's value", () => {
  const value = { list: [{ text: "before" }] };
  const copy = toJsonValue(value, "text");
  value.list[0]!.text = "after";
  expect(copy).toEqual({ list: [{ text: "before" }] });
});

test("values that JSON writes differently are stored as they will be read back", () => {
  const value = { nan: NaN, infinite: -Infinity, minusZero: -0, gone: undefined, list: [1, undefined, NaN] };
  expect(toJsonValue(value, "text")).toStrictEqual({ nan: null, infinite: null, minusZero: 0, list: [1, null, null] });
});

test("values that JSON has no notation for are refused, nested or not", () => {
  class Point {
    readonly x = 1;
  }
  const without: unknown[] = [
    () => 1,
    Symbol("s"),
    1n,
    new Date(),
    new Map(),
    new Set(),
    /x/,
    new Point(),
    new Uint8Array(1),
    Promise.resolve(),
  ];
  for (const value of without) {
    expect(() => toJsonValue(value, "text")).toThrow(badValue);
    expect(() => toJsonValue([{ value }], "text")).toThrow(badValue);
  }
  expect(() => toJsonValue(undefined, "text")).toThrow(badValue);
});

test("objects without a prototype are plain data", () => {
  const value = Object.assign(Object.create(null), { a: 1 }) as object;
  expect(toJsonValue(value, "text")).toEqual({ a: 1 });
});

test("a value that contains itself is refused", () => {
  const list: unknown[] = [];
  list.push({ list });
  expect(() => toJsonValue(list, "text")).toThrow(badValue);
});

test("nesting is accepted up to the limit, and refused beyond without running out of stack", () => {
  expect(jsonEquals(toJsonValue(nested(MAX_NESTING), "text"), nested(MAX_NESTING))).toBe(true);
  expect(() => toJsonValue(nested(MAX_NESTING + 1), "text")).toThrow(badValue);
  expect(() => toJsonValue(nested(100_000), "text")).toThrow(badValue);
});

test("a value is accepted up to a certain length", () => {
  const long = "x".repeat(MAX_VALUE_LENGTH - 100);
  expect(toJsonValue(long, "text")).toBe(long);
  for (const tooLong of [
    "x".repeat(MAX_VALUE_LENGTH + 1),
    [long, long],
    { [long]: long },
    Array<string>(MAX_VALUE_LENGTH).fill(""),
  ]) {
    expect(() => toJsonValue(tooLong, "text")).toThrow(badValue);
  }
});

test("no accepted value is written longer than the limit", () => {
  const parts = [false, null, [], {}, -1.234567890123456e-300, "\u0001", '"', "\ud800"];
  for (const part of parts) {
    const tooLong = Array<unknown>(Math.ceil(MAX_VALUE_LENGTH / (JSON.stringify(part).length + 1)) + 2).fill(part);
    expect(() => toJsonValue(tooLong, "text"), JSON.stringify(part)).toThrow(badValue);
  }
});

test("a hole in a list becomes null, as it will be read back", () => {
  // oxlint-disable-next-line no-sparse-arrays -- the hole is what is tested
  expect(toJsonValue([1, , 3], "text")).toStrictEqual([1, null, 3]);
});

test("members named like built-in ones are data", () => {
  const value: unknown = JSON.parse('{"__proto__":{"admin":true},"constructor":1,"toString":null}');
  const copy = toJsonValue(value, "text") as { admin?: unknown };
  expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
  expect(copy.admin).toBeUndefined();
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
});

test("values are equal whatever the order of their members", () => {
  expect(jsonEquals({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 })).toBe(true);
});

test("values of different kind, length or members are not equal", () => {
  const different: [JsonValue | undefined, JsonValue | undefined][] = [
    [0, "0"],
    [null, undefined],
    [null, {}],
    [[], {}],
    [[1], [1, 2]],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: 1 }, { a: 1, b: 2 }],
    [{ a: 1 }, { b: 1 }],
    [{ a: { b: 1 } }, { a: { b: 2 } }],
    [{}, JSON.parse('{"__proto__":null}')],
    [{ x: 1 }, JSON.parse('{"toString":1}')],
  ];
  for (const [a, b] of different) {
    expect(jsonEquals(a, b)).toBe(false);
    expect(jsonEquals(b, a)).toBe(false);
  }
});
