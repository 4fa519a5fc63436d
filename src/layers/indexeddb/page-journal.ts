import { errorName } from "../../errors.ts";
import type { KeyedRecord } from "./batches.ts";
import type { BatchKey } from "./database.ts";

/** Browsers allow an origin some 5 million characters. Of larger saves, only the newest records are kept. */
const MAX_LENGTH = 500_000;

/**
 * Records that a page saved while it was being hidden, kept in `localStorage` until they are in the database.
 *
 * A page that is gone may lose a transaction although it has called `commit`: Chromium drops those that still wait for an earlier
 * one, and WebKitGTK those that begin after `beforeunload`. What is in `localStorage` when an event handler returns is stored.
 */
export class PageJournal {
  readonly #prefix: string;
  /** Names of the records that were added here. */
  readonly #added = new Set<string>();

  constructor(databaseName: string) {
    this.#prefix = `foldspace:left:${databaseName}:`;
  }

  /** Adds records, the newest first, as far as there is room. */
  add(records: readonly KeyedRecord[]): void {
    const storage = pageStorage();
    let room = MAX_LENGTH;
    for (const [key, { lines }] of records.toReversed()) {
      const name = this.#nameOf(key);
      room -= lines.length;
      if (!storage || room < 0 || this.#added.has(name)) return;
      try {
        storage.setItem(name, new TextDecoder().decode(lines));
        this.#added.add(name);
      } catch (error) {
        if (errorName(error) === "QuotaExceededError") return;
        throw error;
      }
    }
  }

  /** Removes records that were added here. */
  remove(records: readonly KeyedRecord[]): void {
    for (const [key] of records) {
      const name = this.#nameOf(key);
      if (this.#added.delete(name)) pageStorage()?.removeItem(name);
    }
  }

  /** Removes records that were found. */
  removeFound(records: readonly KeyedRecord[]): void {
    for (const [key] of records) pageStorage()?.removeItem(this.#nameOf(key));
  }

  /** The records of a space. */
  find(spaceId: string): KeyedRecord[] {
    const storage = pageStorage();
    const start = this.#nameOf([spaceId]).slice(0, -1);
    const names = storage ? Object.keys(storage).filter((name) => name.startsWith(`${start},`)) : [];
    return names.map((name) => {
      const key = JSON.parse(name.slice(this.#prefix.length)) as BatchKey;
      return [key, { peerId: key[2], lines: new TextEncoder().encode(storage!.getItem(name) ?? "") }];
    });
  }

  #nameOf(key: BatchKey | readonly [spaceId: string]): string {
    return this.#prefix + JSON.stringify(key);
  }
}

/** `undefined` outside of pages, and where the user forbids storage. */
function pageStorage(): Storage | undefined {
  // newer versions of Node have a localStorage, too, and warn when it is used
  if (typeof document === "undefined") return undefined;
  try {
    return globalThis.localStorage;
  } catch (error) {
    if (errorName(error) === "SecurityError") return undefined;
    throw error;
  }
}
