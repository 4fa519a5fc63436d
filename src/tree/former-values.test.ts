import * as fc from "fast-check";
import { expect, test } from "vitest";
import { FormerValues } from "./former-values.ts";
import type { JsonValue } from "./json-value.ts";

/** Longer than a block that is compared at once. */
const LONG = "x".repeat(2_500);

function roundTrip(value: JsonValue | undefined, base: JsonValue | undefined): JsonValue | undefined {
  const values = new FormerValues();
  values.add("before", undefined);
  const position = values.add(value, { op: 7, value: base });
  values.add("after", undefined);
  return values.read(position, (op) => {
    expect(op).toBe(7);
    return base;
  });
}

test("any value is read back as it was", () => {
  const anyText = fc.string({ unit: "binary", maxLength: 200 });
  const values = fc.oneof(anyText, fc.jsonValue() as fc.Arbitrary<JsonValue>, fc.constant(undefined));
  fc.assert(
    fc.property(values, values, (value, base) => {
      // JSON has no -0
      expect(roundTrip(value, base)).toEqual(value === undefined ? undefined : JSON.parse(JSON.stringify(value)));
    }),
  );
});

test("an edited text is read back as it was", () => {
  const part = fc.oneof(fc.string({ unit: "binary", maxLength: 5 }), fc.constantFrom("\ud83d", "x", LONG, `${LONG}y${LONG}`));
  fc.assert(
    fc.property(part, part, part, part, (start, former, present, end) => {
      const value = LONG + start + former + end + LONG;
      expect(roundTrip(value, LONG + start + present + end + LONG)).toBe(value);
    }),
  );
});

test("an edited text is kept as a difference, and any other text is not", () => {
  const values = new FormerValues();
  expect(values.isDifference(values.add(`${LONG} a`, { op: 1, value: `${LONG} b` }))).toBe(true);
  expect(values.isDifference(values.add(`${LONG} a`, { op: 1, value: "y".repeat(4_000) }))).toBe(false);
  expect(values.isDifference(values.add(`${LONG} a`, { op: 1, value: null }))).toBe(false);
  expect(values.isDifference(values.add("short", { op: 1, value: "shorter" }))).toBe(false);
});
