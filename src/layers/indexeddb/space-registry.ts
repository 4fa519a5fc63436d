import { awaitTransaction } from "./batches.ts";
import { DATABASE_NAME, DatabaseConnection, type SpacePlace, type SpaceRecord } from "./database.ts";
import { PageJournal } from "./page-journal.ts";
import { deviceKey } from "./secrets-records.ts";

/**
 * - `unknown`: this browser does not have the space, or no place was noted for it
 * - `same`: the space was opened from this place before
 * - `other`: the space was opened from another place, so that this one may be a copy
 */
export type PlaceCheck = "unknown" | "same" | "other";

/** The spaces that this browser knows, with enough data to list and open them. */
export class SpaceRegistry {
  readonly #database: DatabaseConnection;
  readonly #journal: PageJournal;

  /** @param databaseName default `foldspace`, as for the layers */
  constructor(databaseName: string = DATABASE_NAME) {
    this.#database = new DatabaseConnection(databaseName);
    this.#journal = new PageJournal(databaseName);
  }

  /** All spaces, the newest first. @throws FoldspaceError as `IndexedDBPersistenceLayer.connect` */
  async list(): Promise<SpaceRecord[]> {
    const spaces = await this.#database.run((database) => database.getAll("spaces"));
    return spaces.sort((a, b) => compareText(b.createdAt ?? "", a.createdAt ?? "") || compareText(a.id, b.id));
  }

  /** The record of a space; `undefined` if this browser does not have the space. */
  async get(spaceId: string): Promise<SpaceRecord | undefined> {
    return await this.#database.run((database) => database.get("spaces", spaceId));
  }

  /** Adds a space, or replaces its record. */
  async put(space: SpaceRecord): Promise<void> {
    await this.#database.run((database) => database.put("spaces", space));
  }

  /**
   * Compares a place with the one that was noted for a space. A folder that was copied has the id of its original: if it is opened
   * together with this browser's copy, each gets the contents of the other. So ask the user before that. Writes nothing.
   */
  async checkPlace(spaceId: string, place: SpacePlace): Promise<PlaceCheck> {
    const known = (await this.get(spaceId))?.place;
    if (known === undefined) return "unknown";
    return (await isSamePlace(known, place)) ? "same" : "other";
  }

  /** Notes the place of a space in its record. If this browser does not have the space, it changes nothing. */
  async notePlace(spaceId: string, place: SpacePlace): Promise<void> {
    await this.#database.run(async (database) => {
      const { store, done } = database.transaction("spaces", "readwrite");
      const record = await store.get(spaceId);
      const requests = record ? [store.put({ ...record, place })] : [];
      await awaitTransaction(requests, done);
    });
  }

  /** Deletes a space with all its data in this database. Other layers keep theirs. */
  async delete(spaceId: string): Promise<void> {
    await this.#database.run(async (database) => {
      const transaction = database.transaction(["spaces", "batches", "secrets"], "readwrite");
      const requests = [
        transaction.objectStore("spaces").delete(spaceId),
        transaction.objectStore("batches").delete(IDBKeyRange.bound([spaceId], [spaceId, []])),
        transaction.objectStore("secrets").delete(spaceId),
        transaction.objectStore("secrets").delete(deviceKey(spaceId)),
      ];
      await awaitTransaction(requests, transaction.done);
    });
    this.#journal.removeFound(this.#journal.find(spaceId));
  }

  /** Closes the connection with the database. */
  close(): void {
    this.#database.close();
  }
}

async function isSamePlace(one: SpacePlace, other: SpacePlace): Promise<boolean> {
  if (typeof one === "string" || typeof other === "string") return one === other;
  return await one.isSameEntry(other);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
