import type { Clock } from "../clock.ts";
import type { SecretsUpdate } from "../layers/persistence-layer.ts";
import { areEqual, type SecretMap } from "../secrets/secret-map.ts";
import type { SecretsModel } from "./secrets-model.ts";
import type { PendingSave, SecretsLink } from "./secrets-link.ts";

const NO_SECRETS: SecretMap = new Map();

/** What each layer lacks of the secrets, as it is to be saved there. */
export class SecretsUpdates {
  readonly #model: SecretsModel;
  readonly #clock: Clock;

  constructor(held: SecretsModel, clock: Clock) {
    this.#model = held;
    this.#clock = clock;
  }

  /** Whether the layer has to be saved to, if only to put in order what it keeps. */
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

  /** Whether the layer lacks secrets, which would be lost without the others. */
  isLackingIn(link: SecretsLink): boolean {
    return this.changesIn(link) > 0 || this.#model.vault.isLackingIn(link);
  }

  /** How many secrets without a passphrase the layer lacks. */
  changesIn(link: SecretsLink): number {
    return this.#model.plain.changesFor(link).size;
  }

  /** @returns `undefined` where the layer has everything */
  async for(link: SecretsLink): Promise<PendingSave | undefined> {
    if (!(this.isNeededBy(link) || link.isGone)) return undefined;
    const { plain, vault } = this.#model;
    // once the protection has ended, our file says that the secrets are kept without it, which has to be so before
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

  /** What a source of this device's own is to keep of the others: under a passphrase nothing, as it would be in the clear. */
  #baseFor(link: SecretsLink): SecretMap | undefined {
    const { plain, vault } = this.#model;
    return vault.protection === "unlocked" ? NO_SECRETS : plain.baseFor(link);
  }
}
