import { systemClock, type Clock } from "../clock.ts";
import { FoldspaceError, type Problem, toFoldspaceError } from "../errors.ts";
import type { PersistenceLayer } from "../layers/persistence-layer.ts";
import { Mutex } from "../mutex.ts";
import type { Argon2Parameters } from "../secrets/argon2.ts";
import type { DeviceStore } from "../secrets/device-store.ts";
import { keyBytes } from "../secrets/plain-file.ts";
import type { SecretMap } from "../secrets/secret-map.ts";
import type { Protection } from "../secrets/vault-contents.ts";
import { Vault } from "../secrets/vault.ts";
import { newId } from "../tree/index.ts";
import { webCrypto } from "../web-crypto.ts";
import { SelectedDeviceStore } from "./selected-device-store.ts";
import { SecretsModel } from "./secrets-model.ts";
import type { NotDurable } from "./layer-connection.ts";
import { assertDurable } from "./layer-set.ts";
import { SecretsLinks } from "./secrets-links.ts";
import { ShownSecrets } from "./shown-secrets.ts";

/** Options of the secrets of a space. */
export interface SecretsOptions {
  /** The store for this device's memory of the secrets. Default: that of the first layer that has one, else none. */
  readonly deviceStore?: DeviceStore;
  /** Cost of trying a passphrase, for passphrases set from now on. Default: 64 MiB, 3 iterations, 1 lane. */
  readonly argon2?: Argon2Parameters;
}

/** Options of unlocking secrets with a passphrase. */
export interface UnlockOptions {
  /** Whether this device should remember the key, in a form that cannot be exported, and need no passphrase again. */
  readonly remember?: boolean;
  /** Whether to accept secrets that are older than those that this device has seen. */
  readonly acceptOlder?: boolean;
}

interface Session {
  readonly isReadOnly: boolean;
  readonly timeoutMs: number;
  readonly clock?: Clock;
}

/**
 * The secrets of a space: short texts by name, such as keys of services, kept beside its trees in every layer.
 *
 * Without a passphrase they are hidden from a glance only: anyone who has the folder can read them. With one, reading them takes
 * the passphrase or the recovery code.
 */
export class SpaceSecrets {
  readonly #spaceId: string;
  readonly #session: Session;
  readonly #deviceStore: SelectedDeviceStore;
  readonly #vault: Vault;
  readonly #model: SecretsModel;
  readonly #links: SecretsLinks;
  readonly #shown: ShownSecrets;
  /** Changes of the protection run one after another, each on the result of the previous one. */
  readonly #mutex = new Mutex();
  /** The reason why secrets could not be moved into or out of the vault. */
  #failure: FoldspaceError | undefined;
  #isClosed = false;

