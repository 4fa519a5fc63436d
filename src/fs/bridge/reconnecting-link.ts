import type { Clock } from "../../clock.ts";
import { errorMessage } from "../../errors.ts";
import { Link, type BridgeSocket, type RemoteService } from "./link.ts";
import type { WatchedHint } from "./protocol.ts";

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
const CLOSED = "the bridge has been closed";

export interface LinkOwner {
  /** Prepares a new connection before anyone else may use it. What it rejects with ends that connection. */
  readonly prepare: (remote: RemoteService) => Promise<void>;
  readonly onHints: (hints: readonly WatchedHint[]) => void;
  /** A connection that had been ready is lost. */
  readonly onLost: (reason: string) => void;
}

/** A connection that is opened again, with growing delays, whenever it ends. */
export class ReconnectingLink {
  readonly #openSocket: () => BridgeSocket;
  readonly #clock: Clock;
  readonly #owner: LinkOwner;
  /** The connection that is there or being opened; rejected while the next try is waited for. */
  #ready: Promise<RemoteService> | undefined;
  #link: Link | undefined;
  #retryMs = FIRST_RETRY_MS;
  #cancelRetry: (() => void) | undefined;
  #isClosed = false;

  constructor(openSocket: () => BridgeSocket, clock: Clock, owner: LinkOwner) {
    this.#openSocket = openSocket;
    this.#clock = clock;
    this.#owner = owner;
  }

  /**
   * The other side, connected to at the first call. A try that is under way is waited for.
   * @throws Error why there is no connection
   */
  async remote(): Promise<RemoteService> {
    if (!this.#ready) this.#connect();
    return await this.#ready!;
  }

  /** Ends the connection for good. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#link?.end(CLOSED);
    this.#ready = rejected(CLOSED);
  }

  #connect(): void {
    this.#ready = this.#open();
    this.#ready.catch(() => {
      // told to whoever calls; here, it only leads to the next try
    });
  }

  #open(): Promise<RemoteService> {
    return new Promise((resolve, reject) => {
      let isReady = false;
      const onOpen = (link: Link): void => {
        this.#owner.prepare(link.remote).then(
          () => {
            isReady = true;
            this.#retryMs = FIRST_RETRY_MS;
            resolve(link.remote);
          },
          (error: unknown) => link.end(errorMessage(error)),
        );
      };
      const onEnd = (reason: string): void => {
        reject(new Error(reason));
        if (isReady) this.#ready = rejected(reason);
        this.#retryLater();
        if (isReady) this.#owner.onLost(reason);
      };
      try {
        this.#link = new Link(this.#openSocket(), this.#clock, onOpen, this.#owner.onHints, onEnd);
      } catch (error) {
        onEnd(errorMessage(error)); // such as an address that is none
      }
    });
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    this.#cancelRetry = this.#clock.schedule(this.#retryMs, () => this.#connect());
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}

function rejected(reason: string): Promise<never> {
  const promise = Promise.reject(new Error(reason));
  promise.catch(() => {
    // told to whoever calls
  });
  return promise;
}
