import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import { systemClock, type Clock } from "../../clock.ts";
import { FoldspaceError, errorMessage, errorName, isFoldspaceError, type FoldspaceErrorCode } from "../../errors.ts";
import type { RememberedKey, SeenSecrets } from "../../secrets/device-store.ts";

/** Default name of the database. One database holds all spaces of an origin. */
export const DATABASE_NAME = "foldspace";
const DATABASE_VERSION = 1;

/** Key of a batch: space, tree and peer of its operations. The writer and its count make the key unique among tabs. */
export type BatchKey = [spaceId: string, treeId: string, peerId: string, writerId: string, n: number];

/** Operations of one peer, as lines of the log format: small to store, quick to read, and checked for damage. */
export interface BatchRecord {
  readonly peerId: string;
  readonly lines: Uint8Array;
}

/** Where a space is kept besides the browser: a folder that the user picked, or a text that names the place, such as a path. */
export type SpacePlace = string | FileSystemDirectoryHandle;

/** Entry of a space in the registry of this browser. */
export interface SpaceRecord {
  readonly id: string;
  /** See `SpaceRegistry.checkPlace`. */
  readonly place?: SpacePlace;
  readonly uri?: string;
  readonly name?: string;
  /** ISO time. */
  readonly createdAt?: string;
}

/** Secrets of a space, by name, and sealed files by peer. */
export interface SecretsRecord {
  readonly values: Readonly<Record<string, string>>;
  readonly base: Readonly<Record<string, string>>;
  readonly sealed: Readonly<Record<string, string>>;
}

/** State of a space's secrets that only this device remembers. */
export interface DeviceSecretsRecord {
  /** By key id. */
  readonly seen: Readonly<Record<string, SeenSecrets>>;
  readonly keys: readonly RememberedKey[];
}

export interface FoldspaceSchema extends DBSchema {
  spaces: { key: string; value: SpaceRecord };
  batches: { key: BatchKey; value: BatchRecord };
  secrets: { key: string; value: SecretsRecord | DeviceSecretsRecord };
}

const STORES = ["batches", "secrets", "spaces"] as const;

export type Database = IDBPDatabase<FoldspaceSchema>;

/** Opening takes milliseconds; one that takes this long waits for another tab. */
const SLOW_OPENING_MS = 2_000;

/**
 * Waits before a task is tried again on a new connection, in milliseconds. A browser that clears a site's data closes
 * every connection, also new ones, until it has done so.
 */
const REOPENING_DELAYS_MS: readonly number[] = [0, 50, 200, 800];

export interface DatabaseConnectionOptions {
  /** Gets an error when opening waits for another tab, and `undefined` when it no longer waits. */
  readonly onWaiting?: (error: FoldspaceError | undefined) => void;
  readonly clock?: Clock;
}

/**
 * The connection to the database. It opens when needed, ends when another tab wants to upgrade or delete the database or the
 * browser closes it, and opens again. Closing it is final.
 */
export class DatabaseConnection {
  readonly name: string;
  readonly #onWaiting: (error: FoldspaceError | undefined) => void;
  readonly #clock: Clock;
  #database: Promise<Database> | undefined;
  #isClosed = false;
  /** Rejects when the connection is closed. */
  readonly #closed: Promise<never>;
  #endClosed: (reason: FoldspaceError) => void = () => undefined;

  constructor(name: string, options: DatabaseConnectionOptions = {}) {
    this.name = name;
    this.#closed = new Promise((_resolve, reject) => (this.#endClosed = reject));
    // only callers that wait for an opening handle it
    this.#closed.catch(() => undefined);
    this.#onWaiting = options.onWaiting ?? (() => undefined);
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Runs a task on the open database. Retries it for up to a second if the connection turns out to have been closed.
   * @throws FoldspaceError `FOLD_UNAVAILABLE`, `FOLD_NEWER_FORMAT`, `FOLD_FOREIGN_STORAGE`, `FOLD_DISK_FULL`, `FOLD_CLOSED`, `FOLD_IO`
   */
  async run<T>(task: (database: Database) => Promise<T>): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      let opened: Promise<Database> | undefined;
      let database: Database | undefined;
      try {
        opened = this.#open();
        database = await opened;
        return await task(database);
      } catch (error) {
        if (!wasClosedUnder(error, database)) throw toStorageError(error, this.name);
        if (this.#database === opened) this.#database = undefined;
        const delayMs = REOPENING_DELAYS_MS[attempt];
        if (delayMs === undefined) throw toStorageError(error, this.name);
        if (delayMs > 0) await new Promise<void>((resolve) => void this.#clock.schedule(delayMs, resolve));
      }
    }
  }

  /** Rejects callers that wait for the opening with `FOLD_CLOSED`, because another tab may block the opening. */
  close(): void {
    this.#isClosed = true;
    this.#endClosed(this.#closedError());
    // a database that never opened needs no closing, and its callers got the error
    this.#database?.then(
      (database) => database.close(),
      () => undefined,
    );
    this.#database = undefined;
  }

