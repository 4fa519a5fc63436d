// oxlint-disable-next-line import/no-unassigned-import -- it puts its globals where a browser has them
import "fake-indexeddb/auto";
import { deleteDB } from "idb";
import { testPersistenceLayer } from "../../testing/layer-suite.ts";
import { newId } from "../../tree/index.ts";
import { IndexedDBPersistenceLayer } from "./indexeddb-layer.ts";

for (const durability of ["relaxed", "strict"] as const) {
  testPersistenceLayer(`IndexedDBPersistenceLayer (${durability})`, () => {
    const spaceId = newId();
    const databaseName = newId();
    return {
      spaceId,
      isAlwaysThere: true,
      createLayer: (id = spaceId) => new IndexedDBPersistenceLayer(id, { databaseName, durability, flushIntervalMs: 5 }),
      wipe: async () => await deleteDB(databaseName),
    };
  });
}
