import { expect, test } from "vitest";
import { Fifo } from "./fifo.ts";

test("items leave in the order in which they came, whatever is taken in between", () => {
  const queue = new Fifo<number>();
  const taken: number[] = [];
  let next = 0;
  for (let round = 0; round < 200; round++) {
    for (let count = 0; count < round % 7; count++) queue.push(next++);
    const peeked = queue.peek(round % 5);
    expect(queue.first).toBe(peeked[0] ?? queue.first);
    queue.drop(peeked.length);
    taken.push(...peeked);
    expect(queue.length).toBe(next - taken.length);
  }
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) taken.push(item);
  expect(taken).toEqual(Array.from({ length: next }, (_, index) => index));
  queue.drop(3);
  expect(queue.length).toBe(0);
});
