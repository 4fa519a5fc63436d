import { beforeAll, inject } from "vitest";
import { NatsPersistenceLayer } from "../../src/layers/nats/index.ts";
import { testPersistenceLayer } from "../../src/testing/layer-suite.ts";
import { newId } from "../../src/tree/index.ts";

/** All spaces of the tests are in its stream. */
const SHARD = "0";
const servers = inject("natsServer");

beforeAll(async () => {
  const layer = new NatsPersistenceLayer(SHARD, { servers });
  await layer.connect({ peerId: newId(), create: true });
  await layer.disconnect();
});

for (const isSealed of [false, true]) {
  const options = isSealed ? { operationKey: new Uint8Array(32).fill(7), writer: "phone" } : {};
  testPersistenceLayer(`NatsPersistenceLayer in a browser${isSealed ? ", sealed, of a named device" : ""}`, () => {
    const spaceId = `${SHARD}${newId().slice(1)}`;
    const createLayer = (id = spaceId): NatsPersistenceLayer =>
      new NatsPersistenceLayer(id, { servers, flushIntervalMs: 10, secrets: "all", ...options });
    return { spaceId, createLayer, isAlwaysThere: true };
  });
}
