import { expect, test } from "vitest";
import { FoldspaceError } from "../errors.ts";
import { openGate, ops, outcome, setUp } from "../testing/batcher-bench.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { Batcher } from "./batcher.ts";

const diskFull = new FoldspaceError("FOLD_DISK_FULL", "No space left");

test("operations wait for the flush interval and are saved together, in order", async () => {
  const { clock, batcher, writes } = setUp();
  const first = outcome(batcher.add("a", ops(1)));
  await clock.advance(100);
  const second = outcome(batcher.add("a", ops(2, 3)));
  await clock.advance(399);
  expect(writes).toEqual([]);
  expect(first.state).toBe("pending");
  await clock.advance(1);
  expect(writes).toEqual([{ queue: "a", counters: [1, 2, 3], at: 500 }]);
  expect([first.state, second.state]).toEqual(["resolved", "resolved"]);
});

test("without waiting operations nothing is written and no timer runs", async () => {
  const { clock, batcher, writes } = setUp();
  await batcher.add("a", []);
  await batcher.flush();
  await clock.advance(60_000);
  expect(writes).toEqual([]);
  expect(clock.timerCount).toBe(0);
});

test("saves never overlap, however they are asked for", async () => {
  const setup = setUp({ maxBatchOps: 3 });
  const { clock, batcher, writes } = setup;
  const open = openGate(setup);
  void batcher.add("a", ops(1, 3));
  await clock.advance(0);
  void batcher.add("a", ops(4, 9));
  void batcher.add("b", ops(10, 19));
  const flushes = [batcher.flush(), batcher.flush(), batcher.flush()];
  await clock.advance(5_000);
  const closing = batcher.close();
  await clock.advance(0);
  expect(writes).toHaveLength(1);
  open();
  await Promise.all([...flushes, closing]);
  expect(setup.most).toBe(1);
  expect(writes.map(({ queue, counters }) => `${queue} ${counters.join()}`)).toEqual([
    "a 1,2,3",
    "a 4,5,6,7,8,9",
    "b 10,11,12,13,14,15,16,17,18,19",
  ]);
  expect(batcher.status.value.pendingOps).toBe(0);
});

test("a status listener that flushes does not make saves overlap", async () => {
  const setup = setUp();
  const { clock, batcher, writes } = setup;
  const flushes: Promise<void>[] = [];
  batcher.status.observe((status) => {
    if (status.state === "saving" && flushes.length < 10) flushes.push(batcher.flush());
  });
  void batcher.add("a", ops(1));
  await clock.advance(500);
  await Promise.all(flushes);
  expect(writes.map((write) => write.counters)).toEqual([[1]]);
  expect(setup.most).toBe(1);
});

test("an operation stays until a write that held it has succeeded", async () => {
  const setup = setUp();
  const { clock, batcher, writes, failures } = setup;
  failures.set("a", diskFull);
  const first = outcome(batcher.add("a", ops(1)));
  await clock.advance(500);
  expect(batcher.status.value).toMatchObject({ state: "degraded", pendingOps: 1, error: diskFull, lastSavedAt: undefined });
  expect(first.state).toBe("pending");
  failures.clear();
  await clock.advance(1_000);
  expect(writes.map((write) => write.counters)).toEqual([[1], [1]]);
  expect(first.state).toBe("resolved");
  expect(batcher.status.value).toEqual({ state: "idle", pendingOps: 0, error: undefined, lastSavedAt: 1_500 });
});

test("operations added while a write runs are not lost with it", async () => {
  const setup = setUp();
  const { clock, batcher, writes } = setup;
  const open = openGate(setup);
  void batcher.add("a", ops(1));
  await clock.advance(500);
  const during = Array.from({ length: 150 }, (_, index) => outcome(batcher.add("a", ops(index + 2))));
  await clock.advance(10_000);
  expect(batcher.status.value).toMatchObject({ state: "saving", pendingOps: 151 });
  open();
  await clock.advance(500);
  expect(writes.map((write) => write.counters.length)).toEqual([1, 150]);
  expect(during.every((each) => each.state === "resolved")).toBe(true);
});

test("a queue that fails does not stop the others, and new operations do not wait for its next try", async () => {
  const { clock, batcher, writes, failures } = setUp();
  failures.set("bad", diskFull);
  void batcher.add("bad", ops(1));
  const good = outcome(batcher.add("good", ops(2)));
  await clock.advance(500);
  expect(good.state).toBe("resolved");
  await clock.advance(15_000);
  expect(batcher.status.value).toMatchObject({ state: "degraded", pendingOps: 1 });
  const later = outcome(batcher.add("good", ops(3)));
  await clock.advance(500);
  expect(later.state).toBe("resolved");
  expect(writes.filter((write) => write.queue === "good").map((write) => write.counters)).toEqual([[2], [3]]);
  expect(batcher.status.value).toMatchObject({ state: "degraded", pendingOps: 1, error: diskFull });
});

