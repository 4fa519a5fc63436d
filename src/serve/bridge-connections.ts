import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocketServer, type WebSocket } from "ws";
import { systemClock, type Clock } from "../clock.ts";
import { FileSystemService, type ClientChannel, type ServiceHost } from "../fs/bridge/file-system-service.ts";
import { PROOF_TIMEOUT_MS } from "../fs/bridge/proof.ts";
import { MAX_MESSAGE_BYTES, PROTOCOL, type ServedInfo } from "../fs/bridge/protocol.ts";
import type { WatchingFileSystem } from "../fs/file-system.ts";
import type { ServerProof } from "../fs/serving/server-proof.ts";

/** Concurrent clients. Every tab is one. */
const MAX_CLIENTS = 32;
/** Concurrent connections that have not proven yet that they know the token. */
const MAX_UNPROVEN = 16;
/** Bytes that an unproven connection may send: its two messages and the overhead of a WebSocket. */
const MAX_UNPROVEN_BYTES = 1024;
/** Interval of the pings to each client. A client that sends nothing until the next ping counts as gone. */
const PING_INTERVAL_MS = 10_000;
/** How long a client may take to acknowledge the end of its connection. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Status codes of RFC 6455, section 7.4.1. */
const GOING_AWAY = 1001;
const PROTOCOL_ERROR = 1002;
const POLICY_VIOLATION = 1008;
const TRY_AGAIN_LATER = 1013;

/** Functions of a server besides the calls for the folder. */
export interface HostFunctions {
  /** Shows the folder in the file manager of this machine. */
  readonly showFolder?: (() => Promise<void>) | undefined;
  /** Reads the id that the space has now; `undefined` if it cannot be read. */
  readonly readSpaceId?: (() => Promise<string | undefined>) | undefined;
}

/** The clients of a bridge. */
export class BridgeConnections {
  readonly #fs: WatchingFileSystem;
  readonly #host: ServiceHost;
  readonly #clock: Clock;
  readonly #sockets: WebSocketServer;
  /** Connections that have not proven anything yet. */
  readonly #unproven = new Set<WebSocket>();
  /** The service of each client, until all its watches have ended. */
  readonly #services = new Map<WebSocket, FileSystemService>();
  readonly #ending = new Set<Promise<void>>();
  readonly #heard = new Set<WebSocket>();
  readonly #pingTimer: NodeJS.Timeout;

  constructor(fs: WatchingFileSystem, served: ServedInfo, clock: Clock = systemClock, host: HostFunctions = {}) {
    this.#fs = fs;
    this.#host = hostOf(served, host);
    this.#clock = clock;
    const options = {
      noServer: true,
      clientTracking: false,
      maxPayload: MAX_MESSAGE_BYTES,
      // missing in the types of `ws`
      closeTimeout: CLOSE_TIMEOUT_MS,
      handleProtocols: () => PROTOCOL,
    };
    this.#sockets = new WebSocketServer(options);
    this.#pingTimer = setInterval(() => this.#pingAll(), PING_INTERVAL_MS);
  }

  get areFull(): boolean {
    return this.#services.size >= MAX_CLIENTS;
  }

  /** Accepts a connection. It becomes a client once it has proven that it knows the token. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer, proof: ServerProof): void {
    this.#sockets.handleUpgrade(request, socket, head, (client) => this.#prove(client, socket, proof));
  }

  /** Ends all connections. @returns resolves when every watch has ended */
  async close(): Promise<void> {
    clearInterval(this.#pingTimer);
    for (const client of this.#unproven) client.terminate();
    for (const client of this.#services.keys()) client.close(GOING_AWAY, "the server ends");
    for (const client of this.#services.keys()) this.#end(client);
    await Promise.all(this.#ending);
  }

  /** Lets a client prove that it knows the token, once and within a time limit. */
  #prove(client: WebSocket, socket: Duplex, proof: ServerProof): void {
    // a flood of connections displaces only its own: our pages prove at once
    const [oldest] = this.#unproven;
    if (oldest && this.#unproven.size >= MAX_UNPROVEN) oldest.terminate();
    this.#unproven.add(client);
    let received = 0;
    // counts incomplete messages too: an unproven client gets no memory
    const count = (chunk: Buffer): void => {
      received += chunk.length;
      if (received > MAX_UNPROVEN_BYTES) client.terminate();
    };
    const take = (data: unknown, isBinary: boolean): void => {
      const message = isBinary ? (data as Buffer) : Buffer.of();
      if (!proof.isChallenged) {
        const challenge = proof.challenge(message);
        if (challenge) client.send(challenge);
        else refuse("a proof is needed first");
      } else if (!proof.accepts(message)) refuse("the proof is wrong");
      else {
        leave();
        socket.off("data", count);
        client.off("message", take).off("close", leave);
        this.#serve(client);
      }
    };
    const refuse = (reason: string): void => {
      client.off("message", take);
      client.close(POLICY_VIOLATION, reason);
    };
    const endDeadline = this.#clock.schedule(PROOF_TIMEOUT_MS, () => refuse("the proof takes too long"));
    const leave = (): void => {
      this.#unproven.delete(client);
      endDeadline();
    };
    socket.on("data", count);
    client.on("message", take);
    client.on("close", leave);
    // an error of the connection ends it too
    client.on("error", leave);
  }

  #serve(client: WebSocket): void {
    if (this.#services.size >= MAX_CLIENTS) {
      client.close(TRY_AGAIN_LATER, "there are too many clients");
      return;
    }
    const service = new FileSystemService(this.#fs, channelOf(client), this.#host);
    this.#services.set(client, service);
    this.#heard.add(client);
    client.on("pong", () => this.#heard.add(client));
    client.on("message", (data, isBinary) => {
      this.#heard.add(client);
      if (isBinary) service.receive(data as Buffer);
      else client.close(PROTOCOL_ERROR, "text");
    });
    client.on("error", () => this.#end(client));
    client.on("close", () => this.#end(client));
    // the acceptance
    client.send(Buffer.of());
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
      // a paused client cannot be heard
      if (!this.#heard.delete(client) && !client.isPaused) client.terminate();
      else client.ping();
    }
  }
}

function hostOf({ isNew: wasMade = false, ...served }: ServedInfo, { showFolder, readSpaceId }: HostFunctions): ServiceHost {
  let isNew = wasMade;
  let showing: Promise<void> | undefined;
  return {
    served: async () => {
      const spaceId = (await readSpaceId?.()) ?? served.spaceId;
      const info = { ...served, spaceId, ...(isNew && { isNew }), ...(showFolder && { canShowFolder: true }) };
      // of several pages that open at once, one fills the new space
      isNew = false;
      return info;
    },
    // whoever asks again while it opens gets the same one
    ...(showFolder && { showFolder: () => (showing ??= showFolder().finally(() => (showing = undefined))) }),
  };
}

function channelOf(client: WebSocket): ClientChannel {
  return {
    send: (message) => new Promise((resolve, reject) => client.send(message, (error) => (error ? reject(error) : resolve()))),
    fail: (reason) => client.close(PROTOCOL_ERROR, reason.slice(0, 100)),
    pause: () => client.pause(),
    resume: () => client.resume(),
  };
}
