import { FoldspaceError, type Problem } from "../errors.ts";
import { assertAcceptable, DEFAULT_ARGON2, type Argon2Parameters } from "./argon2.ts";
import { fromBase64, toBase64 } from "./encoding.ts";
import {
  counterAfter,
  covers,
  encodeContent,
  highestCounter,
  liveSecrets,
  mergeEntries,
  type KeyTexts,
  type SecretEntry,
} from "./entries.ts";
import { compareWraps, wrapByPassphrase, wrapByRecoverySecret, type KeyWraps } from "./key-wraps.ts";
import type { SecretsMemory } from "./memory.ts";
import { newRecoveryCode, parseRecoveryCode } from "./recovery-code.ts";
import { sealFile } from "./sealed-file.ts";
import type { SecretMap } from "./secret-map.ts";
import { SeenRecord } from "./seen-record.ts";
import { newSpaceKey, toNamedSpaceKey, type SpaceKey } from "./space-key.ts";
import { findKeys } from "./unlocking.ts";
import { VaultFile, type StoredSealedFile } from "./vault-file.ts";

/** `none`: no passphrase was set, and whoever has the folder can read the secrets. */
export type Protection = "none" | "locked" | "unlocked";

export interface VaultOptions {
  readonly memory?: SecretsMemory | undefined;
  /** Cost of new passphrases. */
  readonly argon2?: Argon2Parameters | undefined;
}

interface OwnFile {
  readonly peerId: string;
  readonly text: string;
  readonly keyId: string;
  readonly sequence: number;
}

/** Other peers' files that say no more than ours are removed when they have not changed for so long. */
const RETIRE_AFTER_MS = 30 * 86_400_000;
/** So many files, and those that have rested for a day go as well. */
const MANY_FILES = 64;
const RETIRE_AFTER_MS_OF_MANY = 86_400_000;

/**
 * Secrets under a passphrase: what the sealed files of all peers hold together, once a key of theirs is known, and what
 * this peer writes. Knows nothing of where the files are, but tells the places apart that keep them. Reading, unlocking
 * and locking are done one after another.
 */
