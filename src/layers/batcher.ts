import { backoffMs } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { FoldspaceError, toFoldspaceError } from "../errors.ts";
import { Observable } from "../observable.ts";
import type { Trace } from "../trace.ts";
import type { VertexOperation } from "../tree/index.ts";
import { withTimeout } from "../with-timeout.ts";
import { Fifo } from "./fifo.ts";
import { mapLimit } from "../map-limit.ts";
import type { LayerStatus } from "./persistence-layer.ts";

/**
 * When operations are saved. One place decides, because every layer and every sync service lives with it.
 *
 * ```
 * edits   +--+-+----+ (pause) -----+-++-+-+-+++-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
 * saves   ----*----*---------------*----*----*----*----------*----------*---
 *             flushIntervalMs           steadyAfterMs   steadyIntervalMs
 * ```
 */
export interface FlushPolicy {
  /** Longest wait of an operation after a pause. Default 500 ms. `Infinity`: operations are saved by `flush` and at the end only. */
  readonly flushIntervalMs: number;
  /**
   * Longest wait while edits go on and on. Sync services put off a file that keeps changing, so those that look often are
   * helped by saving less often: set to gather changes for 1 s, Syncthing passes keys on within 3 s where saves come every
   * 2 s, and within 8 s where they come every 500 ms. For one that gathers for 10 s, as it does by default, no such wait is
   * long enough: there it helps that files take turns (`LogWriter`). Default 2,000 ms.
   */
  readonly steadyIntervalMs: number;
  /**
   * How long edits have to go on, without a pause of `steadyIntervalMs`, to count as steady. Default 10,000 ms: until then, who
   * watches the folder itself sees them sooner, and a sync service that puts the file off does so for seconds only.
   */
  readonly steadyAfterMs: number;
  /** So many waiting operations are saved at once. Default 2,000; without end where `flushIntervalMs` is. */
  readonly maxBatchOps: number;
}

export const DEFAULT_FLUSH_POLICY: FlushPolicy = {
  flushIntervalMs: 500,
  steadyIntervalMs: 2_000,
  steadyAfterMs: 10_000,
  maxBatchOps: 2_000,
};

/** So many operations are handed to one write, so that none takes long, and none encodes much in vain. */
const MAX_WRITE_OPS = 16_384;
/** As many, where the last write of the queue has failed. */
const MAX_RETRY_OPS = 256;
/** When so many queues in a row have failed again, the others that wait for their next try are put off without one. */
const MAX_FAILURES_IN_ROW = 8;

/**
 * Makes operations of a queue durable: all, or the first of them, or it rejects.
 * @returns how many, where that is not all
 */
export type QueueWrite = (queue: string, ops: readonly VertexOperation[]) => Promise<number | void>;

export interface BatcherOptions {
  /** Whether queues are written beside each other, instead of one after another. */
  readonly writesQueuesConcurrently?: boolean;
  /** How many queues are written beside each other at most, where they are. Default: all. */
  readonly maxConcurrentQueues?: number;
  /**
   * A write that takes longer is a failure of its queue (`FOLD_TIMEOUT`) until it answers, and holds up nothing else. It is not
   * begun anew meanwhile. Default: no limit.
   */
  readonly writeTimeoutMs?: number;
  /** Takes what could not be saved. The name of a queue begins with its tree's id, up to a slash. */
  readonly trace?: Trace | undefined;
}

interface Queue {
  readonly name: string;
  readonly ops: Fifo<VertexOperation>;
  /** Resolved when the operations up to `until` (counted from the queue's start) are durable. */
  readonly waiters: Fifo<{
    readonly until: number;
    readonly resolve: () => void;
    readonly reject: (error: FoldspaceError) => void;
  }>;
  saved: number;
  /** The write under way; it may outlive the save that began it. */
  writing: Promise<void> | undefined;
  /** Whether the save that began the write has given up waiting for it. */
  isLate: boolean;
  /** Why the last write has failed, if it has. */
  error: FoldspaceError | undefined;
  /** Writes that have failed in a row. */
  failures: number;
  /** When a queue that has failed is tried again by itself. */
  retryAt: number;
}

