import { fromBase64, toBase64 } from "./encoding.ts";
import type { KeyTexts } from "./entries.ts";
import { isProven, proveReplaced, type KeyReplacement } from "./key-replacement.ts";
import { compareWraps, type KeyWraps } from "./key-wraps.ts";
import type { RecoveryPair } from "./recovery-wrap.ts";
import { MAX_REPLACED_KEYS, type SealedHeader } from "./sealed-file.ts";
import { toNamedSpaceKey, type SpaceKey } from "./space-key.ts";

/** The knowledge about one key. */
interface KeyEntry {
  readonly key: SpaceKey;
  /** The latest wraps that are known to be genuine. A key without any cannot be written under. */
  wraps: KeyWraps | undefined;
  /**
   * Recovery pairs by their public keys. If there are several, one may come from a device that knew an earlier passphrase, so
   * none of them is used.
   */
  readonly pairs: Map<string, RecoveryPair>;
  isEnded: boolean;
  /** Proofs that this key has replaced others. */
  replaces: readonly KeyReplacement[];
  isReplaced: boolean;
}

/** The keys of a space that are known here, and their state: each is current, or replaced by a later key, or ended. */
export class Keyring {
  readonly #spaceId: string;
  readonly #entries = new Map<string, KeyEntry>();
  #revision = 0;

  constructor(spaceId: string) {
    this.#spaceId = spaceId;
  }

  /** Changes with every change of the keyring. */
  get revision(): number {
    return this.#revision;
  }

