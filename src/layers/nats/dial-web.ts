import { wsconnect, type ConnectionOptions, type NatsConnection } from "@nats-io/nats-core";

/** Connects over WebSocket, the only way of a page. */
export async function dial(options: ConnectionOptions): Promise<NatsConnection> {
  return await wsconnect(options);
}