/**
 * Gathers operations and saves them in batches, queue by queue; a queue is what is saved with one write.
 *
 * - Saves never overlap, and one queue's operations are saved in the order in which they came.
 * - An operation leaves its queue only after the write that held it has succeeded.
 * - A queue that fails keeps its operations and does not stop the others. It is tried again with growing delays (1 s to
 *   30 s), at the next flush, and when another queue that had failed can be written again; not for each operation that comes.
 * - `flush` covers every operation added before the call.
 */
export class Batcher {
  readonly status: Observable<LayerStatus> = new Observable<LayerStatus>({
    state: "idle",
    pendingOps: 0,
    lastSavedAt: undefined,
    error: undefined,
  });
  readonly #write: QueueWrite;
  readonly #flushPolicy: FlushPolicy;
  readonly #clock: Clock;
  readonly #maxConcurrentQueues: number;
  readonly #writeTimeoutMs: number;
  readonly #trace: Trace | undefined;
  readonly #queues = new Map<string, Queue>();
  #pending = 0;
  #running: Promise<void> | undefined;
  /** Whether what is running tries also the queues that wait for their next try. */
  #runsAll = false;
  #cancelTimer: (() => void) | undefined;
  #timerAt = 0;
  /** Operations that have come since the last save began, to queues that have not failed. */
  #newOps = 0;
  /** When the next of the queues that have failed is tried again. */
  #nextRetryAt = Infinity;
  #lastAddAt = Number.NEGATIVE_INFINITY;
  #busySince = 0;
  #closed = false;

  /** @param write saves operations of a queue */
  constructor(write: QueueWrite, flushPolicy: Partial<FlushPolicy>, clock: Clock, options: BatcherOptions = {}) {
    const isOnFlushOnly = flushPolicy.flushIntervalMs === Infinity;
    this.#write = write;
    this.#flushPolicy = { ...DEFAULT_FLUSH_POLICY, ...(isOnFlushOnly && { maxBatchOps: Infinity }), ...flushPolicy };
    this.#clock = clock;
    this.#maxConcurrentQueues = options.writesQueuesConcurrently ? (options.maxConcurrentQueues ?? Infinity) : 1;
    this.#writeTimeoutMs = options.writeTimeoutMs ?? Infinity;
    this.#trace = options.trace;
  }

