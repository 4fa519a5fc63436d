import * as fc from "fast-check";
import { generateKeyBetween, generateNKeysBetween } from "fractional-indexing";
import { expect, test } from "vitest";
import { isOrderKey, orderKeyBetween, tagOf } from "./order-key.ts";

const TAG = tagOf("here");

/** Keys that are chosen one after another, each at an index among those before. */
function insertAt(count: number, index: (length: number) => number, tag = TAG): string[] {
  const keys: string[] = [];
  for (let n = 0; n < count; n++) {
    const at = Math.min(index(keys.length), keys.length);
    keys.splice(at, 0, orderKeyBetween(keys[at - 1] ?? null, keys[at] ?? null, tag));
  }
  return keys;
}

function expectSorted(keys: readonly string[]): void {
  expect(keys.every((key, at) => isOrderKey(key) && (at === 0 || keys[at - 1]! < key))).toBe(true);
}

test.each([
  ["at the end", (length: number) => length],
  ["at the beginning", () => 0],
  ["behind the first one", () => 1],
  ["before the last one", (length: number) => Math.max(0, length - 1)],
])("20,000 keys that are inserted %s sort, and have at most 16 characters", (_place, index) => {
  const keys = insertAt(20_000, index);
  expectSorted(keys);
  expect(Math.max(...keys.map(({ length }) => length))).toBeLessThanOrEqual(16);
});

test("keys sort wherever they are inserted, and by whichever device", () => {
  const inserts = fc.array(fc.tuple(fc.nat(), fc.constantFrom("", tagOf("a"), tagOf("b"), "00", "zz", "V0")), { maxLength: 60 });
  fc.assert(
    fc.property(inserts, (all) => {
      const keys: string[] = [];
      for (const [at, tag] of all) {
        const index = at % (keys.length + 1);
        keys.splice(index, 0, orderKeyBetween(keys[index - 1] ?? null, keys[index] ?? null, tag));
      }
      expectSorted(keys);
    }),
  );
});

test("a key fits between any two keys of npm's fractional-indexing, and is one of its keys", () => {
  const digits = fc.string({ unit: fc.constantFrom("0", "1", "9", "A", "V", "Z", "a", "y", "z"), minLength: 1, maxLength: 6 });
  const key = digits.map((text) => (isOrderKey(text) ? text : `a${text}V`));
  fc.assert(
    fc.property(fc.uniqueArray(key, { minLength: 2, maxLength: 2 }), fc.constantFrom(TAG, "", "z0"), ([a, b], tag) => {
      const [low, high] = a! < b! ? [a!, b!] : [b!, a!];
      for (const [from, to] of [
        [low, high],
        [null, low],
        [high, null],
      ] as const) {
        const between = orderKeyBetween(from, to, tag);
        expectSorted([from, between, to].filter((each) => each !== null));
        expect(() => generateKeyBetween(between, null)).not.toThrow();
      }
    }),
  );
});

test("the keys of npm's fractional-indexing count as keys, and texts that it refuses do not", () => {
  const isItsKey = (text: string): boolean => {
    try {
      generateKeyBetween(text, null);
      return true;
    } catch {
      return false;
    }
  };
  const text = fc.string({ unit: fc.constantFrom("0", "1", "9", "A", "V", "Z", "a", "b", "c", "d", "z"), maxLength: 8 });
  fc.assert(
    fc.property(text, (each) => isOrderKey(each) === isItsKey(each)),
    { numRuns: 5_000 },
  );
  expect(generateNKeysBetween(null, null, 20_000).every(isOrderKey)).toBe(true);
  for (const other of ["", "a", "a00", "!", "a0!", "zz", "A00000000000000000000000000"])
    expect(isOrderKey(other), other).toBe(false);
});

test.each([
  ["at the end", ["a1"], []],
  ["at the beginning", [], ["a1"]],
  ["in an empty list", [], []],
  ["between two", ["a1"], ["a2"]],
  ["between two of one run", [insertAt(2, (length) => length)[0]!], [insertAt(2, (length) => length)[1]!]],
])("runs that two devices insert %s at the same time do not mix", (_place, [low = null], [high = null]) => {
  const runOf = (peerId: string, isBackwards: boolean): string[] => {
    const keys: string[] = [];
    for (let n = 0; n < 100; n++) {
      if (isBackwards) keys.unshift(orderKeyBetween(low, keys[0] ?? high, tagOf(peerId)));
      else keys.push(orderKeyBetween(keys.at(-1) ?? low, high, tagOf(peerId)));
    }
    return keys;
  };
  for (const isBackwards of [false, true]) {
    const [here, there] = [runOf("here", false), runOf("there", isBackwards)];
    const makers = [...here.map((key) => [key, "here"]), ...there.map((key) => [key, "there"])]
      .sort(([a], [b]) => (a! < b! ? -1 : 1))
      .map(([, maker]) => maker);
    expect(makers.filter((maker, at) => maker !== makers[at - 1])).toHaveLength(2);
  }
});
