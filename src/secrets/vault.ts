import { FoldspaceError, type Problem } from "../errors.ts";
import { assertAcceptable, DEFAULT_ARGON2, type Argon2Parameters } from "./argon2.ts";
import { counterAfter, covers, isLater, mergeEntries, type SecretEntries, type SecretEntry } from "./entries.ts";
import { EntryMap } from "./entry-map.ts";
import { wrapByPassphrase, compareWraps, type KeyWraps } from "./key-wraps.ts";
import { Keyring } from "./keyring.ts";
import { assertMayGrow, MAX_CONTENT_BYTES, MAX_DELETIONS, MAX_SEALED_BYTES } from "./limits.ts";
import type { SecretsMemory } from "./memory.ts";
import { newRecoveryCode, parseRecoveryCode } from "./recovery-code.ts";
import {
  newRecoveryPair,
  wrapByRecoveryPair,
  wrapByRecoverySecret,
  type RecoveryPair,
  type RecoveryWrap,
} from "./recovery-wrap.ts";
import { sealFile } from "./sealed-file.ts";
import { differences, type SecretMap } from "./secret-map.ts";
import { SeenRecord } from "./seen-record.ts";
import { newSpaceKey, type SpaceKey } from "./space-key.ts";
import { findKeys } from "./unlocking.ts";
import { VaultFile, type StoredSealedFile } from "./vault-file.ts";

/** `none`: no passphrase was set, and whoever has the folder can read the secrets. */
export type Protection = "none" | "locked" | "unlocked";

export interface VaultOptions {
  readonly memory?: SecretsMemory | undefined;
  /** Cost of new passphrases. */
  readonly argon2?: Argon2Parameters | undefined;
}

/** A peer's file as it is to be written. */
export interface OwnFile {
  readonly peerId: string;
  readonly text: string;
  readonly keyId: string;
  readonly sequence: number;
  /** What stands in it: everything, unless that is too large for one file. */
  readonly entries: SecretEntries;
  readonly isEnded: boolean;
  /** How often a secret had been set or deleted here when it was sealed. */
  readonly edits: number;
}

/** A key, and the ways to it. */
interface NewKey {
  readonly key: SpaceKey;
  readonly wraps: KeyWraps;
  readonly pair: RecoveryPair;
}