test("a failing queue is tried again after 1 s, then ever later, up to 30 s", async () => {
  const { clock, batcher, writes, failures } = setUp();
  failures.set("a", diskFull);
  void batcher.add("a", ops(1));
  await clock.advance(150_000);
  const times = writes.map((write) => write.at);
  expect(times.map((at, index) => at - (times[index - 1] ?? 0))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ]);
  failures.clear();
  await clock.advance(30_000);
  failures.set("a", diskFull);
  void batcher.add("a", ops(2));
  const restart = clock.now();
  await clock.advance(1_500);
  expect(writes.slice(-2).map((write) => write.at - restart)).toEqual([500, 1_500]);
});

test("operations that come to a failing queue wait for its next try, and are saved with it", async () => {
  const { clock, batcher, writes, failures } = setUp();
  failures.set("a", diskFull);
  void batcher.add("a", ops(1));
  await clock.advance(20_000);
  const tries = writes.length;
  for (let counter = 2; counter <= 20; counter++) {
    void batcher.add("a", ops(counter));
    await clock.advance(500);
  }
  expect(writes).toHaveLength(tries);
  failures.clear();
  await clock.advance(30_000);
  expect(writes.slice(tries).map((write) => write.counters.length)).toEqual([20]);
});

test("an operation that comes while its failed queue is retried is saved without another edit", async () => {
  const setup = setUp();
  const { clock, batcher, failures } = setup;
  failures.set("a", diskFull);
  void batcher.add("a", ops(1));
  await clock.advance(500);
  failures.clear();
  const open = openGate(setup);
  await clock.advance(1_000);
  const added = outcome(batcher.add("a", ops(2)));
  open();
  await clock.advance(500);
  expect(added.state).toBe("resolved");
  expect(batcher.status.value).toMatchObject({ state: "idle", pendingOps: 0 });
});

test("a try of many waiting operations is given a bounded part of them, and all are saved when it can be", async () => {
  const { clock, batcher, writes, failures } = setUp();
  failures.set("a", diskFull);
  void batcher.add("a", ops(1, 100_000));
  await clock.advance(60_000);
  expect(writes.length).toBeGreaterThan(3);
  for (const write of writes.slice(1)) expect(write.counters.length).toBeLessThan(1_000);
  failures.clear();
  const failed = writes.length;
  await batcher.flush();
  expect(writes.slice(failed).flatMap((write) => write.counters)).toEqual(Array.from({ length: 100_000 }, (_, at) => at + 1));
});

test("if many queues fail, a round retries a few of them, in turns, and all when one can be written again", async () => {
  const { clock, batcher, writes, failures } = setUp();
  const queues = Array.from({ length: 100 }, (_, index) => `lane-${index}`);
  for (const queue of queues) {
    failures.set(queue, diskFull);
    void batcher.add(queue, ops(1));
  }
  await clock.advance(500);
  expect(writes).toHaveLength(100);
  await clock.advance(1_000);
  const [first, second] = [writes.slice(100), writes.slice(200)];
  expect(first.length).toBeLessThan(20);
  expect(second).toEqual([]);
  failures.clear();
  await clock.advance(30_000);
  expect(batcher.status.value).toMatchObject({ state: "idle", pendingOps: 0 });
});

test("a write that does not end holds up no other queue, is not begun twice, and counts when it ends after all", async () => {
  const clock = new ManualClock(0);
  const begun: string[] = [];
  let release = (): void => undefined;
  const write = async (queue: string): Promise<void> => {
    begun.push(queue);
    if (queue === "hung" && begun.length === 1) await new Promise<void>((resolve) => (release = resolve));
  };
  const batcher = new Batcher(write, {}, clock, {
    writesQueuesConcurrently: true,
    maxConcurrentQueues: 8,
    writeTimeoutMs: 5_000,
  });
  const hung = outcome(batcher.add("hung", ops(1, 3)));
  const good = outcome(batcher.add("good", ops(4)));
  await clock.advance(6_000);
  expect([hung.state, good.state]).toEqual(["pending", "resolved"]);
  expect(batcher.status.value).toMatchObject({ state: "degraded", pendingOps: 3, error: { code: "FOLD_TIMEOUT" } });
  const later = outcome(batcher.add("good", ops(5)));
  void batcher.add("hung", ops(6));
  await clock.advance(60_000);
  expect(later.state).toBe("resolved");
  const flush = outcome(batcher.flush());
  await clock.advance(6_000);
  expect(flush.state).toBe("FOLD_TIMEOUT");
  expect(begun.filter((queue) => queue === "hung")).toHaveLength(1);
  release();
  await clock.advance(1_000);
  expect(hung.state).toBe("resolved");
  expect(begun.filter((queue) => queue === "hung")).toHaveLength(2);
  expect(batcher.status.value).toMatchObject({ state: "idle", pendingOps: 0, error: undefined });
});

