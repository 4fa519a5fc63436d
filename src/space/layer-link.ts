import type { Clock } from "../clock.ts";
import { FoldspaceError, type FoldspaceErrorCode } from "../errors.ts";
import { toFoldspaceError } from "../layers/batcher.ts";
import type { LayerSession, LayerStatus, PersistenceLayer } from "../layers/persistence-layer.ts";

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
  #opening: Promise<void> | undefined;
  #error: FoldspaceError | undefined;
  #retryMs = FIRST_RETRY_MS;
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
   * @param read brings what it holds into the space
   * @throws FoldspaceError why it failed; unless that is permanent, it is tried again by itself
   */
  open(session: LayerSession, read: () => Promise<void>): Promise<void> {
    this.#cancelRetry?.();
    this.#opening ??= this.#open(session, read);
    return this.#opening;
  }

  async #open(session: LayerSession, read: () => Promise<void>): Promise<void> {
    try {
      // in a later turn, so that `open` has set its state before anything can end
      await Promise.resolve();
      await this.layer.connect(session);
      await read();
      this.#error = undefined;
    } catch (error) {
      this.fail(error);
      this.#retryLater(session, read);
      throw error;
    } finally {
      this.#opening = undefined;
      this.#onChange();
    }
  }

  /** Notes that the layer has fallen behind in a way that its own status does not show. */
  fail(error: unknown): void {
    this.#error = toFoldspaceError(error);
    this.#onChange();
  }

  /** @returns what the layer lacks, if it does not have everything in time */
  async flush(): Promise<NotDurable | undefined> {
    try {
      await this.#inTime(this.#opening, "has not answered yet");
      // a layer that this platform cannot have is none; its report says so
      if (this.#error?.code === "FOLD_NO_FILE_SYSTEM") return undefined;
      if (this.#error) throw this.#error;
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

  #retryLater(session: LayerSession, read: () => Promise<void>): void {
    if (this.#isClosed || (this.#error && PERMANENT.has(this.#error.code))) return;
    this.#cancelRetry = this.#clock.schedule(this.#retryMs, () => {
      // the failure is in the report; the next try is scheduled by the try itself
      this.open(session, read).catch(() => undefined);
    });
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  async #inTime<T>(task: Promise<T> | undefined, reason: string): Promise<T | undefined> {
    let cancel: (() => void) | undefined;
    const timeout = new Promise<never>((_, reject) => {
      cancel = this.#clock.schedule(this.#patienceMs, () =>
        reject(new FoldspaceError("FOLD_BUSY", `${this.layer.id} ${reason} (waited ${this.#patienceMs} ms)`)),
      );
    });
    try {
      return await Promise.race([task, timeout]);
    } finally {
      cancel?.();
    }
  }
}
