import { expect, test } from "vitest";
import { covers, encodeContent, liveSecrets, mergeEntries, parseContent, type SecretEntry } from "./entries.ts";

const entry = (value: string | undefined, counter: number, peerId = "peer"): SecretEntry => ({ value, counter, peerId });

test("the later entry stands, by counter and then by peer, in whatever order they come", () => {
  const operations: [string, SecretEntry][] = [
    ["a", entry("1", 1)],
    ["a", entry("2", 2, "b")],
    ["a", entry("3", 2, "c")],
    ["b", entry("1", 1)],
    ["b", entry(undefined, 3)],
  ];
  for (const order of [operations, operations.toReversed(), [...operations.slice(2), ...operations]]) {
    const merged = new Map<string, SecretEntry>();
    for (const operation of order) mergeEntries(merged, new Map([operation]));
    expect(liveSecrets(merged)).toEqual(new Map([["a", "3"]]));
  }
});

test("merging tells what has another value", () => {
  const known = new Map([["a", entry("1", 1)]]);
  expect(mergeEntries(known, new Map([["a", entry("1", 2)]]))).toEqual([]);
  expect(mergeEntries(known, new Map([["a", entry("2", 3)]]))).toEqual(["a"]);
  expect(mergeEntries(known, new Map([["a", entry("0", 1)]]))).toEqual([]);
});

test("entries cover others where none of those is later", () => {
  const entries = new Map([["a", entry("1", 2)]]);
  expect(covers(entries, new Map())).toBe(true);
  expect(covers(entries, new Map([["a", entry("0", 1)]]))).toBe(true);
  expect(covers(entries, new Map([["a", entry("2", 3)]]))).toBe(false);
  expect(covers(entries, new Map([["b", entry("1", 1)]]))).toBe(false);
});

test("content comes back as it was", () => {
  const content = {
    entries: new Map([
      ["a", entry("1", 1)],
      ["__proto__", entry(undefined, 2 ** 48)],
    ]),
    keys: new Map([["id", "key"]]),
  };
  expect(parseContent(encodeContent(content))).toEqual(content);
});

test.each([
  ["no JSON", "{"],
  ["no list", '{"entries":{},"keys":{}}'],
  ["no keys", '{"entries":[]}'],
  ["an entry that is none", '{"entries":[null],"keys":{}}'],
  ["a value that is no text", '{"entries":[{"name":"a","value":1,"counter":1,"peerId":"p"}],"keys":{}}'],
  ["a counter that is none", '{"entries":[{"name":"a","value":"1","counter":0,"peerId":"p"}],"keys":{}}'],
  [
    "a counter that would stop the clock",
    '{"entries":[{"name":"a","value":"1","counter":9007199254740991,"peerId":"p"}],"keys":{}}',
  ],
])("content with %s is refused", (_name, json) => {
  expect(() => parseContent(json)).toThrow(expect.objectContaining({ code: "FOLD_SECRETS_BROKEN" }));
});
