import type { RememberedKey, DeviceStore, SeenSecrets } from "../../secrets/device-store.ts";
import { applyChanges } from "../../secrets/secret-map.ts";
import type { SecretsUpdate, StoredSecrets } from "../persistence-layer.ts";
import { awaitTransaction, ignoreUnawaited } from "./batches.ts";
import { DatabaseConnection, type Database, type DeviceSecretsRecord, type SecretsRecord } from "./database.ts";

/** Key of this device's record about a space's secrets. No space has such an id. */
export function deviceKey(spaceId: string): string {
  return `device:${spaceId}`;
}

export async function readSecrets(database: Database, spaceId: string): Promise<StoredSecrets | undefined> {
  const record = await database.get("secrets", spaceId);
  return record && toStored(record as SecretsRecord);
}

/** Changes the record in one transaction, so that concurrent tabs cannot lose each other's changes. */
export async function writeSecrets(
  database: Database,
  spaceId: string,
  update: SecretsUpdate,
  durability: "relaxed" | "strict",
): Promise<void> {
  await changeRecord(database, spaceId, durability, (record) => toRecord(toStored(record as SecretsRecord | undefined), update));
}

function toRecord(stored: ReturnType<typeof toStored>, update: SecretsUpdate): SecretsRecord {
  const { changes, base = stored.base, sealed, retired = [] } = update;
  const files = new Map(stored.sealed.map(({ peerId, content }) => [peerId, content as string]));
  for (const peerId of retired) files.delete(peerId);
  if (sealed) files.set(sealed.peerId, sealed.text);
  const values = applyChanges(stored.values, changes);
  return { values: Object.fromEntries(values), base: Object.fromEntries(base), sealed: Object.fromEntries(files) };
}

async function changeRecord(
  database: Database,
  key: string,
  durability: "relaxed" | "strict",
  change: (record: unknown) => SecretsRecord | DeviceSecretsRecord,
): Promise<void> {
  const { store, done } = database.transaction("secrets", "readwrite", { durability });
  void ignoreUnawaited(done);
  const changing = store.get(key).then(async (record) => await store.put(change(record), key));
  await awaitTransaction([changing], done);
  await changing;
}

const EMPTY: SecretsRecord = { values: {}, base: {}, sealed: {} };

function toStored({ values, base, sealed }: SecretsRecord = EMPTY): StoredSecrets & Required<Pick<StoredSecrets, "base">> {
  return {
    values: new Map(Object.entries(values)),
    base: new Map(Object.entries(base)),
    sealed: Object.entries(sealed).map(([peerId, content]) => ({ peerId, content })),
  };
}

/** Stores in the same database, with crypto keys that cannot be extracted. */
export class IndexedDBDeviceStore implements DeviceStore {
  readonly #databaseName: string;

  constructor(databaseName: string) {
    this.#databaseName = databaseName;
  }

  async loadSeen(spaceId: string, keyId: string): Promise<SeenSecrets | undefined> {
    return (await this.#read(spaceId)).seen[keyId];
  }

  async saveSeen(spaceId: string, keyId: string, seen: SeenSecrets): Promise<void> {
    await this.#change(spaceId, (record) => ({ ...record, seen: { ...record.seen, [keyId]: seen } }));
  }

  async loadKeys(spaceId: string): Promise<readonly RememberedKey[]> {
    return (await this.#read(spaceId)).keys;
  }

  async saveKeys(spaceId: string, keys: readonly RememberedKey[]): Promise<void> {
    await this.#change(spaceId, (record) => ({ ...record, keys }));
  }

  async #read(spaceId: string): Promise<DeviceSecretsRecord> {
    return await this.#run(async (database) => toDevice(await database.get("secrets", deviceKey(spaceId))));
  }

  async #change(spaceId: string, change: (record: DeviceSecretsRecord) => DeviceSecretsRecord): Promise<void> {
    const toChanged = (record: unknown): DeviceSecretsRecord => change(toDevice(record));
    await this.#run(async (database) => await changeRecord(database, deviceKey(spaceId), "relaxed", toChanged));
  }

  /** Uses a connection of its own, because it is needed seldom, and before any layer is connected. */
  async #run<T>(task: (database: Database) => Promise<T>): Promise<T> {
    const connection = new DatabaseConnection(this.#databaseName);
    try {
      return await connection.run(task);
    } finally {
      connection.close();
    }
  }
}

function toDevice(record: unknown): DeviceSecretsRecord {
  return (record as DeviceSecretsRecord | undefined) ?? { seen: {}, keys: [] };
}
