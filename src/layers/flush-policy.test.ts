import { expect, test } from "vitest";
import { ops, setUp } from "../testing/batcher-bench.ts";

test("steady edits are saved every 2 s after 10 s, and every 500 ms again after a pause", async () => {
  const { clock, batcher, writes } = setUp();
  let counter = 0;
  const editFor = async (ms: number): Promise<number[]> => {
    const start = clock.now();
    const before = writes.length;
    for (let at = 0; at < ms; at += 100) {
      void batcher.add("a", ops(++counter));
      await clock.advance(100);
    }
    return writes.slice(before).map((write) => write.at - start);
  };
  const first = await editFor(20_000);
  const gaps = first.map((at, index) => at - (first[index - 1] ?? 0));
  expect(gaps.slice(0, 16)).toEqual([
    500,
    ...Array.from({ length: 15 }, () => expect.toSatisfy((gap: number) => gap >= 500 && gap <= 600)),
  ]);
  expect(gaps.slice(-4)).toEqual(
    Array.from({ length: 4 }, () => expect.toSatisfy((gap: number) => gap >= 2_000 && gap <= 2_100)),
  );
  await clock.advance(5_000);
  expect(writes.flatMap((write) => write.counters)).toHaveLength(counter);
  expect((await editFor(1_500))[0]).toBe(500);
});

test("a flush interval above 2 s stays as it is", async () => {
  const { clock, batcher, writes } = setUp({ flushIntervalMs: 5_000 });
  for (let second = 0; second < 40; second++) {
    void batcher.add("a", ops(second + 1));
    await clock.advance(1_000);
  }
  expect(writes.map((write) => write.at)).toEqual([5_000, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000, 40_000]);
});
