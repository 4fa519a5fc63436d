import { covers, entryBytes, isCleaned, isLater, type SecretEntries, type SecretEntry } from "./entries.ts";
import { MAX_CONTENT_BYTES, MAX_DELETIONS, type SecretsSize } from "./limits.ts";
import type { SecretMap } from "./secret-map.ts";

/** Deletions are cleaned up to this part of the limit, so that the next one needs none of that. */
const SHARE_AFTER_CLEANING = 0.75;

/** Entries that are known, with running totals: adding one costs the same however many there are. */
export class EntryMap {
  readonly #entries = new Map<string, SecretEntry>();
  #cleaned = 0;
  #revision = 0;
  #highestCounter = 0;
  #live: SecretsSize = { count: 0, bytes: 0 };
  #bytes = 0;

  get entries(): SecretEntries {
    return this.#entries;
  }

  /** Deletions up to this counter may have been cleaned up: they are missing. */
  get cleaned(): number {
    return this.#cleaned;
  }

  /** Of all entries that are or were here, also of those that were cleaned up. 0 when there was none. */
  get highestCounter(): number {
    return Math.max(this.#highestCounter, this.#cleaned);
  }

  /** Another number after every change. */
  get revision(): number {
    return this.#revision;
  }

  /** Of secrets that are not deleted. */
  get live(): SecretsSize {
    return this.#live;
  }

  /** Of all entries, as JSON. */
  get bytes(): number {
    return this.#bytes;
  }

  get deletions(): number {
    return this.#entries.size - this.#live.count;
  }

  /** Whether there are too many deletions to be remembered, or too many entries for one file. */
  get isFull(): boolean {
    return this.#exceeds(1);
  }

  /** The secrets that are not deleted. */
  get secrets(): SecretMap {
    const secrets = new Map<string, string>();
    for (const [name, { value }] of this.#entries) if (value !== undefined) secrets.set(name, value);
    return secrets;
  }

  /** What {@link live} would be with these entries instead of the present ones of their names. */
  liveWith(entries: SecretEntries): SecretsSize {
    let { count, bytes } = this.#live;
    for (const [name, entry] of entries) {
      const present = sizeOf(name, this.#entries.get(name));
      const size = sizeOf(name, entry);
      count += size.count - present.count;
      bytes += size.bytes - present.bytes;
    }
    return { count, bytes };
  }

  /** Whether no entry is later than there, but for deletions that were cleaned up. */
  areCovered(entries: SecretEntries, by: SecretEntries): boolean {
    return covers(by, entries, this.#cleaned);
  }

  /**
   * Takes in entries that are later than those known, but for deletions that were cleaned up.
   * @param cleaned up to where their writer has cleaned up
   * @returns whether any was
   */
  merge(arriving: SecretEntries, cleaned: number = 0): boolean {
    let hasChanged = false;
    if (cleaned > this.#cleaned) this.#clean(cleaned);
    for (const [name, entry] of arriving) {
      const present = this.#entries.get(name);
      if (!isLater(entry, present) || (!present && isCleaned(entry, this.#cleaned))) continue;
      this.#set(name, present, entry);
      hasChanged = true;
    }
    return hasChanged;
  }

  delete(name: string): void {
    const present = this.#entries.get(name);
    if (present) this.#set(name, present, undefined);
  }

  /** Forgets the earliest deletions while there is too much. @param kept names whose deletion stays remembered */
  cleanUp(kept: ReadonlySet<string>): void {
    const deleted = [...this.#entries].filter(([name, { value }]) => value === undefined && !kept.has(name));
    for (const [name, { counter }] of deleted.sort(([, a], [, b]) => a.counter - b.counter)) {
      if (!this.#exceeds(SHARE_AFTER_CLEANING)) break;
      this.delete(name);
      if (counter > this.#cleaned) this.#clean(counter);
    }
  }

  clear(): void {
    this.#entries.clear();
    this.#cleaned = 0;
    this.#revision++;
    this.#highestCounter = 0;
    this.#live = { count: 0, bytes: 0 };
    this.#bytes = 0;
  }

  #exceeds(share: number): boolean {
    return this.deletions > MAX_DELETIONS * share || this.#bytes > MAX_CONTENT_BYTES * share;
  }

  #clean(counter: number): void {
    this.#cleaned = counter;
    this.#revision++;
  }

  #set(name: string, present: SecretEntry | undefined, entry: SecretEntry | undefined): void {
    const [was, is] = [sizeOf(name, present), sizeOf(name, entry)];
    this.#live = { count: this.#live.count + is.count - was.count, bytes: this.#live.bytes + is.bytes - was.bytes };
    this.#bytes += is.allBytes - was.allBytes;
    this.#revision++;
    if (!entry) this.#entries.delete(name);
    else {
      this.#entries.set(name, entry);
      this.#highestCounter = Math.max(this.#highestCounter, entry.counter);
    }
  }
}

function sizeOf(name: string, entry: SecretEntry | undefined): SecretsSize & { readonly allBytes: number } {
  if (!entry) return { count: 0, bytes: 0, allBytes: 0 };
  const allBytes = entryBytes(name, entry);
  return entry.value === undefined ? { count: 0, bytes: 0, allBytes } : { count: 1, bytes: allBytes, allBytes };
}