export class Vault {
  readonly #spaceId: string;
  readonly #argon2: Argon2Parameters;
  readonly #memory: SecretsMemory | undefined;
  readonly #seen: SeenRecord;
  readonly #places = new Map<object, readonly VaultFile[]>();
  readonly #keys = new Map<string, SpaceKey>();
  /** Keys under which the protection was ended. */
  readonly #ended = new Set<string>();
  /** The latest wraps of each key that are known to be genuine. */
  readonly #wraps = new Map<string, KeyWraps>();
  readonly #entries = new Map<string, SecretEntry>();
  #remembered: Promise<void> | undefined;
  /** Under which the protection was ended here. */
  #endKey: SpaceKey | undefined;
  /** Our file as it was last sealed, as long as there is nothing new. */
  #own: Promise<OwnFile> | undefined;
  #peerId: string;
  #sequence = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(spaceId: string, peerId: string, options: VaultOptions = {}) {
    this.#spaceId = spaceId;
    this.#peerId = peerId;
    this.#argon2 = options.argon2 ?? DEFAULT_ARGON2;
    this.#memory = options.memory;
    this.#seen = new SeenRecord(spaceId, options.memory);
  }

  get protection(): Protection {
    if (this.#writeKey) return "unlocked";
    return this.#files.some((file) => !this.#isEndedFile(file)) ? "locked" : "none";
  }

  /** The secrets, as far as keys are known. */
  get secrets(): SecretMap {
    return liveSecrets(this.#entries);
  }

  /** Whether a secret of that name is or was kept here, as far as keys are known. */
  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** Whether the protection was ended under every key that is known here, so that the secrets are kept without again. */
  get isOver(): boolean {
    return this.#keys.size > 0 && !this.#writeKey;
  }

  get problems(): Problem[] {
    const isOpen = this.protection === "unlocked";
    const isBehind = [...this.#keys.keys()].some((id) => this.#seen.isBehind(id, highestCounter(this.#entries)));
    const ofFiles = this.#files.flatMap((file) => {
      const isLocked = isOpen && file.keyId !== undefined && !this.#keys.has(file.keyId) && !this.#isEndedFile(file);
      return file.problems({ isLocked, isOld: file.content !== undefined && this.#isOld(file) });
    });
    const reason = "the secrets are older than what this device has seen before";
    return isBehind ? [...ofFiles, { code: "FOLD_SECRETS_ROLLED_BACK", reason }] : ofFiles;
  }

  // ---- reading ----

  /** Takes in the files of a place: what is found there from now on. */
  async read(place: object, found: readonly StoredSealedFile[]): Promise<void> {
    await this.#exclusively(async () => await this.#read(place, found));
  }

  async #read(place: object, found: readonly StoredSealedFile[]): Promise<void> {
    const known = new Map(this.#places.get(place)?.map((file) => [file.stored.content, file]));
    const files: VaultFile[] = [];
    for (const stored of found) {
      const same = known.get(stored.content);
      files.push(same?.isAs(stored) ? same : await VaultFile.parse(stored, this.#spaceId));
    }
    this.#places.set(place, files);
    if (files.length > 0) await (this.#remembered ??= this.#useRemembered());
    await this.#evaluate();
  }

  forget(place: object): void {
    this.#places.delete(place);
  }

  /**
   * Whether the place lacks something that is known here, so that our file has to be written there.
   * @returns `false` while locked
   */
  isLackingIn(place: object): boolean {
    const files = this.#openIn(place);
    const key = this.#writeKey;
    if (!key) return this.#endKey !== undefined && !files.some((file) => file.header!.isEnded && file.keyId === this.#endKey!.id);
    const entries = new Map<string, SecretEntry>();
    for (const { content } of files) mergeEntries(entries, content!.entries);
    const wraps = this.#wraps.get(key.id)!;
    const hasWraps = files.some((file) => file.keyId === key.id && compareWraps(file.header!.wraps, wraps) === 0);
    const hasKeys = [...this.#otherKeys(key)].every(([id]) => files.some((file) => file.content!.keys.has(id)));
    return !hasWraps || !hasKeys || !covers(entries, this.#entries);
  }

  // ---- keys ----

  /**
   * Finds the keys that a passphrase or recovery code opens.
   * @param acceptOlder whether files older than those seen before are taken for the present ones from now on
   * @throws FoldspaceError `FOLD_WRONG_PASSPHRASE`, `FOLD_SECRETS_ROLLED_BACK`, or what is wrong with the only files
   */
  async unlock(text: string, acceptOlder: boolean): Promise<void> {
    await this.#exclusively(async () => await this.#unlock(text, acceptOlder));
  }

  async #unlock(text: string, acceptOlder: boolean): Promise<void> {
    const found = await findKeys(this.#spaceId, text, this.#files);
    const before = new Map(this.#keys);
    for (const key of found) {
      this.#keys.set(key.id, key);
      if (acceptOlder) this.#seen.forget(key.id);
    }
    await this.#evaluate();
    for (const { id } of found) {
      if (!this.#seen.isBehind(id, highestCounter(this.#entries))) continue;
      this.#lockAgain(before);
      throw new FoldspaceError(
        "FOLD_SECRETS_ROLLED_BACK",
        "The secrets are older than what this device has seen before: files were put back or removed, or are not here yet",
      );
    }
    await this.#seen.save();
  }

  /** Has the device remember the keys, so that it needs no passphrase. */
  async remember(): Promise<void> {
    const keys = Array.from(this.#keys.values(), ({ id, key }) => ({ id, key }));
    await this.#memory?.saveKeys?.(this.#spaceId, keys);
  }

  /**
   * Forgets keys and secrets, also those that the device was to remember.
   * @param mayLock asked in the turn in which they are forgotten
   * @returns whether it did
   */
  async lock(mayLock: () => boolean): Promise<boolean> {
    return await this.#exclusively(async () => {
      if (!mayLock()) return false;
      this.#lockAgain(new Map());
      await this.#memory?.saveKeys?.(this.#spaceId, []);
      return true;
    });
  }

  /**
   * Makes a new key.
   * @param secrets as they are once the key has been made
   * @returns the recovery code
   * @throws FoldspaceError `FOLD_SECRETS_PARAMETERS`, `FOLD_SECRETS_TOO_LARGE`, `FOLD_COUNTER_EXHAUSTED`
   */
  async protect(passphrase: string, secrets: SecretMap): Promise<string> {
    assertAcceptable(this.#argon2);
    const code = await newRecoveryCode();
    const key = await newSpaceKey();
    const context = { spaceId: this.#spaceId, keyId: key.id };
    const wraps: KeyWraps = {
      version: 1,
      peerId: this.#peerId,
      passphrase: await wrapByPassphrase(context, key.raw!, passphrase, this.#argon2, 1, this.#peerId),
      recovery: await wrapByRecoverySecret(context, key.raw!, (await parseRecoveryCode(code))!),
    };
    this.setAll(secrets);
    this.#keys.set(key.id, key);
    this.#wraps.set(key.id, wraps);
    this.#touch();
    return code;
  }

  /**
   * Wraps the key anew.
   * @throws FoldspaceError `FOLD_SECRETS_LOCKED` where the key can be used, but not read out; `FOLD_COUNTER_EXHAUSTED`
   */
  async changePassphrase(passphrase: string): Promise<void> {
    const key = this.#writeKey;
    if (!key?.raw)
      throw new FoldspaceError(
        "FOLD_SECRETS_LOCKED",
        "Unlock the secrets with the passphrase or recovery code before changing it",
      );
    const { version, recovery } = this.#wraps.get(key.id)!;
    const context = { spaceId: this.#spaceId, keyId: key.id };
    const next = counterAfter(version);
    const wrap = await wrapByPassphrase(context, key.raw, passphrase, this.#argon2, next, this.#peerId);
    this.#wraps.set(key.id, { version: next, peerId: this.#peerId, passphrase: wrap, recovery });
    this.#touch();
  }

  // ---- writing ----

  changePeer(peerId: string): void {
    this.#peerId = peerId;
    this.#touch();
  }

  /**
   * Sets all of these; `undefined` deletes.
   * @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`, `FOLD_COUNTER_EXHAUSTED`; nothing has changed then
   */
  setAll(values: ReadonlyMap<string, string | undefined>): void {
    if (values.size === 0) return;
    const counter = counterAfter(Math.max(highestCounter(this.#entries), this.#seen.highestCounter));
    const changed = new Map<string, SecretEntry>();
    for (const [name, value] of values) changed.set(name, { value, counter, peerId: this.#peerId });
    encodeContent({ entries: new Map([...this.#entries, ...changed]), keys: this.#otherKeys(this.#writeKey) });
    mergeEntries(this.#entries, changed);
    this.#touch();
  }

  /** Deletes all secrets here, to be kept elsewhere. @returns what they were @throws FoldspaceError as {@link setAll} */
  takeOut(): SecretMap {
    const { secrets } = this;
    this.setAll(new Map(Array.from(secrets.keys(), (name) => [name, undefined])));
    return secrets;
  }

  /** Ends the protection: our file will say so to the other devices. */
  end(): void {
    this.#endKey = this.#writeKey;
    for (const id of this.#keys.keys()) this.#ended.add(id);
    this.#touch();
  }

  /** Our file as it has to be written now. */
  async seal(): Promise<OwnFile> {
    this.#own ??= this.#seal();
    return await this.#own;
  }

  /**
   * Peers whose files in a place can go, as they say no more than ours does, which is there or is being written there.
   * @param now milliseconds since the epoch
   */
  retirable(place: object, now: number): string[] {
    const files = this.#openIn(place);
    const restMs = files.length > MANY_FILES ? RETIRE_AFTER_MS_OF_MANY : RETIRE_AFTER_MS;
    const isAtRest = ({ stored: { modifiedMs } }: VaultFile): boolean => modifiedMs === undefined || now - modifiedMs > restMs;
    const canGo = (file: VaultFile): boolean =>
      this.isOver && !file.header!.isEnded ? true : file.header!.peerId !== this.#peerId && isAtRest(file);
    return files
      .filter((file) => !file.stored.isCopy && canGo(file))
      .filter((file) => covers(this.#entries, file.content!.entries) && !this.#hasLaterWraps(file))
      .map((file) => file.stored.peerId);
  }

  // ---- inside ----

  get #files(): VaultFile[] {
    return [...this.#places.values()].flat();
  }

  /** The key to write under: of several, the lowest, so that all devices come to the same. */
  get #writeKey(): SpaceKey | undefined {
    const [lowest] = [...this.#keys.keys()].filter((id) => !this.#ended.has(id)).sort();
    return lowest === undefined ? undefined : this.#keys.get(lowest);
  }

  /** There is something new to be sealed. */
  #touch(): void {
    this.#own = undefined;
  }

  async #seal(): Promise<OwnFile> {
    const key = (this.#writeKey ?? this.#endKey)!;
    const sequence = counterAfter(this.#highestSequence(key.id));
    this.#sequence = sequence;
    const header = {
      spaceId: this.#spaceId,
      peerId: this.#peerId,
      keyId: key.id,
      sequence,
      isEnded: this.#writeKey === undefined,
      wraps: this.#wraps.get(key.id)!,
    };
    const text = await sealFile(header, { entries: new Map(this.#entries), keys: this.#otherKeys(key) }, key);
    return { peerId: this.#peerId, text, keyId: key.id, sequence };
  }

  #openIn(place: object): VaultFile[] {
    return (this.#places.get(place) ?? []).filter((file) => file.content !== undefined && !this.#isOld(file));
  }

  #isEndedFile(file: VaultFile): boolean {
    return file.header?.isEnded === true || (file.keyId !== undefined && this.#ended.has(file.keyId));
  }

  #hasLaterWraps(file: VaultFile): boolean {
    const own = this.#wraps.get(file.keyId!);
    return file.keyId === this.#writeKey?.id && compareWraps(file.header!.wraps, own!) > 0;
  }

  /** Opens what can be opened, as long as that brings more keys, and merges it. */
  async #evaluate(): Promise<void> {
    for (let keys = -1; keys !== this.#keys.size;) {
      keys = this.#keys.size;
      for (const file of this.#files) {
        const key = file.keyId === undefined ? undefined : this.#keys.get(file.keyId);
        if (!key || !(await file.open(key))) continue;
        await this.#seen.load(key.id);
        await this.#takeKeys(file.content!.keys);
      }
    }
    for (const file of this.#files) if (file.content && this.#keys.has(file.keyId!) && !this.#isOld(file)) this.#takeIn(file);
    await this.#seen.save();
  }

  #takeIn(file: VaultFile): void {
    const { keyId, peerId, sequence, isEnded, wraps } = file.header!;
    const { entries } = file.content!;
    const known = this.#wraps.get(keyId);
    const isLaterWraps = !known || compareWraps(wraps, known) > 0;
    if (isLaterWraps) this.#wraps.set(keyId, wraps);
    if (isLaterWraps || !covers(this.#entries, entries)) this.#touch();
    mergeEntries(this.#entries, entries);
    if (isEnded) this.#ended.add(keyId);
    this.#seen.note(keyId, peerId, sequence, highestCounter(entries));
  }

  async #takeKeys(keys: KeyTexts): Promise<void> {
    for (const [id, text] of keys) {
      if (this.#keys.get(id)?.raw) continue;
      const raw = fromBase64(text);
      const key = raw && (await toNamedSpaceKey(raw, id));
      if (!key) continue;
      this.#keys.set(id, key);
      this.#touch();
    }
  }

  /** Whether every file of that peer is older than what was seen of it. Of several places, one may lag behind another. */
  #isOld(file: VaultFile): boolean {
    const { keyId, peerId } = file.header!;
    const latest = Math.max(
      ...this.#files
        .filter(({ content, header }) => content && header?.keyId === keyId && header.peerId === peerId)
        .map(({ header }) => header!.sequence),
    );
    return this.#seen.isOlder(keyId, peerId, latest);
  }

  #highestSequence(keyId: string): number {
    const own = this.#files.filter((file) => file.header?.peerId === this.#peerId).map((file) => file.header!.sequence);
    return Math.max(this.#sequence, this.#seen.sequenceOf(keyId, this.#peerId), ...own);
  }

  #otherKeys(writeKey: SpaceKey | undefined): KeyTexts {
    const texts = new Map<string, string>();
    for (const { id, raw } of this.#keys.values())
      if (raw && id !== writeKey?.id && !this.#ended.has(id)) texts.set(id, toBase64(raw));
    return texts;
  }

  async #useRemembered(): Promise<void> {
    for (const { id, key } of (await this.#memory?.loadKeys?.(this.#spaceId)) ?? []) {
      if (!this.#keys.has(id)) this.#keys.set(id, { id, key, raw: undefined });
    }
  }

  async #exclusively<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#last.then(task, task);
    this.#last = run;
    return await run;
  }

  #lockAgain(keys: ReadonlyMap<string, SpaceKey>): void {
    this.#keys.clear();
    this.#entries.clear();
    this.#wraps.clear();
    this.#endKey = undefined;
    for (const [id, key] of keys) this.#keys.set(id, key);
    for (const file of this.#files) if (!keys.has(file.keyId ?? "")) file.close();
    this.#touch();
  }
}