  /** @returns resolves when these operations are durable; rejects only when the batcher is closed before that */
  add(queueName: string, ops: readonly VertexOperation[]): Promise<void> {
    if (this.#closed)
      return Promise.reject(new FoldspaceError("FOLD_CLOSED", "The layer is disconnected and takes no more operations"));
    if (ops.length === 0) return Promise.resolve();
    let queue = this.#queues.get(queueName);
    if (!queue) this.#queues.set(queueName, (queue = newQueue(queueName)));
    for (const op of ops) queue.ops.push(op);
    this.#pending += ops.length;
    const { waiters } = queue;
    const until = queue.saved + queue.ops.length;
    const durable = new Promise<void>((resolve, reject) => waiters.push({ until, resolve, reject }));
    if (!queue.error) this.#newOps += ops.length;
    this.#noteEdit();
    this.#publish(this.status.value.state);
    this.#schedule();
    return durable;
  }

  /** @throws FoldspaceError why some operations could not be saved; they stay */
  async flush(): Promise<void> {
    // what is running may have begun before the last operations were added
    await this.#running;
    while (this.#running && !this.#runsAll) await this.#running;
    if (this.#pending > 0) await (this.#running ?? this.#start(true));
    if (this.status.value.state === "degraded" && this.#pending > 0) throw this.status.value.error!;
  }

  /** Tries the queues that have failed again now: what they failed with may be over. */
  retry(): void {
    if (this.#closed || this.#nextRetryAt === Infinity) return;
    this.#expireRetries();
    this.#nextRetryAt = this.#clock.now();
    this.#schedule();
  }

  /**
   * Begins in this turn to save everything, for a page that may be gone after it: what then waits for something is lost. So a
   * save that runs is not waited for, and what it has not finished is written beside it: twice, if the page stays. Only for
   * queues that are saved at once.
   */
  beginFlush(): void {
    if (this.#pending === 0) return;
    if (!this.#running) void this.#start(true);
    // a failure is told when they are saved in their turn
    else
      for (const [name, { ops }] of this.#queues)
        if (ops.length > 0) void this.#write(name, ops.peek(ops.length)).catch(() => undefined);
  }

  /** Saves what can be saved and takes nothing more. Promises of what could not be saved are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    // a flush that waited for the same save may begin another one
    while (this.#running) await this.#running;
    if (this.#pending > 0) await this.#start(true);
    this.#cancelTimer?.();
    const reason = this.status.value.error;
    for (const { waiters } of this.#queues.values()) {
      for (let waiter = waiters.shift(); waiter; waiter = waiters.shift()) {
        waiter.reject(
          new FoldspaceError("FOLD_NOT_DURABLE", `Not saved before the layer was disconnected: ${reason?.message ?? "unknown"}`, {
            cause: reason,
          }),
        );
      }
    }
  }

  #noteEdit(): void {
    const now = this.#clock.now();
    if (now - this.#lastAddAt > this.#flushPolicy.steadyIntervalMs) this.#busySince = now;
    this.#lastAddAt = now;
  }

  #schedule(): void {
    if (this.#closed || this.#running || this.#pending === 0) return;
    if (this.#newOps >= this.#flushPolicy.maxBatchOps) {
      void this.#start(false);
      return;
    }
    const now = this.#clock.now();
    const at = Math.min(this.#nextRetryAt, this.#newOps > 0 ? now + this.#delayMs() : Infinity);
    // a failed queue may be waiting for long, and is not to keep new operations waiting with it
    if (this.#cancelTimer && this.#timerAt <= at) return;
    this.#cancelTimer?.();
    this.#timerAt = at;
    this.#cancelTimer = this.#clock.schedule(Math.max(0, at - now), () => {
      this.#cancelTimer = undefined;
      if (!this.#running && !this.#closed) void this.#start(false);
    });
  }

  #delayMs(): number {
    const { flushIntervalMs, steadyIntervalMs, steadyAfterMs } = this.#flushPolicy;
    const isSteady = this.#lastAddAt - this.#busySince >= steadyAfterMs;
    return isSteady ? Math.max(flushIntervalMs, steadyIntervalMs) : flushIntervalMs;
  }

  /**
   * Never rejects: failures become the status.
   * @param isAll whether queues that wait for their next try are tried as well
   */
  #start(isAll: boolean): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#runsAll = isAll;
    // not in this turn: whoever observes the status may ask for a flush, which has to find this save running
    const save = Promise.resolve().then(() => this.#save(isAll));
    this.#running = save.finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
    return this.#running;
  }

  async #save(isAll: boolean): Promise<void> {
    this.#newOps = 0;
    const now = this.#clock.now();
    const queues = [...this.#queues.values()].filter((queue) => isAll || !queue.error || queue.retryAt <= now);
    this.#publish("saving");
    let failuresInRow = 0;
    await mapLimit(this.#maxConcurrentQueues, queues, async (queue) => {
      const isRetry = queue.error !== undefined;
      if (isRetry && !isAll && failuresInRow >= MAX_FAILURES_IN_ROW) return this.#postpone(queue);
      try {
        await this.#saveQueue(queue);
        failuresInRow = 0;
        if (isRetry) this.#expireRetries();
      } catch (error) {
        failuresInRow++;
        this.#noteFailure(queue, toFoldspaceError(error));
      }
    });
    this.#conclude();
  }

  async #saveQueue(queue: Queue): Promise<void> {
    const until = queue.saved + queue.ops.length;
    while (queue.saved < until) {
      // one that an earlier save has given up waiting for is not begun anew
      queue.writing ??= this.#writeSome(queue, until - queue.saved);
      queue.isLate = false;
      await withTimeout(queue.writing, this.#writeTimeoutMs, this.#clock, () => {
        queue.isLate = true;
        const seconds = this.#writeTimeoutMs / 1_000;
        return new FoldspaceError("FOLD_TIMEOUT", `A write has not ended within ${seconds} s, and is still under way`);
      });
    }
  }

  async #writeSome(queue: Queue, most: number): Promise<void> {
    const batch = queue.ops.peek(Math.min(most, queue.error ? MAX_RETRY_OPS : MAX_WRITE_OPS));
    try {
      const count = (await this.#write(queue.name, batch)) ?? batch.length;
      this.#noteSaved(queue, count);
    } catch (error) {
      if (!queue.isLate) throw error;
      queue.writing = undefined;
      this.#noteFailure(queue, toFoldspaceError(error));
    } finally {
      queue.writing = undefined;
      if (queue.isLate) this.#applyLateAnswer(queue);
    }
  }

  #noteSaved(queue: Queue, count: number): void {
    queue.ops.drop(count);
    queue.saved += count;
    this.#pending -= count;
    queue.error = undefined;
    queue.failures = 0;
    while (queue.waiters.first && queue.waiters.first.until <= queue.saved) queue.waiters.shift()!.resolve();
    if (queue.ops.length === 0) this.#queues.delete(queue.name);
  }

  #noteFailure(queue: Queue, error: FoldspaceError): void {
    const { ops } = queue;
    this.#trace?.emit("failed", { treeId: queue.name.split("/", 1)[0], ops: ops.peek(ops.length), code: error.code });
    queue.error = error;
    queue.failures += 1;
    this.#postpone(queue);
    // those that were put off without a try are tried before it
    this.#queues.delete(queue.name);
    this.#queues.set(queue.name, queue);
  }

  /** One whose write is still under way goes on when that has ended. */
  #postpone(queue: Queue): void {
    queue.retryAt = queue.writing ? Infinity : this.#clock.now() + backoffMs(queue.failures);
  }

  /** The save that began the write has ended without it. */
  #applyLateAnswer(queue: Queue): void {
    queue.isLate = false;
    if (!queue.error) this.#newOps += queue.ops.length;
    if (this.#running || this.#closed) return;
    this.#conclude();
    this.#schedule();
  }

  /** What has kept a queue from being written may have kept others from it. */
  #expireRetries(): void {
    for (const queue of this.#queues.values()) if (queue.error && !queue.writing) queue.retryAt = this.#clock.now();
  }

  /** Sums up where the queues are when no save runs. */
  #conclude(): void {
    let error: FoldspaceError | undefined;
    this.#nextRetryAt = Infinity;
    for (const queue of this.#queues.values()) {
      if (!queue.error) continue;
      ({ error } = queue);
      this.#nextRetryAt = Math.min(this.#nextRetryAt, queue.retryAt);
    }
    const lastSavedAt = error ? this.status.value.lastSavedAt : this.#clock.now();
    this.status.value = { state: error ? "degraded" : "idle", pendingOps: this.#pending, lastSavedAt, error };
  }

  #publish(state: LayerStatus["state"]): void {
    this.status.value = { ...this.status.value, state, pendingOps: this.#pending };
  }
}

function newQueue(name: string): Queue {
  return {
    name,
    ops: new Fifo(),
    waiters: new Fifo(),
    saved: 0,
    writing: undefined,
    isLate: false,
    error: undefined,
    failures: 0,
    retryAt: 0,
  };
}
