import type { Clock } from "../clock.ts";
import { FoldspaceError, errorMessage } from "../errors.ts";
import { Observable } from "../observable.ts";
import type { VertexOperation } from "../tree/index.ts";
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
export interface Cadence {
  /** Longest wait of an operation after a pause. Default 500 ms. */
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
  /** So many waiting operations are saved at once. Default 2,000. */
  readonly maxBatchOps: number;
}

export const DEFAULT_CADENCE: Cadence = {
  flushIntervalMs: 500,
  steadyIntervalMs: 2_000,
  steadyAfterMs: 10_000,
  maxBatchOps: 2_000,
};

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/**
 * Makes operations of a lane durable: all, or the first of them, or it rejects.
 * @returns how many, where that is not all
 */
export type LaneWrite = (lane: string, ops: readonly VertexOperation[]) => Promise<number | void>;

interface Lane {
  ops: VertexOperation[];
  /** Resolved when the operations up to `until` (counted from the lane's start) are durable. */
  waiters: { readonly until: number; readonly resolve: () => void; readonly reject: (error: FoldspaceError) => void }[];
  saved: number;
}

/**
 * Gathers operations and saves them in batches, lane by lane; a lane is what is saved with one write.
 *
 * - Saves never overlap, and one lane's operations are saved in the order in which they came.
 * - An operation leaves its lane only after the write that held it has succeeded.
 * - A lane that fails keeps its operations and does not stop the others. Failed lanes are tried again with growing
 *   delays (1 s to 30 s), at the next flush, and when more operations come.
 * - `flush` covers every operation added before the call.
 */
export class Batcher {
  readonly status: Observable<LayerStatus> = new Observable<LayerStatus>({
    state: "idle",
    pendingOps: 0,
    lastSavedAt: undefined,
    error: undefined,
  });
  readonly #write: LaneWrite;
  readonly #cadence: Cadence;
  readonly #clock: Clock;
  readonly #areLanesAtOnce: boolean;
  readonly #lanes = new Map<string, Lane>();
  #pending = 0;
  #running: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #timerAt = 0;
  /** Whether operations have come since the last save began. */
  #hasNewOps = false;
  #retryMs = 0;
  #lastAddAt = Number.NEGATIVE_INFINITY;
  #busySince = 0;
  #closed = false;

  /**
   * @param write saves operations of a lane
   * @param options `areLanesAtOnce`: whether lanes are written beside each other, instead of one after another
   */
  constructor(write: LaneWrite, cadence: Partial<Cadence>, clock: Clock, options: { readonly areLanesAtOnce?: boolean } = {}) {
    this.#write = write;
    this.#cadence = { ...DEFAULT_CADENCE, ...cadence };
    this.#clock = clock;
    this.#areLanesAtOnce = options.areLanesAtOnce ?? false;
  }

