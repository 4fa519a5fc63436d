import type { Clock } from "../clock.ts";
import { FoldspaceError, type FoldspaceErrorCode } from "../errors.ts";
import { toFoldspaceError } from "../layers/batcher.ts";
import type { LayerSession, LayerStatus, PersistenceLayer } from "../layers/persistence-layer.ts";
import { endsInTime } from "./patience.ts";

/** State of one layer of a space, for people to see. */
export interface LayerReport extends LayerStatus {
  readonly id: string;
  /** Whether the layer is still being opened and read. */
  readonly isLoading: boolean;
}

/** What a layer lacks, and why. */
export interface NotDurable {
  readonly id: string;
  /** Operations handed over and not yet durable; unknown ones of a layer that could not be opened are not counted. */
  readonly pendingOps: number;
  readonly code: FoldspaceErrorCode;
  readonly reason: string;
}

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;

/** Trying again does not help with these: the layer is of another space, or the application has to act. */
const PERMANENT: ReadonlySet<FoldspaceErrorCode> = new Set<FoldspaceErrorCode>([
  "FOLD_SPACE_MISMATCH",
  "FOLD_OLD_FORMAT",
  "FOLD_NO_FILE_SYSTEM",
  "FOLD_BAD_ID",
  "FOLD_NOT_A_FOLDER",
]);

/** One layer of an open space: opens it, tries again with growing delays while it fails, and never waits for it for ever. */
export class LayerLink {
  readonly layer: PersistenceLayer;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  readonly #onChange: () => void;
  /** Work for the layer that goes on beside the opening. */
  readonly #tasks = new Set<Promise<void>>();
  #opening: Promise<void> | undefined;
  #reopen: (() => Promise<void>) | undefined;
  #error: FoldspaceError | undefined;
  #retryMs = FIRST_RETRY_MS;
  #retriedAt = Number.NEGATIVE_INFINITY;
  #cancelRetry: (() => void) | undefined;
  #isClosed = false;

  /**
   * @param patienceMs longest wait for the layer when something has to end
   * @param onChange told when the report changes other than by the layer's own status
   */
  constructor(layer: PersistenceLayer, clock: Clock, patienceMs: number, onChange: () => void) {
    this.layer = layer;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
    this.#onChange = onChange;
  }

  get isLoading(): boolean {
    return this.#opening !== undefined;
  }

  /** Settles with the opening under way; rejects with the error of one that has failed. */
  get opened(): Promise<void> {
    return this.#opening ?? (this.#error ? Promise.reject(this.#error) : Promise.resolve());
  }

  /**
   * Connects the layer and reads it.
   * @param session asked for at every try
   * @param steps bring what it holds into the space, one after another; once the layer is let go of, none is taken any more
   * @throws FoldspaceError why it failed; unless that is permanent, it is tried again by itself
   */
  open(session: () => LayerSession, steps: readonly (() => Promise<void>)[]): Promise<void> {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#reopen = () => this.open(session, steps);
    this.#opening ??= this.#open(session, steps);
    return this.#opening;
  }

  async #open(session: () => LayerSession, steps: readonly (() => Promise<void>)[]): Promise<void> {
    // what fails from now on, also beside the opening, counts
    this.#error = undefined;
    try {
      // in a later turn, so that `open` has set its state before anything can end
      await Promise.resolve();
      const { peerId } = session();
      await this.layer.connect(session());
      // there was nothing to disconnect when it was let go of
      if (this.#isClosed) await this.layer.disconnect();
      if (session().peerId !== peerId) this.layer.changePeer?.(session().peerId);
      for (const step of steps) {
        if (this.#isClosed) throw new FoldspaceError("FOLD_CLOSED", `${this.layer.id} was let go of while it was being opened`);
        await step();
      }
    } catch (error) {
      this.#error = toFoldspaceError(error);
      throw error;
    } finally {
      this.#opening = undefined;
      if (this.#error) this.#retryLater();
      this.#onChange();
    }
  }

  /** Notes that the layer has fallen behind in a way that its own status does not show. It is read again after a while. */
  fail(error: unknown): void {
    this.#error = toFoldspaceError(error);
    if (!this.#opening) this.#retryLater();
    this.#onChange();
  }

  /** Has `flush` wait for work that goes on in the background, and notes what it fails with. */
  track(task: Promise<void>): void {
    const noted = task.catch((error: unknown) => this.fail(error)).finally(() => this.#tasks.delete(noted));
    this.#tasks.add(noted);
  }

  /** Waits until the layer has been read, or long enough. */
  async settled(): Promise<void> {
    await endsInTime(Promise.allSettled([this.#opening, ...this.#tasks]), this.#patienceMs, this.#clock);
  }

  /** To be called when it has {@link settled}. @returns what the layer lacks, if it does not have everything in time */
  async flush(): Promise<NotDurable | undefined> {
    // a layer that this platform cannot have is none; its report says so
    if (this.#error?.code === "FOLD_NO_FILE_SYSTEM") return undefined;
    try {
      if (this.#error) throw this.#error;
      if (this.#opening || this.#tasks.size > 0) throw this.#tooSlow("has not answered yet");
      await this.#inTime(this.layer.flush(), "has not saved in time");
      return undefined;
    } catch (error) {
      const { code, message } = toFoldspaceError(error);
      return { id: this.layer.id, pendingOps: this.layer.status.pendingOps, code, reason: message };
    }
  }

  /** Lets go of the layer. A layer that hangs is left behind. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelRetry?.();
    try {
      await this.#inTime(this.layer.disconnect(), "could not be closed in time");
    } catch (error) {
      this.fail(error);
    }
  }

  report(): LayerReport {
    return { ...this.layer.status, id: this.layer.id, isLoading: this.isLoading, error: this.layer.status.error ?? this.#error };
  }

  #retryLater(): void {
    if (this.#isClosed || this.#cancelRetry || (this.#error && PERMANENT.has(this.#error.code))) return;
    const hasLasted = this.#clock.now() - this.#retriedAt > LAST_RETRY_MS;
    this.#retryMs = hasLasted ? FIRST_RETRY_MS : Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    this.#cancelRetry = this.#clock.schedule(this.#retryMs, () => {
      this.#retriedAt = this.#clock.now();
      // the failure is in the report; the next try is scheduled by the try itself
      this.#reopen?.().catch(() => undefined);
    });
  }

  async #inTime(task: Promise<void>, reason: string): Promise<void> {
    if (!(await endsInTime(task, this.#patienceMs, this.#clock))) throw this.#tooSlow(reason);
  }

  #tooSlow(reason: string): FoldspaceError {
    return new FoldspaceError("FOLD_BUSY", `${this.layer.id} ${reason} (waited ${this.#patienceMs} ms)`);
  }
}
