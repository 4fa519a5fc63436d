import { counterAfter, isLater, type SecretEntries, type SecretEntry } from "./entries.ts";
import { isLeaking } from "./file-standing.ts";
import { compareWraps } from "./key-wraps.ts";
import { assertMayGrow, MAX_CONTENT_BYTES } from "./limits.ts";
import { sealFile } from "./sealed-file.ts";
import type { VaultContents } from "./vault-contents.ts";
import { entriesIn, type VaultFile } from "./vault-file.ts";

/** The file that a peer is about to write. */
export interface OwnFile {
  readonly peerId: string;
  readonly text: string;
  readonly keyId: string;
  readonly sequence: number;
  /** The entries in the file: all, unless they are too large for one file. */
  readonly entries: SecretEntries;
  readonly isEnded: boolean;
  /** Number of edits made here before the file was sealed. */
  readonly edits: number;
}

/** The writing side of a vault: the secrets that this device sets, and its own file, which only this device writes. */
export class VaultWriter {
  readonly #spaceId: string;
  readonly #contents: VaultContents;
  #peerId: string;
  #sequence = 0;
  #edits = 0;
  /** Our file, as last sealed. */
  #own: Promise<OwnFile> | undefined;
  /** The revision of the contents that it was sealed from. */
  #ownRevision = "";
  /** Our file, as last saved in each source. */
  readonly #written = new Map<object, OwnFile>();

  constructor(spaceId: string, peerId: string, contents: VaultContents) {
    this.#spaceId = spaceId;
    this.#peerId = peerId;
    this.#contents = contents;
  }

  get peerId(): string {
    return this.#peerId;
  }

  changePeer(peerId: string): void {
    this.#peerId = peerId;
    this.#own = undefined;
  }

  /**
   * Sets all these secrets; `undefined` deletes one.
   * @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`, `FOLD_COUNTER_EXHAUSTED`; nothing has changed then
   */
  setAll(values: ReadonlyMap<string, string | undefined>): void {
    if (values.size === 0) return;
    const { entries, guard } = this.#contents;
    const counter = counterAfter(guard.highestCounter);
    const changed = new Map<string, SecretEntry>();
    for (const [name, value] of values) changed.set(name, { value, counter, peerId: this.#peerId });
    assertMayGrow(entries.live, entries.liveWith(changed));
    entries.merge(changed);
    this.#edits++;
  }

  /**
   * Whether the source lacks something that is known here, so that our file must be written there.
   * @returns `false` while locked, except for secrets that were set just before
   */
  isLackingIn(source: object): boolean {
    const { files, keyring, entries, guard, protectionEnded } = this.#contents;
    const key = keyring.writeKey;
    const open = guard.openIn(source);
    const isCovered = (by: readonly VaultFile[]): boolean => entries.areCovered(entries.entries, entriesIn(by));
    if (keyring.replacedKey) return (this.#written.get(source)?.edits ?? 0) < this.#edits;
    if (!key) {
      const ended = open.filter(({ header }) => header!.isEnded);
      return protectionEnded && (ended.length === 0 || !isCovered(ended));
    }
    const lasting = open.filter((file) => !isLeaking(file, keyring));
    const wraps = keyring.wrapsOf(key.id)!;
    const hasWraps = lasting.some((file) => file.keyId === key.id && compareWraps(file.header!.wraps, wraps) === 0);
    const hasKeys = [...keyring.textsBeside(key.id)].every(([id]) => lasting.some((file) => file.content!.keys.has(id)));
    if (!hasWraps || !hasKeys || !isCovered(lasting)) return true;
    // a file that opens with an earlier passphrase is removed once our file is written
    const isToGo = (file: VaultFile): boolean =>
      isLeaking(file, keyring) && !file.isOf(this.#peerId) && entries.areCovered(file.content!.entries, entries.entries);
    return files.in(source).some(isToGo);
  }

  /** Seals our file as it should be written now. @throws FoldspaceError `FOLD_SECRETS_TOO_LARGE`, `FOLD_COUNTER_EXHAUSTED` */
  async seal(): Promise<OwnFile> {
    if (!this.#own || this.#ownRevision !== this.#revision) {
      this.#cleanUp();
      this.#own = this.#seal();
      this.#ownRevision = this.#revision;
    }
    return await this.#own;
  }

  /** Notes that a source has taken our file. */
  noteWritten(source: object, own: OwnFile): void {
    this.#written.set(source, own);
  }

  forget(source: object): void {
    this.#written.delete(source);
  }

  get #revision(): string {
    const { keyring, entries } = this.#contents;
    return `${keyring.revision}/${entries.revision}`;
  }

  async #seal(): Promise<OwnFile> {
    const { keyring, entries: known } = this.#contents;
    const { writeKey, endKey, replacedKey } = keyring;
    const key = (writeKey ?? endKey ?? replacedKey)!;
    const peerId = this.#peerId;
    const edits = this.#edits;
    const isEnded = writeKey === undefined && endKey !== undefined;
    await keyring.carryReplacements(key.id);
    const entries = new Map(known.bytes > MAX_CONTENT_BYTES ? this.#keptNowhereElse() : known.entries);
    const sequence = counterAfter(this.#highestSequence(key.id));
    this.#sequence = sequence;
    const header = {
      spaceId: this.#spaceId,
      peerId,
      keyId: key.id,
      sequence,
      isEnded,
      wraps: keyring.wrapsOf(key.id)!,
      replaces: keyring.replacementsBy(key.id),
    };
    const content = {
      entries,
      keys: keyring.textsBeside(key.id),
      recovery: keyring.pairOf(key.id),
      cleaned: known.cleaned,
    };
    const text = await sealFile(header, content, key);
    return { peerId, text, keyId: key.id, sequence, entries, isEnded, edits };
  }

  /** Forgets the earliest deletions if there are too many, except those of secrets that some file still contains. */
  #cleanUp(): void {
    const { files, entries } = this.#contents;
    if (!entries.isFull) return;
    const alive = new Set<string>();
    for (const { content } of files.all)
      for (const [name, { value }] of content?.entries ?? []) if (value !== undefined) alive.add(name);
    entries.cleanUp(alive);
  }

  /** Entries that some source would lack without our file: these are written if all entries together do not fit one file. */
  #keptNowhereElse(): SecretEntries {
    const { files, keyring, entries, guard } = this.#contents;
    const isElsewhere = (file: VaultFile): boolean => !file.isOf(this.#peerId) && !isLeaking(file, keyring);
    const elsewhere = files.sources.map((source) => entriesIn(guard.openIn(source).filter(isElsewhere)));
    return new Map([...entries.entries].filter(([name, entry]) => elsewhere.some((kept) => isLater(entry, kept.get(name)))));
  }

  #highestSequence(keyId: string): number {
    const { files, guard } = this.#contents;
    return Math.max(this.#sequence, guard.sequenceOf(keyId, this.#peerId), files.sequenceOf(this.#peerId));
  }
}