  /** @returns resolves when these operations are durable; rejects only when the batcher is closed before that */
  add(laneName: string, ops: readonly VertexOperation[]): Promise<void> {
    if (this.#closed)
      return Promise.reject(new FoldspaceError("FOLD_CLOSED", "The layer is disconnected and takes no more operations"));
    if (ops.length === 0) return Promise.resolve();
    let lane = this.#lanes.get(laneName);
    if (!lane) this.#lanes.set(laneName, (lane = { ops: [], waiters: [], saved: 0 }));
    for (const op of ops) lane.ops.push(op);
    this.#pending += ops.length;
    const until = lane.saved + lane.ops.length;
    const durable = new Promise<void>((resolve, reject) => lane.waiters.push({ until, resolve, reject }));
    this.#hasNewOps = true;
    this.#noteEdit();
    this.#publish(this.status.value.state);
    this.#schedule();
    return durable;
  }

  /** @throws FoldspaceError why some operations could not be saved; they stay */
  async flush(): Promise<void> {
    // what is running may have begun before the last operations were added
    await this.#running;
    if (this.#pending > 0) await (this.#running ?? this.#start());
    if (this.status.value.state === "degraded" && this.#pending > 0) throw this.status.value.error!;
  }

  /**
   * Begins in this turn to save everything, for a page that may be gone after it: what then waits for something is lost. So a
   * save that runs is not waited for, and what it has not finished is written beside it: twice, if the page stays. Only for
   * lanes that are saved at once.
   */
  leave(): void {
    if (this.#pending === 0) return;
    if (!this.#running) void this.#start();
    // a failure is told when they are saved in their turn
    else
      for (const [name, { ops }] of this.#lanes) if (ops.length > 0) void this.#write(name, ops.slice()).catch(() => undefined);
  }

  /** Saves what can be saved and takes nothing more. Promises of what could not be saved are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    // a flush that waited for the same save may begin another one
    while (this.#running) await this.#running;
    if (this.#pending > 0) await this.#start();
    this.#cancelTimer?.();
    const reason = this.status.value.error;
    for (const lane of this.#lanes.values()) {
      for (const waiter of lane.waiters.splice(0)) {
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
    if (now - this.#lastAddAt > this.#cadence.steadyIntervalMs) this.#busySince = now;
    this.#lastAddAt = now;
  }

  #schedule(): void {
    if (this.#running || this.#pending === 0) return;
    if (this.#pending >= this.#cadence.maxBatchOps && this.status.value.state === "idle") {
      void this.#start();
      return;
    }
    const at = this.#clock.now() + this.#delayMs();
    // a failed lane may be waiting for long, and is not to keep new operations waiting with it
    if (this.#cancelTimer && this.#timerAt <= at) return;
    this.#cancelTimer?.();
    this.#timerAt = at;
    this.#cancelTimer = this.#clock.schedule(at - this.#clock.now(), () => {
      this.#cancelTimer = undefined;
      if (!this.#running && !this.#closed) void this.#start();
    });
  }

  #delayMs(): number {
    if (this.status.value.state === "degraded" && !this.#hasNewOps) return this.#retryMs;
    const { flushIntervalMs, steadyIntervalMs, steadyAfterMs } = this.#cadence;
    const isSteady = this.#lastAddAt - this.#busySince >= steadyAfterMs;
    return isSteady ? Math.max(flushIntervalMs, steadyIntervalMs) : flushIntervalMs;
  }

  /** Never rejects: failures become the status. */
  #start(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    // not in this turn: whoever observes the status may ask for a flush, which has to find this save running
    const save = Promise.resolve().then(() => this.#save());
    this.#running = save.finally(() => {
      this.#running = undefined;
      if (!this.#closed) this.#schedule();
    });
    return this.#running;
  }

  async #save(): Promise<void> {
    this.#hasNewOps = false;
    this.#publish("saving");
    let failure: FoldspaceError | undefined;
    const save = async ([name, lane]: [string, Lane]): Promise<void> => {
      try {
        await this.#saveLane(name, lane);
      } catch (error) {
        failure = toFoldspaceError(error);
      }
    };
    if (this.#areLanesAtOnce) await Promise.all([...this.#lanes].map(save));
    else for (const each of this.#lanes) await save(each);
    this.#retryMs = failure ? Math.min(Math.max(this.#retryMs * 2, FIRST_RETRY_MS), LAST_RETRY_MS) : 0;
    const lastSavedAt = failure ? this.status.value.lastSavedAt : this.#clock.now();
    this.status.value = { state: failure ? "degraded" : "idle", pendingOps: this.#pending, lastSavedAt, error: failure };
  }

  async #saveLane(name: string, lane: Lane): Promise<void> {
    const until = lane.saved + lane.ops.length;
    while (lane.saved < until) {
      const batch = lane.ops.slice(0, until - lane.saved);
      const count = (await this.#write(name, batch)) ?? batch.length;
      lane.ops.splice(0, count);
      lane.saved += count;
      this.#pending -= count;
      while (lane.waiters[0] && lane.waiters[0].until <= lane.saved) lane.waiters.shift()!.resolve();
    }
    if (lane.ops.length === 0 && lane.waiters.length === 0) this.#lanes.delete(name);
  }

  #publish(state: LayerStatus["state"]): void {
    this.status.value = { ...this.status.value, state, pendingOps: this.#pending };
  }
}

export function toFoldspaceError(error: unknown): FoldspaceError {
  return error instanceof FoldspaceError ? error : new FoldspaceError("FOLD_IO", errorMessage(error), { cause: error });
}
