import { Batcher, type FlushPolicy } from "../layers/batcher.ts";
import type { FoldspaceError } from "../errors.ts";
import type { VertexOperation } from "../tree/index.ts";
import { ManualClock } from "./manual-clock.ts";

interface Write {
  readonly queue: string;
  readonly counters: number[];
  readonly at: number;
}

export interface BatcherBench {
  readonly clock: ManualClock;
  readonly batcher: Batcher;
  readonly writes: Write[];
  /** Queues whose writes fail, and the error. */
  readonly failures: Map<string, unknown>;
  /** If set, writes wait for this promise. */
  gate: Promise<void> | undefined;
  /** Highest number of concurrent writes so far. */
  most: number;
}

export function setUp(
  flushPolicy: Partial<FlushPolicy> = {},
  options: { readonly writesQueuesConcurrently?: boolean } = {},
): BatcherBench {
  const clock = new ManualClock(0);
  let running = 0;
  const write = async (queue: string, batch: readonly VertexOperation[]): Promise<void> => {
    setup.most = Math.max(setup.most, ++running);
    setup.writes.push({ queue, counters: batch.map((op) => op.id.counter), at: clock.now() });
    try {
      await setup.gate;
      if (setup.failures.has(queue)) throw setup.failures.get(queue);
    } finally {
      running--;
    }
  };
  const setup: BatcherBench = {
    clock,
    batcher: new Batcher(write, flushPolicy, clock, options),
    writes: [],
    failures: new Map(),
    gate: undefined,
    most: 0,
  };
  return setup;
}

/** Makes operations `from` to `to`. */
export function ops(from: number, to: number = from): VertexOperation[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ({
    id: { counter: from + index, peerId: "peer" },
    targetId: "a",
    parentId: null,
  }));
}

/** Observes the outcome of a promise without waiting for it. */
export function outcome(promise: Promise<unknown>): { readonly state: string } {
  const seen: { state: string } = { state: "pending" };
  promise.then(
    () => (seen.state = "resolved"),
    (error: unknown) => (seen.state = (error as FoldspaceError).code),
  );
  return seen;
}

/** Makes writes wait. @returns a function that lets them continue */
export function openGate(setup: BatcherBench): () => void {
  let open = (): void => undefined;
  setup.gate = new Promise((resolve) => {
    open = () => {
      setup.gate = undefined;
      resolve();
    };
  });
  return open;
}
