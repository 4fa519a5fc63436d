import { expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { Parsing } from "./parsing.ts";
import type { ToWorker } from "./protocol.ts";
import { serveParsing } from "./serve.ts";
import type { WebWorkerLike } from "./worker-port.ts";

const BIG = 10_000_000;
const PEER = "a".repeat(32);

/** The worker's side behind a port, on this thread. */
class PortWorker implements WebWorkerLike {
  readonly #channel = new MessageChannel();
  isTerminated = false;

  constructor() {
    const take = serveParsing((message, transfer) => this.#channel.port2.postMessage(message, transfer));
    this.#channel.port2.addEventListener("message", (event) => take(event.data as ToWorker));
    this.#channel.port2.start();
  }

  postMessage(message: unknown): void {
    this.#channel.port1.postMessage(message);
  }

  addEventListener(type: string, listener: (event: MessageEvent) => void): void {
    if (type !== "message") return;
    this.#channel.port1.addEventListener("message", listener);
    this.#channel.port1.start();
  }

  terminate(): void {
    this.isTerminated = true;
    this.#channel.port1.close();
  }
}

function lines(...counters: number[]): Uint8Array {
  return new TextEncoder().encode(counters.map((counter) => `["m",${counter},"${PEER}",null]\n`).join(""));
}

test("a worker lives while a file is being read, however long that takes, and ends after some idle time", async () => {
  const clock = new ManualClock();
  const workers: PortWorker[] = [];
  const createWorker = (): PortWorker => workers[workers.push(new PortWorker()) - 1]!;
  const parsing = new Parsing({ createWorker, clock });

  const [slow, quick] = [await parsing.open({ peerId: PEER }, BIG), await parsing.open({ peerId: PEER }, BIG)];
  await slow.push(lines(1));
  await quick.end();
  await clock.advance(100_000);
  await slow.push(lines(2));
  expect([...(await slow.end()).columns].map(({ id }) => id.counter)).toEqual([1, 2]);

  await clock.advance(20_000);
  const next = await parsing.open({ peerId: PEER }, BIG);
  await clock.advance(100_000);
  await next.push(lines(3));
  await next.end();
  expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([false]);

  await clock.advance(30_000);
  expect(workers.map(({ isTerminated }) => isTerminated)).toEqual([true]);
  await (await parsing.open({ peerId: PEER }, BIG)).end();
  expect(workers).toHaveLength(2);
  parsing.close();
});