  get keys(): SpaceKey[] {
    return Array.from(this.#entries.values(), ({ key }) => key);
  }

  get(id: string | undefined): SpaceKey | undefined {
    return id === undefined ? undefined : this.#entries.get(id)?.key;
  }

  /** The key to write under: of several, the lowest, so that all devices choose the same. */
  get writeKey(): SpaceKey | undefined {
    return this.#lowest(({ isEnded, isReplaced }) => !isEnded && !isReplaced);
  }

  /** The key under which this device writes that the protection was ended; `undefined` while any key continues the protection. */
  get endKey(): SpaceKey | undefined {
    const protectionEnded = [...this.#entries.values()].every(
      ({ wraps, isEnded, isReplaced }) => !wraps || isEnded || isReplaced,
    );
    return protectionEnded ? this.#lowest(({ isEnded, isReplaced }) => isEnded && !isReplaced) : undefined;
  }

  /** A key that was replaced by one that is not known here: the last key that this device can write under. */
  get replacedKey(): SpaceKey | undefined {
    return this.writeKey || this.endKey ? undefined : this.#lowest(({ isReplaced }) => isReplaced);
  }

  isEnded(id: string | undefined): boolean {
    return this.#of(id)?.isEnded ?? false;
  }

  isReplaced(id: string | undefined): boolean {
    return this.#of(id)?.isReplaced ?? false;
  }

  wrapsOf(id: string | undefined): KeyWraps | undefined {
    return this.#of(id)?.wraps;
  }

  replacementsBy(id: string): readonly KeyReplacement[] {
    return this.#of(id)?.replaces ?? [];
  }

  /** `undefined` also if there are several, because one of them may be an intruder's. */
  pairOf(id: string | undefined): RecoveryPair | undefined {
    const pairs = [...(this.#of(id)?.pairs.values() ?? [])];
    return pairs.length === 1 ? pairs[0] : undefined;
  }

  /** The highest version of the passphrase, of keys that have not ended. */
  get version(): number {
    return Math.max(0, ...Array.from(this.#entries.values(), ({ wraps }) => wraps?.version ?? 0));
  }

  /** Adds a key, or the raw bytes of a key that was known without them. @returns whether anything was new */
  add(key: SpaceKey): boolean {
    const entry = this.#entries.get(key.id);
    if (entry && (entry.key.raw || !key.raw)) return false;
    const unknown = { wraps: undefined, pairs: new Map(), isEnded: false, replaces: [], isReplaced: false };
    this.#entries.set(key.id, { ...(entry ?? unknown), key });
    this.#revision++;
    return true;
  }

  /** @returns whether any was new */
  async addTexts(texts: KeyTexts): Promise<boolean> {
    let isAnyNew = false;
    for (const [id, text] of texts) {
      if (this.get(id)?.raw) continue;
      const raw = fromBase64(text);
      const key = raw && (await toNamedSpaceKey(raw, id));
      if (key && this.add(key)) isAnyNew = true;
    }
    return isAnyNew;
  }

  /** Merges the statements of a file, which its key has opened, about that key. */
  note({ keyId, wraps, isEnded, replaces = [] }: SealedHeader, pair: RecoveryPair | undefined): void {
    const entry = this.#of(keyId)!;
    const isLater = !entry.wraps || compareWraps(wraps, entry.wraps) > 0;
    const known = new Set(entry.replaces.map((replacement) => replacement.keyId));
    const others = replaces.filter((replacement) => !known.has(replacement.keyId));
    const allReplaces = [...entry.replaces, ...others].slice(0, MAX_REPLACED_KEYS);
    const pairId = pair && toBase64(pair.publicKey);
    const isNewPair = pairId !== undefined && !entry.pairs.has(pairId);
    const isNews = isLater || isNewPair || allReplaces.length > entry.replaces.length || (isEnded && !entry.isEnded);
    if (isNews) this.#revision++;
    if (isLater) entry.wraps = wraps;
    if (pair && pairId !== undefined) entry.pairs.set(pairId, pair);
    entry.replaces = allReplaces;
    entry.isEnded ||= isEnded;
  }

  /** Takes proofs, from any file, that keys which are known here were replaced. */
  async noteReplacements({ keyId, replaces = [] }: SealedHeader): Promise<void> {
    for (const replacement of replaces) {
      const entry = this.#of(replacement.keyId);
      if (!entry || entry.isReplaced || !(await isProven(this.#spaceId, replacement, entry.key, keyId))) continue;
      entry.isReplaced = true;
      this.#revision++;
    }
  }

  /** Replaces all other keys by a new one. */
  async replaceAll(key: SpaceKey, wraps: KeyWraps, pair: RecoveryPair): Promise<void> {
    const present = this.writeKey?.id ?? this.endKey?.id;
    const earlier = present === undefined ? [] : this.replacementsBy(present).map(({ keyId }) => keyId);
    const order = [...(present === undefined ? [] : [present]), ...earlier];
    const rank = (id: string): number => (order.includes(id) ? order.indexOf(id) : order.length);
    const latestFirst = this.keys.toSorted((a, b) => rank(a.id) - rank(b.id)).slice(0, MAX_REPLACED_KEYS);
    const replaces = await Promise.all(latestFirst.map(async (old) => await proveReplaced(this.#spaceId, old, key.id)));
    for (const entry of this.#entries.values()) entry.isReplaced = true;
    const pairs = new Map([[toBase64(pair.publicKey), pair]]);
    this.#entries.set(key.id, { key, wraps, pairs, isEnded: false, replaces, isReplaced: false });
    this.#revision++;
  }

  /**
   * Replaces the other keys by the key to write under, so that statements under it apply to devices that know only one of the
   * others. That includes keys that have ended: otherwise an end could be stated under one of them, where a device that knows
   * only the current key cannot read it.
   */
  async unify(): Promise<void> {
    const { writeKey } = this;
    if (!writeKey) return;
    const others = [...this.#entries.values()].filter((entry) => entry.key.id !== writeKey.id && !entry.isReplaced);
    const proofs = await Promise.all(others.map(async ({ key }) => await proveReplaced(this.#spaceId, key, writeKey.id)));
    const entry = this.#of(writeKey.id)!;
    entry.replaces = [...proofs, ...entry.replaces].slice(0, MAX_REPLACED_KEYS);
    for (const other of others) other.isReplaced = true;
    this.#revision++;
  }

  /**
   * Has a current key replace every key that any other one has replaced, as far as there is room: otherwise a device that learns
   * only this key would continue to write under a replaced one.
   */
  async carryReplacements(id: string): Promise<void> {
    const entry = this.#of(id);
    if (!entry || entry.isReplaced) return;
    const known = new Set(entry.replaces.map(({ keyId }) => keyId));
    const others = [...this.#entries.values()].filter(({ key, isReplaced }) => isReplaced && key.id !== id && !known.has(key.id));
    const proofs = await Promise.all(others.map(async ({ key }) => await proveReplaced(this.#spaceId, key, id)));
    entry.replaces = [...entry.replaces, ...proofs].slice(0, MAX_REPLACED_KEYS);
  }

  end(): void {
    for (const entry of this.#entries.values()) entry.isEnded = true;
    this.#revision++;
  }

  /** The other keys that a holder of the key to write under should learn, the latest first. */
  textsBeside(id: string): KeyTexts {
    const replaced = new Set(this.replacementsBy(id).map(({ keyId }) => keyId));
    const texts = new Map<string, string>();
    for (const { key, isEnded, isReplaced } of this.#entries.values()) {
      const isOfUse = isReplaced ? replaced.has(key.id) : !isEnded;
      if (key.raw && key.id !== id && isOfUse) texts.set(key.id, toBase64(key.raw));
    }
    return texts;
  }

  /** Forgets all other keys. */
  keepOnly(keys: readonly SpaceKey[]): void {
    this.#entries.clear();
    this.#revision++;
    for (const key of keys) this.add(key);
  }

  #lowest(isIt: (entry: KeyEntry) => boolean): SpaceKey | undefined {
    const ids = [...this.#entries].filter(([, entry]) => entry.wraps && isIt(entry)).map(([id]) => id);
    return this.get(ids.sort()[0]);
  }

  #of(id: string | undefined): KeyEntry | undefined {
    return id === undefined ? undefined : this.#entries.get(id);
  }
}
