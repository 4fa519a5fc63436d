import { connect, type NatsConnection } from "@nats-io/transport-node";
import { MemoryPersistenceLayer, SpaceManager, type MemoryStore, type Space } from "../../src/index.ts";
import { NatsPersistenceLayer, type NatsLayerOptions } from "../../src/layers/nats/index.ts";
import { newId } from "../../src/tree/index.ts";
import type { NatsServer } from "./nats-server.ts";

/** A new connected layer, which creates what the server lacks. */
export async function connectedLayer(
  spaceId: string,
  servers: string,
  options: Partial<NatsLayerOptions> & { readonly peerId?: string } = {},
): Promise<NatsPersistenceLayer> {
  const { peerId = newId(), ...rest } = options;
  const layer = new NatsPersistenceLayer(spaceId, { servers, flushIntervalMs: 5, ...rest });
  await layer.connect({ peerId, create: true });
  return layer;
}

/** Opens a space as a device does: from its own store, which may be empty, beside the server. */
export async function openDevice(spaceId: string, store: MemoryStore, servers: string): Promise<Space> {
  store.spaceId ??= spaceId;
  return await new SpaceManager({ relayGraceMs: 300, timeoutMs: 4_000 }).loadSpace({ id: spaceId }, [
    new MemoryPersistenceLayer(spaceId, { store, flushIntervalMs: 5 }),
    new NatsPersistenceLayer(spaceId, { servers, flushIntervalMs: 5 }),
  ]);
}

/** The client itself, to do what no layer does. */
export async function client(server: NatsServer): Promise<NatsConnection> {
  return await connect({ servers: server.url });
}

/** Number of messages of a space that the server keeps. */
export async function countStored(server: NatsServer, spaceId: string): Promise<number> {
  const nats = await client(server);
  const subject = `$JS.API.STREAM.INFO.fold_${spaceId.slice(0, 1)}`;
  const answer = await nats.request(subject, JSON.stringify({ subjects_filter: `fold.*.${spaceId}.>` }), { timeout: 5_000 });
  await nats.close();
  const { state } = answer.json<{ state: { subjects?: Record<string, number> } }>();
  return Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
}