  /** Used by `Space`, which attaches the layers. */
  constructor(spaceId: string, session: Session, options: SecretsOptions = {}) {
    this.#spaceId = spaceId;
    this.#session = session;
    this.#deviceStore = new SelectedDeviceStore(options.deviceStore);
    // the secrets have a peer id of their own, which no other instance can have, whatever the space's peer id is
    this.#vault = new Vault(spaceId, newId(), { deviceStore: this.#deviceStore, argon2: options.argon2 });
    this.#model = new SecretsModel(spaceId, this.#vault);
    this.#shown = new ShownSecrets(this.#model);
    const listener = { received: () => this.#applyPending(), publish: () => this.#publish() };
    this.#links = new SecretsLinks(this.#model, listener, { ...session, clock: session.clock ?? systemClock });
  }

  // ---- reading ----

  /** Whether a passphrase protects the secrets, and whether they are unlocked. */
  get protection(): Protection {
    return this.#vault.protection;
  }

  /** @throws FoldspaceError `FOLD_SECRETS_LOCKED` */
  get(name: string): string | undefined {
    this.#assertReadable();
    return this.#model.get(name);
  }

  /** Names, in order of their code units. @throws FoldspaceError `FOLD_SECRETS_LOCKED` */
  keys(): string[] {
    return [...this.#readable().keys()].sort();
  }

  /** @throws FoldspaceError `FOLD_SECRETS_LOCKED` */
  entries(): [name: string, value: string][] {
    return [...this.#readable()].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /**
   * Reports the names of secrets that have another value, wherever they were changed. Also called, perhaps without names, when the
   * secrets were locked or unlocked.
   * @returns a function that ends it
   */
  observe(listener: (names: readonly string[]) => void): () => void {
    return this.#shown.changed.observe(listener);
  }

  /** Problems of the secrets, besides those that the layers report themselves. */
  get problems(): readonly Problem[] {
    return this.#shown.problems.value;
  }

  /** @returns a function that ends it */
  observeProblems(listener: (problems: readonly Problem[]) => void): () => void {
    return this.#shown.problems.observe(listener);
  }

  // ---- changing ----

  /**
   * Sets a secret. It is saved within a second.
   * @throws FoldspaceError `FOLD_SECRETS_LOCKED`, `FOLD_SECRETS_TOO_LARGE`, `FOLD_BAD_VALUE`, `FOLD_READ_ONLY`, `FOLD_CLOSED`;
   *   `FOLD_UNAVAILABLE` without WebCrypto, as on a page loaded over plain http from another machine;
   *   `FOLD_BAD_ID` if the space's id cannot hide secrets without a passphrase
   */
  set(name: string, value: string): void {
    if (typeof name !== "string" || typeof value !== "string")
      throw new FoldspaceError("FOLD_BAD_VALUE", "The name and the value of a secret are texts");
    this.#change(name, value);
  }

  /** Deletes a secret. @returns whether it existed @throws FoldspaceError as {@link set} */
  delete(name: string): boolean {
    this.#assertWritable();
    this.#assertReadable();
    if (!this.#model.has(name)) return false;
    this.#change(name, undefined);
    return true;
  }

  // ---- protection ----

  /**
   * Puts the secrets under a passphrase, on all devices. Blocks the thread for about a second.
   * @returns the recovery code, the only other way to the secrets: it is shown this once and stored nowhere
   * @throws FoldspaceError `FOLD_SECRETS_PROTECTION` if they are protected already, `FOLD_BAD_VALUE` for an empty passphrase;
   *   `FOLD_UNAVAILABLE` without WebCrypto or WebAssembly, as under a Content-Security-Policy that forbids the latter
   */
  async protect(passphrase: string): Promise<string> {
    return await this.#mutex.run(async () => {
      this.#assertWritable();
      assertPassphrase(passphrase);
      await this.#links.reload();
      if (this.protection !== "none")
        throw new FoldspaceError("FOLD_SECRETS_PROTECTION", "The secrets are protected by a passphrase already");
      const code = await this.#model.protect(passphrase);
      this.#applyPending();
      await this.flush();
      return code;
    });
  }

  /**
   * Unlocks with the passphrase or the recovery code. May be called again if the secrets of two devices are under different
   * passphrases. Blocks the thread for about a second.
   * @throws FoldspaceError `FOLD_WRONG_PASSPHRASE`, `FOLD_SECRETS_PROTECTION` if there is no passphrase,
   *   `FOLD_SECRETS_ROLLED_BACK`, `FOLD_UNAVAILABLE` if the device cannot remember keys, or without WebCrypto or WebAssembly, and `FOLD_SECRETS_BROKEN`,
   *   `FOLD_SECRETS_PARAMETERS`, `FOLD_SECRETS_TOO_LARGE` or `FOLD_NEWER_FORMAT` if no file can be read. Nothing is changed then.
   */
  async unlock(passphraseOrRecoveryCode: string, options: UnlockOptions = {}): Promise<void> {
    await this.#mutex.run(async () => {
      this.#assertOpen();
      webCrypto();
      if (options.remember && !this.#deviceStore.canKeepKeys)
        throw new FoldspaceError("FOLD_UNAVAILABLE", "This device has no store that can remember the key of the secrets");
      await this.#vault.unlock(passphraseOrRecoveryCode, options.acceptOlder ?? false);
      this.#applyPending();
      if (options.remember) await this.#vault.remember();
    });
  }

  /**
   * Saves pending changes, then forgets the secrets and the keys, including remembered ones, until they are unlocked again.
   * @throws FoldspaceError `FOLD_NOT_DURABLE` if no layer has everything, because it would be lost. The secrets stay unlocked then.
   */
  async lock(): Promise<void> {
    await this.#mutex.run(async () => {
      do {
        const lacking = await this.flush();
        if (this.#links.areAll(lacking)) assertDurable(lacking);
        // secrets that were set meanwhile must be saved too
      } while (!(await this.#vault.lock(() => !this.#links.areAll(this.#links.lacking))));
      this.#applyPending();
    });
  }

  /**
   * Replaces the passphrase: the secrets are encrypted again under another key, and files that the old one opens are removed.
   * Other devices need the new passphrase from then on. Anyone who knows the old passphrase and has an old copy of the folder can
   * still read the secrets in that copy.
   * @returns a new recovery code if the present one cannot be kept, as for secrets that an earlier version has protected;
   *   otherwise `undefined`: the recovery code stays valid
   * @throws FoldspaceError `FOLD_SECRETS_LOCKED`, also if only a remembered key is available; `FOLD_BAD_VALUE`,
   *   `FOLD_COUNTER_EXHAUSTED`
   */
  async changePassphrase(passphrase: string): Promise<string | undefined> {
    return await this.#mutex.run(async () => {
      this.#assertWritable();
      assertPassphrase(passphrase);
      await this.#links.reload();
      this.#assertUnlocked();
      const code = await this.#vault.changePassphrase(passphrase);
      this.#applyPending();
      await this.flush();
      return code;
    });
  }

  /**
   * Removes the protection, on all devices.
   * @throws FoldspaceError `FOLD_SECRETS_LOCKED`, `FOLD_SECRETS_PROTECTION`, `FOLD_NOT_DURABLE`, `FOLD_SECRETS_TOO_LARGE`
   */
  async unprotect(): Promise<void> {
    await this.#mutex.run(async () => {
      this.#assertWritable();
      keyBytes(this.#spaceId);
      await this.#links.reload();
      this.#assertUnlocked();
      try {
        await this.#model.unprotect(async () => assertDurable(await this.flush()));
      } finally {
        this.#applyPending();
      }
      await this.flush();
    });
  }

