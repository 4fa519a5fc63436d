import { awaitTransaction } from "./batches.ts";
import { DATABASE_NAME, DatabaseConnection, type SpaceRecord } from "./database.ts";
import { PageJournal } from "./page-journal.ts";
import { deviceKey } from "./secrets-records.ts";

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

  async get(spaceId: string): Promise<SpaceRecord | undefined> {
    return await this.#database.run((database) => database.get("spaces", spaceId));
  }

  /** Adds a space, or replaces its record. */
  async put(space: SpaceRecord): Promise<void> {
    await this.#database.run((database) => database.put("spaces", space));
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

  close(): void {
    this.#database.close();
  }
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
