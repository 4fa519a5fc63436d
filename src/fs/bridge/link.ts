import { createBirpc, type BirpcReturn } from "birpc";
import type { Clock } from "../../clock.ts";
import { errorMessage } from "../../errors.ts";
import {
  decodeAnswer,
  encodeMessage,
  type ClientFunctions,
  type RpcMessage,
  type ServiceFunctions,
  type WatchedHint,
} from "./protocol.ts";

/** The part of a `WebSocket` that is used: that of browsers is one, and so is that of `ws`. */
export interface BridgeSocket {
  binaryType: string;
  send(message: Uint8Array<ArrayBuffer>): void;
  close(): void;
  addEventListener(type: "open" | "close" | "error", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

export type RemoteService = BirpcReturn<ServiceFunctions, ClientFunctions>;

/** How long a server may take to accept a connection. */
const OPEN_TIMEOUT_MS = 10_000;
/** How often the server is asked for a sign of life; without one until the next time, the connection counts as lost. */
const PING_INTERVAL_MS = 10_000;

/** One connection to the serving side, from its opening to its end. Nothing is tried again. */
export class Link {
  readonly remote: RemoteService;
  readonly #socket: BridgeSocket;
  readonly #clock: Clock;
  readonly #onEnd: (reason: string) => void;
  #cancelTimer: () => void;
  #receive: (message: RpcMessage) => void = () => undefined;
  #isHeard = false;
  #hasEnded = false;

  /**
   * @param onOpen called when the other side can be called
   * @param onEnd called once, with why there is no connection, whether there was one or not
   */
  constructor(
    socket: BridgeSocket,
    clock: Clock,
    onOpen: (link: Link) => void,
    onHints: (hints: readonly WatchedHint[]) => void,
    onEnd: (reason: string) => void,
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.#onEnd = onEnd;
    this.remote = createBirpc<ServiceFunctions, ClientFunctions>(
      { hints: onHints },
      {
        resolver: (name, hints) => (name === "hints" ? hints : undefined),
        serialize: (message: RpcMessage) => encodeMessage(message),
        post: (message: Uint8Array<ArrayBuffer>) => socket.send(message),
        on: (receive) => {
          this.#receive = receive;
        },
        // what takes long on the machine may take long here; that nobody is there is found out by asking
        timeout: -1,
      },
    );
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => {
      if (this.#hasEnded) return;
      this.#beat();
      onOpen(this);
    });
    socket.addEventListener("message", ({ data }) => this.#take(data));
    socket.addEventListener("error", () => this.end("the server cannot be reached, or refused the connection"));
    socket.addEventListener("close", () => this.end("the connection has ended"));
    this.#cancelTimer = clock.schedule(OPEN_TIMEOUT_MS, () => this.end("the server does not answer"));
  }

  /** Ends the connection; calls that are not answered are rejected. */
  end(reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#cancelTimer();
    this.#socket.close();
    this.remote.$close(new Error(reason));
    this.#onEnd(reason);
  }

  #take(data: unknown): void {
    if (this.#hasEnded) return;
    this.#isHeard = true;
    let message: RpcMessage;
    try {
      message = decodeAnswer(new Uint8Array(data as ArrayBuffer));
    } catch (error) {
      this.end(`the server does not keep to the protocol: ${errorMessage(error)}`);
      return;
    }
    this.#receive(message);
  }

  #beat(): void {
    this.#cancelTimer();
    this.#isHeard = false;
    // it fails with the connection only, which tells by itself
    this.remote.ping().catch(() => undefined);
    this.#cancelTimer = this.#clock.schedule(PING_INTERVAL_MS, () => {
      if (this.#isHeard) this.#beat();
      else this.end("the server has gone silent");
    });
  }
}
