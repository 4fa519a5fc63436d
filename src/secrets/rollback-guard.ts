import type { Problem } from "../errors.ts";
import type { EntryMap } from "./entry-map.ts";
import type { Keyring } from "./keyring.ts";
import type { DeviceStore } from "./device-store.ts";
import type { SealedHeader } from "./sealed-file.ts";
import { SeenRecord } from "./seen-record.ts";
import { entriesIn, type VaultFile } from "./vault-file.ts";
import type { VaultFiles } from "./vault-files.ts";

/** The reason why no secret is read or set while files are missing. */
export const MISSING: string =
  "this device has seen secrets under a passphrase here, and their files were removed, replaced by older ones, or are not " +
  "here yet, or say without proof that the protection was taken off: no secret is read or set until they are unlocked";

/**
 * Compares files, keys and entries with those that this device has seen before. Only this device keeps that record. If something
 * is older or missing, an intruder may have put it back or removed it.
 */
export class RollbackGuard {
  readonly #seen: SeenRecord;
  readonly #files: VaultFiles;
  readonly #keyring: Keyring;
  readonly #entries: EntryMap;
  /** Whether something that was seen under a known key is missing. */
  #isBehind = false;
  /** Whether the device store lacks something that was read. */
  #isUnremembered = true;

  constructor(
    spaceId: string,
    deviceStore: DeviceStore | undefined,
    { files, keyring, entries }: { readonly files: VaultFiles; readonly keyring: Keyring; readonly entries: EntryMap },
  ) {
    this.#seen = new SeenRecord(spaceId, deviceStore);
    this.#files = files;
    this.#keyring = keyring;
    this.#entries = entries;
  }

  /** Highest counter of any entry that is known or was seen. */
  get highestCounter(): number {
    return Math.max(this.#entries.highestCounter, this.#seen.highestCounter);
  }

  /** Highest sequence of a peer's file that was seen. */
  sequenceOf(keyId: string, peerId: string): number {
    return this.#seen.sequenceOf(keyId, peerId);
  }

  /** Whether secrets were seen under a key that no file mentions any more, not even as replaced or ended. */
  get isKeyMissing(): boolean {
    return this.#missingKeys.length > 0;
  }

  /** Whether something that was seen before is missing. */
  get isRolledBack(): boolean {
    return this.#isBehind || this.isKeyMissing;
  }

  get problems(): Problem[] {
    if (!this.isRolledBack) return [];
    const reason = this.#isBehind ? "the secrets are older than those that this device has seen before" : MISSING;
    return [{ code: "FOLD_SECRETS_ROLLED_BACK", reason }];
  }

  /** Files that are open, and not older than the latest version seen of them. */
  get openFiles(): VaultFile[] {
    return this.#files.all.filter((file) => this.#isOpen(file));
  }

  /** As {@link openFiles}, in one source. */
  openIn(source: object): VaultFile[] {
    return this.#files.in(source).filter((file) => this.#isOpen(file));
  }

  /** Whether every file of that peer is older than the latest version seen of it. With several sources, one may lag behind. */
  isOld(file: VaultFile): boolean {
    const { keyId, peerId } = file.header!;
    const latest = Math.max(
      ...this.#files.all
        .filter(({ content, header }) => content && header?.keyId === keyId && header.peerId === peerId)
        .map(({ header }) => header!.sequence),
    );
    return this.#seen.isOlder(keyId, peerId, latest);
  }

  /** Loads the states of the keys that were seen. */
  async loadStates(): Promise<void> {
    await this.#seen.loadKeys();
  }

  /** Loads the records of the known keys. */
  async loadSeen(): Promise<void> {
    for (const key of this.#keyring.keys) await this.#seen.load(key);
  }

  /** Reads the device store again, because another one is in use now. */
  reload(): void {
    this.#seen.reload();
  }

  /** Notes a file whose content was merged. */
  noteTakenIn({ keyId, peerId, sequence, wraps }: SealedHeader): void {
    if (this.#seen.isNewer(keyId, peerId, sequence, wraps.version)) this.#isUnremembered = true;
  }

  /** Notes that all entries were forgotten, so that the next ones must be remembered. */
  noteForgotten(): void {
    this.#isUnremembered = true;
  }

  /** Checks whether anything is missing, and if not, has the device remember the present state. */
  async check(): Promise<void> {
    this.#isBehind = this.#keyring.keys.some(({ id }) => this.#isKeyBehind(id));
    if (!this.isRolledBack) await this.#remember();
  }

  /** The user accepts the present state: the earlier records no longer count. */
  acceptOlder(): void {
    this.#seen.forgetKeys();
    for (const { id } of this.#keyring.keys) this.#seen.forget(id);
  }

  /** As {@link acceptOlder}, if there are no files at all. */
  async acceptNothing(): Promise<void> {
    this.#seen.forgetKeys();
    await this.#seen.save([]);
  }

  #isOpen(file: VaultFile): boolean {
    return file.content !== undefined && !this.isOld(file);
  }

  get #missingKeys(): string[] {
    if (this.#files.sources.length === 0) return [];
    const unwrapped = this.#keyring.keys.filter(({ id }) => this.#keyring.wrapsOf(id) === undefined).map(({ id }) => id);
    const expected = new Set([...this.#seen.currentKeys, ...unwrapped.filter((id) => this.#seen.stateOf(id) !== "ended")]);
    const isAccountedFor = (id: string): boolean =>
      this.#keyring.wrapsOf(id) !== undefined ||
      this.openFiles.some(({ content }) => content!.keys.has(id)) ||
      this.#keyring.isReplaced(id) ||
      this.#seen.stateOf(id) === "replaced" ||
      this.#files.all.some((file) => file.keyId === id && !file.error && file.header?.isEnded === false);
    return [...expected].filter((id) => !isAccountedFor(id));
  }

  #isKeyBehind(keyId: string): boolean {
    if (this.#seen.stateOf(keyId) === "replaced" && !this.#keyring.isReplaced(keyId)) return true;
    return this.#seen.isBehind(keyId, this.#entries, this.#keyring.version);
  }

  /** Remembers only entries that are in files: one that is in no file yet may never be in one. */
  async #remember(): Promise<void> {
    const keys = this.#keyring.keys.filter(({ id }) => this.#keyring.wrapsOf(id));
    for (const { id } of keys)
      this.#seen.noteKey(id, this.#keyring.isReplaced(id) ? "replaced" : this.#keyring.isEnded(id) ? "ended" : "current");
    if (this.#isUnremembered && keys.length > 0) {
      this.#isUnremembered = false;
      const { openFiles } = this;
      for (const { header } of openFiles)
        this.#seen.noteFile(header!.keyId, header!.peerId, header!.sequence, header!.wraps.version);
      const entries = entriesIn(openFiles);
      for (const { id } of keys) this.#seen.noteEntries(id, entries);
    }
    await this.#seen.save(keys);
  }
}
