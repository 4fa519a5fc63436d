import * as fc from "fast-check";
import { expect, test } from "vitest";
import { OpIdSet } from "./op-id-set.ts";

const counters = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 120 });
const ids = fc.array(fc.record({ counter: fc.integer({ min: 1, max: 40 }), peerId: fc.constantFrom("a", "b", "__proto__") }), {
  maxLength: 120,
});

function vectorOf(ofPeerA: readonly number[]): OpIdSet {
  return OpIdSet.of(ofPeerA.map((counter) => ({ id: { counter, peerId: "a" } })));
}

function rangesOf(set: ReadonlySet<number>): number[][] {
  const ranges: number[][] = [];
  for (const counter of [...set].sort((a, b) => a - b)) {
    if (set.has(counter - 1)) ranges.at(-1)![1] = counter;
    else ranges.push([counter, counter]);
  }
  return ranges;
}

test("an empty vector holds nothing", () => {
  const vector = new OpIdSet();
  expect(vector.size).toBe(0);
  expect(vector.peerIds).toEqual([]);
  expect(vector.has({ counter: 1, peerId: "a" })).toBe(false);
  expect(vector.highest("a")).toBe(0);
  expect(vector.toState()).toEqual({});
});

test("rising counters make one range", () => {
  expect(vectorOf([1, 2, 3]).toState()).toEqual({ a: [[1, 3]] });
});

test("a counter that fills a gap joins the ranges beside it", () => {
  const vector = vectorOf([1, 3]);
  expect(vector.toState()).toEqual({
    a: [
      [1, 1],
      [3, 3],
    ],
  });
  expect(vector.add({ counter: 2, peerId: "a" })).toBe(true);
  expect(vector.toState()).toEqual({ a: [[1, 3]] });
});

test("adding returns whether the id is new, in any order", () => {
  const vector = vectorOf([5, 2]);
  for (const counter of [5, 2]) expect(vector.add({ counter, peerId: "a" })).toBe(false);
  for (const counter of [1, 3, 4, 9]) expect(vector.add({ counter, peerId: "a" })).toBe(true);
  expect(vector.add({ counter: 5, peerId: "b" })).toBe(true);
  expect(vector.size).toBe(7);
});

test("the state is the exact set of ids, whatever the order and however often they come", () => {
  fc.assert(
    fc.property(counters, (list) => {
      const set = new Set<number>();
      const vector = new OpIdSet();
      for (const counter of list) {
        expect(vector.add({ counter, peerId: "a" })).toBe(!set.has(counter));
        set.add(counter);
        expect(vector.size).toBe(set.size);
      }
      expect(vector.toState()).toEqual(set.size === 0 ? {} : { a: rangesOf(set) });
      for (let counter = 1; counter <= 60; counter++) expect(vector.has({ counter, peerId: "a" })).toBe(set.has(counter));
      expect(vector.highest("a")).toBe(Math.max(0, ...set));
    }),
  );
});

test("reading the state between additions does not change it", () => {
  fc.assert(
    fc.property(counters, (list) => {
      const vector = new OpIdSet();
      for (const [index, counter] of list.entries()) {
        vector.add({ counter, peerId: "a" });
        expect(vector.toState()).toEqual({ a: rangesOf(new Set(list.slice(0, index + 1))) });
      }
    }),
  );
});

test("ten thousand counters in falling order, or every other first, give one range", () => {
  const falling = Array.from({ length: 10_000 }, (_, index) => 10_000 - index);
  const everyOther = [...falling.filter((counter) => counter % 2 === 0), ...falling.filter((counter) => counter % 2 === 1)];
  for (const order of [falling, everyOther]) {
    const vector = vectorOf(order);
    expect(vector.size).toBe(10_000);
    expect(vector.toState()).toEqual({ a: [[1, 10_000]] });
  }
});

test("a vector read from its state is the same vector", () => {
  fc.assert(
    fc.property(ids, (list) => {
      const vector = OpIdSet.of(list.map((id) => ({ id })));
      const copy = OpIdSet.from(JSON.parse(JSON.stringify(vector.toState())));
      expect(copy.toState()).toEqual(vector.toState());
      expect(copy.size).toBe(vector.size);
      expect(copy.peerIds.sort()).toEqual(vector.peerIds.sort());
    }),
  );
});

test("ranges in any order, touching or overlapping, are read as their union", () => {
  const state = {
    a: [
      [8, 9],
      [1, 3],
      [3, 5],
      [6, 6],
    ],
  };
  const vector = OpIdSet.from(state);
  expect(vector.toState()).toEqual({
    a: [
      [1, 6],
      [8, 9],
    ],
  });
  expect(vector.size).toBe(8);
});

test("adding another vector gives the union, and includes returns whether it would add nothing", () => {
  fc.assert(
    fc.property(ids, ids, (first, second) => {
      const one = OpIdSet.of(first.map((id) => ({ id })));
      const other = OpIdSet.of(second.map((id) => ({ id })));
      expect(one.includes(other)).toBe(second.every((id) => one.has(id)));
      const otherBefore = other.toState();
      one.addAll(other);
      expect(one.toState()).toEqual(OpIdSet.of([...first, ...second].map((id) => ({ id }))).toState());
      expect(one.includes(other)).toBe(true);
      expect(other.toState()).toEqual(otherBefore);
    }),
  );
});

test("a clone is a vector of its own", () => {
  const vector = vectorOf([1, 2, 7]);
  const clone = vector.clone();
  clone.add({ counter: 3, peerId: "a" });
  expect(vector.has({ counter: 3, peerId: "a" })).toBe(false);
  expect(clone.size).toBe(4);
  vector.add({ counter: 8, peerId: "a" });
  expect(clone.has({ counter: 8, peerId: "a" })).toBe(false);
});

test("peers with the names of built-in members are peers like any other", () => {
  const vector = OpIdSet.of(["__proto__", "constructor", "toString"].map((peerId) => ({ id: { counter: 4, peerId } })));
  expect(Object.keys(vector.toState())).toEqual(["__proto__", "constructor", "toString"]);
  expect(OpIdSet.from(vector.toState()).has({ counter: 4, peerId: "__proto__" })).toBe(true);
  expect(new OpIdSet().has({ counter: 4, peerId: "toString" })).toBe(false);
});
