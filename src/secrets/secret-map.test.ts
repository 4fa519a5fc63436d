import { expect, test } from "vitest";
import { applyChanges, differences, encodeSecrets, mergeMaps, mergeValue, parseSecrets, type SecretMap } from "./secret-map.ts";

const map = (secrets: Record<string, string>): SecretMap => new Map(Object.entries(secrets));

test.each([
  ["unchanged", "b", "b", "b", "b"],
  ["changed by them", "b", "b", "t", "t"],
  ["deleted by them", "b", "b", undefined, undefined],
  ["changed by us", "b", "o", "b", "o"],
  ["deleted by us", "b", undefined, "b", undefined],
  ["changed by both", "b", "o", "t", "o"],
  ["deleted by us, changed by them", "b", undefined, "t", "t"],
  ["changed by us, deleted by them", "b", "o", undefined, "o"],
  ["deleted by both", "b", undefined, undefined, undefined],
  ["added by both", undefined, "o", "t", "o"],
])("a secret that was %s", (_name, base, ours, theirs, merged) => {
  expect(mergeValue(base, ours, theirs)).toBe(merged);
});

test("changes of different secrets both stay", () => {
  const base = map({ a: "1", b: "1", c: "1" });
  expect(mergeMaps(base, map({ a: "2", b: "1", c: "1", d: "1" }), map({ a: "1", c: "1", e: "1" }))).toEqual(
    map({ a: "2", c: "1", d: "1", e: "1" }),
  );
});

test("differences, applied, give the other map, also under names that objects have already", () => {
  const [from, to] = [map({ a: "1", b: "1" }), new Map([...map({ b: "2" }), ["__proto__", "1"], ["constructor", "2"]])];
  expect(applyChanges(from, differences(from, to))).toEqual(to);
  expect(parseSecrets(encodeSecrets(to))).toEqual(to);
});

test("the same secrets give the same text, in whatever order they came", () => {
  expect(encodeSecrets(map({ b: "1", a: "2" }))).toBe('{"a":"2","b":"1"}');
  expect(encodeSecrets(map({ a: "2", b: "1" }))).toBe('{"a":"2","b":"1"}');
});

test.each(["", "{", "[]", "null", "7", '{"a":1}', '{"a":{"b":"c"}}'])("%j holds no secrets", (text) => {
  expect(() => parseSecrets(text)).toThrow(expect.objectContaining({ code: "FOLD_SECRETS_BROKEN" }));
});

test("secrets that are too large are refused, both ways", () => {
  const tooLarge: unknown = expect.objectContaining({ code: "FOLD_SECRETS_TOO_LARGE" });
  const large = { a: "x".repeat(1_600_000) };
  expect(() => encodeSecrets(map(large))).toThrow(tooLarge);
  expect(() => parseSecrets(JSON.stringify(large))).toThrow(tooLarge);
});

test("secrets that two devices have added within the limits can together be written and read", () => {
  const many = new Map(Array.from({ length: 20_000 }, (_, index) => [`name ${index}`, "value"]));
  expect(parseSecrets(encodeSecrets(many))).toEqual(many);
});

test("an error never quotes what could be a secret", () => {
  let message = "";
  try {
    parseSecrets('{"key": "hunter2"');
  } catch (error) {
    message = String(error);
  }
  expect(message).toContain("FoldspaceError");
  expect(message).not.toContain("hunter2");
});
