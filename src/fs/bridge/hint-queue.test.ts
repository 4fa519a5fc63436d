import { expect, test } from "vitest";
import { HintQueue } from "./hint-queue.ts";
import type { WatchedHint } from "./protocol.ts";

/** A receiver that accepts one message at a time, when the test lets it. */
class SlowReceiver {
  readonly messages: (readonly WatchedHint[])[] = [];
  readonly queue = new HintQueue((hints) => {
    this.messages.push(hints);
    return new Promise((resolve) => (this.take = resolve));
  });
  take: () => void = () => undefined;

  async next(): Promise<readonly WatchedHint[]> {
    this.take();
    await new Promise((resolve) => setTimeout(resolve));
    return this.messages.at(-1)!;
  }
}

const dirty = (directory: string): WatchedHint["hint"] => ({ kind: "dirty", directory });

test("while one message is under way, later hints are merged", async () => {
  const receiver = new SlowReceiver();
  receiver.queue.add(1, dirty("a"));
  for (const directory of ["b", "c", "b"]) receiver.queue.add(1, dirty(directory));
  receiver.queue.add(2, dirty("b"));
  expect(receiver.messages).toEqual([[{ id: 1, hint: dirty("a") }]]);
  const joined = [
    { id: 1, hint: dirty("b") },
    { id: 1, hint: dirty("c") },
    { id: 2, hint: dirty("b") },
  ];
  expect(await receiver.next()).toEqual(joined);
  receiver.take();
  expect(receiver.messages).toHaveLength(2);
});

test("too many folders become one rescan hint, and a rescan hint replaces them", async () => {
  const receiver = new SlowReceiver();
  receiver.queue.add(1, dirty("a"));
  for (let number = 0; number < 100_000; number += 1) receiver.queue.add(1, dirty(`folder ${number}`));
  receiver.queue.add(2, dirty("b"));
  receiver.queue.add(2, { kind: "rescan", reason: "it was replaced" });
  receiver.queue.add(2, dirty("c"));
  expect(await receiver.next()).toEqual([
    { id: 1, hint: { kind: "rescan", reason: "too many folders changed to name them" } },
    { id: 2, hint: { kind: "rescan", reason: "it was replaced" } },
  ]);
});

test("a watch that was ended gets no more hints", async () => {
  const receiver = new SlowReceiver();
  receiver.queue.add(1, dirty("a"));
  receiver.queue.add(2, dirty("a"));
  receiver.queue.add(3, dirty("a"));
  receiver.queue.forget(2);
  expect(await receiver.next()).toEqual([{ id: 3, hint: dirty("a") }]);
});
