import { backoffMs } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { type FoldspaceError, toFoldspaceError } from "../errors.ts";
import { Mutex } from "../mutex.ts";
import type { PersistenceLayer, SecretsUpdate, StoredSecrets } from "../layers/persistence-layer.ts";
import type { SecretMap } from "../secrets/secret-map.ts";

/** A change is saved within a second; changes made meanwhile go with it. */
const SAVE_DELAY_MS = 500;
/**
 * A sync service that finds two versions may remove the file before it brings both back, under other names: a file written
 * meanwhile would be one more version.
 */
const RESTORE_DELAY_MS = 10_000;
/** A save may reveal changes that need another save. After this many, the rest is left for later. */
const MAX_ROUNDS = 5;

/** An update to save in a layer. */
export interface PendingSave {
  readonly update: SecretsUpdate;
  /** Notes that the layer has taken it. */
  readonly noteSaved: () => void;
}

/** Receives the events of a link, and provides the updates to save. */
export interface SecretsSource {
  receive(link: SecretsLink, stored: StoredSecrets | undefined): Promise<void>;
  /** @returns `undefined` if the layer has everything */
  pendingSave(link: SecretsLink): Promise<PendingSave | undefined>;
  /** The error of a link has appeared or disappeared. */
  publish(): void;
}

/** Connects one layer to the secrets: reads it, saves to it shortly after a change, and retries failures. */
export class SecretsLink {
  readonly layer: PersistenceLayer;
  /** The content of the other sources that the layer keeps, if it does. */
  base: SecretMap | undefined;
  /** Whether the layer needs a save, if only to tidy up its files. */
  isUntidy = false;
  /** Whether the layer keeps remains of secrets without a passphrase. */
  hasRemains = false;
  /** Whether the layer's stored secrets are gone. */
  isGone = false;
  readonly #source: SecretsSource;
  readonly #clock: Clock;
  readonly #mutex = new Mutex();
  #error: { readonly error: FoldspaceError; readonly work: "load" | "save" } | undefined;
  #failures = 0;
  #cancelTimer: (() => void) | undefined;
  #timerAt = 0;
  #endObserving: (() => void) | undefined;
  #isClosed = false;

  constructor(layer: PersistenceLayer, source: SecretsSource, clock: Clock) {
    this.layer = layer;
    this.#source = source;
    this.#clock = clock;
  }

  /** Why the layer could not be read or saved to. */
  get error(): FoldspaceError | undefined {
    return this.#error?.error;
  }

  /** Reads the layer, now and whenever it reports a change. Failures are in `error`, and are retried. */
  async open(): Promise<void> {
    this.#endObserving ??= this.layer.observeSecrets?.(() => void this.load());
    await this.load();
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer?.();
    this.#endObserving?.();
  }

  async load(): Promise<void> {
    await this.#exclusively("load", async () => await this.#receive());
  }

  /** Saves pending updates at once. Failures are in `error`, and are retried. */
  async save(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await this.#exclusively("save", async () => await this.#save());
  }

  /** Saves after a delay, which is longer while saving fails. */
  saveLater(): void {
    this.#saveAfter(SAVE_DELAY_MS);
  }

  /** Saves missing secrets again, unless they come back by themselves. */
  restoreLater(): void {
    this.#saveAfter(RESTORE_DELAY_MS);
  }

  #saveAfter(atLeastMs: number): void {
    const delayMs = Math.max(atLeastMs, this.#failures === 0 ? 0 : backoffMs(this.#failures));
    const at = this.#clock.now() + delayMs;
    if (this.#isClosed || (this.#cancelTimer && this.#timerAt <= at)) return;
    this.#cancelTimer?.();
    this.#timerAt = at;
    this.#cancelTimer = this.#clock.schedule(delayMs, () => {
      this.#cancelTimer = undefined;
      void this.save();
    });
  }

  async #save(): Promise<void> {
    // secrets that could not be read may be readable now
    if (this.#error) await this.#receive();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const pending = await this.#source.pendingSave(this);
      if (!pending) return;
      await this.layer.saveSecrets?.(pending.update);
      pending.noteSaved();
      await this.#receive();
    }
    this.saveLater();
  }

  async #receive(): Promise<void> {
    const stored = await this.layer.loadSecrets?.();
    this.base = stored?.base;
    this.isUntidy = stored?.isUntidy ?? false;
    this.hasRemains = stored?.hasRemains ?? false;
    this.isGone = stored?.isGone ?? false;
    await this.#source.receive(this, stored);
  }

  /** Never rejects. */
  async #exclusively(work: "load" | "save", task: () => Promise<void>): Promise<void> {
    await this.#mutex.run(async () => {
      if (this.#isClosed) return;
      const before = this.#error;
      try {
        await task();
        // a layer that can be read cannot necessarily be saved to
        if (work === "save" || before?.work === "load") {
          this.#error = undefined;
          this.#failures = 0;
        }
      } catch (error) {
        this.#error = { error: toFoldspaceError(error), work };
        this.#failures += 1;
        this.saveLater();
      }
      if (before || this.#error) this.#source.publish();
    });
  }
}
