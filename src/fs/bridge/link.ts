import { createBirpc, type BirpcReturn } from "birpc";
import type { Bytes } from "../../bytes.ts";
import type { Clock } from "../../clock.ts";
import { errorMessage, isFoldspaceError, type FoldspaceError } from "../../errors.ts";
import { PROOF_TIMEOUT_MS, untrustedServer, type ClientProof } from "./proof.ts";
import {
  decodeAnswer,
  encodeMessage,
  type ClientFunctions,
  type RpcMessage,
  type ServiceFunctions,
  type WatchedHint,
} from "./protocol.ts";

/** The part of `WebSocket` that the bridge uses. The sockets of browsers and of `ws` both provide it. */
export interface BridgeSocket {
  binaryType: string;
  /** Sends one binary message. */
  send(message: Bytes): void;
  /** Begins to close the connection; a `close` event follows. */
  close(): void;
  /** Calls the listener when the connection opens, closes or fails. */
  addEventListener(type: "open" | "close" | "error", listener: () => void): void;
  /** Calls the listener with the data of each message. */
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
}

export type RemoteService = BirpcReturn<ServiceFunctions, ClientFunctions>;

/** Interval of the pings to the server. */
const PING_INTERVAL_MS = 1_000;
/** The connection counts as lost after this many unanswered pings in a row. A single answer may be late because the page was busy. */
const MAX_MISSED = 3;

export interface LinkEvents {
  /** Both sides have proven that they know the token: the other side can be called. */
  readonly onOpen: (link: Link) => void;
  readonly onHints: (hints: readonly WatchedHint[]) => void;
  /** Called once with the reason why there is no connection, even if there never was one. */
  readonly onEnd: (reason: Error) => void;
}

/** One connection to the server, from its opening to its end. It never retries. */
export class Link {
  readonly remote: RemoteService;
  readonly #socket: BridgeSocket;
  readonly #clock: Clock;
  readonly #events: LinkEvents;
  #cancelTimer: () => void;
  /** Handles the next message. Before the proofs, neither side exchanges any data of the file system. */
  #onMessage: (message: Bytes) => void = () => this.#distrust("it speaks first");
  #receive: (message: RpcMessage) => void = () => undefined;
  #missed = 0;
  #hasEnded = false;

  constructor(socket: BridgeSocket, proof: ClientProof, clock: Clock, events: LinkEvents) {
    this.#socket = socket;
    this.#clock = clock;
    this.#events = events;
    this.remote = createBirpc<ServiceFunctions, ClientFunctions>(
      { hints: events.onHints },
      {
        resolver: (name, hints) => (name === "hints" ? hints : undefined),
        serialize: (message: RpcMessage) => encodeMessage(message),
        post: (message: Bytes) => socket.send(message),
        on: (receive) => {
          this.#receive = receive;
        },
        // a call may take long on the server's machine; pings detect that the server is gone
        timeout: -1,
      },
    );
    socket.binaryType = "arraybuffer";
    socket.addEventListener("open", () => this.#prove(proof));
    socket.addEventListener("message", ({ data }) => {
      if (this.#hasEnded) return;
      this.#missed = 0;
      if (typeof data === "string") this.#distrust("it speaks another protocol");
      else this.#onMessage(new Uint8Array(data as ArrayBuffer));
    });
    socket.addEventListener("error", () => this.end("the server cannot be reached, or refused the connection"));
    socket.addEventListener("close", () => this.end("the connection has ended"));
    this.#cancelTimer = clock.schedule(PROOF_TIMEOUT_MS, () => this.end("the server does not answer"));
  }

  /** Ends the connection and rejects unanswered calls. */
  end(reason: string | FoldspaceError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#cancelTimer();
    this.#socket.close();
    const error = typeof reason === "string" ? new Error(reason) : reason;
    this.remote.$close(error);
    this.#events.onEnd(error);
  }

  #prove(proof: ClientProof): void {
    if (this.#hasEnded) return;
    this.#onMessage = (challenge) => {
      this.#onMessage = () => this.#distrust("it says more than it was asked");
      proof.answer(challenge).then(
        (answer) => {
          if (this.#hasEnded) return;
          this.#onMessage = (acceptance) => {
            if (acceptance.length === 0) this.#begin();
            else this.#distrust("it does not keep to the proof");
          };
          this.#socket.send(answer);
        },
        (error: unknown) => this.end(isFoldspaceError(error) ? error : errorMessage(error)),
      );
    };
    this.#socket.send(proof.nonce);
  }

  #begin(): void {
    this.#onMessage = (message) => this.#onAnswer(message);
    this.#beat();
    this.#events.onOpen(this);
  }

  #distrust(reason: string): void {
    this.end(untrustedServer(reason));
  }

  #onAnswer(bytes: Uint8Array): void {
    let message: RpcMessage;
    try {
      message = decodeAnswer(bytes);
    } catch (error) {
      this.end(`the server does not keep to the protocol: ${errorMessage(error)}`);
      return;
    }
    this.#receive(message);
  }

  #beat(): void {
    this.#cancelTimer();
    if (this.#missed >= MAX_MISSED) {
      this.end("the server has gone silent");
      return;
    }
    this.#missed += 1;
    // a ping fails only with the connection, and `end` reports that
    this.remote.ping().catch(() => undefined);
    this.#cancelTimer = this.#clock.schedule(PING_INTERVAL_MS, () => this.#beat());
  }
}