  #open(): Promise<Database> {
    if (this.#isClosed) throw this.#closedError();
    if (this.#database) return this.#database;
    // an old connection may end after a new one was opened
    const forget = (): void => {
      if (this.#database === opening) this.#database = undefined;
    };
    const opening = Promise.race([this.#openNow(forget), this.#closed]).catch((error: unknown) => {
      forget();
      throw error;
    });
    this.#database = opening;
    return opening;
  }

  /** @param onEnded called when the connection has ended */
  async #openNow(onEnded: () => void): Promise<Database> {
    if (!hasIndexedDb()) throw new FoldspaceError("FOLD_UNAVAILABLE", "This platform has no IndexedDB");
    const endWaiting = this.#clock.schedule(SLOW_OPENING_MS, () => this.#onWaiting(this.#waits()));
    try {
      const database = assertOurs(await this.#openVersion(DATABASE_VERSION, onEnded));
      if (this.#isClosed) database.close();
      return database;
    } catch (error) {
      // only the stores distinguish a newer version of ours from a foreign database
      if (errorName(error) === "VersionError") assertOurs(await this.#openVersion(undefined, onEnded)).close();
      throw error;
    } finally {
      endWaiting();
      this.#onWaiting(undefined);
    }
  }

  async #openVersion(version: number | undefined, onEnded: () => void): Promise<Database> {
    return await openDB<FoldspaceSchema>(this.name, version, {
      upgrade(upgrading) {
        for (const store of STORES) if (!upgrading.objectStoreNames.contains(store)) createStore(upgrading, store);
      },
      blocked: () => this.#onWaiting(this.#waits()),
      blocking(_current, _blocked, event) {
        onEnded();
        (event.target as IDBDatabase).close();
      },
      terminated: onEnded,
    });
  }

  #closedError(): FoldspaceError {
    return new FoldspaceError("FOLD_CLOSED", `The connection to the database ${this.name} is closed`);
  }

  #waits(): FoldspaceError {
    return new FoldspaceError(
      "FOLD_BUSY",
      `The database ${this.name} cannot be opened while another tab keeps it open; still waiting`,
    );
  }
}

export function hasIndexedDb(): boolean {
  // some browsers set it to null if they do not allow it
  return Boolean(globalThis.indexedDB);
}

/**
 * Whether a task failed because its connection was closed: it did not begin, or the browser rolled it back. While Chromium
 * clears a site's data, it reports an unknown error, also for connections that are still opening.
 */
function wasClosedUnder(error: unknown, database: Database | undefined): boolean {
  const name = errorName(error);
  // opening fails with an invalid state if the browser forbids storage
  return name === "AbortError" || name === "UnknownError" || (name === "InvalidStateError" && database !== undefined);
}

function createStore(database: IDBPDatabase<FoldspaceSchema>, store: (typeof STORES)[number]): void {
  if (store === "spaces") database.createObjectStore(store, { keyPath: "id" });
  else database.createObjectStore(store);
}

function assertOurs(database: Database): Database {
  const missing = STORES.filter((store) => !database.objectStoreNames.contains(store));
  if (missing.length === 0) return database;
  database.close();
  throw new FoldspaceError(
    "FOLD_FOREIGN_STORAGE",
    `The database ${database.name} does not belong to foldspace: it has no ${missing.join(", ")}`,
  );
}

const CODES: Readonly<Record<string, FoldspaceErrorCode>> = {
  QuotaExceededError: "FOLD_DISK_FULL",
  VersionError: "FOLD_NEWER_FORMAT",
  SecurityError: "FOLD_UNAVAILABLE",
  NotAllowedError: "FOLD_UNAVAILABLE",
  // some browsers report this in private windows
  InvalidStateError: "FOLD_UNAVAILABLE",
};

function toStorageError(error: unknown, name: string): FoldspaceError {
  if (isFoldspaceError(error)) return error;
  const code = CODES[errorName(error) ?? ""] ?? "FOLD_IO";
  const reason =
    code === "FOLD_NEWER_FORMAT"
      ? "a newer version of the app has changed it; use that version"
      : errorMessage(error) || (errorName(error) ?? "");
  return new FoldspaceError(code, `The database ${name}: ${reason}`, { cause: error });
}
