import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import { systemClock, type Clock } from "../../clock.ts";
import { FoldspaceError, errorMessage, isFoldspaceError, type FoldspaceErrorCode } from "../../errors.ts";
import type { RememberedKey, SeenSecrets } from "../../secrets/device-store.ts";

/** Default name of the database. One database holds all spaces of an origin. */
export const DATABASE_NAME = "foldspace";
const DATABASE_VERSION = 1;

/** Key of a batch: space, tree, peer whose operations it holds, and what makes it unique among tabs: the writer and its count. */
export type BatchKey = [spaceId: string, treeId: string, peerId: string, writerId: string, n: number];

/** Operations of one peer, as lines of the log format: small to store, quick to read, and told apart from damage. */
export interface BatchRecord {
  readonly peerId: string;
  readonly lines: Uint8Array;
}

export interface SpaceRecord {
  readonly id: string;
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

/** What this device alone remembers of a space's secrets. */
export interface DeviceSecretsRecord {
  /** By id of the key. */
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

/** Opening takes milliseconds; what takes so long waits for somebody. */
const SLOW_OPENING_MS = 2_000;

/**
 * Waits before a task is tried again on a new connection, in milliseconds. A browser that clears a site's data closes
 * every connection, also new ones, until it has done so.
 */
const REOPENING_DELAYS_MS: readonly number[] = [0, 50, 200, 800];

export interface DatabaseConnectionOptions {
  /** Told when opening has to wait for another tab, and with `undefined` when it no longer has to. */
  readonly onWaiting?: (error: FoldspaceError | undefined) => void;
  readonly clock?: Clock;
}

/**
 * The connection to the database: opened when needed, given up when another tab wants to upgrade or delete the
 * database or the browser closes it, and opened again. Closing it is final.
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
    // it concerns only those who wait for an opening
    this.#closed.catch(() => undefined);
    this.#onWaiting = options.onWaiting ?? (() => undefined);
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Runs a task on the open database; again, up to a second later, if the connection turns out to have been closed.
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

  /** Whoever waits for it to be opened is told `FOLD_CLOSED`: it may be another tab that keeps it from that. */
  close(): void {
    this.#isClosed = true;
    this.#endClosed(this.#closedError());
    // one that never opens needs no closing, and whoever asked for it was told why
    this.#database?.then(
      (database) => database.close(),
      () => undefined,
    );
    this.#database = undefined;
  }

  #open(): Promise<Database> {
    if (this.#isClosed) throw this.#closedError();
    if (this.#database) return this.#database;
    // an old connection may end when there is a new one
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

  /** @param onEnded told when the connection has been given up */
  async #openNow(onEnded: () => void): Promise<Database> {
    if (!hasIndexedDb()) throw new FoldspaceError("FOLD_UNAVAILABLE", "There is no IndexedDB here");
    const endWaiting = this.#clock.schedule(SLOW_OPENING_MS, () => this.#onWaiting(this.#waits()));
    try {
      const database = assertOurs(await this.#openVersion(DATABASE_VERSION, onEnded));
      if (this.#isClosed) database.close();
      return database;
    } catch (error) {
      // only the stores tell a newer version of ours from something else
      if (nameOf(error) === "VersionError") assertOurs(await this.#openVersion(undefined, onEnded)).close();
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
      `The database ${this.name} cannot be opened while another tab holds it; still waiting`,
    );
  }
}

export function hasIndexedDb(): boolean {
  // some browsers have it as null where they do not allow it
  return Boolean(globalThis.indexedDB);
}

/**
 * Whether a task failed because its connection was closed: it was not begun, or the browser took it back. While Chromium clears
 * a site's data it says that the reason is unknown, also of connections that are only being opened.
 */
function wasClosedUnder(error: unknown, database: Database | undefined): boolean {
  const name = nameOf(error);
  // opening fails in an invalid state where nothing may be stored
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
    `The database ${database.name} is not one of foldspace: it has no ${missing.join(", ")}`,
  );
}

const CODES: Readonly<Record<string, FoldspaceErrorCode>> = {
  QuotaExceededError: "FOLD_DISK_FULL",
  VersionError: "FOLD_NEWER_FORMAT",
  SecurityError: "FOLD_UNAVAILABLE",
  NotAllowedError: "FOLD_UNAVAILABLE",
  // what some browsers say in private windows
  InvalidStateError: "FOLD_UNAVAILABLE",
};

function toStorageError(error: unknown, name: string): FoldspaceError {
  if (isFoldspaceError(error)) return error;
  const code = CODES[nameOf(error)] ?? "FOLD_IO";
  const reason =
    code === "FOLD_NEWER_FORMAT"
      ? "a newer version of the app has changed it; use that one"
      : errorMessage(error) || nameOf(error);
  return new FoldspaceError(code, `The database ${name}: ${reason}`, { cause: error });
}

function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : "";
}
