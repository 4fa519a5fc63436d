// oxlint-disable-next-line import/no-unassigned-import -- it puts its globals where a browser has them
import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { systemClock } from "../../clock.ts";
import { Inbox, TestPeer, until } from "../../testing/layer-bench.ts";
import { openTrace, type TraceEvent } from "../../trace.ts";
import { newId } from "../../tree/index.ts";
import { IndexedDBPersistenceLayer } from "./indexeddb-layer.ts";

test("a tab traces the record that it saves, and another the notification and the reading of it", async () => {
  const [databaseName, spaceId] = [newId(), newId()];
  const events: TraceEvent[] = [];
  const openTab = async (peerId: string): Promise<IndexedDBPersistenceLayer> => {
    const layer = new IndexedDBPersistenceLayer(spaceId, { databaseName, flushIntervalMs: 5, id: "database" });
    const source = { spaceId, peerId: () => peerId, clock: systemClock };
    const trace = openTrace([(event) => events.push(event)], source)!.ofLayer(layer.id);
    await layer.connect({ peerId, create: true, trace });
    await layer.loadTreeOps(spaceId);
    await layer.startListening(new Inbox().listener);
    return layer;
  };
  const tabs = [await openTab("one"), await openTab("two")];
  const former = events.length;
  const [op] = new TestPeer().setMany(1);
  await tabs[0]!.saveTreeOps(spaceId, [op!]);
  await until("the other tab has read it", () => events.slice(former).some(({ hop }) => hop === "read"));

  const seen = events.slice(former);
  const { file } = seen.find(({ hop }) => hop === "saved")!;
  const opIds = [`${op!.id.counter}@${op!.id.peerId}`];
  const common = { spaceId, treeId: spaceId, layerId: "database", file };
  expect(file).toMatch(new RegExp(`^batches/${spaceId}/${spaceId}/`));
  expect(seen).toHaveLength(3);
  expect(seen[0]).toMatchObject({ ...common, hop: "saved", peerId: "one", opIds, opCount: 1 });
  expect(seen[1]).toMatchObject({ ...common, hop: "hint", peerId: "two", opIds: [], opCount: 0 });
  expect(seen[2]).toMatchObject({ ...common, hop: "read", peerId: "two", opIds, opCount: 1 });
  for (const layer of tabs) await layer.disconnect();
});