test("closing gives up a write that does not end", async () => {
  const clock = new ManualClock(0);
  const batcher = new Batcher(() => new Promise(() => undefined), {}, clock, { writeTimeoutMs: 5_000 });
  const added = outcome(batcher.add("a", ops(1)));
  const closed = outcome(batcher.close());
  await clock.advance(6_000);
  expect([added.state, closed.state]).toEqual(["FOLD_NOT_DURABLE", "resolved"]);
});

test("without a flush interval, operations are saved by a flush and at the end only", async () => {
  const { clock, batcher, writes } = setUp({ flushIntervalMs: Infinity });
  void batcher.add("a", ops(1, 5_000));
  await clock.advance(40 * 86_400_000);
  expect(writes).toEqual([]);
  await batcher.flush();
  void batcher.add("a", ops(5_001));
  await clock.advance(1_000);
  await batcher.close();
  expect(writes.map((write) => write.counters.length)).toEqual([5_000, 1]);
});

test("failed queues are retried at once when the cause of their failure is gone", async () => {
  const { clock, batcher, writes, failures } = setUp();
  failures.set("a", diskFull);
  void batcher.add("a", ops(1));
  await clock.advance(20_000);
  const tries = writes.length;
  failures.clear();
  batcher.retry();
  await clock.advance(0);
  expect(writes).toHaveLength(tries + 1);
  expect(batcher.status.value).toMatchObject({ state: "idle", pendingOps: 0 });
});

test("flush saves at once, and covers what was added before it while another save ran", async () => {
  const setup = setUp();
  const { clock, batcher, writes } = setup;
  const open = openGate(setup);
  void batcher.add("a", ops(1));
  const firstFlush = batcher.flush();
  await clock.advance(0);
  void batcher.add("a", ops(2));
  const secondFlush = outcome(batcher.flush());
  await clock.advance(0);
  expect(secondFlush.state).toBe("pending");
  open();
  await firstFlush;
  await clock.advance(0);
  expect(secondFlush.state).toBe("resolved");
  expect(writes).toEqual([
    { queue: "a", counters: [1], at: 0 },
    { queue: "a", counters: [2], at: 0 },
  ]);
});

test("flush rejects with the cause while a queue fails, and keeps its operations", async () => {
  const { batcher, clock, failures } = setUp();
  failures.set("a", new Error("odd"));
  const added = outcome(batcher.add("a", ops(1, 5)));
  for (let round = 0; round < 3; round++) {
    await expect(batcher.flush()).rejects.toMatchObject({ code: "FOLD_IO", message: "odd" });
    expect(batcher.status.value).toMatchObject({ state: "degraded", pendingOps: 5 });
  }
  failures.clear();
  await batcher.flush();
  await clock.advance(0);
  expect(added.state).toBe("resolved");
  expect(batcher.status.value).toMatchObject({ state: "idle", pendingOps: 0, error: undefined });
  expect(clock.timerCount).toBe(0);
});

test("many waiting operations are saved without waiting", async () => {
  const { clock, batcher, writes } = setUp({ maxBatchOps: 100 });
  void batcher.add("a", ops(1, 60));
  await clock.advance(0);
  expect(writes).toEqual([]);
  void batcher.add("b", ops(61, 100));
  await clock.advance(0);
  expect(writes.map((write) => write.counters.length)).toEqual([60, 40]);
  expect(clock.now()).toBe(0);
});

test("close saves what waits, and then takes nothing more", async () => {
  const { clock, batcher, writes } = setUp();
  const added = outcome(batcher.add("a", ops(1, 20)));
  await batcher.close();
  await clock.advance(0);
  expect(added.state).toBe("resolved");
  expect(writes.map((write) => write.counters.length)).toEqual([20]);
  await expect(batcher.add("a", ops(21))).rejects.toMatchObject({ code: "FOLD_CLOSED" });
  await clock.advance(60_000);
  expect(writes).toHaveLength(1);
  expect(clock.timerCount).toBe(0);
});

test("close reports the operations that it could not save, and stops trying", async () => {
  const { clock, batcher, writes, failures } = setUp();
  failures.set("a", diskFull);
  const bad = batcher.add("a", ops(1, 3));
  const good = outcome(batcher.add("b", ops(4)));
  const badOutcome = outcome(bad);
  await batcher.close();
  await expect(bad).rejects.toMatchObject({ code: "FOLD_NOT_DURABLE", cause: diskFull });
  expect([badOutcome.state, good.state]).toEqual(["FOLD_NOT_DURABLE", "resolved"]);
  expect(batcher.status.value).toMatchObject({ state: "degraded", pendingOps: 3, error: diskFull });
  await clock.advance(60_000);
  expect(writes).toHaveLength(2);
  expect(clock.timerCount).toBe(0);
});

