import {
  hasWsProtocol,
  wsconnect,
  type ConnectionOptions,
  type NatsConnection,
  type WsConnectionOptions,
} from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-node";
import { WebSocket } from "ws";

type Transport = "tcp" | "websocket";

/** The client keeps one transport for the whole process: a connection that is being made would take that of the latest call. */
const dials: { transport: Transport; count: number; readonly waiting: (() => void)[] } = {
  transport: "tcp",
  count: 0,
  waiting: [],
};

/** Connects over WebSocket to addresses that begin with `ws:` or `wss:`, and else over TCP. */
export async function dial(options: ConnectionOptions): Promise<NatsConnection> {
  const transport = hasWsProtocol(options) ? "websocket" : "tcp";
  while (dials.count > 0 && dials.transport !== transport) await new Promise<void>((resolve) => dials.waiting.push(resolve));
  dials.transport = transport;
  dials.count++;
  try {
    return await (transport === "tcp" ? connect(options) : wsconnect({ ...options, wsFactory }));
  } finally {
    dials.count--;
    if (dials.count === 0) for (const wake of dials.waiting.splice(0)) wake();
  }
}

/** Node has a WebSocket of its own only from version 22 on. */
const wsFactory: NonNullable<WsConnectionOptions["wsFactory"]> = async (url) => ({
  // has the members of a page's WebSocket that the client uses
  socket: new WebSocket(url) as unknown as globalThis.WebSocket,
  encrypted: url.startsWith("wss:"),
});
