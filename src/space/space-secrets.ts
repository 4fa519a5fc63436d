import { systemClock, type Clock } from "../clock.ts";
import { FoldspaceError, type Problem } from "../errors.ts";
import { toFoldspaceError } from "../layers/batcher.ts";
import type { PersistenceLayer, SecretsUpdate, StoredSecrets } from "../layers/persistence-layer.ts";
import { Observable } from "../observable.ts";
import type { Argon2Parameters } from "../secrets/argon2.ts";
import type { SecretsMemory } from "../secrets/memory.ts";
import { keyBytes } from "../secrets/plain-file.ts";
import { areEqual, differences, put, type SecretMap } from "../secrets/secret-map.ts";
import type { Protection } from "../secrets/vault-contents.ts";
import type { OwnFile } from "../secrets/vault-writer.ts";
import { Vault } from "../secrets/vault.ts";
import { newId } from "../tree/index.ts";
import { DeviceMemory } from "./device-memory.ts";
import { HeldSecrets } from "./held-secrets.ts";
import type { NotDurable } from "./layer-connection.ts";
import { assertDurable } from "./layer-set.ts";
import { endsInTime } from "./patience.ts";
import type { PlainSecrets } from "./plain-secrets.ts";
import { SecretsLink, type SecretsSource } from "./secrets-link.ts";

export interface SecretsOptions {
  /** What this device remembers. Default: in the first layer that can, else nowhere. */
  readonly memory?: SecretsMemory;
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
  readonly patienceMs: number;
  readonly clock?: Clock;
}

const MAX_ROUNDS = 3;
const NO_SECRETS: SecretMap = new Map();

/**
 * The secrets of a space: short texts by name, such as keys of services, kept beside its trees in every layer.
 *
 * Without a passphrase they are hidden from a glance only: whoever has the folder can read them. With one, they are
 * readable to nobody who has neither the passphrase nor the recovery code.
 */
export class SpaceSecrets {
  readonly #spaceId: string;
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #memory: DeviceMemory;
  readonly #vault: Vault;
  readonly #plain: PlainSecrets;
  readonly #held: HeldSecrets;
  readonly #links = new Map<PersistenceLayer, SecretsLink>();
  readonly #problems = new Observable<readonly Problem[]>([]);
  readonly #changed = new Observable<readonly string[]>([]);
  readonly #source: SecretsSource;
  /** Our files in what was given to layers to be saved. */
  readonly #sealed = new WeakMap<SecretsUpdate, OwnFile>();
  /** As they were last told of. */
  #shown = new Map<string, string>();
  #shownProtection: Protection = "none";
  #last: Promise<unknown> = Promise.resolve();
  #failure: FoldspaceError | undefined;
  #isClosed = false;

