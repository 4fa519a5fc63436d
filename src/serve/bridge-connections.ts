import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { FileSystemService, type ClientChannel } from "../fs/bridge/file-system-service.ts";
import { MAX_MESSAGE_BYTES, PROTOCOL } from "../fs/bridge/protocol.ts";
import type { WatchingFileSystem } from "../fs/file-system.ts";

/** Clients at once: every tab is one. */
const MAX_CLIENTS = 32;
/** How often each client is asked for a sign of life; without one until the next time, it counts as gone. */
const PING_INTERVAL_MS = 10_000;
/** How long a client may take to take note that its connection ends. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Status codes of RFC 6455, section 7.4.1. */
const GOING_AWAY = 1001;
const PROTOCOL_ERROR = 1002;

/** The clients of a bridge. */
export class BridgeConnections {
  readonly #fs: WatchingFileSystem;
  readonly #sockets: WebSocketServer;
  /** Work for each client, until all its watches have ended. */
  readonly #services = new Map<WebSocket, FileSystemService>();
  readonly #ending = new Set<Promise<void>>();
  readonly #heard = new Set<WebSocket>();
  readonly #pingTimer: NodeJS.Timeout;

  constructor(fs: WatchingFileSystem) {
    this.#fs = fs;
    const options = {
      noServer: true,
      clientTracking: false,
      maxPayload: MAX_MESSAGE_BYTES,
      // which its types lack
      closeTimeout: CLOSE_TIMEOUT_MS,
      handleProtocols: () => PROTOCOL,
    };
    this.#sockets = new WebSocketServer(options);
    this.#pingTimer = setInterval(() => this.#pingAll(), PING_INTERVAL_MS);
  }

  get areFull(): boolean {
    return this.#services.size >= MAX_CLIENTS;
  }

  /** Takes a client that has shown its right to be one. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#sockets.handleUpgrade(request, socket, head, (client) => this.#serve(client));
  }

  /** Ends all connections. @returns resolves when every watch has ended */
  async close(): Promise<void> {
    clearInterval(this.#pingTimer);
    for (const client of this.#services.keys()) client.close(GOING_AWAY, "the server ends");
    for (const client of this.#services.keys()) this.#end(client);
    await Promise.all(this.#ending);
  }

  #serve(client: WebSocket): void {
    const service = new FileSystemService(this.#fs, channelOf(client));
    this.#services.set(client, service);
    this.#heard.add(client);
    client.on("pong", () => this.#heard.add(client));
    client.on("message", (data, isBinary) => {
      this.#heard.add(client);
      if (isBinary) service.receive(data as Buffer);
      else client.close(PROTOCOL_ERROR, "text");
    });
    // what broke the connection also ends it
    client.on("error", () => this.#end(client));
    client.on("close", () => this.#end(client));
  }

  #end(client: WebSocket): void {
    const service = this.#services.get(client);
    if (!service) return;
    this.#services.delete(client);
    this.#heard.delete(client);
    const ending = service.close().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #pingAll(): void {
    for (const client of this.#services.keys()) {
      // one that is not read from at present cannot be heard
      if (!this.#heard.delete(client) && !client.isPaused) client.terminate();
      else client.ping();
    }
  }
}

function channelOf(client: WebSocket): ClientChannel {
  return {
    send: (message) => new Promise((resolve, reject) => client.send(message, (error) => (error ? reject(error) : resolve()))),
    fail: (reason) => client.close(PROTOCOL_ERROR, reason.slice(0, 100)),
    pause: () => client.pause(),
    resume: () => client.resume(),
  };
}
