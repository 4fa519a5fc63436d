import { errorName } from "../../errors.ts";
import type { KeyedRecord } from "./batches.ts";
import type { BatchKey } from "./database.ts";

/** Browsers allow an origin some 5 million characters. Of larger saves, only the newest records are kept. */
const MAX_LENGTH = 500_000;

/**
 * Records that a page saved while it was being hidden, kept in `localStorage` until they are in the database.
 *
 * A page that is gone may lose a transaction although it has called `commit`: Chromium drops those that still wait for an earlier
 * one, and WebKitGTK those that begin after `beforeunload`. Values that are in `localStorage` when an event handler returns are stored.
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
      if (inStorage(() => storage.setItem(name, new TextDecoder().decode(lines))) === FAILED) return;
      this.#added.add(name);
    }
  }

  /** Removes records that were added here. */
  remove(records: readonly KeyedRecord[]): void {
    for (const [key] of records) {
      const name = this.#nameOf(key);
      if (this.#added.delete(name)) inStorage(() => pageStorage()?.removeItem(name));
    }
  }

  /** Removes records that were found. */
  removeFound(records: readonly KeyedRecord[]): void {
    for (const [key] of records) inStorage(() => pageStorage()?.removeItem(this.#nameOf(key)));
  }

  /** The records of a space. */
  find(spaceId: string): KeyedRecord[] {
    const storage = pageStorage();
    const start = this.#nameOf([spaceId]).slice(0, -1);
    const names = inStorage(() => Object.keys(storage ?? {}).filter((name) => name.startsWith(`${start},`)));
    if (names === FAILED) return [];
    return names.flatMap((name): KeyedRecord[] => {
      const key = keyIn(name.slice(this.#prefix.length));
      const lines = inStorage(() => storage!.getItem(name));
      // another tab may have moved the record meanwhile: an empty one must not replace it
      return key && typeof lines === "string" ? [[key, { peerId: key[2], lines: new TextEncoder().encode(lines) }]] : [];
    });
  }

  #nameOf(key: BatchKey | readonly [spaceId: string]): string {
    return this.#prefix + JSON.stringify(key);
  }
}

const FAILED = Symbol("failed");

/**
 * Uses the storage as far as it works: it only complements the database. Full, it throws `QuotaExceededError`, or in Firefox
 * `NS_ERROR_DOM_QUOTA_REACHED`; in a damaged profile of Firefox, every use throws an error that is not even a `DOMException`.
 */
function inStorage<T>(use: () => T): T | typeof FAILED {
  try {
    return use();
  } catch {
    return FAILED;
  }
}

/** @returns `undefined` for a name that is not of a record */
function keyIn(text: string): BatchKey | undefined {
  try {
    const key: unknown = JSON.parse(text);
    const isKey =
      Array.isArray(key) && key.length === 5 && key.every((part, at) => typeof part === (at < 4 ? "string" : "number"));
    return isKey ? (key as unknown as BatchKey) : undefined;
  } catch (error) {
    if (errorName(error) === "SyntaxError") return undefined;
    throw error;
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
