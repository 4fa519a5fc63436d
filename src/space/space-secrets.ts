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
import { SelectedDeviceStore } from "./selected-device-store.ts";
import { SecretsModel } from "./secrets-model.ts";
import type { NotDurable } from "./layer-connection.ts";
import { assertDurable } from "./layer-set.ts";
import { SecretsLinks } from "./secrets-links.ts";
import { ShownSecrets } from "./shown-secrets.ts";

export interface SecretsOptions {
  /** What this device remembers. Default: in the first layer that can, else nowhere. */
  readonly memory?: DeviceStore;
  /** What trying a passphrase costs that is set from now on. Default: 64 MiB, 3 iterations, 1 lane. */
  readonly argon2?: Argon2Parameters;
}

export interface UnlockOptions {
  /** Whether this device is to remember the key, in a form that cannot be read out, and need no passphrase again. */
  readonly remember?: boolean;
  /** Whether secrets that are older than what this device has seen are to be taken for the present ones. */
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
 * Without a passphrase they are hidden from a glance only: whoever has the folder can read them. With one, they are
 * readable to nobody who has neither the passphrase nor the recovery code.
 */
export class SpaceSecrets {
  readonly #spaceId: string;
  readonly #session: Session;
  readonly #memory: SelectedDeviceStore;
  readonly #vault: Vault;
  readonly #model: SecretsModel;
  readonly #links: SecretsLinks;
  readonly #shown: ShownSecrets;
  /** What changes the protection is done one after another, and finds it as what went before has left it. */
  readonly #mutex = new Mutex();
  /** Why secrets are not where they belong. */
  #failure: FoldspaceError | undefined;
  #isClosed = false;

