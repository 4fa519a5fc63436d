import { afterAll, beforeAll } from "vitest";
import { NatsPersistenceLayer, type NatsLayerOptions } from "../../src/layers/nats/index.ts";
import { testPersistenceLayer } from "../../src/testing/index.ts";
import { newId } from "../../src/tree/index.ts";
import { NatsServer } from "./nats-server.ts";

/** All spaces of the tests are in its stream. */
const SHARD = "0";

let server: NatsServer;

beforeAll(async () => {
  // most bodies of the suite fit into one message, and some do not
  server = await NatsServer.start("max_payload: 8192");
  const layer = new NatsPersistenceLayer(SHARD, { servers: server.url });
  await layer.connect({ peerId: newId(), create: true });
  await layer.disconnect();
});

afterAll(async () => server.stop());

function testLayers(name: string, options: () => Omit<NatsLayerOptions, "servers"> & { servers: string }): void {
  testPersistenceLayer(name, () => {
    const spaceId = `${SHARD}${newId().slice(1)}`;
    const createLayer = (id = spaceId): NatsPersistenceLayer =>
      new NatsPersistenceLayer(id, { flushIntervalMs: 10, secrets: "all", ...options() });
    return { spaceId, createLayer, isAlwaysThere: true };
  });
}

testLayers("NatsPersistenceLayer over TCP", () => ({ servers: server.url }));
testLayers("NatsPersistenceLayer over WebSocket, sealed, of a named device", () => ({
  servers: server.webSocketUrl,
  writer: "laptop",
  operationKey: new Uint8Array(32).fill(7),
}));