test("the status goes from idle over saving to idle, with what is pending", async () => {
  const { clock, batcher } = setUp();
  const seen: string[] = [];
  batcher.status.observe(({ state, pendingOps }) => void seen.push(`${state} ${pendingOps}`));
  void batcher.add("a", ops(1));
  void batcher.add("b", ops(2, 3));
  await clock.advance(500);
  expect(seen).toEqual(["idle 1", "idle 3", "saving 3", "idle 0"]);
});

test("what a write has left for the next is saved by it, and what is saved is not written again", async () => {
  const written: number[][] = [];
  let isFull = false;
  const clock = new ManualClock(0);
  const batcher = new Batcher(
    async (_lane, batch) => {
      if (isFull) throw diskFull;
      written.push(batch.slice(0, 2).map((op) => op.id.counter));
      isFull = written.length === 2;
      return Math.min(batch.length, 2);
    },
    {},
    clock,
  );
  const [first, second] = [outcome(batcher.add("a", ops(1, 3))), outcome(batcher.add("a", ops(4, 7)))];
  await clock.advance(500);
  expect(written).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect([first.state, second.state]).toEqual(["resolved", "pending"]);
  expect(batcher.status.value).toMatchObject({ state: "degraded", pendingOps: 3, error: diskFull });
  isFull = false;
  await batcher.flush();
  expect(written.slice(2)).toEqual([[5, 6], [7]]);
  expect(second.state).toBe("resolved");
  expect(batcher.status.value).toMatchObject({ state: "idle", pendingOps: 0 });
});

test("queues that may be are written beside each other", async () => {
  const setup = setUp({}, { writesQueuesConcurrently: true });
  const { batcher, writes } = setup;
  const open = openGate(setup);
  void batcher.add("a", ops(1));
  void batcher.add("b", ops(2));
  const flush = batcher.flush();
  await Promise.resolve();
  await Promise.resolve();
  expect(writes.map(({ queue }) => queue)).toEqual(["a", "b"]);
  open();
  await flush;
  expect(batcher.status.value).toMatchObject({ state: "idle", pendingOps: 0 });
});

test("at leaving, everything is begun to be written in that turn, also beside a save that runs", async () => {
  const setup = setUp({}, { writesQueuesConcurrently: true });
  const { clock, batcher, writes, failures } = setup;
  const open = openGate(setup);
  const durable = [outcome(batcher.add("a", ops(1)))];
  batcher.beginFlush();
  await clock.advance(0);
  expect(writes).toEqual([{ queue: "a", counters: [1], at: 0 }]);
  durable.push(outcome(batcher.add("a", ops(2))), outcome(batcher.add("b", ops(3))));
  batcher.beginFlush();
  expect(writes.slice(1).map(({ queue, counters }) => `${queue} ${counters.join()}`)).toEqual(["a 1,2", "b 3"]);
  expect(durable.map(({ state }) => state)).toEqual(["pending", "pending", "pending"]);
  // if the page stays, they are saved in their turn, and a failure is reported
  failures.set("b", diskFull);
  open();
  await clock.advance(500);
  expect(durable.map(({ state }) => state)).toEqual(["resolved", "resolved", "pending"]);
  expect(batcher.status.value).toMatchObject({ state: "degraded", pendingOps: 1, error: diskFull });
});

test("what a write has begun that no longer needs the page is not written again at leaving, unless that write fails", async () => {
  const clock = new ManualClock(0);
  const written: number[][] = [];
  const ending: ((error: Error | undefined) => void)[] = [];
  const batcher = new Batcher(
    async (_queue, batch, onBegun) => {
      written.push(batch.map((op) => op.id.counter));
      onBegun();
      await new Promise<void>((resolve, reject) => ending.push((error) => (error ? reject(error) : resolve())));
    },
    {},
    clock,
    { writesQueuesConcurrently: true },
  );
  void batcher.add("a", ops(1, 2));
  await clock.advance(500);
  batcher.beginFlush();
  void batcher.add("a", ops(3));
  batcher.beginFlush();
  batcher.beginFlush();
  expect(written).toEqual([[1, 2], [3]]);
  ending[1]!(diskFull);
  await clock.advance(0);
  batcher.beginFlush();
  expect(written.slice(2)).toEqual([[1, 2, 3]]);
});

test("leaving with nothing to save writes nothing", async () => {
  const { clock, batcher, writes } = setUp();
  batcher.beginFlush();
  await clock.advance(1_000);
  expect(writes).toEqual([]);
});
