import { entryBytes, isCleaned, isLater, type SecretEntries, type SecretEntry } from "./entries.ts";
import type { SecretMap } from "./secret-map.ts";
import type { SecretsSize } from "./limits.ts";

/** Entries that are known, with running totals: adding one costs the same however many there are. */
export class EntryMap {
  readonly #entries = new Map<string, SecretEntry>();
  #highestCounter = 0;
  #live: SecretsSize = { count: 0, bytes: 0 };
  #bytes = 0;

  get entries(): SecretEntries {
    return this.#entries;
  }

  /** 0 when there is no entry. */
  get highestCounter(): number {
    return this.#highestCounter;
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

  /**
   * Takes in entries that are later than those known.
   * @param cleaned deletions up to this counter are left out where there is nothing to delete
   * @returns whether any was
   */
  merge(arriving: SecretEntries, cleaned: number = 0): boolean {
    let hasChanged = false;
    for (const [name, entry] of arriving) {
      const present = this.#entries.get(name);
      if (!isLater(entry, present) || (!present && isCleaned(entry, cleaned))) continue;
      this.#set(name, present, entry);
      hasChanged = true;
    }
    return hasChanged;
  }

  delete(name: string): void {
    const present = this.#entries.get(name);
    if (present) this.#set(name, present, undefined);
  }

  clear(): void {
    this.#entries.clear();
    this.#highestCounter = 0;
    this.#live = { count: 0, bytes: 0 };
    this.#bytes = 0;
  }

  #set(name: string, present: SecretEntry | undefined, entry: SecretEntry | undefined): void {
    const [was, is] = [sizeOf(name, present), sizeOf(name, entry)];
    this.#live = { count: this.#live.count + is.count - was.count, bytes: this.#live.bytes + is.bytes - was.bytes };
    this.#bytes += is.allBytes - was.allBytes;
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
