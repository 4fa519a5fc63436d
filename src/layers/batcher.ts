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
 * Decides when operations are saved. All layers share this policy, because it affects every layer and every sync service.
 *
 * ```
 * edits   +--+-+----+ (pause) -----+-++-+-+-+++-+-+-+-+-+-+-+-+-+-+-+-+-+-+-
 * saves   ----*----*---------------*----*----*----*----------*----------*---
 *             flushIntervalMs           steadyAfterMs   steadyIntervalMs
 * ```
 */
export interface FlushPolicy {
  /** Longest wait of an operation after a pause. Default 500 ms; in IndexedDB 50 ms. `Infinity`: only `flush` and `close` save operations. */
  readonly flushIntervalMs: number;
  /**
   * Longest wait during steady edits. Default 2,000 ms; in IndexedDB 250 ms. Sync services postpone a file that keeps changing, so fewer saves
   * help services that scan often. If Syncthing gathers changes for 1 s, it delivers edits within 3 s of a save every 2 s, and
   * within 8 s of a save every 500 ms. If it gathers for 10 s, its default, no such wait is long enough: there it helps that
   * files take turns (`LogWriter`).
   */
  readonly steadyIntervalMs: number;
  /**
   * Edits count as steady after this time without a pause of `steadyIntervalMs`. Default 10,000 ms. Until then, a program that
   * watches the folder itself sees edits sooner, and a sync service postpones the file only for seconds.
   */
  readonly steadyAfterMs: number;
  /** This many waiting operations are saved at once. Default 2,000; `Infinity` if `flushIntervalMs` is. */
  readonly maxBatchOps: number;
}

/** The flush policy of a layer without options. The layer in IndexedDB has shorter intervals. */
export const DEFAULT_FLUSH_POLICY: FlushPolicy = {
  flushIntervalMs: 500,
  steadyIntervalMs: 2_000,
  steadyAfterMs: 10_000,
  maxBatchOps: 2_000,
};

/** Maximum of operations in one write, so that no write takes long, and a failed one has not encoded much in vain. */
const MAX_WRITE_OPS = 16_384;
/** The same after a failed write of the queue. */
const MAX_RETRY_OPS = 256;
/** After this many failed retries in a row, the other failed queues are postponed without a retry. */
const MAX_FAILURES_IN_ROW = 8;
/** How often the status tells what a long save has still to do, in milliseconds. */
const PROGRESS_INTERVAL_MS = 250;

/**
 * Makes all, or the first, operations of a queue durable, or rejects.
 * @param onBegun called once the write of all these operations no longer needs the page, so that it succeeds even if the page is
 * gone. Only needed for {@link Batcher.beginFlush}
 * @returns their number, if it is not all
 */
export type QueueWrite = (queue: string, ops: readonly VertexOperation[], onBegun: () => void) => Promise<number | void>;

/** Options of a `Batcher`. */
export interface BatcherOptions {
  /** Whether queues are written concurrently instead of one after another. */
  readonly writesQueuesConcurrently?: boolean;
  /** Maximum of queues that are written concurrently. Default: all. */
  readonly maxConcurrentQueues?: number;
  /**
   * A write that takes longer counts as a failure of its queue (`FOLD_TIMEOUT`) until it ends, and delays no other queue. It is
   * not restarted meanwhile. Default: no limit.
   */
  readonly writeTimeoutMs?: number;
  /** Receives a `failed` event for each failed write. A queue's name is its tree's id, or begins with it and a slash. */
  readonly trace?: Trace | undefined;
}

interface Queue {
  readonly name: string;
  readonly ops: Fifo<VertexOperation>;
  /** Resolve when the operations up to `until` (counted from the queue's start) are durable. */
  readonly waiters: Fifo<{
    readonly until: number;
    readonly resolve: () => void;
    readonly reject: (error: FoldspaceError) => void;
  }>;
  saved: number;
  /** Operations up to here, counted from the queue's start, are saved or in a write that no longer needs the page. */
  begun: number;
  /** The running write. It may outlive the save that began it. */
  writing: Promise<void> | undefined;
  /** Whether the save that began the write no longer waits for it. */
  isLate: boolean;
  /** The error of the last write, if it failed. */
  error: FoldspaceError | undefined;
  /** Number of failed writes in a row. */
  failures: number;
  /** Time of the next automatic retry after a failure. */
  retryAt: number;
}

