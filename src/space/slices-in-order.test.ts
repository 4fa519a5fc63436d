import { expect, test } from "vitest";
import type { VertexOperation } from "../tree/index.ts";
import { slicesInOrder } from "./slices-in-order.ts";

function op(counter: number, peerId = "p"): VertexOperation {
  return { id: { counter, peerId }, targetId: "v", parentId: null };
}

test("slices rise, are no longer than wanted, and hold every operation once", () => {
  // three peers one after another, as layers give them
  const ops = ["a", "b", "c"].flatMap((peerId) => Array.from({ length: 1_000 }, (_, index) => op(index * 7 + 1, peerId)));
  const slices = slicesInOrder(ops, 100);
  expect(slices.flat()).toHaveLength(ops.length);
  expect(new Set(slices.flat())).toEqual(new Set(ops));
  let highest = 0;
  for (const slice of slices) {
    expect(slice.length).toBeLessThanOrEqual(100);
    const counters = slice.map(({ id }) => id.counter);
    expect(Math.min(...counters)).toBeGreaterThanOrEqual(highest);
    highest = Math.max(...counters);
  }
  expect(slices.length).toBeLessThan(70);
});

test("very uneven counters are cut all the same", () => {
  const ops = [op(2 ** 48), ...Array.from({ length: 999 }, (_, index) => op(index + 1))];
  const slices = slicesInOrder(ops, 100);
  expect(slices.map(({ length }) => length)).toEqual([...Array.from({ length: 9 }, () => 100), 99, 1]);
});

test("operations that are in order stay in order", () => {
  const ops = Array.from({ length: 250 }, (_, index) => op(index * index + 1));
  const slices = slicesInOrder(ops, 100);
  expect(slices.map(({ length }) => length)).toEqual([100, 100, 50]);
  expect(slices.flat()).toEqual(ops);
});

test("no operations are no slices, and equal counters are no trouble", () => {
  expect(slicesInOrder([], 100)).toEqual([]);
  expect(slicesInOrder([op(5, "a"), op(5, "b")], 100)).toEqual([[op(5, "a"), op(5, "b")]]);
});
