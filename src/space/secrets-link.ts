import { backoffMs } from "../backoff.ts";
import type { Clock } from "../clock.ts";
import { type FoldspaceError, toFoldspaceError } from "../errors.ts";
import { Mutex } from "../mutex.ts";
import type { PersistenceLayer, SecretsUpdate, StoredSecrets } from "../layers/persistence-layer.ts";
import type { SecretMap } from "../secrets/secret-map.ts";

/** A change is saved within a second; changes made meanwhile go with it. */
const SAVE_DELAY_MS = 500;
/**
 * A sync service that finds two versions may take the file away before it brings both back, under other names: a file written
 * meanwhile would be one more version.
 */
const RESTORE_DELAY_MS = 10_000;
/** What a save brings to light may need another; what never comes to rest is left for later. */
const MAX_ROUNDS = 5;

/** What has to be saved in a layer. */
export interface PendingSave {
  readonly update: SecretsUpdate;
  /** Notes that the layer has taken it. */
  readonly noteSaved: () => void;
}

/** What a link tells of, and where it gets what has to be saved. */
export interface SecretsSource {
  receive(link: SecretsLink, stored: StoredSecrets | undefined): Promise<void>;
  /** @returns `undefined` where the layer has everything */
  pendingSave(link: SecretsLink): Promise<PendingSave | undefined>;
  /** The error of a link has come or gone. */
  publish(): void;
}

/** One layer's part in the secrets: reads it, saves to it a little after a change, and tries again while that fails. */
export class SecretsLink {
  readonly layer: PersistenceLayer;
  /** What the layer keeps of the others, if it does. */
  base: SecretMap | undefined;
  /** Whether the layer has to be saved to, if only to put in order what it keeps. */
  isUntidy = false;
  /** Whether the layer keeps remains of secrets without a passphrase. */
  hasRemains = false;
  /** Whether what was kept there is gone. */
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

  /** Reads the layer, now and whenever it tells of a change. Failures are in `error`, and it is tried again. */
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

  /** Saves at once what has to be saved. Failures are in `error`, and it is tried again. */
  async save(): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await this.#exclusively("save", async () => await this.#save());
  }

  /** Saves after a while: a longer one while that fails. */
  saveLater(): void {
    this.#saveAfter(SAVE_DELAY_MS);
  }

  /** Saves what is gone, unless it comes back by itself. */
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
    // what could not be read may be there now
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
        // that it can be read does not tell that it can be saved to
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