/**
 * Gathers operations and saves them in batches, queue by queue. A queue is the unit of one write.
 *
 * - Saves never overlap, and the operations of one queue are saved in the order in which they came.
 * - An operation leaves its queue only after the write that contained it has succeeded.
 * - A queue that fails keeps its operations and does not stop the others. It is retried with growing delays (1 s to 30 s), at
 *   the next flush, and when another failed queue can be written again, but not for each new operation.
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
  #publishedAt = 0;
  #running: Promise<void> | undefined;
  /** Whether the running save includes the queues that wait for a retry. */
  #runsAll = false;
  #cancelTimer: (() => void) | undefined;
  #timerAt = 0;
  /** Number of operations added since the last save began, to queues that have not failed. */
  #newOps = 0;
  /** Time of the next retry of a failed queue. */
  #nextRetryAt = Infinity;
  #lastAddAt = Number.NEGATIVE_INFINITY;
  #busySince = 0;
  #closed = false;

  constructor(write: QueueWrite, flushPolicy: Partial<FlushPolicy>, clock: Clock, options: BatcherOptions = {}) {
    const isOnFlushOnly = flushPolicy.flushIntervalMs === Infinity;
    this.#write = write;
    this.#flushPolicy = { ...DEFAULT_FLUSH_POLICY, ...(isOnFlushOnly && { maxBatchOps: Infinity }), ...flushPolicy };
    this.#clock = clock;
    this.#maxConcurrentQueues = options.writesQueuesConcurrently ? (options.maxConcurrentQueues ?? Infinity) : 1;
    this.#writeTimeoutMs = options.writeTimeoutMs ?? Infinity;
    this.#trace = options.trace;
  }

  /** Resolves when these operations are durable; rejects only if the batcher is closed before that. */
  add(queueName: string, ops: readonly VertexOperation[]): Promise<void> {
    if (this.#closed)
      return Promise.reject(new FoldspaceError("FOLD_CLOSED", "The layer is disconnected and accepts no more operations"));
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

  /** @throws FoldspaceError why some operations could not be saved; they stay queued */
  async flush(): Promise<void> {
    // the running save may have begun before the last operations were added
    await this.#running;
    while (this.#running && !this.#runsAll) await this.#running;
    if (this.#pending > 0) await (this.#running ?? this.#start(true));
    if (this.status.value.state === "degraded" && this.#pending > 0) throw this.status.value.error!;
  }

  /** Retries the failed queues now, because the cause of their failures may be gone. */
  retry(): void {
    if (this.#closed || this.#nextRetryAt === Infinity) return;
    this.#expireRetries();
    this.#nextRetryAt = this.#clock.now();
    this.#schedule();
  }

  /**
   * Begins to save everything in this turn, because the page may be gone after it and work that waits would be lost. So it does
   * not wait for a running save, and writes the operations that no begun write contains concurrently with it: twice, if the page
   * stays. Only for batchers that write all queues at once.
   */
  beginFlush(): void {
    if (this.#pending === 0) return;
    if (!this.#running) void this.#start(true);
    else for (const queue of this.#queues.values()) this.#beginWrite(queue);
  }

  /** Saves all operations that can be saved, and accepts no more. Rejects the promises of operations that could not be saved. */
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
    // a failed queue may wait for long, and must not delay new operations
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
   * Never rejects: the status reports failures.
   * @param isAll whether queues that wait for a retry are included
   */
  #start(isAll: boolean): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#runsAll = isAll;
    // in a later microtask: a status observer may call `flush`, which must find this save running
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
      // a late write of an earlier save is not restarted
      queue.writing ??= this.#writeSome(queue, until - queue.saved);
      queue.isLate = false;
      await withTimeout(queue.writing, this.#writeTimeoutMs, this.#clock, () => {
        queue.isLate = true;
        const seconds = this.#writeTimeoutMs / 1_000;
        return new FoldspaceError("FOLD_TIMEOUT", `A write did not end within ${seconds} s and is still running`);
      });
    }
  }

  #beginWrite(queue: Queue): void {
    const { saved, begun, ops } = queue;
    const batch = ops.peek(ops.length).slice(Math.max(0, begun - saved));
    if (batch.length === 0) return;
    // the running save reports a failure when it comes to them
    this.#writeBatch(queue, batch, saved + ops.length).catch(() => (queue.begun = queue.saved));
  }

  /** @param until number of the last operation of the batch, counted from the queue's start */
  async #writeBatch(queue: Queue, batch: readonly VertexOperation[], until: number): Promise<number | void> {
    return await this.#write(queue.name, batch, () => (queue.begun = Math.max(queue.begun, until)));
  }

  async #writeSome(queue: Queue, most: number): Promise<void> {
    const batch = queue.ops.peek(Math.min(most, queue.error ? MAX_RETRY_OPS : MAX_WRITE_OPS));
    try {
      const count = (await this.#writeBatch(queue, batch, queue.saved + batch.length)) ?? batch.length;
      this.#noteSaved(queue, count);
    } catch (error) {
      queue.begun = queue.saved;
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
    const isLong = this.#clock.now() - this.#publishedAt >= PROGRESS_INTERVAL_MS;
    if (isLong && this.status.value.state === "saving") this.#publish("saving");
    // operations that came to the failed queue, perhaps during this write, are due like those that come to another one
    if (queue.error) this.#newOps += queue.ops.length;
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
    // queues that were postponed without a retry come before it
    this.#queues.delete(queue.name);
    this.#queues.set(queue.name, queue);
  }

  /** A queue whose write is still running continues when that write ends. */
  #postpone(queue: Queue): void {
    queue.retryAt = queue.writing ? Infinity : this.#clock.now() + backoffMs(queue.failures);
  }

  /** Applies a write that ended after the save that began it. */
  #applyLateAnswer(queue: Queue): void {
    queue.isLate = false;
    if (!queue.error) this.#newOps += queue.ops.length;
    if (this.#running || this.#closed) return;
    this.#conclude();
    this.#schedule();
  }

  /** Makes all retries due: the failed queues may have had the same cause. */
  #expireRetries(): void {
    for (const queue of this.#queues.values()) if (queue.error && !queue.writing) queue.retryAt = this.#clock.now();
  }

  /** Publishes the combined state of the queues when no save runs. */
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
    this.#publishedAt = this.#clock.now();
    this.status.value = { ...this.status.value, state, pendingOps: this.#pending };
  }
}

function newQueue(name: string): Queue {
  return {
    name,
    ops: new Fifo(),
    waiters: new Fifo(),
    saved: 0,
    begun: 0,
    writing: undefined,
    isLate: false,
    error: undefined,
    failures: 0,
    retryAt: 0,
  };
}
