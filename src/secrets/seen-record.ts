import { webCrypto } from "../web-crypto.ts";
import { concatBytes } from "../bytes.ts";
import { fromBase64, IV_BYTES, toBase64, utf8, type Bytes } from "./encoding.ts";
import { isCleaned, type SecretEntries } from "./entries.ts";
import type { EntryMap } from "./entry-map.ts";
import type { KeyState, DeviceStore } from "./device-store.ts";
import { parseObject } from "./secret-map.ts";
import type { SpaceKey } from "./space-key.ts";

/** Counter and author of the entry of a name. */
type SeenEntry = readonly [counter: number, peerId: string];

interface Seen {
  readonly sequences: Map<string, number>;
  counter: number;
  version: number;
  entries: ReadonlyMap<string, SeenEntry>;
  isChanged: boolean;
}

/** Names the record of the states of all keys. It cannot be a key's id, which has 32 digits. */
const ALL_KEYS = "keys";

/** The latest version seen of every peer's file, every entry and every key, to detect when older ones replace them. */
export class SeenRecord {
  readonly #spaceId: string;
  readonly #deviceStore: DeviceStore | undefined;
  readonly #byKey = new Map<string, Seen>();
  readonly #states = new Map<string, KeyState>();
  #areStatesLoaded = false;
  #haveStatesChanged = false;

  constructor(spaceId: string, deviceStore: DeviceStore | undefined) {
    this.#spaceId = spaceId;
    this.#deviceStore = deviceStore;
  }