  /** Used by `Space`, which attaches the layers. */
  constructor(spaceId: string, session: Session, options: SecretsOptions = {}) {
    this.#spaceId = spaceId;
    this.#session = session;
    this.#memory = new SelectedDeviceStore(options.memory);
    // a peer id of their own: no other instance can have it, whatever the space goes by
    this.#vault = new Vault(spaceId, newId(), { memory: this.#memory, argon2: options.argon2 });
    this.#model = new SecretsModel(spaceId, this.#vault);
    this.#shown = new ShownSecrets(this.#model);
    const listener = { received: () => this.#applyPending(), publish: () => this.#publish() };
    this.#links = new SecretsLinks(this.#model, listener, { ...session, clock: session.clock ?? systemClock });
  }

  // ---- reading ----

  /** Whether a passphrase protects them, and whether it has been given. */
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
   * Tells the names of secrets that have another value, wherever they were changed. Also called, perhaps without names,
   * when they were locked or unlocked.
   * @returns a function that ends it
   */
  observe(listener: (names: readonly string[]) => void): () => void {
    return this.#shown.changed.observe(listener);
  }

  /** What is wrong with the secrets, besides what the layers report themselves. */
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
   *   `FOLD_BAD_ID` where the space's id cannot hide secrets without a passphrase
   */
  set(name: string, value: string): void {
    if (typeof name !== "string" || typeof value !== "string")
      throw new FoldspaceError("FOLD_BAD_VALUE", "The name and the value of a secret are texts");
    this.#change(name, value);
  }

  /** Deletes a secret. @returns whether there was one @throws FoldspaceError as {@link set} */
  delete(name: string): boolean {
    this.#assertWritable();
    this.#assertReadable();
    if (!this.#model.has(name)) return false;
    this.#change(name, undefined);
    return true;
  }

  // ---- protection ----

  /**
   * Puts the secrets under a passphrase, on all devices. Takes the thread for about a second.
   * @returns the recovery code, the only other way to them: it is shown this once and kept nowhere
   * @throws FoldspaceError `FOLD_SECRETS_PROTECTION` where they are protected already, `FOLD_BAD_VALUE` for an empty passphrase
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
   * Gives the passphrase or the recovery code. May be called again where secrets of two devices are under different ones.
   * Takes the thread for about a second.
   * @throws FoldspaceError `FOLD_WRONG_PASSPHRASE`, `FOLD_SECRETS_PROTECTION` where there is none, `FOLD_SECRETS_ROLLED_BACK`,
   *   `FOLD_UNAVAILABLE` where nothing can be remembered, and `FOLD_SECRETS_BROKEN`, `FOLD_SECRETS_PARAMETERS`,
   *   `FOLD_SECRETS_TOO_LARGE` or `FOLD_NEWER_FORMAT` where no file can be read. Nothing is changed then.
   */
  async unlock(passphraseOrRecoveryCode: string, options: UnlockOptions = {}): Promise<void> {
    await this.#mutex.run(async () => {
      this.#assertOpen();
      if (options.remember && !this.#memory.canKeepKeys)
        throw new FoldspaceError("FOLD_UNAVAILABLE", "There is nowhere to remember the key of the secrets");
      await this.#vault.unlock(passphraseOrRecoveryCode, options.acceptOlder ?? false);
      this.#applyPending();
      if (options.remember) await this.#vault.remember();
    });
  }

  /**
   * Saves what waits, then forgets the secrets and the keys, remembered ones too, until they are unlocked again.
   * @throws FoldspaceError `FOLD_NOT_DURABLE` where no layer at all has everything: it would be lost. They stay unlocked then.
   */
  async lock(): Promise<void> {
    await this.#mutex.run(async () => {
      do {
        const lacking = await this.flush();
        if (this.#links.areAll(lacking)) assertDurable(lacking);
        // what was set since is to be saved as well
      } while (!(await this.#vault.lock(() => !this.#links.areAll(this.#links.lacking))));
      this.#applyPending();
    });
  }

  /**
   * Replaces the passphrase: the secrets are sealed anew under another key, and files that the old one opens are removed.
   * Other devices need the new passphrase from then on. Whoever knows the old one and has an old copy of the folder can
   * still read what was in that.
   * @returns a new recovery code if the present one cannot be kept, as for secrets that an earlier version has protected;
   *   otherwise the recovery code stays
   * @throws FoldspaceError `FOLD_SECRETS_LOCKED`, also if only a remembered key is there; `FOLD_BAD_VALUE`,
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
   * Takes the protection off, on all devices.
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

  /** Used by `Space`. Never rejects: what fails is a problem, and is tried again. */
  async attach(layer: PersistenceLayer): Promise<void> {
    if (!layer.loadSecrets) return;
    if (this.#memory.offer(layer.deviceStore)) this.#vault.memoryChanged();
    await this.#links.open(layer);
  }

  /** Used by `Space`: ends the part of a layer. */
  detach(layer: PersistenceLayer): void {
    if (this.#links.drop(layer)) this.#publish();
  }

  /** Used by `Space`: goes on as another writer, because somebody else writes as this one. */
  changePeer(): void {
    this.#vault.changePeer(newId());
  }

  /** Begins to save, without waiting for anything. */
  saveNow(): void {
    this.#links.saveNow();
  }

  /** Saves everything. @returns the layers that do not have it, and why */
  async flush(only?: PersistenceLayer): Promise<NotDurable[]> {
    return await this.#links.flush(only);
  }

  /** Used by `Space`. */
  close(): void {
    this.#isClosed = true;
    this.#links.close();
  }

  // ---- inside ----

  /** Moves secrets to where they belong, has saved what has to be, and tells what changed. */
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
    // what did not fit before may by now
    if (this.#failure) this.#applyPending();
    else {
      // none of what is done for all secrets together: there may be many to set
      this.#publish(name);
      this.#links.saveLater();
    }
  }

  /** @param only the name of the one secret that may have changed; any by default */
  #publish(only?: string): void {
    const failures = [...this.#links.errors, this.#failure, this.#memory.failure];
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
      throw new FoldspaceError("FOLD_SECRETS_LOCKED", "The secrets are protected by a passphrase, which has not been given");
  }

  #assertUnlocked(): void {
    this.#assertReadable();
    if (this.protection === "none")
      throw new FoldspaceError("FOLD_SECRETS_PROTECTION", "The secrets are not protected by a passphrase");
  }

  #assertWritable(): void {
    this.#assertOpen();
    if (this.#session.isReadOnly) throw new FoldspaceError("FOLD_READ_ONLY", "The space is open for reading only");
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new FoldspaceError("FOLD_CLOSED", "The space is closed");
  }
}

function assertPassphrase(passphrase: string): void {
  if (passphrase === "") throw new FoldspaceError("FOLD_BAD_VALUE", "The passphrase is empty");
}