  // ---- layers ----

  /** Used by `Space`. Never rejects: failures are problems, and are retried. */
  async attach(layer: PersistenceLayer): Promise<void> {
    if (!layer.loadSecrets) return;
    if (this.#deviceStore.offer(layer.deviceStore)) this.#vault.deviceStoreChanged();
    await this.#links.open(layer);
  }

  /** Used by `Space`: stops using a layer. */
  detach(layer: PersistenceLayer): void {
    if (this.#links.drop(layer)) this.#publish();
  }

  /** Used by `Space`: continues as another writer, because another instance writes as this one. */
  changePeer(): void {
    this.#vault.changePeer(newId());
  }

  /** Begins to save, without waiting for anything. */
  saveNow(): void {
    this.#links.saveNow();
  }

  /** Saves everything. @returns the layers that lack something, and why */
  async flush(only?: PersistenceLayer): Promise<NotDurable[]> {
    return await this.#links.flush(only);
  }

  /** Used by `Space`. */
  close(): void {
    this.#isClosed = true;
    this.#links.close();
  }

  // ---- inside ----

  /** Moves secrets into or out of the vault, schedules saves, and reports changes. */
  #applyPending(): void {
    if (!this.#session.isReadOnly) {
      try {
        this.#failure = undefined;
        this.#model.applyProtection();
      } catch (error) {
        this.#failure = toFoldspaceError(error);
      }
    }
    this.#publish();
    this.#links.saveLackingLater();
  }

  #change(name: string, value: string | undefined): void {
    this.#assertWritable();
    this.#assertReadable();
    this.#model.set(name, value);
    // secrets that did not fit before may fit now
    if (this.#failure) this.#applyPending();
    else {
      // skips the work on all secrets, because many may be set
      this.#publish(name);
      this.#links.saveLater();
    }
  }

  /** @param only the name of the one secret that may have changed; any secret by default */
  #publish(only?: string): void {
    const failures = [...this.#links.errors, this.#failure, this.#deviceStore.failure];
    this.#shown.publish(
      failures.filter((failure) => failure !== undefined),
      only,
    );
  }

  #readable(): SecretMap {
    this.#assertReadable();
    return this.#model.values;
  }

  #assertReadable(): void {
    if (this.protection === "locked")
      throw new FoldspaceError("FOLD_SECRETS_LOCKED", "The secrets are protected by a passphrase: unlock them first");
  }

  #assertUnlocked(): void {
    this.#assertReadable();
    if (this.protection === "none")
      throw new FoldspaceError("FOLD_SECRETS_PROTECTION", "The secrets are not protected by a passphrase");
  }

  #assertWritable(): void {
    this.#assertOpen();
    // without it no layer can save a change; it would only be lost later
    webCrypto();
    if (this.#session.isReadOnly) throw new FoldspaceError("FOLD_READ_ONLY", "The space is open for reading only");
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new FoldspaceError("FOLD_CLOSED", "The space is closed");
  }
}

function assertPassphrase(passphrase: string): void {
  if (passphrase === "") throw new FoldspaceError("FOLD_BAD_VALUE", "The passphrase is empty");
}
