import { expect, test } from "vitest";
import { EntryMap } from "./entry-map.ts";
import { covers, encodeContent, entryBytes, parseContent, type SecretEntry } from "./entries.ts";

const entry = (value: string | undefined, counter: number, peerId = "peer"): SecretEntry => ({ value, counter, peerId });

test("the later entry wins, by counter and then by peer, in any order", () => {
  const operations: [string, SecretEntry][] = [
    ["a", entry("1", 1)],
    ["a", entry("2", 2, "b")],
    ["a", entry("3", 2, "c")],
    ["b", entry("1", 1)],
    ["b", entry(undefined, 3)],
  ];
  for (const order of [operations, operations.toReversed(), [...operations.slice(2), ...operations]]) {
    const merged = new EntryMap();
    for (const operation of order) merged.merge(new Map([operation]));
    expect(merged.secrets).toEqual(new Map([["a", "3"]]));
  }
});

test("merging returns whether anything was later", () => {
  const known = new EntryMap();
  expect(known.merge(new Map([["a", entry("1", 1)]]))).toBe(true);
  expect(known.merge(new Map([["a", entry("1", 2)]]))).toBe(true);
  expect(known.merge(new Map([["a", entry("0", 1)]]))).toBe(false);
});

test("the totals are those of the entries, whatever was merged and deleted", () => {
  const map = new EntryMap();
  map.merge(new Map([["a", entry("1", 1)], ["ключ", entry("🔑", 2)], ["gone", entry("x".repeat(100), 3)]])); // prettier-ignore
  map.merge(new Map([["gone", entry(undefined, 17)], ["a", entry("longer", 4)]])); // prettier-ignore
  const sizes = new Map(Array.from(map.entries, ([name, each]) => [name, entryBytes(name, each)]));
  expect(map.live).toEqual({ count: 2, bytes: sizes.get("a")! + sizes.get("ключ")! });
  expect(map.bytes).toBe(map.live.bytes + sizes.get("gone")!);
  expect([map.deletions, map.highestCounter]).toEqual([1, 17]);
  expect(map.liveWith(new Map([["a", entry(undefined, 5)]]))).toEqual({ count: 1, bytes: sizes.get("ключ") });
  map.delete("gone");
  expect([map.deletions, map.bytes]).toEqual([0, map.live.bytes]);
});

test("a deletion that was cleaned up is not taken in again, and takes an older value away", () => {
  const map = new EntryMap();
  map.merge(new Map([["a", entry("1", 1)]]));
  map.merge(new Map([["a", entry(undefined, 2)], ["b", entry(undefined, 2)], ["c", entry(undefined, 9)]]), 5); // prettier-ignore
  expect([...map.entries.keys()]).toEqual(["a", "c"]);
  expect(covers(map.entries, new Map([["b", entry(undefined, 2)]]), 5)).toBe(true);
  expect(covers(map.entries, new Map([["b", entry("1", 2)]]), 5)).toBe(false);
});

test("entries cover others if none of those is later", () => {
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
  ["an entry that is null", '{"entries":[null],"keys":{}}'],
  ["a value that is no text", '{"entries":[{"name":"a","value":1,"counter":1,"peerId":"p"}],"keys":{}}'],
  ["an invalid counter", '{"entries":[{"name":"a","value":"1","counter":0,"peerId":"p"}],"keys":{}}'],
  [
    "a counter that would stop the clock",
    '{"entries":[{"name":"a","value":"1","counter":9007199254740991,"peerId":"p"}],"keys":{}}',
  ],
])("content with %s is refused", (_name, json) => {
  expect(() => parseContent(json)).toThrow(expect.objectContaining({ code: "FOLD_SECRETS_BROKEN" }));
});
