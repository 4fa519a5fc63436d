import { backoffMs } from "../../backoff.ts";
import type { Clock } from "../../clock.ts";
import { FoldspaceError, toFoldspaceError } from "../../errors.ts";
import { Observable } from "../../observable.ts";
import { loadClient, type NatsCredentials } from "./client.ts";
import { fromClientError } from "./failures.ts";
import { LinkConnection } from "./link-connection.ts";

/** The link counts as dead if this time passes twice without an answer to a ping. */
const PING_MS = 2_000;
const DIAL_MS = 5_000;
const FIRST_RETRY_MS = 250;

export interface LinkOptions {
  readonly servers: readonly string[];
  readonly credentials: NatsCredentials | undefined;
  /** Beginning of the subjects at which this device gets answers. */
  readonly inboxPrefix: string;
  readonly clock: Clock;
  /** The server in words, as part of a sentence. */
  readonly label: string;
  /** Prepares each new connection. If it rejects, the connection counts as failed. */
  readonly establish: (connection: LinkConnection) => Promise<void>;
}

/**
 * Keeps one connection to a server, and makes a new one for as long as it takes when it breaks. The client's own reconnecting is
 * not used: it holds back requests of a broken connection until they time out, and gives up after a refused credential.
 */
export class NatsLink {
  /** Why there is no connection at present. */
  readonly failure: Observable<FoldspaceError | undefined> = new Observable<FoldspaceError | undefined>(undefined);
  readonly #options: LinkOptions;
  #connection: LinkConnection | undefined;
  #failures = 0;
  #cancelRetry: (() => void) | undefined;
  #isClosed = false;
  #onClose: () => void = () => undefined;
  readonly #whenClosed: Promise<void> = new Promise((resolve) => (this.#onClose = resolve));

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The present connection. @throws FoldspaceError why it is missing */
  get connection(): LinkConnection {
    if (this.#connection) return this.#connection;
    throw this.failure.value ?? new FoldspaceError("FOLD_CLOSED", `The connection to ${this.#options.label} is closed`);
  }

  /** Makes the first connection. @throws FoldspaceError why it could not be made; there is no other attempt then */
  async open(): Promise<void> {
    await Promise.race([this.#dial(), this.#whenClosed]);
    this.#assertOpen();
  }

  /** Makes the next attempt now, if there is no connection: the network may be back. */
  retryNow(): void {
    if (!this.#cancelRetry) return;
    this.#cancelRetry();
    void this.#retry();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#onClose();
    this.#cancelRetry?.();
    await this.#connection?.close();
    this.#connection = undefined;
  }

  async #dial(): Promise<void> {
    const { servers, credentials, inboxPrefix, clock, label, establish } = this.#options;
    const client = await loadClient();
    const nats = await client
      .dial({
        servers: [...servers],
        reconnect: false,
        timeout: DIAL_MS,
        pingInterval: PING_MS,
        maxPingOut: 1,
        inboxPrefix,
        noAsyncTraces: true,
        ...(credentials ? { authenticator: client.authenticator(credentials) } : {}),
      })
      .catch((error: unknown) => {
        throw fromClientError(error, `${label} cannot be reached`);
      });
    const connection = new LinkConnection(client, nats, label, clock);
    try {
      this.#assertOpen();
      await establish(connection);
      this.#assertOpen();
    } catch (error) {
      await connection.close();
      throw error;
    }
    this.#connection = connection;
    this.#failures = 0;
    this.failure.value = undefined;
    connection.onClosed(() => this.#onClosed(connection));
  }

  #onClosed(connection: LinkConnection): void {
    if (this.#isClosed) return;
    this.#connection = undefined;
    this.#retryLater(connection.reason);
  }

  #retryLater(failure: FoldspaceError): void {
    // devices that lost their server together do not come back together
    const delayMs = backoffMs(++this.#failures, FIRST_RETRY_MS) * (0.5 + Math.random() / 2);
    this.#cancelRetry = this.#options.clock.schedule(delayMs, () => void this.#retry());
    this.failure.value = failure;
  }

  /** Never rejects. */
  async #retry(): Promise<void> {
    this.#cancelRetry = undefined;
    try {
      await this.#dial();
    } catch (error) {
      if (!this.#isClosed) this.#retryLater(toFoldspaceError(error));
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new FoldspaceError("FOLD_CLOSED", `The connection to ${this.#options.label} was closed`);
  }
}
