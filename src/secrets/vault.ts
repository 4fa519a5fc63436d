import { FoldspaceError, type Problem } from "../errors.ts";
import { Mutex } from "../mutex.ts";
import { assertAcceptable, DEFAULT_ARGON2, type Argon2Parameters } from "./argon2.ts";
import { counterAfter } from "./entries.ts";
import { lateChanges, type LateChange } from "./late-changes.ts";
import type { DeviceStore } from "./device-store.ts";
import { newKey } from "./new-key.ts";
import { newRecoveryCode } from "./recovery-code.ts";
import { RememberedKeys } from "./remembered-keys.ts";
import { retirableFiles } from "./retirement.ts";
import { MISSING } from "./rollback-guard.ts";
import { differences, type SecretMap } from "./secret-map.ts";
import type { SpaceKey } from "./space-key.ts";
import { findKeys } from "./unlocking.ts";
import { VaultContents, type Protection } from "./vault-contents.ts";
import type { StoredSealedFile } from "./vault-file.ts";
import { VaultWriter, type OwnFile } from "./vault-writer.ts";

export interface VaultOptions {
  readonly deviceStore?: DeviceStore | undefined;
  /** Cost of new passphrases. */
  readonly argon2?: Argon2Parameters | undefined;
}

/**
 * Secrets under a passphrase: the contents of all peers' sealed files, once one of their keys is known, and the file that this
 * peer writes. A source that keeps files is an opaque object. This class manages the keys. Reading, unlocking, locking and
 * changing keys are done one after another.
 *
 * The state, `protection`, follows from the keyring, the files and the rollback guard in `#contents`. A key is in force if it
 * is neither ended nor replaced (`writeKey`):
 *
 * | event | state before | state after |
 * | --- | --- | --- |
 * | `protect` makes a key | `none` | `unlocked` |
 * | `read` finds a file that does not say that the protection was ended, or misses a key seen before | `none` | `locked` |
 * | `unlock`, or `read` with a remembered key, finds a key in force | `none`, `locked` | `unlocked` |
 * | `unlock` with `acceptOlder`: no file exists, although a key was seen before | `locked` | `none` |
 * | `lock` | `unlocked` | `locked`, because the files remain |
 * | `end`, or all files say that the protection was ended | `unlocked`, `locked` | `none`; `protectionEnded` if a key is known |
 * | `read` of a proof that an unknown key has replaced the last key in force | `unlocked` | `locked` |
 *
 * After `end`, the state is `locked` instead of `none` as long as a file under an unknown key does not say that the protection
 * was ended.
 */
export class Vault {
  readonly #spaceId: string;
  readonly #argon2: Argon2Parameters;
  readonly #contents: VaultContents;
  readonly #writer: VaultWriter;
  readonly #remembered: RememberedKeys;
  readonly #mutex = new Mutex();

  constructor(spaceId: string, peerId: string, options: VaultOptions = {}) {
    this.#spaceId = spaceId;
    this.#argon2 = options.argon2 ?? DEFAULT_ARGON2;
    this.#contents = new VaultContents(spaceId, options.deviceStore);
    this.#writer = new VaultWriter(spaceId, peerId, this.#contents);
    this.#remembered = new RememberedKeys(spaceId, options.deviceStore);
  }

  get protection(): Protection {
    return this.#contents.protection;
  }

  /** Whether the protection was ended under every key that is known here, so that secrets are kept without protection again. */
  get protectionEnded(): boolean {
    return this.#contents.protectionEnded;
  }

  get problems(): Problem[] {
    return this.#contents.problems;
  }

  /** The secrets, as far as keys are known. */
  get secrets(): SecretMap {
    return this.#contents.entries.secrets;
  }

  get(name: string): string | undefined {
    return this.#contents.entries.entries.get(name)?.value;
  }

  /** Whether a secret of that name is or was kept here, as far as keys are known. */
  has(name: string): boolean {
    return this.#contents.entries.entries.has(name);
  }

