import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareSiblings, keysBetween, orderOf, type Placed } from "./order.ts";

function placed(id: string, order: string | undefined, createdAt = ""): Placed {
  return { id, order, createdAt };
}

/** The siblings after some were put in, as every device sorts them. */
function putIn(siblings: readonly Placed[], index: number, ids: readonly string[]): Placed[] {
  const { keys, rekeyed } = keysBetween(siblings, index, ids.length, "here");
  const keyOf = new Map(rekeyed);
  const kept = siblings.map((each) => ({ ...each, order: keyOf.get(each.id) ?? each.order }));
  return [...kept, ...ids.map((id, at) => placed(id, keys[at]))].sort(compareSiblings);
}

test("siblings sort by key, then those without by creation, ties by id", () => {
  const sorted = [
    placed("e", undefined, "2026-02-01"),
    placed("d", undefined, "2026-01-01"),
    placed("c", "a1"),
    placed("b", "a0"),
    placed("a", "a1"),
  ].sort(compareSiblings);
  expect(sorted.map(({ id }) => id)).toEqual(["b", "a", "c", "d", "e"]);
});

test("what is no order key counts as none", () => {
  for (const value of [undefined, true, 7, "", "a", "a00", "!", "zz", ["a0"]]) expect(orderOf(value)).toBeUndefined();
  for (const value of ["a0", "Zz", "a0V", "b00"]) expect(orderOf(value)).toBe(value);
});

test("items are put between two with one key by giving the second another", () => {
  const siblings = [placed("a", "a0"), placed("b", "a0"), placed("c", "a0"), placed("d", "a1")];
  const after = putIn(siblings, 1, ["x", "y"]);
  expect(after.map(({ id }) => id)).toEqual(["a", "x", "y", "b", "c", "d"]);
  expect(after.find(({ id }) => id === "a")!.order).toBe("a0");
});

test("items are put among those without keys by giving keys to those in front", () => {
  const siblings = [placed("a", "a0"), placed("b", undefined, "1"), placed("c", undefined, "2"), placed("d", undefined, "3")];
  const after = putIn(siblings, 3, ["x"]);
  expect(after.map(({ id }) => id)).toEqual(["a", "b", "c", "x", "d"]);
  expect(after.at(-1)!.order).toBeUndefined();
});

test("wherever items are put, they are there, and the others keep their order", () => {
  const siblings = fc
    .array(fc.record({ order: fc.constantFrom("Zz", "a0", "a0V", "a1", undefined), createdAt: fc.constantFrom("1", "2") }))
    .map((all) => all.map((each, index) => ({ ...each, id: `s${index}` })).sort(compareSiblings));
  fc.assert(
    fc.property(siblings, fc.nat(), fc.integer({ min: 1, max: 4 }), (all, at, count) => {
      const index = at % (all.length + 1);
      const ids = Array.from({ length: count }, (_, each) => `new${each}`);
      const before = all.map(({ id }) => id);
      expect(putIn(all, index, ids).map(({ id }) => id)).toEqual(before.toSpliced(index, 0, ...ids));
    }),
  );
});

test.each([
  ["the middle, by one device", (n: number) => `peer${n % 1}`],
  ["the middle, by a new device each time", (n: number) => `peer${n}`],
])("keys stay short at the place that wears out fastest: %s", (_place, peerOf) => {
  let all: Placed[] = [];
  let rekeyings = 0;
  for (let n = 0; n < 1_500; n++) {
    const index = all.length >> 1;
    const { keys, rekeyed } = keysBetween(all, index, 1, peerOf(n));
    const keyOf = new Map(rekeyed);
    rekeyings += rekeyed.length;
    all = all.map((each) => ({ ...each, order: keyOf.get(each.id) ?? each.order })).toSpliced(index, 0, placed(`${n}`, keys[0]));
  }
  const ids = all.map(({ id }) => id);
  expect(all.toSorted(compareSiblings).map(({ id }) => id)).toEqual(ids);
  expect(Math.max(...all.map(({ order }) => order!.length))).toBeLessThanOrEqual(64);
  expect(rekeyings / 1_500).toBeLessThan(30);
});
