import { covers, entryBytes, isCleaned, isLater, type SecretEntries, type SecretEntry } from "./entries.ts";
import { MAX_CONTENT_BYTES, MAX_DELETIONS, type SecretsSize } from "./limits.ts";
import type { SecretMap } from "./secret-map.ts";

/** A cleanup removes deletions until the map takes this share of its limits, so that the next deletion needs no cleanup. */
const SHARE_AFTER_CLEANING = 0.75;

/** The known entries, with running totals: adding one takes the same time however many there are. */
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

  /** Deletions up to this counter may have been cleaned up, and are then missing. */
  get cleaned(): number {
    return this.#cleaned;
  }

  /** Of all entries that are or were here, including those that were cleaned up. 0 if there was no entry. */
  get highestCounter(): number {
    return Math.max(this.#highestCounter, this.#cleaned);
  }

  /** Changes with every edit of the map. */
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

  /** Whether the map has more deletions than are remembered, or more entries than fit one file. */
  get isFull(): boolean {
    return this.#exceeds(1);
  }

  /** The secrets that are not deleted. */
  get secrets(): SecretMap {
    const secrets = new Map<string, string>();
    for (const [name, { value }] of this.#entries) if (value !== undefined) secrets.set(name, value);
    return secrets;
  }

  /** The value that {@link live} would have with these entries in place of the present ones of the same names. */
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

  /** Whether no entry is later than those in `by`, ignoring deletions that were cleaned up. */
  areCovered(entries: SecretEntries, by: SecretEntries): boolean {
    return covers(by, entries, this.#cleaned);
  }

  /**
   * Merges the entries that are later than those known, except deletions that were cleaned up.
   * @param cleaned the counter up to which their writer has cleaned up
   * @returns whether an entry was merged
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

  /** Forgets the earliest deletions while the map exceeds its limits. @param kept names whose deletion stays remembered */
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
