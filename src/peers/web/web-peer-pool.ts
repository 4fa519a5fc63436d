import { openDB, type DBSchema, type IDBPDatabase } from "idb";
import { errorMessage, FoldspaceError, isFoldspaceError } from "../../errors.ts";
import { randomId } from "../../random-id.ts";
import type { PeerLease, PeerPool } from "../peer-pool.ts";
import { tryLock, type HeldLock } from "./held-lock.ts";

const STORE = "peers";

interface PeerRecord {
  readonly spaceId: string;
  readonly peerId: string;
  /** The highest counter that may have been used. */
  readonly usedUpTo: number;
}

interface PeersSchema extends DBSchema {
  peers: { key: [spaceId: string, peerId: string]; value: PeerRecord };
}

type Database = IDBPDatabase<PeersSchema>;

/**
 * Keeps peers in IndexedDB. An instance has a peer as long as it holds its Web Lock, which ends with the page or worker, however that
 * ends.
 */
export class WebPeerPool implements PeerPool {
  readonly #databaseName: string;

  /** @param databaseName of a database of its own */
  constructor(databaseName: string) {
    this.#databaseName = databaseName;
  }

  /** @throws FoldspaceError `FOLD_UNAVAILABLE` if the browser does not store anything here */
  async lease(spaceId: string): Promise<PeerLease> {
    const records = await this.#run(async (database) => await database.getAll(STORE, rangeOf(spaceId)));
    // so that few peers are used, the one that was used most
    for (const { peerId } of records.sort((a, b) => b.usedUpTo - a.usedUpTo)) {
      const lock = await this.#lock(spaceId, peerId);
      if (!lock) continue;
      // another instance may have used or retired it since
      const record = await this.#run(async (database) => await database.get(STORE, [spaceId, peerId]));
      if (record) return new WebPeerLease(record, lock, (change) => this.#update(record, change));
      lock.release();
    }
    const record = { spaceId, peerId: randomId(), usedUpTo: 0 };
    const lock = await this.#lock(spaceId, record.peerId);
    if (!lock) throw new FoldspaceError("FOLD_UNAVAILABLE", "The browser gives no lock for a new peer");
    await this.#run(async (database) => await database.add(STORE, record));
    return new WebPeerLease(record, lock, (change) => this.#update(record, change));
  }

  async #lock(spaceId: string, peerId: string): Promise<HeldLock | undefined> {
    return await tryLock(`foldspace:peer:${this.#databaseName}:${spaceId}:${peerId}`);
  }

  /** @throws FoldspaceError `FOLD_UNAVAILABLE` if the browser has deleted the record, or cannot store it */
  async #update({ spaceId, peerId }: PeerRecord, change: number | "retire"): Promise<void> {
    await this.#run(async (database) => {
      // the default lets browsers report what a power failure can still take back
      const { store, done } = database.transaction(STORE, "readwrite", { durability: "strict" });
      const record = await store.get([spaceId, peerId]);
      if (record && change === "retire") await store.delete([spaceId, peerId]);
      else if (record) await store.put({ ...record, usedUpTo: change as number });
      await done;
      if (!record && change !== "retire")
        throw new FoldspaceError("FOLD_UNAVAILABLE", `The browser has deleted the record of peer ${peerId}`);
    });
  }

  /** Opens the database for one task: no open connection keeps the user from deleting it. */
  async #run<T>(task: (database: Database) => Promise<T>): Promise<T> {
    let database: Database | undefined;
    try {
      database = await openDB<PeersSchema>(this.#databaseName, 1, {
        upgrade: (upgrading) => void upgrading.createObjectStore(STORE, { keyPath: ["spaceId", "peerId"] }),
      });
      return await task(database);
    } catch (error) {
      if (isFoldspaceError(error)) throw error;
      const message = `The peers of this browser cannot be kept in the database ${this.#databaseName} (${errorMessage(error)})`;
      throw new FoldspaceError("FOLD_UNAVAILABLE", message, { cause: error });
    } finally {
      database?.close();
    }
  }
}

class WebPeerLease implements PeerLease {
  readonly peerId: string;
  readonly usedUpTo: number;
  reservedUpTo: number;
  readonly reservesAtOnce = false;
  readonly #lock: HeldLock;
  readonly #update: (change: number | "retire") => Promise<void>;
  /** Changes follow each other. */
  #updating: Promise<unknown> = Promise.resolve();
  #isEnded = false;

  constructor({ peerId, usedUpTo }: PeerRecord, lock: HeldLock, update: (change: number | "retire") => Promise<void>) {
    this.peerId = peerId;
    this.usedUpTo = usedUpTo;
    this.reservedUpTo = usedUpTo;
    this.#lock = lock;
    this.#update = update;
  }

  get isHeld(): boolean {
    return !this.#isEnded && this.#lock.isHeld;
  }

  async reserve(counter: number): Promise<void> {
    await this.#inTurn(async () => {
      if (!this.isHeld) throw new FoldspaceError("FOLD_CLOSED", `Peer ${this.peerId} is not leased any more`);
      if (counter <= this.reservedUpTo) return;
      await this.#update(counter);
      this.reservedUpTo = counter;
    });
  }

  async release(usedUpTo: number): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#isEnded) return;
      try {
        // who has the lock decides; without it, the record is another instance's
        if (this.#lock.isHeld && usedUpTo < this.reservedUpTo) await this.#update(usedUpTo);
      } finally {
        this.#end();
      }
    });
  }

  async retire(): Promise<void> {
    await this.#inTurn(async () => {
      try {
        await this.#update("retire");
      } finally {
        this.#end();
      }
    });
  }

  #end(): void {
    this.#isEnded = true;
    this.#lock.release();
  }

  async #inTurn(task: () => Promise<void>): Promise<void> {
    const running = this.#updating.then(task);
    this.#updating = running.catch(() => undefined);
    await running;
  }
}

/** All keys of a space: strings are below arrays. */
function rangeOf(spaceId: string): IDBKeyRange {
  return IDBKeyRange.bound([spaceId], [spaceId, []]);
}
