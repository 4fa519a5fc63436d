import { backoffMs } from "../../backoff.ts";
import type { Clock } from "../../clock.ts";
import { errorCode, errorMessage, isFoldspaceError } from "../../errors.ts";
import { Link, type BridgeSocket, type RemoteService } from "./link.ts";
import { ClientProof } from "./proof.ts";
import type { WatchedHint } from "./protocol.ts";

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;
const CLOSED = "the bridge has been closed";

/** The server and how to connect to it. */
export interface Target {
  readonly openSocket: () => BridgeSocket;
  /** Address of the server with its port. The proofs cover it. */
  readonly host: string;
  readonly clock: Clock;
}

export interface LinkOwner {
  /**
   * Prepares a new connection before any caller may use it. A rejection ends that connection.
   * @param token that the server knows
   */
  readonly prepare: (remote: RemoteService, token: string) => Promise<void>;
  /** A new connection can be used. @param token that the server knows */
  readonly onReady: (token: string) => void;
  readonly onHints: (hints: readonly WatchedHint[]) => void;
  /** A connection that was ready is lost. */
  readonly onLost: (reason: string) => void;
}

/** Opens its connection again, with growing delays, whenever it ends. */
export class ReconnectingLink {
  readonly #target: Target;
  readonly #owner: LinkOwner;
  /** Tokens that may be the server's, in the order in which to try them. Once the server has proven one, the others are dropped. */
  #tokens: readonly string[];
  /** The current connection, open or opening; rejected while waiting for the next try. */
  #ready: Promise<RemoteService> | undefined;
  #link: Link | undefined;
  #failures = 0;
  #cancelRetry: (() => void) | undefined;
  #isConnected = false;
  #isClosed = false;

  constructor(target: Target, tokens: readonly string[], owner: LinkOwner) {
    this.#target = target;
    this.#tokens = tokens;
    this.#owner = owner;
  }

  /** The token that the server has proven to know, or else the next one to try. */
  get token(): string {
    return this.#tokens[0]!;
  }

  /**
   * The server's functions. The first call connects; a call during a try waits for it.
   * @throws Error with the reason why there is no connection
   */
  async remote(): Promise<RemoteService> {
    if (!this.#ready) this.#connect();
    return await this.#ready!;
  }

  /** Tries one more token, immediately if there is no connection. Once the server proves one token, the others are dropped. */
  offerToken(token: string): void {
    if (this.#isClosed || token === this.token) return;
    const others = this.#tokens.filter((other) => other !== token);
    this.#tokens = this.#isConnected ? [...others, token] : [token, ...others];
    this.#failures = 0;
    if (!this.#cancelRetry) return;
    this.#cancelRetry();
    this.#connect();
  }

  /** Ends the connection for good. */
  close(): void {
    this.#isClosed = true;
    this.#cancelRetry?.();
    this.#link?.end(CLOSED);
    this.#ready = rejected(new Error(CLOSED));
  }

  #connect(): void {
    this.#cancelRetry = undefined;
    this.#ready = this.#openWithAny(this.#tokens.length);
    this.#ready.catch(() => {
      // callers of `remote` get the error; here it only leads to the next try
    });
  }

  /** Tries every token once. */
  async #openWithAny(tries: number): Promise<RemoteService> {
    for (let left = tries; ; left -= 1) {
      try {
        return await this.#open(this.token);
      } catch (error) {
        const isDistrusted = errorCode(error) === "FOLD_UNTRUSTED_SERVER";
        if (isDistrusted) this.#tokens = [...this.#tokens.slice(1), this.token];
        if (!isDistrusted || left <= 1 || this.#isClosed) {
          this.#retryLater();
          throw error;
        }
      }
    }
  }

  #open(token: string): Promise<RemoteService> {
    return new Promise((resolve, reject) => {
      let isReady = false;
      const onOpen = (link: Link): void => {
        this.#owner.prepare(link.remote, token).then(
          () => {
            isReady = this.#isConnected = true;
            this.#failures = 0;
            this.#tokens = [token];
            this.#owner.onReady(token);
            resolve(link.remote);
          },
          (error: unknown) => link.end(isFoldspaceError(error) ? error : errorMessage(error)),
        );
      };
      const onEnd = (reason: Error): void => {
        if (!isReady) return reject(reason);
        this.#isConnected = false;
        this.#ready = rejected(reason);
        this.#retryLater();
        this.#owner.onLost(reason.message);
      };
      const { openSocket, host, clock } = this.#target;
      try {
        this.#link = new Link(openSocket(), new ClientProof(token, host), clock, { onOpen, onHints: this.#owner.onHints, onEnd });
      } catch (error) {
        reject(new Error(errorMessage(error), { cause: error })); // for example an invalid address
      }
    });
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    this.#failures += 1;
    this.#cancelRetry = this.#target.clock.schedule(backoffMs(this.#failures, FIRST_RETRY_MS, LAST_RETRY_MS), () =>
      this.#connect(),
    );
  }
}

function rejected(reason: Error): Promise<never> {
  const promise = Promise.reject(reason);
  promise.catch(() => {
    // callers of `remote` get the error
  });
  return promise;
}