  /** Highest counter seen under any key. */
  get highestCounter(): number {
    return Math.max(0, ...Array.from(this.#byKey.values(), ({ counter }) => counter));
  }

  // ---- keys ----

  /** Keys that protect the secrets, as far as this device knows. */
  get currentKeys(): string[] {
    return [...this.#states].filter(([, state]) => state === "current").map(([id]) => id);
  }

  stateOf(keyId: string): KeyState | undefined {
    return this.#states.get(keyId);
  }

  async loadKeys(): Promise<void> {
    if (this.#areStatesLoaded) return;
    this.#areStatesLoaded = true;
    const { keys = {} } = (await this.#deviceStore?.loadSeen(this.#spaceId, ALL_KEYS)) ?? {};
    for (const [id, state] of Object.entries(keys)) if (!this.#states.has(id)) this.#states.set(id, state);
  }

  /** Reads the device store again, because another one is in use now. */
  reload(): void {
    this.#areStatesLoaded = false;
  }

  /** Once replaced or ended, a key does not become current again. */
  noteKey(keyId: string, state: KeyState): void {
    const known = this.#states.get(keyId);
    if (known === state || (known !== undefined && state === "current")) return;
    this.#states.set(keyId, state);
    this.#haveStatesChanged = true;
  }

  forgetKeys(): void {
    this.#haveStatesChanged ||= this.#states.size > 0;
    this.#states.clear();
  }

  // ---- files and entries of one key ----

  /** Loads the record of a key. */
  async load(key: SpaceKey): Promise<void> {
    if (this.#byKey.has(key.id)) return;
    const {
      sequences = {},
      counter = 0,
      version = 0,
      entries,
    } = (await this.#deviceStore?.loadSeen(this.#spaceId, key.id)) ?? {};
    const opened = entries === undefined ? new Map<string, SeenEntry>() : await this.#open(entries, key);
    if (this.#byKey.has(key.id)) return;
    const sequenceMap = new Map(Object.entries(sequences));
    this.#byKey.set(key.id, { sequences: sequenceMap, counter, version, entries: opened, isChanged: false });
  }

  sequenceOf(keyId: string, peerId: string): number {
    return this.#byKey.get(keyId)?.sequences.get(peerId) ?? 0;
  }

  isOlder(keyId: string, peerId: string, sequence: number): boolean {
    return sequence < this.sequenceOf(keyId, peerId);
  }

  /** Whether anything that was seen before is missing. @param version highest version of the passphrase */
  isBehind(keyId: string, present: EntryMap, version: number): boolean {
    const seen = this.#byKey.get(keyId);
    if (!seen) return false;
    if (present.highestCounter < seen.counter || version < seen.version) return true;
    for (const [name, [counter, peerId]] of seen.entries) {
      const entry = present.entries.get(name);
      const isThere = entry
        ? entry.counter > counter || (entry.counter === counter && entry.peerId >= peerId)
        : isCleaned({ value: undefined, counter, peerId }, present.cleaned);
      if (!isThere) return true;
    }
    return false;
  }

  isNewer(keyId: string, peerId: string, sequence: number, version: number): boolean {
    const seen = this.#byKey.get(keyId);
    return !seen || sequence > (seen.sequences.get(peerId) ?? 0) || version > seen.version;
  }

  noteFile(keyId: string, peerId: string, sequence: number, version: number): void {
    if (!this.isNewer(keyId, peerId, sequence, version)) return;
    const seen = this.#of(keyId);
    seen.sequences.set(peerId, Math.max(sequence, seen.sequences.get(peerId) ?? 0));
    seen.version = Math.max(version, seen.version);
    seen.isChanged = true;
  }

  /** @param entries of all files together */
  noteEntries(keyId: string, entries: SecretEntries): void {
    const seen = this.#of(keyId);
    for (const { counter } of entries.values()) seen.counter = Math.max(counter, seen.counter);
    seen.entries = new Map(Array.from(entries, ([name, entry]) => [name, [entry.counter, entry.peerId]]));
    seen.isChanged = true;
  }

  /** Starts anew: only what is found from now on counts. */
  forget(keyId: string): void {
    this.#byKey.set(keyId, { sequences: new Map(), counter: 0, version: 0, entries: new Map(), isChanged: true });
    this.#haveStatesChanged ||= this.#states.delete(keyId);
  }

  /** @param keys those whose records may have changed */
  async save(keys: readonly SpaceKey[]): Promise<void> {
    if (this.#haveStatesChanged) {
      this.#haveStatesChanged = false;
      const states = { sequences: {}, counter: 0, keys: Object.fromEntries(this.#states) };
      await this.#deviceStore?.saveSeen(this.#spaceId, ALL_KEYS, states);
    }
    for (const key of keys) {
      const seen = this.#byKey.get(key.id);
      if (!seen?.isChanged) continue;
      seen.isChanged = false;
      const { counter, version } = seen;
      const sequences = Object.fromEntries(seen.sequences);
      const entries = await this.#seal(seen.entries, key);
      await this.#deviceStore?.saveSeen(this.#spaceId, key.id, { counter, version, sequences, entries });
    }
  }

  #of(keyId: string): Seen {
    let seen = this.#byKey.get(keyId);
    if (!seen) {
      seen = { sequences: new Map(), counter: 0, version: 0, entries: new Map(), isChanged: false };
      this.#byKey.set(keyId, seen);
    }
    return seen;
  }

  async #seal(entries: ReadonlyMap<string, SeenEntry>, { id, key }: SpaceKey): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const text = utf8(JSON.stringify({ entries: Array.from(entries, ([name, entry]) => [name, ...entry]) }));
    const additionalData = this.#dataOf(id);
    return toBase64(
      concatBytes([iv, new Uint8Array(await webCrypto().encrypt({ name: "AES-GCM", iv, additionalData }, key, text))]),
    );
  }

  /** Forgets a record that does not open: an intruder does not reach the device's own store. */
  async #open(text: string, { id, key }: SpaceKey): Promise<Map<string, SeenEntry>> {
    const sealed = fromBase64(text);
    const entries = new Map<string, SeenEntry>();
    if (!sealed) return entries;
    const iv = sealed.subarray(0, IV_BYTES);
    const additionalData = this.#dataOf(id);
    let opened: ArrayBuffer;
    try {
      opened = await webCrypto().decrypt({ name: "AES-GCM", iv, additionalData }, key, sealed.subarray(IV_BYTES));
    } catch {
      // it belongs to another key or is damaged: the device behaves as if it had seen nothing
      return entries;
    }
    const { entries: list } = parseObject(new TextDecoder().decode(opened)) ?? {};
    for (const [name, counter, peerId] of Array.isArray(list) ? (list as readonly [string, number, string][]) : [])
      entries.set(name, [counter, peerId]);
    return entries;
  }

  #dataOf(keyId: string): Bytes {
    return utf8(JSON.stringify(["foldspace-secrets", 2, "seen", this.#spaceId, keyId]));
  }
}
