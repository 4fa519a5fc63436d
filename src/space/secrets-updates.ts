import type { Clock } from "../clock.ts";
import type { SecretsUpdate } from "../layers/persistence-layer.ts";
import { areEqual, type SecretMap } from "../secrets/secret-map.ts";
import type { SecretsModel } from "./secrets-model.ts";
import type { PendingSave, SecretsLink } from "./secrets-link.ts";

const NO_SECRETS: SecretMap = new Map();

/** Computes the secrets that each layer lacks, as an update to save there. */
export class SecretsUpdates {
  readonly #model: SecretsModel;
  readonly #clock: Clock;

  constructor(model: SecretsModel, clock: Clock) {
    this.#model = model;
    this.#clock = clock;
  }

  /** Whether the layer needs a save, if only to tidy up its files. */
  isNeededBy(link: SecretsLink): boolean {
    const { plain, vault } = this.#model;
    if (!plain.has(link)) return false;
    const base = link.base && this.#baseFor(link);
    return (
      link.isUntidy ||
      (link.hasRemains && vault.protection === "unlocked") ||
      this.isLackingIn(link) ||
      (base !== undefined && !areEqual(base, link.base!)) ||
      (vault.protectionEnded && vault.retirable(link, undefined, this.#clock.now()).length > 0)
    );
  }

  /** Whether the layer lacks secrets that would be lost without the other layers. */
  isLackingIn(link: SecretsLink): boolean {
    return this.changesIn(link) > 0 || this.#model.vault.isLackingIn(link);
  }

  /** Number of secrets without a passphrase that the layer lacks. */
  changesIn(link: SecretsLink): number {
    return this.#model.plain.changesFor(link).size;
  }

  /** @returns `undefined` if the layer has everything */
  async for(link: SecretsLink): Promise<PendingSave | undefined> {
    if (!(this.isNeededBy(link) || link.isGone)) return undefined;
    const { plain, vault } = this.#model;
    // once the protection has ended, our file says that the secrets are kept without it, so they must be saved first
    const isWaiting = vault.protectionEnded && this.changesIn(link) > 0;
    const own = !isWaiting && vault.isLackingIn(link) ? await vault.seal() : undefined;
    const base = this.#baseFor(link);
    const retired = isWaiting ? [] : vault.retirable(link, own, this.#clock.now());
    const update: SecretsUpdate = {
      ...(own ? { sealed: { peerId: own.peerId, text: own.text } } : {}),
      changes: plain.changesFor(link),
      ...(base ? { base } : {}),
      isProtected: vault.protection === "unlocked",
      retired: retired.flatMap(({ peerId, isCopy }) => (isCopy ? [] : peerId)),
      retiredCopies: retired.flatMap(({ file, isCopy }) => (isCopy && file !== undefined ? file : [])),
    };
    const noteSaved = (): void => {
      plain.noteSaved(link, update.changes);
      if (own) vault.noteWritten(link, own);
    };
    return { update, noteSaved };
  }

  /** The content of the other sources, kept unencrypted in a source of this device's own; empty under a passphrase. */
  #baseFor(link: SecretsLink): SecretMap | undefined {
    const { plain, vault } = this.#model;
    return vault.protection === "unlocked" ? NO_SECRETS : plain.baseFor(link);
  }
}