  /** Used by `Space`, which attaches the layers. */
  constructor(spaceId: string, session: Session, options: SecretsOptions = {}) {
    this.#spaceId = spaceId;
    this.#session = session;
    this.#clock = session.clock ?? systemClock;
    this.#memory = new DeviceMemory(options.memory);
    // a peer id of their own: no other instance can have it, whatever the space goes by
    this.#vault = new Vault(spaceId, newId(), { memory: this.#memory, argon2: options.argon2 });
    this.#held = new HeldSecrets(spaceId, this.#vault);
    this.#plain = this.#held.plain;
    this.#source = {
      receive: async (link, stored) => await this.#receive(link, stored),
      updateFor: async (link) => await this.#updateFor(link),
      noteSaved: (link, update) => this.#noteSaved(link, update),
      publish: () => this.#publish(),
    };
  }

  // ---- reading ----

  /** Whether a passphrase protects them, and whether it has been given. */
  get protection(): Protection {
    return this.#vault.protection;
  }

  /** @throws FoldspaceError `FOLD_SECRETS_LOCKED` */
  get(name: string): string | undefined {
    this.#assertReadable();
    return this.#held.get(name);
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
    return this.#changed.observe(listener);
  }

  /** What is wrong with the secrets, besides what the layers report themselves. */
  get problems(): readonly Problem[] {
    return this.#problems.value;
  }

  /** @returns a function that ends it */
  observeProblems(listener: (problems: readonly Problem[]) => void): () => void {
    return this.#problems.observe(listener);
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
    if (!this.#held.has(name)) return false;
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
    return await this.#inTurn(async () => {
      this.#assertWritable();
      assertPassphrase(passphrase);
      await this.#reload();
      if (this.protection !== "none")
        throw new FoldspaceError("FOLD_SECRETS_PROTECTION", "The secrets are protected by a passphrase already");
      const code = await this.#held.protect(passphrase);
      this.#settle();
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
    await this.#inTurn(async () => {
      this.#assertOpen();
      if (options.remember && !this.#memory.canKeepKeys)
        throw new FoldspaceError("FOLD_UNAVAILABLE", "There is nowhere to remember the key of the secrets");
      await this.#vault.unlock(passphraseOrRecoveryCode, options.acceptOlder ?? false);
      this.#settle();
      if (options.remember) await this.#vault.remember();
    });
  }

  /**
   * Saves what waits, then forgets the secrets and the keys, remembered ones too, until they are unlocked again.
   * @throws FoldspaceError `FOLD_NOT_DURABLE` where no layer at all has everything: it would be lost. They stay unlocked then.
   */
  async lock(): Promise<void> {
    await this.#inTurn(async () => {
      const isNowhere = (lacking: readonly NotDurable[]): boolean => lacking.length > 0 && lacking.length === this.#links.size;
      do {
        const lacking = await this.flush();
        if (isNowhere(lacking)) assertDurable(lacking);
        // what was set since is to be saved as well
      } while (!(await this.#vault.lock(() => !isNowhere(this.#lackingIn()))));
      this.#settle();
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
    return await this.#inTurn(async () => {
      this.#assertWritable();
      assertPassphrase(passphrase);
      await this.#reload();
      this.#assertUnlocked();
      const code = await this.#vault.changePassphrase(passphrase);
      this.#settle();
      await this.flush();
      return code;
    });
  }

  /**
   * Takes the protection off, on all devices.
   * @throws FoldspaceError `FOLD_SECRETS_LOCKED`, `FOLD_SECRETS_PROTECTION`, `FOLD_NOT_DURABLE`, `FOLD_SECRETS_TOO_LARGE`
   */
  async unprotect(): Promise<void> {
    await this.#inTurn(async () => {
      this.#assertWritable();
      keyBytes(this.#spaceId);
      await this.#reload();
      this.#assertUnlocked();
      await this.#vault.unifyKeys();
      this.#held.isLeavingVault = true;
      try {
        await this.#copyOutOfVault();
        this.#vault.end();
      } finally {
        this.#held.isLeavingVault = false;
        this.#settle();
      }
      await this.flush();
    });
  }

  // ---- layers ----

  /** Used by `Space`. Never rejects: what fails is a problem, and is tried again. */
  async attach(layer: PersistenceLayer): Promise<void> {
    if (!layer.loadSecrets) return;
    if (this.#memory.offer(layer.secretsMemory)) this.#vault.memoryChanged();
    let link = this.#links.get(layer);
    if (!link) this.#links.set(layer, (link = new SecretsLink(layer, this.#source, this.#clock)));
    await link.open();
  }

  /** Used by `Space`: ends the part of a layer. */
  detach(layer: PersistenceLayer): void {
    const link = this.#links.get(layer);
    if (!link) return;
    link.close();
    this.#links.delete(layer);
    this.#plain.forget(link);
    this.#vault.forget(link);
    this.#publish();
  }

  /** Used by `Space`: goes on as another writer, because somebody else writes as this one. */
  changePeer(): void {
    this.#vault.changePeer(newId());
  }

  /** Begins to save, without waiting for anything. */
  saveNow(): void {
    void this.#saveAll();
  }

  /** Saves everything. @returns the layers that do not have it, and why */
  async flush(only?: PersistenceLayer): Promise<NotDurable[]> {
    const links = [...this.#links.values()].filter(({ layer }) => only === undefined || layer === only);
    const saving = this.#saveAll(links);
    const isInTime = await endsInTime(saving, this.#session.patienceMs, this.#clock);
    return isInTime ? await saving : this.#lackingIn(links, "the layer does not answer");
  }

  /** Used by `Space`. */
  close(): void {
    this.#isClosed = true;
    for (const link of this.#links.values()) link.close();
  }

  // ---- inside ----

  async #receive(link: SecretsLink, stored: StoredSecrets | undefined): Promise<void> {
    this.#plain.receive(link, stored);
    await this.#vault.read(link, stored?.sealed ?? []);
    this.#settle();
  }

  async #updateFor(link: SecretsLink): Promise<SecretsUpdate | undefined> {
    if (this.#session.isReadOnly || !(this.#isLacking(link) || link.isGone)) return undefined;
    // once the protection has ended, our file says that the secrets are kept without it, which has to be so before
    const isWaiting = this.#vault.isOver && this.#plain.changesFor(link).size > 0;
    const own = !isWaiting && this.#vault.isLackingIn(link) ? await this.#vault.seal() : undefined;
    const base = this.#baseFor(link);
    const retired = isWaiting ? [] : this.#vault.retirable(link, own, this.#clock.now());
    const update: SecretsUpdate = {
      ...(own ? { sealed: { peerId: own.peerId, text: own.text } } : {}),
      changes: this.#plain.changesFor(link),
      ...(base ? { base } : {}),
      isProtected: this.protection === "unlocked",
      retired: retired.flatMap(({ peerId, isCopy }) => (isCopy ? [] : peerId)),
      retiredCopies: retired.flatMap(({ file, isCopy }) => (isCopy && file !== undefined ? file : [])),
    };
    if (own) this.#sealed.set(update, own);
    return update;
  }

  #noteSaved(link: SecretsLink, update: SecretsUpdate): void {
    this.#plain.noteSaved(link, update.changes);
    const own = this.#sealed.get(update);
    if (own) this.#vault.noteWritten(link, own);
  }

  /** What a place of this device's own is to keep of the others: under a passphrase nothing, as it would be in the clear. */
  #baseFor(link: SecretsLink): SecretMap | undefined {
    return this.protection === "unlocked" ? NO_SECRETS : this.#plain.baseFor(link);
  }

  /** Moves secrets to where they belong, has saved what has to be, and tells what changed. */
  #settle(): void {
    if (!this.#session.isReadOnly) {
      try {
        this.#failure = undefined;
        this.#held.settle();
      } catch (error) {
        this.#failure = toFoldspaceError(error);
      }
    }
    this.#publish();
    if (this.#session.isReadOnly) return;
    for (const link of this.#links.values()) {
      if (this.#isLacking(link)) link.saveLater();
      else if (link.isGone) link.restoreLater();
    }
  }

  /** Has every layer hold the secrets without protection, as they are by then. */
  async #copyOutOfVault(): Promise<void> {
    let copied: SecretMap = new Map();
    try {
      do {
        for (const [name, { to }] of differences(copied, this.#vault.secrets)) this.#plain.set(name, to);
        copied = this.#vault.secrets;
        assertDurable(await this.flush());
        // a secret that was set since is to be in its new place as well before it leaves the old one
      } while (!areEqual(copied, this.#vault.secrets));
    } catch (error) {
      for (const name of copied.keys()) this.#plain.set(name, undefined);
      throw error;
    }
  }

  #isLacking(link: SecretsLink): boolean {
    if (!this.#plain.has(link)) return false;
    const base = link.base && this.#baseFor(link);
    return (
      link.isUntidy ||
      (link.hasRemains && this.protection === "unlocked") ||
      this.#plain.changesFor(link).size > 0 ||
      this.#vault.isLackingIn(link) ||
      (base !== undefined && !areEqual(base, link.base!)) ||
      (this.#vault.isOver && this.#vault.retirable(link, undefined, this.#clock.now()).length > 0)
    );
  }

  #change(name: string, value: string | undefined): void {
    this.#assertWritable();
    this.#assertReadable();
    this.#held.set(name, value);
    // what did not fit before may by now
    if (this.#failure) this.#settle();
    else {
      // none of what is done for all secrets together: there may be many to set
      this.#publish(name);
      for (const link of this.#links.values()) link.saveLater();
    }
  }

  /** @param only the name of the one secret that may have changed; any by default */
  #publish(only?: string): void {
    const { protection } = this;
    const names = only === undefined ? this.#showAll() : this.#showOne(only);
    const hasChanged = names.length > 0 || protection !== this.#shownProtection;
    this.#shownProtection = protection;
    const failures = [...Array.from(this.#links.values(), ({ error }) => error), this.#failure, this.#memory.failure];
    const { problems } = this.#held;
    for (const error of failures)
      if (error)
        problems.push({ code: error.code, reason: `the secrets could not be read, saved or remembered: ${error.message}` });
    if (JSON.stringify(problems) !== JSON.stringify(this.#problems.value)) this.#problems.value = problems;
    if (hasChanged) this.#changed.value = names;
  }

  /** @returns names of secrets that have another value than was last told of */
  #showAll(): string[] {
    const { values } = this.#held;
    const names = [...differences(this.#shown, values).keys()];
    this.#shown = new Map(values);
    return names;
  }

  /** As {@link #showAll}, for one secret. */
  #showOne(name: string): string[] {
    const value = this.#held.get(name);
    if (value === this.#shown.get(name)) return [];
    put(this.#shown, name, value);
    return [name];
  }

  /** Not for longer than layers are waited for: nothing else can be done meanwhile. */
  async #reload(): Promise<void> {
    const loading = Promise.all(Array.from(this.#links.values(), async (link) => await link.load()));
    await endsInTime(loading, this.#session.patienceMs, this.#clock);
  }

  /** What one layer takes may be for another to know, so all are saved to until that ends. @returns what layers lack then */
  async #saveAll(links: readonly SecretsLink[] = [...this.#links.values()]): Promise<NotDurable[]> {
    if (this.#session.isReadOnly) return [];
    let unsaved = links;
    for (let round = 0; round < MAX_ROUNDS && unsaved.length > 0; round++) {
      await Promise.all(unsaved.map(async (link) => await link.save()));
      unsaved = links.filter((link) => (this.#isLacking(link) || link.isGone) && !link.error);
    }
    return this.#lackingIn(links);
  }

  /** @param reason why a layer lacks anything that has not failed */
  #lackingIn(
    links: readonly SecretsLink[] = [...this.#links.values()],
    reason: string = "others keep changing them",
  ): NotDurable[] {
    if (this.#session.isReadOnly) return [];
    const lacking: NotDurable[] = [];
    for (const link of links) {
      const pendingOps = this.#plain.changesFor(link).size;
      if (pendingOps === 0 && !this.#vault.isLackingIn(link)) continue;
      const { code, message } = link.error ?? new FoldspaceError("FOLD_BUSY", reason);
      lacking.push({ id: link.layer.id, pendingOps, code, reason: `its secrets could not be saved: ${message}` });
    }
    return lacking;
  }

  /** What changes the protection is done one after another, and finds it as what went before has left it. */
  async #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#last.then(task, task);
    this.#last = run;
    return await run;
  }

  #readable(): SecretMap {
    this.#assertReadable();
    return this.#held.values;
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