/** So long after their last change, other peers' files that say no more than ours are removed; the more there are, the sooner. */
const REST_MS: readonly { readonly moreFilesThan: number; readonly moreBytesThan: number; readonly restMs: number }[] = [
  { moreFilesThan: 128, moreBytesThan: MAX_SEALED_BYTES / 2, restMs: 600_000 },
  { moreFilesThan: 64, moreBytesThan: MAX_SEALED_BYTES / 4, restMs: 86_400_000 },
  { moreFilesThan: -1, moreBytesThan: -1, restMs: 30 * 86_400_000 },
];

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
  readonly #keyring: Keyring;
  readonly #entries = new EntryMap();
  /** Deletions up to this counter may have been cleaned up. */
  #cleaned = 0;
  /** Whether something that this device has seen is not there any more. */
  #isBehind = false;
  /** Whether there is something that the device has not been told to remember. */
  #isUnremembered = true;
  #remembered: Promise<void> | undefined;
  /** Keys that the device was asked for. */
  readonly #asked = new Set<string>();
  /** Our file as it was last sealed, as long as there is nothing new. */
  #own: Promise<OwnFile> | undefined;
  /** Our file as each place took it last. */
  readonly #written = new Map<object, OwnFile>();
  #edits = 0;
  #peerId: string;
  #sequence = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(spaceId: string, peerId: string, options: VaultOptions = {}) {
    this.#spaceId = spaceId;
    this.#peerId = peerId;
    this.#argon2 = options.argon2 ?? DEFAULT_ARGON2;
    this.#memory = options.memory;
    this.#seen = new SeenRecord(spaceId, options.memory);
    this.#keyring = new Keyring(spaceId);
  }

  get protection(): Protection {
    if (this.#keyring.writeKey) return "unlocked";
    const isKept = this.#files.some((file) => !this.#saysEnded(file));
    return isKept || this.#missingKeys.length > 0 ? "locked" : "none";
  }

  /** The secrets, as far as keys are known. */
  get secrets(): SecretMap {
    return this.#entries.secrets;
  }

  get(name: string): string | undefined {
    return this.#entries.entries.get(name)?.value;
  }

  /** Whether a secret of that name is or was kept here, as far as keys are known. */
  has(name: string): boolean {
    return this.#entries.entries.has(name);
  }

  /** Whether the protection was ended under every key that is known here, so that the secrets are kept without again. */
  get isOver(): boolean {
    return this.#keyring.endKey !== undefined && this.protection === "none";
  }

  get problems(): Problem[] {
    const isOpen = this.protection === "unlocked";
    const ofFiles = this.#files.flatMap((file) => {
      const isKnown = file.keyId === undefined || this.#keyring.get(file.keyId) !== undefined;
      const isLocked = isOpen && !isKnown && !this.#saysEnded(file);
      return file.problems({ isLocked, isOld: file.content !== undefined && this.#isOld(file) });
    });
    if (this.#isBehind)
      ofFiles.push({ code: "FOLD_SECRETS_ROLLED_BACK", reason: "the secrets are older than what this device has seen before" });
    else if (this.#missingKeys.length > 0) ofFiles.push({ code: "FOLD_SECRETS_ROLLED_BACK", reason: MISSING });
    return ofFiles;
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
    await this.#seen.loadKeys();
    // another tab may have changed the passphrase, and had the device remember the new key
    const unknown = files.filter(({ keyId }) => keyId !== undefined && !this.#keyring.get(keyId) && !this.#asked.has(keyId));
    if (unknown.length > 0) this.#remembered = undefined;
    for (const { keyId } of unknown) this.#asked.add(keyId!);
    await (this.#remembered ??= this.#useRemembered());
    await this.#evaluate();
  }

  forget(place: object): void {
    this.#places.delete(place);
    this.#written.delete(place);
  }

  /** The memory of the device is another by now: what it holds counts from the next reading on. */
  memoryChanged(): void {
    this.#seen.reload();
    this.#remembered = undefined;
  }

  /**
   * Whether the place lacks something that is known here, so that our file has to be written there.
   * @returns `false` while locked, but for what was set just before
   */
  isLackingIn(place: object): boolean {
    const key = this.#keyring.writeKey;
    if (this.#keyring.replacedKey) return (this.#written.get(place)?.edits ?? 0) < this.#edits;
    if (!key) return this.isOver && !covers(this.#endedIn(place), this.#entries.entries, this.#cleaned);
    const files = this.#openIn(place).filter((file) => !this.#isLeaking(file));
    const entries = new Map<string, SecretEntry>();
    for (const { content } of files) mergeEntries(entries, content!.entries);
    const wraps = this.#keyring.wrapsOf(key.id)!;
    const hasWraps = files.some((file) => file.keyId === key.id && compareWraps(file.header!.wraps, wraps) === 0);
    const hasKeys = [...this.#keyring.textsBeside(key.id)].every(([id]) => files.some((file) => file.content!.keys.has(id)));
    if (!hasWraps || !hasKeys || !covers(entries, this.#entries.entries, this.#cleaned)) return true;
    const isToGo = (file: VaultFile): boolean =>
      this.#isLeaking(file) && !this.#isOwn(file) && this.#isCoveredBy(this.#entries.entries, file);
    return (this.#places.get(place) ?? []).some(isToGo);
  }

  /** Notes that a place has taken our file. */
  noteWritten(place: object, own: OwnFile): void {
    this.#written.set(place, own);
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
    const before = this.#keyring.keys;
    const wasMissing = this.#missingKeys.length > 0;
    const isAnyUsable = this.#files.some(({ header, error }) => header && !error);
    if (wasMissing && !acceptOlder && !isAnyUsable) throw rolledBack(capitalized(MISSING));
    if (wasMissing && this.#files.length === 0) return await this.#acceptNothing();
    let found: SpaceKey[];
    try {
      found = await findKeys(this.#spaceId, text, this.#files);
    } catch (error) {
      const isWrong = error instanceof FoldspaceError && error.code === "FOLD_WRONG_PASSPHRASE";
      throw isWrong && wasMissing && !acceptOlder ? rolledBack(capitalized(MISSING), error) : error;
    }
    for (const key of found) this.#keyring.add(key);
    await this.#evaluate();
    if (acceptOlder) {
      this.#seen.forgetKeys();
      for (const { id } of this.#keyring.keys) this.#seen.forget(id);
      await this.#evaluate();
    }
    if (!this.#isBehind && this.#missingKeys.length === 0) return;
    this.#lockAgain(before);
    await this.#evaluate();
    throw rolledBack(
      "The secrets are older than what this device has seen before: files were put back or removed, or are not here yet",
    );
  }

  /** The user says that there are to be no secrets under a passphrase. */
  async #acceptNothing(): Promise<void> {
    this.#seen.forgetKeys();
    this.#keyring.keepOnly([]);
    await this.#seen.save([]);
    await this.#memory?.saveKeys?.(this.#spaceId, []);
    await this.#evaluate();
  }

  /** Has the device remember the keys, so that it needs no passphrase. */
  async remember(): Promise<void> {
    const keys = this.#keyring.keys.map(({ id, key }) => ({ id, key }));
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
      this.#lockAgain([]);
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
    return await this.#exclusively(async () => await this.#protect(passphrase, secrets));
  }

  async #protect(passphrase: string, secrets: SecretMap): Promise<string> {
    assertAcceptable(this.#argon2);
    const code = await newRecoveryCode();
    const { key, wraps, pair } = await this.#newKey(passphrase, 1, code);
    // earlier secrets that were deleted since the protection ended are to be deleted here as well
    this.setAll(new Map([...differences(this.secrets, secrets)].map(([name, { to }]) => [name, to])));
    await this.#keyring.replaceAll(key, wraps, pair);
    this.#touch();
    return code;
  }

  /**
   * Puts a new key in the place of the present one, so that the old passphrase opens nothing that is sealed from now on.
   * @returns a new recovery code if the present one cannot be kept
   * @throws FoldspaceError `FOLD_SECRETS_LOCKED` where the key can be used, but not read out; `FOLD_COUNTER_EXHAUSTED`
   */
  async changePassphrase(passphrase: string): Promise<string | undefined> {
    return await this.#exclusively(async () => await this.#changePassphrase(passphrase));
  }

  async #changePassphrase(passphrase: string): Promise<string | undefined> {
    const present = this.#keyring.writeKey;
    if (!present?.raw)
      throw new FoldspaceError(
        "FOLD_SECRETS_LOCKED",
        "Unlock the secrets with the passphrase or recovery code before changing it",
      );
    const pair = this.#keyring.pairOf(present.id);
    const code = pair ? undefined : await newRecoveryCode();
    const next = await this.#newKey(passphrase, counterAfter(this.#keyring.version), pair ?? code!);
    await this.#keyring.replaceAll(next.key, next.wraps, next.pair);
    this.#touch();
    const isRemembered = ((await this.#memory?.loadKeys?.(this.#spaceId)) ?? []).length > 0;
    if (isRemembered) await this.remember();
    return code;
  }

  /** @param recovery a code, or the pair of an earlier one */
  async #newKey(passphrase: string, version: number, recovery: string | RecoveryPair): Promise<NewKey> {
    const key = await newSpaceKey();
    const context = { spaceId: this.#spaceId, keyId: key.id };
    const peerId = this.#peerId;
    let [wrap, pair]: [RecoveryWrap | undefined, RecoveryPair | undefined] = [undefined, undefined];
    if (typeof recovery === "string") {
      const secret = (await parseRecoveryCode(recovery))!;
      pair = await newRecoveryPair(this.#spaceId, secret);
      wrap = await wrapByRecoverySecret(context, key.raw!, secret);
    } else {
      pair = recovery;
      wrap = await wrapByRecoveryPair(context, key.raw!, pair);
    }
    const byPassphrase = await wrapByPassphrase(context, key.raw!, passphrase, this.#argon2, version, peerId);
    return { key, wraps: { version, peerId, passphrase: byPassphrase, recovery: wrap }, pair };
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
    const counter = counterAfter(Math.max(this.#entries.highestCounter, this.#cleaned, this.#seen.highestCounter));
    const changed = new Map<string, SecretEntry>();
    for (const [name, value] of values) changed.set(name, { value, counter, peerId: this.#peerId });
    assertMayGrow(this.#entries.live, this.#entries.liveWith(changed));
    this.#entries.merge(changed);
    this.#edits++;
    this.#touch();
  }

  /** To be called before {@link end}: of several keys, one is to be the only one, so that it can say that all have ended. */
  async unifyKeys(): Promise<void> {
    await this.#exclusively(async () => await this.#keyring.unify());
    this.#touch();
  }

  /** Ends the protection: our file will say so to the other devices, and what the secrets were then. */
  end(): void {
    this.#keyring.end();
    this.#touch();
  }

  /**
   * What others have set or deleted under the protection without knowing that it was ended, with what the secrets were when
   * it was: that is no part of what is kept without protection.
   */
  get late(): ReadonlyMap<string, { readonly before: string | undefined; readonly value: string | undefined }> {
    const late = new Map<string, { readonly before: string | undefined; readonly value: string | undefined }>();
    if (!this.isOver) return late;
    const ended = new Map<string, SecretEntry>();
    for (const { content, header } of this.#openFiles) if (header!.isEnded) mergeEntries(ended, content!.entries);
    // before our own file is there, all that is known was taken out by us
    if (ended.size === 0) return late;
    for (const [name, entry] of this.#entries.entries)
      if (isLater(entry, ended.get(name))) late.set(name, { before: ended.get(name)?.value, value: entry.value });
    // two that have ended it at the same time may have taken out different values
    for (const { content, header } of this.#openFiles)
      for (const [name, { value: before }] of header!.isEnded ? content!.entries : []) {
        const latest = this.#entries.entries.get(name);
        const isOther = before !== undefined && latest && latest.value !== before && !late.has(name);
        if (isOther) late.set(name, { before, value: latest.value });
      }
    return late;
  }

  /** Our file as it has to be written now. @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`, `FOLD_COUNTER_EXHAUSTED` */
  async seal(): Promise<OwnFile> {
    this.#own ??= this.#seal();
    return await this.#own;
  }

  /**
   * Files in a place that can go, as they say no more than ours does, which is there or is being written there.
   * @param own ours
   * @param now milliseconds since the epoch
   */
  retirable(place: object, own: OwnFile | undefined, now: number): StoredSealedFile[] {
    const all = (this.#places.get(place) ?? []).filter((file) => file.content !== undefined && !this.#isOwn(file));
    const bytes = all.reduce((sum, { stored }) => sum + (typeof stored.content === "string" ? stored.content.length : 0), 0);
    const { restMs } = REST_MS.find(({ moreFilesThan, moreBytesThan }) => all.length > moreFilesThan || bytes > moreBytesThan)!;
    const isAtRest = ({ stored: { modifiedMs } }: VaultFile): boolean => modifiedMs === undefined || now - modifiedMs > restMs;
    const canGo = (file: VaultFile): boolean => {
      if (this.isOver) return this.#isEndSaidElsewhere(file, place, own);
      return (
        own !== undefined &&
        this.#isCoveredBy(own.entries, file) &&
        (this.#isLeaking(file) || (isAtRest(file) && !this.#isOld(file)))
      );
    };
    return all.filter((file) => canGo(file) && !this.#hasLaterWraps(file)).map(({ stored }) => stored);
  }

  // ---- inside ----

  get #files(): VaultFile[] {
    return [...this.#places.values()].flat();
  }

  get #openFiles(): VaultFile[] {
    return this.#files.filter((file) => file.content !== undefined && !this.#isOld(file));
  }

  #openIn(place: object): VaultFile[] {
    return (this.#places.get(place) ?? []).filter((file) => file.content !== undefined && !this.#isOld(file));
  }

  /** What the files of a place say that the secrets were when the protection was ended. */
  #endedIn(place: object): SecretEntries {
    const entries = new Map<string, SecretEntry>();
    for (const { content, header } of this.#openIn(place)) if (header!.isEnded) mergeEntries(entries, content!.entries);
    return entries;
  }

  /** Keys under which this device has seen secrets, without being told with any of them that they were replaced or ended. */
  get #missingKeys(): string[] {
    if (this.#places.size === 0) return [];
    const held = this.#keyring.keys.filter(({ id }) => this.#keyring.wrapsOf(id) === undefined).map(({ id }) => id);
    const expected = new Set([...this.#seen.currentKeys, ...held.filter((id) => this.#seen.stateOf(id) !== "ended")]);
    const isAccountedFor = (id: string): boolean =>
      this.#keyring.wrapsOf(id) !== undefined ||
      this.#openFiles.some(({ content }) => content!.keys.has(id)) ||
      this.#keyring.isReplaced(id) ||
      this.#seen.stateOf(id) === "replaced" ||
      this.#files.some((file) => file.keyId === id && !file.error && file.header?.isEnded === false);
    return [...expected].filter((id) => !isAccountedFor(id));
  }

  /** There is something new to be sealed. */
  #touch(): void {
    this.#own = undefined;
  }

  async #seal(): Promise<OwnFile> {
    const { writeKey, endKey, replacedKey } = this.#keyring;
    const key = (writeKey ?? endKey ?? replacedKey)!;
    const peerId = this.#peerId;
    const edits = this.#edits;
    const isEnded = writeKey === undefined && endKey !== undefined;
    this.#cleanUp();
    const entries = new Map(this.#entries.bytes > MAX_CONTENT_BYTES ? this.#keptNowhereElse() : this.#entries.entries);
    const sequence = counterAfter(this.#highestSequence(key.id));
    this.#sequence = sequence;
    const header = {
      spaceId: this.#spaceId,
      peerId,
      keyId: key.id,
      sequence,
      isEnded,
      wraps: this.#keyring.wrapsOf(key.id)!,
      replaces: this.#keyring.replacementsBy(key.id),
    };
    const content = {
      entries,
      keys: this.#keyring.textsBeside(key.id),
      recovery: this.#keyring.pairOf(key.id),
      cleaned: this.#cleaned,
    };
    const text = await sealFile(header, content, key);
    return { peerId, text, keyId: key.id, sequence, entries, isEnded, edits };
  }

  /** Forgets the earliest deletions if there are too many, but for those of secrets that stand in some file. */
  #cleanUp(): void {
    const room = { deletions: MAX_DELETIONS, bytes: MAX_CONTENT_BYTES };
    const isTooMuch = (): boolean => this.#entries.deletions > room.deletions || this.#entries.bytes > room.bytes;
    if (!isTooMuch()) return;
    // some more than necessary, so that the next deletion needs none of this
    for (const limit of ["deletions", "bytes"] as const) room[limit] *= 0.75;
    const alive = new Set<string>();
    for (const { content } of this.#files)
      for (const [name, { value }] of content?.entries ?? []) if (value !== undefined) alive.add(name);
    const deleted = [...this.#entries.entries].filter(([name, { value }]) => value === undefined && !alive.has(name));
    for (const [name, { counter }] of deleted.sort(([, a], [, b]) => a.counter - b.counter)) {
      if (!isTooMuch()) break;
      this.#entries.delete(name);
      this.#cleaned = Math.max(this.#cleaned, counter);
    }
  }

  /** Entries that some place would lack without our file: what can be written where everything is too large for one file. */
  #keptNowhereElse(): SecretEntries {
    const elsewhere = [...this.#places.keys()].map((place) => {
      const entries = new Map<string, SecretEntry>();
      for (const file of this.#openIn(place))
        if (!this.#isOwn(file) && !this.#isLeaking(file)) mergeEntries(entries, file.content!.entries);
      return entries;
    });
    return new Map(
      [...this.#entries.entries].filter(([name, entry]) => elsewhere.some((kept) => isLater(entry, kept.get(name)))),
    );
  }

  /** Whether a file says that the protection was ended. One whose key is known has to be opened for that to count. */
  #saysEnded(file: VaultFile): boolean {
    const { header, keyId } = file;
    if (!header) return false;
    if (this.#keyring.wrapsOf(keyId))
      return this.#keyring.isEnded(keyId) || (this.#keyring.isReplaced(keyId) && this.#keyring.endKey !== undefined);
    return header.isEnded && !this.#keyring.get(keyId);
  }

  /** Whether a file opens with a passphrase that was changed. */
  #isLeaking(file: VaultFile): boolean {
    const { writeKey } = this.#keyring;
    if (!writeKey || !file.content) return false;
    if (this.#keyring.isReplaced(file.keyId)) return true;
    return file.keyId === writeKey.id && compareWraps(file.header!.wraps, this.#keyring.wrapsOf(writeKey.id)!) < 0;
  }

  #isOwn({ stored: { peerId, isCopy } }: VaultFile): boolean {
    return peerId === this.#peerId && !isCopy;
  }

  #isCoveredBy(entries: SecretEntries, { content }: VaultFile): boolean {
    return covers(entries, content!.entries, this.#cleaned);
  }

  /**
   * Whether another file in a place, or ours, says as well that the protection was ended and what the secrets were. Of two
   * files that say the same, one goes: on all devices the same, as they could take away both.
   */
  #isEndSaidElsewhere(file: VaultFile, place: object, own: OwnFile | undefined): boolean {
    const others: { readonly peerId: string; readonly entries: SecretEntries }[] = this.#openIn(place)
      .filter((other) => other !== file && other.header!.isEnded && !other.stored.isCopy)
      .map((other) => ({ peerId: other.header!.peerId, entries: other.content!.entries }));
    if (own?.isEnded) others.push(own);
    return others.some(({ peerId, entries }) => {
      if (!this.#isCoveredBy(entries, file)) return false;
      const isSame = covers(file.content!.entries, entries, this.#cleaned);
      return !file.header!.isEnded || file.stored.isCopy === true || !isSame || peerId > file.header!.peerId;
    });
  }

  #hasLaterWraps(file: VaultFile): boolean {
    const own = this.#keyring.wrapsOf(file.keyId);
    return file.keyId === this.#keyring.writeKey?.id && compareWraps(file.header!.wraps, own!) > 0;
  }

  /** Opens what can be opened, as long as that brings more keys, and merges it. */
  async #evaluate(): Promise<void> {
    for (let isAnyNew = true; isAnyNew;) {
      isAnyNew = false;
      for (const file of this.#files) {
        const key = this.#keyring.get(file.keyId);
        if (!key || !(await file.open(key))) continue;
        if (await this.#keyring.addTexts(file.content!.keys)) isAnyNew = true;
      }
      if (isAnyNew) this.#touch();
    }
    const { keys } = this.#keyring;
    for (const key of keys) await this.#seen.load(key);
    const files = this.#files.filter((file) => file.content && this.#keyring.get(file.keyId) && !this.#isOld(file));
    for (const file of files) this.#takeIn(file);
    for (const { header } of this.#files) if (header && (await this.#keyring.noteReplacements(header))) this.#touch();
    this.#isBehind = keys.some(({ id }) => this.#isKeyBehind(id));
    if (!this.#isBehind && this.#missingKeys.length === 0) await this.#remember();
  }

  #takeIn(file: VaultFile): void {
    const { recovery, entries, cleaned = 0 } = file.content!;
    const isLaterKey = this.#keyring.note(file.header!, recovery);
    this.#cleaned = Math.max(this.#cleaned, cleaned);
    if (this.#entries.merge(entries, this.#cleaned) || isLaterKey) this.#touch();
    const { keyId, peerId, sequence, wraps } = file.header!;
    if (this.#seen.isNewer(keyId, peerId, sequence, wraps.version)) this.#isUnremembered = true;
  }

  /** Has the device remember what was seen in files: what no file holds yet may never come to be in one. */
  async #remember(): Promise<void> {
    const keys = this.#keyring.keys.filter(({ id }) => this.#keyring.wrapsOf(id));
    for (const { id } of keys)
      this.#seen.noteKey(id, this.#keyring.isReplaced(id) ? "replaced" : this.#keyring.isEnded(id) ? "ended" : "current");
    if (this.#isUnremembered && keys.length > 0) {
      this.#isUnremembered = false;
      const entries = new Map<string, SecretEntry>();
      for (const { header, content } of this.#openFiles) {
        this.#seen.noteFile(header!.keyId, header!.peerId, header!.sequence, header!.wraps.version);
        mergeEntries(entries, content!.entries);
      }
      for (const { id } of keys) this.#seen.noteEntries(id, entries);
    }
    await this.#seen.save(keys);
  }

  #isKeyBehind(keyId: string): boolean {
    if (this.#seen.stateOf(keyId) === "replaced" && !this.#keyring.isReplaced(keyId)) return true;
    const { entries, highestCounter: counter } = this.#entries;
    return this.#seen.isBehind(keyId, { entries, counter, version: this.#keyring.version, cleaned: this.#cleaned });
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

  async #useRemembered(): Promise<void> {
    for (const { id, key } of (await this.#memory?.loadKeys?.(this.#spaceId)) ?? [])
      this.#keyring.add({ id, key, raw: undefined });
  }

  async #exclusively<T>(task: () => Promise<T>): Promise<T> {
    const run = this.#last.then(task, task);
    this.#last = run;
    return await run;
  }

  #lockAgain(keys: readonly SpaceKey[]): void {
    const held = new Set(keys.map(({ id }) => id));
    this.#keyring.keepOnly(keys);
    this.#entries.clear();
    this.#cleaned = 0;
    this.#isUnremembered = true;
    for (const file of this.#files) if (!held.has(file.keyId ?? "")) file.close();
    this.#touch();
  }
}

const MISSING =
  "this device has seen secrets under a passphrase here, and their files were removed, replaced by older ones, or are not " +
  "here yet, or say without proof that the protection was taken off: no secret is read or set until they are unlocked";

function capitalized(sentence: string): string {
  return sentence.slice(0, 1).toUpperCase() + sentence.slice(1);
}

function rolledBack(message: string, cause?: unknown): FoldspaceError {
  return new FoldspaceError("FOLD_SECRETS_ROLLED_BACK", message, cause === undefined ? {} : { cause });
}