  /** See {@link lateChanges}. */
  get late(): ReadonlyMap<string, LateChange> {
    return lateChanges(this.#contents);
  }

  // ---- reading ----

  /** Replaces the known files of a source, and merges their contents. */
  async read(source: object, found: readonly StoredSealedFile[]): Promise<void> {
    await this.#mutex.run(async () => {
      const lacking = await this.#contents.find(source, found);
      await this.#remembered.addTo(this.#contents.keyring, lacking);
      await this.#contents.evaluate();
    });
  }

  forget(source: object): void {
    this.#contents.files.forget(source);
    this.#writer.forget(source);
  }

  /** Notes that another device store is in use: its records count from the next reading on. */
  deviceStoreChanged(): void {
    this.#contents.guard.reload();
    this.#remembered.reload();
  }

  // ---- keys ----

  /**
   * Finds the keys that a passphrase or recovery code opens.
   * @param acceptOlder whether to accept files that are older than those seen before
   * @throws FoldspaceError `FOLD_WRONG_PASSPHRASE`, `FOLD_SECRETS_ROLLED_BACK`, or the error of the only files
   */
  async unlock(text: string, acceptOlder: boolean): Promise<void> {
    await this.#mutex.run(async () => await this.#unlock(text, acceptOlder));
  }

  async #unlock(text: string, acceptOlder: boolean): Promise<void> {
    const { keyring, guard } = this.#contents;
    const before = keyring.keys;
    const found = await this.#findKeys(text, acceptOlder);
    if (!found) return await this.#acceptNothing();
    for (const key of found) keyring.add(key);
    await this.#contents.evaluate();
    if (acceptOlder) {
      guard.acceptOlder();
      await this.#contents.evaluate();
    }
    if (!guard.isRolledBack) return;
    this.#contents.forgetAllBut(before);
    await this.#contents.evaluate();
    throw rolledBack(
      "The secrets are older than those that this device has seen before: files were put back or removed, or are not here yet",
    );
  }

  /** @returns `undefined` if all files are missing, and the user accepts that */
  async #findKeys(text: string, acceptOlder: boolean): Promise<SpaceKey[] | undefined> {
    const { files, guard } = this.#contents;
    const isRefused = guard.isKeyMissing && !acceptOlder;
    if (isRefused && !files.all.some(({ header, error }) => header && !error))
      throw files.all.find(({ error }) => error?.code === "FOLD_NOT_DOWNLOADED")?.error ?? rolledBack(capitalized(MISSING));
    if (guard.isKeyMissing && files.all.length === 0) return undefined;
    try {
      return await findKeys(this.#spaceId, text, files.all);
    } catch (error) {
      const isWrong = error instanceof FoldspaceError && error.code === "FOLD_WRONG_PASSPHRASE";
      throw isWrong && isRefused ? rolledBack(capitalized(MISSING), error) : error;
    }
  }

  /** The user confirms that no secrets exist under a passphrase. */
  async #acceptNothing(): Promise<void> {
    this.#contents.keyring.keepOnly([]);
    await this.#contents.guard.acceptNothing();
    await this.#remembered.save([]);
    await this.#contents.evaluate();
  }

  /** Has the device remember the keys, so that it needs no passphrase. */
  async remember(): Promise<void> {
    await this.#remembered.save(this.#contents.keyring.keys);
  }

  /**
   * Forgets keys and secrets, including the remembered keys.
   * @param mayLock called directly before the keys are forgotten, with no other change in between
   * @returns whether it did
   */
  async lock(mayLock: () => boolean): Promise<boolean> {
    return await this.#mutex.run(async () => {
      if (!mayLock()) return false;
      this.#contents.forgetAllBut([]);
      await this.#remembered.save([]);
      return true;
    });
  }

  /**
   * Makes a new key.
   * @param secrets their values once the key has been made
   * @returns the recovery code
   * @throws FoldspaceError `FOLD_SECRETS_PARAMETERS`, `FOLD_SECRETS_TOO_LARGE`, `FOLD_COUNTER_EXHAUSTED`
   */
  async protect(passphrase: string, secrets: SecretMap): Promise<string> {
    return await this.#mutex.run(async () => {
      assertAcceptable(this.#argon2);
      const recovery = await newRecoveryCode();
      const { key, wraps, pair } = await newKey({ ...this.#keyOptions, version: 1, passphrase, recovery });
      // secrets that were deleted since the protection ended must be deleted here as well
      this.setAll(new Map([...differences(this.secrets, secrets)].map(([name, { to }]) => [name, to])));
      await this.#contents.keyring.replaceAll(key, wraps, pair);
      return recovery;
    });
  }

  /**
   * Replaces the present key by a new one, so that the old passphrase opens nothing that is sealed from now on.
   * @returns a new recovery code if the present one cannot be kept
   * @throws FoldspaceError `FOLD_SECRETS_LOCKED` if the key can be used but not exported; `FOLD_COUNTER_EXHAUSTED`
   */
  async changePassphrase(passphrase: string): Promise<string | undefined> {
    return await this.#mutex.run(async () => {
      const { keyring } = this.#contents;
      const present = keyring.writeKey;
      if (!present?.raw)
        throw new FoldspaceError(
          "FOLD_SECRETS_LOCKED",
          "Unlock the secrets with the passphrase or recovery code before changing it",
        );
      const earlier = keyring.pairOf(present.id);
      const code = earlier ? undefined : await newRecoveryCode();
      const version = counterAfter(keyring.version);
      const { key, wraps, pair } = await newKey({ ...this.#keyOptions, version, passphrase, recovery: earlier ?? code! });
      await keyring.replaceAll(key, wraps, pair);
      if (await this.#remembered.hasAny()) await this.remember();
      return code;
    });
  }

  get #keyOptions(): { readonly spaceId: string; readonly peerId: string; readonly argon2: Argon2Parameters } {
    return { spaceId: this.#spaceId, peerId: this.#writer.peerId, argon2: this.#argon2 };
  }

  /** Leaves one key as the only current one, so that it can say that all have ended. Must be called before {@link end}. */
  async unifyKeys(): Promise<void> {
    await this.#mutex.run(async () => await this.#contents.keyring.unify());
  }

  /** Ends the protection: our file will report that to the other devices, with the values of the secrets at that time. */
  end(): void {
    this.#contents.keyring.end();
  }

  // ---- writing ----

  changePeer(peerId: string): void {
    this.#writer.changePeer(peerId);
  }

  /**
   * Sets all these secrets; `undefined` deletes one.
   * @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`, `FOLD_COUNTER_EXHAUSTED`; nothing has changed then
   */
  setAll(values: ReadonlyMap<string, string | undefined>): void {
    this.#writer.setAll(values);
  }

  /** See {@link VaultWriter.isLackingIn}. */
  isLackingIn(source: object): boolean {
    return this.#writer.isLackingIn(source);
  }

  /** Seals our file as it should be written now. @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`, `FOLD_COUNTER_EXHAUSTED` */
  async seal(): Promise<OwnFile> {
    return await this.#writer.seal();
  }

  /** Notes that a source has taken our file. */
  noteWritten(source: object, own: OwnFile): void {
    this.#writer.noteWritten(source, own);
  }

  /** See {@link retirableFiles}. */
  retirable(source: object, own: OwnFile | undefined, now: number): StoredSealedFile[] {
    return retirableFiles(this.#contents, { source, own, peerId: this.#writer.peerId }, now);
  }
}

function capitalized(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}

function rolledBack(message: string, cause?: unknown): FoldspaceError {
  return new FoldspaceError("FOLD_SECRETS_ROLLED_BACK", message, cause === undefined ? {} : { cause });
}
