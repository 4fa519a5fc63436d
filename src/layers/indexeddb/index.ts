export { IndexedDBPersistenceLayer } from "./indexeddb-layer.ts";
export type { IndexedDBLayerOptions } from "./indexeddb-layer.ts";
export { DATABASE_NAME } from "./database.ts";
export type { SpacePlace, SpaceRecord } from "./database.ts";
export { SpaceRegistry } from "./space-registry.ts";
export type { PlaceCheck } from "./space-registry.ts";
export { LOCAL_DB_NAME, readLocalDb } from "./import-local-db.ts";
export type { ImportedSpace } from "./import-local-db.ts";
